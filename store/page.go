package store

// MaxPage is the largest page that may be asked for, DefaultPage the one that is given where none is.
const (
	MaxPage     = 500
	DefaultPage = 50
)

// Page is which part of a connection is asked for, in the words of the Relay specification.
type Page struct {
	First  *int32
	After  *string
	Last   *int32
	Before *string
}

// PageInfo tells what lies around a page.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// Edge is a row and its place in the connection. The cursor is made when it is asked for.
type Edge[T any] struct {
	Node   *T
	cursor func() string
}

// Cursor gives the row's place, for after and before.
func (e Edge[T]) Cursor() string { return e.cursor() }

// Connection is one page of rows.
type Connection[T any] struct {
	Edges    []Edge[T]
	Nodes    []*T
	PageInfo PageInfo
}
