package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// maxPrepared bounds the statements that a connection keeps for reads of snapshots. Texts differ by filter, order and page size.
const maxPrepared = 256

// preparedKey is where a connection keeps them.
const preparedKey = "carbongraph.prepared"

// prepared is what a connection has prepared. The server plans such a statement for any values once it finds that this costs no more.
type prepared struct {
	byText map[string]*preparedStatement
	texts  []string // the eldest first
	made   int
	seen   map[ID]uint64 // the state of each organization that a replica has shown

	// memory for the parameters of one statement
	values  [][]byte
	formats []int16
	ends    []int
	buf     []byte
}

// preparedStatement is one of them: what the connection calls it, and what the server said of it.
type preparedStatement struct {
	name      string
	described *pgconn.StatementDescription // nil: on its way
}

// pgSnapshot sends statements in pipelines of the extended protocol: all of a call in one round trip.
type pgSnapshot struct {
	store   *Store
	ctx     context.Context
	conn    *pgxpool.Conn
	pg      *pgconn.PgConn
	stop    func() bool
	own     *prepared
	replica *replica // nil: the primary
	begun   bool
	broken  bool // nothing can be read any more
	lost    bool // and nobody else can read on the connection either
}

func (s *Store) postgresSnapshot(pool *pgxpool.Pool) func(context.Context) (Snapshot, error) {
	return func(ctx context.Context) (Snapshot, error) {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		return s.over(ctx, conn), nil
	}
}

// over is a snapshot over a connection.
func (s *Store) over(ctx context.Context, conn *pgxpool.Conn) *pgSnapshot {
	sn := &pgSnapshot{store: s, ctx: ctx, conn: conn, pg: conn.Conn().PgConn()}
	data := sn.pg.CustomData()
	if sn.own, _ = data[preparedKey].(*prepared); sn.own == nil {
		sn.own = &prepared{byText: map[string]*preparedStatement{}, seen: map[ID]uint64{}}
		data[preparedKey] = sn.own
	}
	// Watched once for the operation: to hand the context to the driver costs with each statement.
	sn.stop = context.AfterFunc(ctx, func() { _ = sn.pg.Conn().SetDeadline(time.Unix(1, 0)) })
	return sn
}

// binaryForm is how every column is sent.
var binaryForm = []int16{1}

const beginSnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// Read sends statements and takes their rows.
func (sn *pgSnapshot) Read(more bool, statements ...Statement) (err error) {
	if err := sn.ctx.Err(); err != nil {
		return err
	}
	began, made := time.Now(), sn.own.made
	p := sn.pg.StartPipeline(context.Background())
	defer func() {
		if closed := p.Close(); err == nil {
			err = closed
		}
		if err != nil {
			sn.broken = true
			// What was prepared, or made room, behind the error was not done; and a statement may have been prepared for tables as they were.
			var said *pgconn.PgError
			sn.lost = sn.own.made != made || errors.As(err, &said) && (said.Code == "26000" || said.Code == "0A000")
			if sn.replica != nil && sn.ctx.Err() == nil {
				sn.replica.failed(err)
			}
			if cause := context.Cause(sn.ctx); cause != nil {
				err = fmt.Errorf("%w: %w", sn.ctx.Err(), err)
			}
			err = sn.store.fault(err, "read in a snapshot")
		}
	}()
	begin, end := more && !sn.begun, !more && sn.begun
	if begin {
		sn.send(p, asked{text: beginSnapshot})
	}
	for _, st := range statements {
		if err := sn.send(p, st.asked()); err != nil {
			return errors.Join(err, p.Sync())
		}
	}
	if end {
		sn.send(p, asked{text: "COMMIT"})
	}
	if err := p.Sync(); err != nil {
		return err
	}
	if begin {
		if err := sn.frame(p, beginSnapshot); err != nil {
			return err
		}
		sn.begun = true
	}
	for _, st := range statements {
		a := st.asked()
		err := sn.receive(p, a, st)
		observer{sn.store.metrics}.note(sn.ctx, "SELECT", a.table, began, err)
		if err != nil {
			return err
		}
	}
	if end {
		if err := sn.frame(p, "COMMIT"); err != nil {
			return err
		}
		sn.begun = false
	}
	return nil
}

// frame reads the end of a statement without rows.
func (sn *pgSnapshot) frame(p *pgconn.Pipeline, text string) error {
	r, err := sn.next(p, text)
	if err != nil {
		return err
	}
	_, err = r.Close()
	return err
}

// send queues one statement.
func (sn *pgSnapshot) send(p *pgconn.Pipeline, a asked) error {
	if err := sn.own.parameters(a.args); err != nil {
		return err
	}
	if a.fresh { // planned for its values
		p.SendQueryParams(a.text, sn.own.values, nil, sn.own.formats, binaryForm)
		return nil
	}
	own := sn.own.byText[a.text]
	switch {
	case own == nil:
		own = sn.prepare(p, a.text)
	case own.described != nil:
		p.SendQueryStatement(own.described, sn.own.values, sn.own.formats, binaryForm)
		return nil
	}
	p.SendQueryPrepared(own.name, sn.own.values, sn.own.formats, binaryForm)
	return nil
}

