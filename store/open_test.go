package store_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"carbongraph/internal/fault"
	"carbongraph/store"
	"carbongraph/store/storetest"
)

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken")
	if err := os.MkdirAll(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	occupied := t.TempDir() // by a folder of the database's name, which not even root can write as a file
	if err := os.Mkdir(filepath.Join(occupied, "carbongraph.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "carbongraph.db"), []byte(strings.Repeat("not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		o    store.Options
		says []string
	}{
		"a server that does not answer":     {store.Options{DatabaseURL: "postgres://ann:hunter2@127.0.0.1:1/ledger"}, []string{"127.0.0.1:1", "refused", "DATABASE_URL"}},
		"a host that is not there":          {store.Options{DatabaseURL: "postgres://ann:hunter2@no-such-host.invalid/ledger"}, []string{"no-such-host.invalid:5432", "DATABASE_URL"}},
		"an address that is none":           {store.Options{DatabaseURL: "postgres://ann:hunter2@%zz:x/ledger"}, []string{"DATABASE_URL", "postgres://user"}},
		"a folder that cannot be made":      {store.Options{DataDir: filepath.Join(file, "data")}, []string{file, "DATA_DIR"}},
		"a folder that is a file":           {store.Options{DataDir: file}, []string{file, "DATA_DIR"}},
		"a database that cannot be written": {store.Options{DataDir: occupied}, []string{"carbongraph.db", "cannot be written", "DATA_DIR"}},
		"a database that is another file":   {store.Options{DataDir: broken}, []string{"carbongraph.db", "DATA_DIR"}},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := store.Open(t.Context(), tc.o)
			if err == nil {
				st.Close()
				t.Fatal("it opened")
			}
			message := fault.Of(err).Message
			for _, want := range tc.says {
				if !strings.Contains(message, want) {
					t.Errorf("message %q does not name %q", message, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(message, "\n") {
				t.Errorf("message %q of error %q tells the password, or is longer than a line", message, err)
			}
		})
	}
}

func TestOpenRefusesFoldersThatCannotBeWritten(t *testing.T) {
	dir := "/proc/self" // nobody makes files there, not even root
	if os.Geteuid() != 0 {
		dir = t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
	} else if runtime.GOOS != "linux" {
		t.Skip("root may write anywhere")
	}
	_, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if f := fault.Of(err); err == nil || !strings.Contains(f.Message, "cannot be written") || !strings.Contains(f.Message, "DATA_DIR") {
		t.Errorf("error = %v", err)
	}
}

// What is kept outside of a database, in Redis or by clients, is named by secrets that its copies do not have, and every server over it has.
func TestACopyHasOtherSecrets(t *testing.T) {
	url := storetest.PostgresURL(t)
	for name, places := range map[string][2]store.Options{
		"postgres": {{DatabaseURL: url}, {DatabaseURL: storetest.PostgresURL(t)}}, // both copies of one template
		"sqlite":   {{DataDir: t.TempDir()}, {DataDir: t.TempDir()}},
	} {
		t.Run(name, func(t *testing.T) {
			derive := func(o store.Options) string {
				o.SkipMigrationCheck = true
				st, err := store.Open(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				defer st.Close()
				if _, err := st.MigrateUp(t.Context()); err != nil {
					t.Fatal(err)
				}
				return string(st.Derive("x"))
			}
			if name == "sqlite" { // a copy of the file, with the secret that the second start finds or makes
				derive(places[0])
				derive(places[0])
				file, err := os.ReadFile(filepath.Join(places[0].DataDir, "carbongraph.db"))
				if err == nil {
					err = os.WriteFile(filepath.Join(places[1].DataDir, "carbongraph.db"), file, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			one := derive(places[0])
			if again := derive(places[0]); one != again {
				t.Error("two servers over one database have different secrets")
			}
			if derive(places[1]) == one {
				t.Error("a copy has the same secret")
			}
		})
	}
}
