package telemetry

import (
	"context"
	"io"
	"log/slog"
)

// NewLog gives a log in JSON, or in text for people, that names the request and the operation in each line of one. Behind a Buffer lines wait for each other.
func NewLog(w io.Writer, level slog.Leveler, text bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewJSONHandler(w, o)
	if text {
		h = slog.NewTextHandler(w, o)
	}
	c := &inContext{Handler: h, flush: func() error { return nil }}
	if b, ok := w.(*Buffer); ok {
		c.flush = b.Flush
		if !text {
			c.lines = b
		}
	}
	return slog.New(c)
}

// inContext adds what the context knows to each line.
type inContext struct {
	slog.Handler
	flush func() error
	lines *Buffer // that JSON is written to; nil: none
}

// Handle adds the request id, and the operation once it is known. A warning does not wait for others to be written with it.
func (h *inContext) Handle(ctx context.Context, line slog.Record) error {
	if r := RequestFrom(ctx); r != nil {
		line.AddAttrs(slog.String("requestId", r.ID))
		if o := r.running(); o.kind != "" {
			line.AddAttrs(slog.String("operation", o.name), slog.String("kind", o.kind), slog.String("org", o.org))
		}
	}
	err := h.Handler.Handle(ctx, line)
	if err == nil && line.Level >= slog.LevelWarn {
		err = h.flush()
	}
	return err
}

// WithAttrs keeps the additions on a log with attributes.
func (h *inContext) WithAttrs(a []slog.Attr) slog.Handler {
	return &inContext{Handler: h.Handler.WithAttrs(a), flush: h.flush}
}

// WithGroup keeps the additions on a log with a group.
func (h *inContext) WithGroup(name string) slog.Handler {
	return &inContext{Handler: h.Handler.WithGroup(name), flush: h.flush}
}
