package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/internal/fault"
)

// watchRedis tells how Redis is. Nothing is stored there yet, so that its absence costs nothing; where it is set it is watched all the same.
func watchRedis(ctx context.Context, address string, log *slog.Logger) (state func(context.Context) string, close func() error, err error) {
	if address == "" {
		return func(context.Context) string { return "off" }, func() error { return nil }, nil
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, nil, wrongUse(fault.New(fault.BadUserInput, "REDIS_URL is an address like redis://host:6379.")) // without the cause: it may hold the password
	}
	o.DialTimeout, o.ReadTimeout, o.MaxRetries = time.Second, time.Second, -1
	client := redis.NewClient(o)
	state = func(ctx context.Context) string {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if client.Ping(ctx).Err() != nil {
			return "unreachable"
		}
		return "reachable"
	}
	log.InfoContext(ctx, "redis", "state", state(ctx), "stores", "nothing yet")
	return state, client.Close, nil
}
