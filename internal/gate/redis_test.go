package gate_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

// counted is how many points of a caller Redis counts as spent, as redis_rate itself reads them.
func counted(t testing.TB, c redis.UniversalClient, caller string, points int, period time.Duration) float64 {
	t.Helper()
	limit := redis_rate.Limit{Rate: points, Burst: points, Period: period}
	res, err := redis_rate.NewLimiter(c).AllowAtMost(context.Background(), "carbongraph:points:"+caller, limit, 0)
	if err != nil {
		t.Fatal(err)
	}
	return res.ResetAfter.Seconds() / period.Seconds() * float64(points)
}
