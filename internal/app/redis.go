package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/internal/fault"
)

// openRedis makes a client; nil where no address is set. Redis may be away: then the server does by itself what it can.
func openRedis(ctx context.Context, address string, log *slog.Logger) (*redis.Client, error) {
	if address == "" {
		return nil, nil
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, wrongUse(fault.New(fault.BadUserInput, "REDIS_URL is an address like redis://host:6379.")) // without the cause: it may hold the password
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.MaxRetries = time.Second, time.Second, time.Second, -1
	silence()
	client := redis.NewClient(o)
	log.InfoContext(ctx, "redis", "state", stateOf(ctx, client))
	return client, nil
}

// stateOf tells how Redis is.
func stateOf(ctx context.Context, client *redis.Client) string {
	if client == nil {
		return "off"
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if client.Ping(ctx).Err() != nil {
		return "unreachable"
	}
	return "reachable"
}

// silence keeps the client from writing lines of its own to standard error: whoever needs Redis tells in the log, once, that it is away.
var silence = sync.OnceFunc(func() { redis.SetLogger(mute{}) })

type mute struct{}

// Printf writes nothing.
func (mute) Printf(context.Context, string, ...any) {}
