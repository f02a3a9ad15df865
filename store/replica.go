package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"carbongraph/internal/fault"
)

// AsOf is a state of what an organization sees: the versions that a read is to show, or later ones.
type AsOf struct {
	Org      ID
	Number   uint64           // of no other state in the process
	Own, All map[string]int64 // as Versions.Stamps gives them
}

// shown tells whether who sees these versions sees what the state asks for: each subject as often changed, by the same changes, or more often.
func (a *AsOf) shown(v *Versions) bool {
	own, all := v.Stamps()
	return atLeast(own, a.Own) && atLeast(all, a.All)
}

func atLeast(got, want map[string]int64) bool {
	for subject, stamp := range want {
		if has := got[subject]; has != stamp && has>>markBits <= stamp>>markBits {
			return false
		}
	}
	return true
}

const (
	// replicaPatience is how long a connection to a replica is waited for: the primary is there.
	replicaPatience = 100 * time.Millisecond
	// replicaRest is how long a replica that does not answer is not asked, and lateRest one that was behind, by whoever asks for the same organization.
	replicaRest, lateRest = time.Second, 20 * time.Millisecond
	// maxSeen bounds the organizations that a connection, or a replica, is remembered by.
	maxSeen = 1024
)

// replica is a database that follows the primary.
type replica struct {
	name    string // host:port
	pool    *pgxpool.Pool
	resting atomic.Int64 // until when it is not asked, in nanoseconds since 1970

	mu   sync.Mutex
	late map[ID]time.Time // until when, for whom
}

// openReplicas makes the pools of replicas. Nothing is connected yet: one that is away at the start is used once it is there.
func (s *Store) openReplicas(ctx context.Context, urls []string) error {
	for _, url := range urls {
		cfg, err := postgresPool(url, int(s.address.MaxConns))
		if err != nil { // its text may hold the password
			return fault.New(fault.Internal, "DATABASE_REPLICA_URLS has what is not the address of a Postgres database; write postgres://user:password@host:5432/name, several with commas between.")
		}
		pool, err := pgxpool.NewWithConfig(ctx, cfg)
		if err != nil {
			return fault.Wrap(err, fault.Internal, "The pool of connections to a replica cannot be made; check DATABASE_REPLICA_URLS.")
		}
		s.closers = append(s.closers, func() error { pool.Close(); return nil })
		s.replicas = append(s.replicas, &replica{name: net.JoinHostPort(cfg.ConnConfig.Host, strconv.Itoa(int(cfg.ConnConfig.Port))), pool: pool, late: map[ID]time.Time{}})
	}
	return nil
}

// replica gives a connection to a replica that shows the state by now; nil where none is there that does.
func (s *Store) replica(ctx context.Context, at *AsOf) Snapshot {
	if at == nil || len(s.replicas) == 0 {
		return nil
	}
	first := int(s.turn.Add(1))
	for i := range s.replicas {
		r := s.replicas[(first+i)%len(s.replicas)]
		if !r.ready(at.Org) {
			continue
		}
		sn, err := s.follow(ctx, r, at)
		switch {
		case err == nil:
			s.metrics.Replica(r.name, "served")
			return sn
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errBehind):
			s.metrics.Replica(r.name, "behind")
			r.wasLate(at.Org)
		default:
			s.metrics.Replica(r.name, "unreachable")
			r.rest()
			s.log.WarnContext(ctx, "a replica does not answer; the primary is read", "replica", r.name, "err", err)
		}
	}
	return nil
}

// errBehind is of a replica that does not show a state yet.
var errBehind = errors.New("store: the replica is behind")

// follow takes a connection, and makes sure that it shows the state. It is asked once for each state: what a server showed it shows ever after.
func (s *Store) follow(ctx context.Context, r *replica, at *AsOf) (Snapshot, error) {
	waiting, stop := context.WithTimeout(ctx, replicaPatience)
	defer stop()
	conn, err := r.pool.Acquire(waiting)
	if err != nil {
		return nil, err
	}
	sn := s.over(ctx, conn)
	sn.replica = r
	if sn.own.seen[at.Org] == at.Number {
		return sn, nil
	}
	q := &versionsRead{org: at.Org, found: newVersions()}
	if err := sn.Read(false, q); err != nil {
		sn.Close()
		return nil, err
	}
	if !at.shown(q.found) {
		sn.Close()
		return nil, errBehind
	}
	if len(sn.own.seen) >= maxSeen {
		clear(sn.own.seen)
	}
	sn.own.seen[at.Org] = at.Number
	return sn, nil
}

func (r *replica) ready(org ID) bool {
	now := time.Now()
	if now.UnixNano() < r.resting.Load() {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return !now.Before(r.late[org])
}

func (r *replica) rest() { r.resting.Store(time.Now().Add(replicaRest).UnixNano()) }

func (r *replica) wasLate(org ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.late) >= maxSeen {
		clear(r.late)
	}
	r.late[org] = time.Now().Add(lateRest)
}

// failed notes that a read failed on a replica: one that only refused a statement answers.
func (r *replica) failed(err error) {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		r.rest()
	}
}

// versionsRead is Store.Versions as a read of a snapshot.
type versionsRead struct {
	org   ID
	found *Versions
}

func (q *versionsRead) asked() asked {
	return asked{table: "versions", text: versionsText("$1"), args: []any{q.org.String()}}
}

func (q *versionsRead) wire(values [][]byte) error {
	if len(values) != 4 || len(values[0]) != len(ID{}) || len(values[2]) != 8 || len(values[3]) != 8 {
		return fmt.Errorf("store: a row of versions with %d columns", len(values))
	}
	q.found.add(ID(values[0]), string(values[1]), int64(binary.BigEndian.Uint64(values[2])), int64(binary.BigEndian.Uint64(values[3])))
	return nil
}

func (q *versionsRead) scan(scanner) error { return errors.ErrUnsupported } // SQLite has no replicas

func (q *versionsRead) done() error { return nil }
