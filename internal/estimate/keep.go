package estimate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"carbongraph/cachex"
	"carbongraph/internal/calc"
	"carbongraph/store"
)

// keeper keeps the results of whole lists of inputs, for whichever organization calculates by the same choices. Everything that they hang on stands in the name, so that
// nothing goes stale. Lists without keys are not kept: to calculate an input takes about as long as to find its result again, but to look a key up takes a statement.
type keeper struct {
	cache  *cachex.Chain // nil: nothing is kept
	near   *cachex.Strategy
	far    *cachex.Strategy
	secret []byte
	engine []byte // what the program calculates with
}

// many is from how many inputs on a list is kept in Redis too: fewer are looked up nearly as fast as Redis answers, and differ from one time to the next.
const many = 32

func newKeeper(o *Options) *keeper {
	k := &keeper{cache: o.Cache, near: cachex.Named(cachex.CalculationResults), far: cachex.Named(cachex.CalculationResults), secret: o.Secret}
	k.near.Alone = true
	k.engine = append(text(nil, calc.EngineVersion), o.Tables[:]...)
	return k
}

// layers are where so many results are kept.
func (k *keeper) layers(n int) *cachex.Strategy {
	if n < many {
		return k.near
	}
	return k.far
}

// get gives the kept results.
func (k *keeper) get(ctx context.Context, name string, n int) ([]Result, bool) {
	if k.cache == nil {
		return nil, false
	}
	e, _, ok := k.cache.Get(ctx, k.layers(n), name)
	if !ok {
		return nil, false
	}
	return decode(e.Body, n)
}

func (k *keeper) put(ctx context.Context, name string, results []Result) {
	if k.cache != nil {
		k.cache.Put(ctx, k.layers(len(results)), name, cachex.Entry{Body: encode(results)})
	}
}

// name is what nobody else can make of all that the results hang on: the engine and its tables, the organization's choices, which datasets there are and which of them
// supersede which, and the inputs. Datasets are added and never removed, and factors never change.
func (k *keeper) name(a *asked) string {
	if k.cache == nil {
		return ""
	}
	b := append(make([]byte, 0, 1024), k.engine...)
	b = flag(flag(text(b, a.how.GwpSet), a.how.DeflateFirst), a.how.StrictValidity)
	sets := slices.SortedFunc(slices.Values(a.datasets), func(x, y *store.FactorDataset) int { return slices.Compare(x.ID[:], y.ID[:]) })
	b = binary.AppendUvarint(b, uint64(len(sets)))
	for _, d := range sets {
		var before store.ID // none
		if d.SupersedesID != nil {
			before = *d.SupersedesID
		}
		b = append(append(b, d.ID[:]...), before[:]...)
	}
	for i := range a.inputs {
		b = a.inputs[i].append(b)
	}
	mac := hmac.New(sha256.New, k.secret)
	mac.Write(b)
	return string(mac.Sum(nil))
}

// append writes the input so that no two that are calculated otherwise are written alike. Of one that is wrong by itself the fault says all.
func (c *checked) append(b []byte) []byte {
	b = flag(b, c.wrong != nil)
	if c.wrong != nil {
		b = text(text(b, string(c.wrong.Code)), c.wrong.Message)
		return text(b, strings.Join(c.wrong.Path, "."))
	}
	b = flag(b, c.key != nil)
	if k := c.key; k != nil {
		for _, s := range []string{k.Source, k.Version, k.Code, k.Region, k.Unit} {
			b = text(b, s)
		}
	} else {
		b = append(b, c.factor[:]...)
	}
	for _, amount := range []calc.Amount{c.line.Quantity, c.line.Money} {
		b = text(binary.AppendVarint(b, int64(amount.Value)), amount.Unit)
	}
	return text(binary.AppendVarint(b, c.line.OccurredOn.Time().Unix()), c.gwpSet)
}
