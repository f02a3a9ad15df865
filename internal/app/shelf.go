package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/redis/go-redis/v9"

	"carbongraph/graph"
)

const (
	// shelfPrefix is of keys in Redis; what follows names the database, and so the servers over it.
	shelfPrefix = "carbongraph:asked:"
	// shelfLife is after how long without a server what was asked most is forgotten, and shelfBytes what is read of it at most.
	shelfLife, shelfBytes = 24 * time.Hour, 64 << 20
)

// shelf is where all servers over one database put what is asked most, and find it again when they are started.
type shelf struct {
	client redis.UniversalClient
	key    string
	enc    *zstd.Encoder
	dec    *zstd.Decoder
}

func newShelf(client redis.UniversalClient, database []byte) *shelf {
	s := &shelf{client: client, key: shelfPrefix + hex.EncodeToString(database[:8])}
	s.enc, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))                            // of options that are right
	s.dec, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(shelfBytes), zstd.WithDecoderLowmem(true)) // likewise
	return s
}

// get gives what is there. What cannot be read was put there by another release, or by nobody: it is as good as nothing.
func (s *shelf) get(ctx context.Context) (list []*graph.Asked, err error) {
	packed, err := s.client.Get(ctx, s.key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if text, err := s.dec.DecodeAll(packed, nil); err == nil && json.Unmarshal(text, &list) == nil {
		return list, nil
	}
	return nil, nil
}

// put replaces what is there. Two servers that do so at once lose what one of them said until it says so again.
func (s *shelf) put(ctx context.Context, list []*graph.Asked) error {
	if len(list) == 0 {
		return nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return s.client.Set(ctx, s.key, s.enc.EncodeAll(text, nil), shelfLife).Err()
}

func (s *shelf) close() error {
	s.dec.Close()
	return s.enc.Close()
}
