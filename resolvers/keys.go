package resolvers

import (
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"carbongraph/graph/model"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

const maxKeyName = 200

// checkKey tells what is wrong with a key to make.
func checkKey(in model.CreateAPIKeyInput, now exact.Instant) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(in.Name)); n == 0 || n > maxKeyName {
		return fault.New(fault.BadUserInput, "The name has %d characters; give the key a name of 1 to %d.", n, maxKeyName).At("input", "name")
	}
	if in.ExpiresAt != nil && !in.ExpiresAt.Time().After(now.Time()) {
		return fault.New(fault.BadUserInput, "The key would expire at %s, which is not in the future.", in.ExpiresAt).At("input", "expiresAt")
	}
	return nil
}

// newID makes a UUIDv7: ids of one organization grow with time, so that they fill pages of an index one after the other.
func newID() store.ID { return store.ID(uuid.Must(uuid.NewV7())) }
