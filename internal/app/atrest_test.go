package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Of a key the database has its prefix and a hash: no file holds the secret, whichever way the key was made and however it was used.
func TestNoFileHoldsASecret(t *testing.T) {
	dir, keys := ledger(t, "Acme")
	s := serve(t, dir, nil)
	made := s.ask(t, keys[0], `mutation{createApiKey(input:{name:"x",role:VIEWER}){secret}}`)
	var got struct{ CreateAPIKey struct{ Secret string } }
	if err := json.Unmarshal(made.Data, &got); err != nil || got.CreateAPIKey.Secret == "" {
		t.Fatal(made.text)
	}
	_, line, _ := run(t, nil, "key", "create", "--org", "Acme", "--role", "ADMIN", "--data-dir", dir)
	keys = append(keys, got.CreateAPIKey.Secret, strings.TrimSpace(line))
	for _, key := range keys {
		if r := s.ask(t, key, "{viewer{role}}"); r.status != 200 || len(r.Errors) > 0 {
			t.Fatal(r.text)
		}
	}
	s.stop() // which writes last uses, and all that is in memory
	stored := contents(t, dir)
	for _, key := range keys {
		parts := strings.Split(key, "_")
		hash := sha256.Sum256([]byte(key))
		if bytes.Contains(stored, []byte(key)) || bytes.Contains(stored, []byte(parts[2])) {
			t.Errorf("the secret of %s is stored", parts[1])
		}
		if !bytes.Contains(stored, []byte(parts[1])) || !bytes.Contains(stored, hash[:]) {
			t.Errorf("%s and its hash are not found: the test looks in the wrong place", parts[1])
		}
		if strings.Contains(s.log.String(), parts[2]) {
			t.Errorf("the secret of %s is in the log", parts[1])
		}
	}
}

// contents is all that the files of a folder hold.
func contents(t *testing.T, dir string) (all []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}
