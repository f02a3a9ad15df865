package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"carbongraph/internal/fault"
)

// Secret is a key as its holder knows it. Text is shown once and never kept; Prefix, which finds the key, and Hash are what is stored.
type Secret struct {
	Text   string
	Prefix string
	Hash   []byte
}

const (
	scheme     = "cg_"
	prefixLen  = 12 // 60 bits: enough never to meet twice
	randomLen  = 40 // 200 bits: beyond guessing
	maxTextLen = 128
)

// NewSecret makes a secret of the form cg_PREFIX_RANDOM.
func NewSecret() Secret {
	return secretOf(text(prefixLen), text(randomLen))
}

// NewSecretNamed makes a secret whose prefix is given, so that a person sees which key it is.
func NewSecretNamed(prefix string) Secret { return secretOf(prefix, text(randomLen)) }

// ParseSecret takes a secret apart. What has not its form is UNAUTHENTICATED, and the message does not repeat it.
func ParseSecret(s string) (Secret, error) {
	rest, ok := strings.CutPrefix(s, scheme)
	prefix, random, found := strings.Cut(rest, "_")
	if !ok || !found || len(s) > maxTextLen || len(prefix) < 4 || len(random) < 16 || !plain(prefix) || !plain(random) {
		return Secret{}, fault.New(fault.Unauthenticated, "The key has not the form cg_PREFIX_SECRET; send it as it was shown when it was made.")
	}
	return secretOf(prefix, random), nil
}

func secretOf(prefix, random string) Secret {
	t := scheme + prefix + "_" + random
	h := sha256.Sum256([]byte(t))
	return Secret{Text: t, Prefix: prefix, Hash: h[:]}
}

// text gives n letters and digits of 5 random bits each.
func text(n int) string {
	b := make([]byte, n*5/8+1)
	rand.Read(b) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))[:n]
}

func plain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) < 0
}