// prepare queues a statement to be prepared. The eldest makes room, also where it is on its way itself: the pipeline keeps the order.
func (sn *pgSnapshot) prepare(p *pgconn.Pipeline, text string) *preparedStatement {
	own := sn.own
	if len(own.texts) == maxPrepared {
		eldest := own.texts[0]
		p.SendDeallocate(own.byText[eldest].name)
		delete(own.byText, eldest)
		own.texts = slices.Delete(own.texts, 0, 1)
	}
	made := &preparedStatement{name: "cg" + strconv.Itoa(own.made)}
	own.made++
	own.texts, own.byText[text] = append(own.texts, text), made
	p.SendPrepare(made.name, text, nil)
	return made
}

// next gives the rows of the next statement, past what was sent to prepare it.
func (sn *pgSnapshot) next(p *pgconn.Pipeline, text string) (*pgconn.ResultReader, error) {
	for {
		results, err := p.GetResults()
		if err != nil {
			return nil, err
		}
		switch r := results.(type) {
		case *pgconn.ResultReader:
			return r, nil
		case *pgconn.StatementDescription:
			if own := sn.own.byText[text]; own != nil { // else it made room for another of the same pipeline
				r.Name, r.SQL = own.name, text
				own.described = r
			}
		case *pgconn.CloseComplete:
		default:
			return nil, fmt.Errorf("store: %T where rows were awaited", r)
		}
	}
}

// receive takes the rows of one statement.
func (sn *pgSnapshot) receive(p *pgconn.Pipeline, a asked, st Statement) error {
	r, err := sn.next(p, a.text)
	if err != nil {
		return err
	}
	for r.NextRow() {
		if err := st.wire(r.Values()); err != nil {
			_, closed := r.Close()
			return errors.Join(err, closed)
		}
	}
	if _, err := r.Close(); err != nil {
		return err
	}
	return st.done()
}

// Close gives the connection back, or ends it where it is of no more use.
func (sn *pgSnapshot) Close() {
	switch {
	case !sn.begun || sn.ctx.Err() != nil:
	case !sn.broken:
		_ = sn.Read(false) // what it could still tell, nobody asks any more
	case !sn.lost && !sn.pg.IsClosed():
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		sn.begun = sn.pg.Exec(ctx, "ROLLBACK").Close() != nil
	}
	if watched := sn.stop(); !watched || sn.lost || sn.begun {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = sn.conn.Conn().Close(ctx) // the pool makes another
	}
	sn.conn.Release()
}

// parameters writes values as the protocol has them: ids and lists in the binary form, everything else as text, which Postgres reads as the type that
// the statement wants.
func (p *prepared) parameters(args []any) error {
	p.buf, p.values, p.formats, p.ends = p.buf[:0], p.values[:0], p.formats[:0], p.ends[:0]
	for _, arg := range args {
		var form int16
		switch v := arg.(type) {
		case ID:
			p.buf, form = append(p.buf, v[:]...), 1
		case []ID:
			p.buf, form = appendArray(p.buf, oidUUID, len(v), func(b []byte, i int) []byte { return append(b, v[i][:]...) }), 1
		case []int32:
			p.buf, form = appendArray(p.buf, oidInt4, len(v), func(b []byte, i int) []byte { return binary.BigEndian.AppendUint32(b, uint32(v[i])) }), 1
		case []string:
			p.buf, form = appendArray(p.buf, oidText, len(v), func(b []byte, i int) []byte { return append(b, v[i]...) }), 1
		case string:
			p.buf = append(p.buf, v...)
		case int64:
			p.buf = strconv.AppendInt(p.buf, v, 10)
		case int:
			p.buf = strconv.AppendInt(p.buf, int64(v), 10)
		case float64:
			p.buf = strconv.AppendFloat(p.buf, v, 'g', -1, 64)
			if math.IsInf(v, 0) || math.IsNaN(v) {
				return fmt.Errorf("store: %v is no value", v)
			}
		default:
			return fmt.Errorf("store: a value of type %T", arg)
		}
		p.ends, p.formats = append(p.ends, len(p.buf)), append(p.formats, form)
	}
	from := 0
	for _, end := range p.ends {
		p.values = append(p.values, p.buf[from:end:end])
		from = end
	}
	return nil
}

// The types of elements, by their numbers in Postgres' catalogue, which never change.
const (
	oidInt4 = 23
	oidText = 25
	oidUUID = 2950
)

// appendArray writes a list of one dimension without NULL.
func appendArray(b []byte, element uint32, n int, item func(b []byte, i int) []byte) []byte {
	dimensions := uint32(1)
	if n == 0 {
		dimensions = 0
	}
	b = binary.BigEndian.AppendUint32(b, dimensions)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, element)
	if n == 0 {
		return b
	}
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	b = binary.BigEndian.AppendUint32(b, 1)
	for i := range n {
		at := len(b)
		b = item(append(b, 0, 0, 0, 0), i)
		binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	}
	return b
}
