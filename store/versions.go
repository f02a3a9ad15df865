package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// Versions are how often what answers are made of was changed, by subject, at one moment. A subject that was never changed is missing.
type Versions struct {
	Own   map[string]int64 // of the organization
	All   map[string]int64 // of what is everybody's
	Total int64            // of all that is the organization's own: with each of its writes it grows

	ownMarks, allMarks map[string]int64
}

// markBits are those of a stamp that chance made.
const markBits = 31

// Stamps are the versions as answers are kept under them: the count of changes before bits of chance, so that a database which was restored from a backup, and counts
// to the same numbers again, comes to others.
func (v *Versions) Stamps() (own, all map[string]int64) {
	return stamps(v.Own, v.ownMarks), stamps(v.All, v.allMarks)
}

func stamps(counts, marks map[string]int64) map[string]int64 {
	out := make(map[string]int64, len(counts))
	for subject, n := range counts {
		out[subject] = n<<markBits | marks[subject]&(1<<markBits-1)
	}
	return out
}

func newVersions() *Versions {
	return &Versions{Own: map[string]int64{}, All: map[string]int64{}, ownMarks: map[string]int64{}, allMarks: map[string]int64{}}
}

// add takes a subject in, of an organization or of everybody.
func (v *Versions) add(of ID, subject string, n, mark int64) {
	if of.IsZero() {
		v.All[subject], v.allMarks[subject] = n, mark
		return
	}
	v.Own[subject], v.ownMarks[subject], v.Total = n, mark, v.Total+n
}

// versionsText reads the versions of an organization and of everybody; uuid is its id in SQL.
func versionsText(uuid string) string {
	return "SELECT org_id, subject, CAST(SUM(n) AS bigint), CAST(SUM(mark) AS bigint) FROM versions WHERE org_id IN (" + uuid + ", " + noUUID + ") GROUP BY org_id, subject"
}

// Versions gives the versions of an organization's subjects, and of everybody's, of one moment.
func (s *Store) Versions(ctx context.Context, org ID) (*Versions, error) {
	v, b := newVersions(), s.statement()
	text := versionsText("CAST(" + b.bind(org.String()) + " AS " + s.dialect.words()["uuid"] + ")")
	err := s.read(ctx, "versions", text, b, func(scan scanner) error {
		var of ID
		var subject string
		var n, mark int64
		if err := scan(&of, &subject, &n, &mark); err != nil {
			return err
		}
		v.add(of, subject, n, mark)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Mark is a moment of the database, as VersionChanges gave it. The zero Mark is before all time.
type Mark string

// VersionChanges tells which organizations' versions may have changed since a mark, and gives the mark of now; the zero ID stands for everybody's, and where it is
// among them, or the mark is the zero one, anybody's may have. None is missed, whatever the order in which transactions began, raised and were committed.
func (s *Store) VersionChanges(ctx context.Context, since Mark) (orgs []ID, next Mark, err error) {
	words := s.dialect.words()
	if since == "" {
		err := s.read(ctx, "versions", words["moment"], s.statement(), func(scan scanner) error { return scan(&next) })
		return []ID{{}}, next, err
	}
	b := s.statement()
	b.bind(string(since))
	err = s.read(ctx, "versions", words["changes"], b, func(scan scanner) error {
		var org *ID
		err := scan(&next, &org)
		if org != nil {
			orgs = append(orgs, *org)
		}
		return err
	})
	if err != nil {
		return nil, since, err
	}
	if next.before(since) { // a database that went back in time, restored or without what was committed last
		orgs = append(orgs, ID{})
	}
	slices.SortFunc(orgs, func(a, b ID) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(orgs), next, nil
}

// before tells whether a mark is of an earlier moment than one that was given before it.
func (m Mark) before(since Mark) bool { return m.number() < since.number() }

// number is the first transaction that had not begun: on Postgres a mark is a snapshot, lowest:next:running; on SQLite it is that number.
func (m Mark) number() uint64 {
	parts := strings.Split(string(m), ":")
	n, _ := strconv.ParseUint(parts[min(1, len(parts)-1)], 10, 64) // it is the database's
	return n
}

// compactLock keeps servers from compacting together. The number is ours by choice alone.
const compactLock = 4717402564

// CompactVersions makes one row of a subject's many, where there are many; sums stay as they are for every reader. Of servers that come together one does it.
func (s *Store) CompactVersions(ctx context.Context) error {
	words := s.dialect.words()
	if words["compact"] == "" {
		return nil
	}
	return s.transact(ctx, "compact versions", ID{}, func(ctx context.Context, tx *transaction) error {
		mine := false
		err := tx.each(ctx, words["tryLock"], s.dialect.bound([]any{int64(compactLock)}, false), func(scan scanner) error { return scan(&mine) })
		if err != nil || !mine {
			return err
		}
		_, err = tx.exec(ctx, words["compact"])
		return err
	})
}
