package cachex

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"carbongraph/internal/telemetry"
)

const (
	// channel carries word of commits: "number mirror organization organization …". The numbers are those of counter, so that who misses one knows.
	channel = "{carbongraph:versions}:commits"
	counter = "{carbongraph:versions}:number"
	// tellIn is how long Redis may take to pass word on, and silent how long it may say nothing to who listens before it is asked whether it is there.
	tellIn = 100 * time.Millisecond
	silent = 2 * time.Second
	// leftAlone is how long Redis is left alone after it failed.
	leftAlone = time.Second
	// atOnce bounds a message.
	atOnce = 100
)

// numbered numbers a message and sends it.
var numbered = redis.NewScript(`return redis.call("PUBLISH", KEYS[1], redis.call("INCR", KEYS[2]) .. " " .. ARGV[1])`)

func newName() string {
	b := make([]byte, 8)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// tell notes that others are to hear of an organization's commit.
func (v *Versions) tell(org [16]byte) {
	if v.o.Redis == nil {
		return
	}
	v.mu.Lock()
	if len(v.word) < mostWord {
		v.word[org] = true
	}
	v.mu.Unlock()
	select {
	case v.waking <- struct{}{}:
	default:
	}
}

// telling passes word on until the context ends. Whatever Redis does not take is left to the database.
func (v *Versions) telling(ctx context.Context) {
	for away := false; ; {
		select {
		case <-v.waking:
		case <-ctx.Done():
			return
		}
		v.mu.Lock()
		orgs := slices.Collect(maps.Keys(v.word))
		clear(v.word)
		v.mu.Unlock()
		err := v.publish(ctx, orgs)
		if (err != nil) != away && ctx.Err() == nil {
			away = err != nil
			if away {
				v.o.Log.WarnContext(ctx, "redis does not carry word of commits; other servers ask the database", "err", err)
			} else {
				v.o.Log.InfoContext(ctx, "redis carries word of commits again")
			}
		}
		if err != nil {
			pause(ctx, leftAlone)
		}
	}
}

func (v *Versions) publish(ctx context.Context, orgs [][16]byte) error {
	for some := range slices.Chunk(orgs, atOnce) {
		words := []string{v.self}
		for _, org := range some {
			words = append(words, hex.EncodeToString(org[:]))
		}
		within, cancel := context.WithTimeout(ctx, tellIn)
		err := numbered.Run(within, v.o.Redis, []string{channel, counter}, strings.Join(words, " ")).Err()
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// hearing hears of others' commits until the context ends.
func (v *Versions) hearing(ctx context.Context) {
	for ctx.Err() == nil {
		if err := v.hear(ctx); ctx.Err() == nil {
			v.o.Log.DebugContext(ctx, "redis brings no word of commits; the database is asked", "err", err)
			pause(ctx, leftAlone)
		}
	}
}

// hear listens until the connection ends. Whatever was said before it listened is lost, so all is dropped when it begins, and when it finds that it missed a number.
func (v *Versions) hear(ctx context.Context) error {
	heard := v.o.Redis.Subscribe(ctx, channel)
	defer context.AfterFunc(ctx, func() { _ = heard.Close() })()
	defer heard.Close()
	last, asked := int64(0), false
	for {
		said, err := heard.ReceiveTimeout(ctx, silent)
		var slow net.Error
		switch {
		case err == nil:
			asked = false
		case errors.As(err, &slow) && slow.Timeout() && !asked:
			asked = true
			if err := heard.Ping(ctx); err != nil {
				return err
			}
			continue
		default:
			return err
		}
		switch m := said.(type) {
		case *redis.Subscription:
			last = 0
			v.drop([16]byte{}, telemetry.DroppedByGap)
		case *redis.Message:
			last = v.take(m.Payload, last)
		}
	}
}

// take takes a message, of the number after last or any where that is 0, and gives its number.
func (v *Versions) take(message string, last int64) int64 {
	words := strings.Fields(message)
	number, orgs := int64(0), [][16]byte(nil)
	if len(words) > 1 {
		number, _ = strconv.ParseInt(words[0], 10, 64)
		for _, word := range words[2:] {
			var org [16]byte
			if b, err := hex.DecodeString(word); err != nil || copy(org[:], b) != len(b) || len(b) != len(org) {
				number = 0
				break
			}
			orgs = append(orgs, org)
		}
	}
	if number == 0 || last != 0 && number != last+1 {
		v.drop([16]byte{}, telemetry.DroppedByGap)
		return number
	}
	if words[1] == v.self {
		return number
	}
	for _, org := range orgs {
		v.drop(org, telemetry.DroppedByMessage)
	}
	return number
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
