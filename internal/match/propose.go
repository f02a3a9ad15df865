package match

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

// Proposal is what an account may be mapped to.
type Proposal struct {
	Account
	Mapping *store.FactorMapping // nil where nothing is confident enough; without an id
	Best    *Suggestion          // the likeliest factor, also where it was not confident enough; nil for an exclusion
	LeftOut string               // why there is no mapping

	NoPurchase bool // words tell that it may be none, also where they are not confident enough to exclude it
}

// Propose asks once for each account, as many at once as there are processors, and gives the proposals in the order of the accounts. Mappings that are less
// confident than minimum are left out. They are decided by TEXT_MATCH and not reviewed: a person reads them before anything is published.
func (x *Index) Propose(ctx context.Context, accounts []Account, minimum exact.Decimal) ([]Proposal, error) {
	out := make([]Proposal, len(accounts))
	g, ctx := errgroup.WithContext(ctx)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		g.Go(func() error {
			for i := w; i < len(accounts); i += workers {
				if err := ctx.Err(); err != nil {
					return err
				}
				out[i] = x.propose(accounts[i], minimum)
			}
			return nil
		})
	}
	return out, g.Wait()
}

func (x *Index) propose(a Account, minimum exact.Decimal) Proposal {
	p := Proposal{Account: a}
	answer, err := x.Match(Line{Description: a.Description, AccountCode: a.AccountCode, Country: a.Country, Unit: a.Unit}, 1)
	switch {
	case err != nil:
		p.LeftOut = fault.Of(err).Message
		return p
	case answer.Exclusion != nil:
		p.NoPurchase = true
		if e := answer.Exclusion; e.Confidence.Cmp(minimum) >= 0 {
			p.Mapping = &store.FactorMapping{Exclude: true, Reason: &e.Reason, Confidence: e.Confidence}
		} else {
			p.LeftOut = fmt.Sprintf("It may not be a purchase, but the confidence is %s: %s", e.Confidence, e.Reason)
		}
	case len(answer.Suggestions) == 0:
		p.LeftOut = "No word of it is in the name of a factor" + per(a.Unit) + ", or means one."
	default:
		s := answer.Suggestions[0]
		p.Best = &s
		if s.Confidence.Cmp(minimum) >= 0 {
			p.Mapping = &store.FactorMapping{FactorID: &s.Factor.ID, CategoryNumber: s.Category, Reason: &s.Reason, Confidence: s.Confidence}
		} else {
			p.LeftOut = fmt.Sprintf("The likeliest is %s %q, but the confidence is %s: %s", s.Factor.Code, s.Factor.Name, s.Confidence, s.Reason)
		}
	}
	if p.Mapping != nil {
		p.name(store.ByTextMatch)
	}
	return p
}

// name tells which lines the mapping is of, and who decided.
func (p *Proposal) name(by store.MappingSource) {
	p.Mapping.AccountCode, p.Mapping.Description, p.Mapping.Country = orNil(p.AccountCode), orNil(p.Description), orNil(p.Country)
	p.Mapping.DecidedBy = by
}

// Decide puts a factor that something else than words chose in the place of what words propose. The category is the one that words tell of that factor, else its own.
func (p *Proposal) Decide(f *store.EmissionFactor, by store.MappingSource, confidence exact.Decimal, reason string) {
	category := f.CategoryNumber
	if p.Best != nil && p.Best.Factor.ID == f.ID && p.Best.Category != nil {
		category = p.Best.Category
	}
	p.Best, p.LeftOut = &Suggestion{Factor: f, Category: category, Confidence: confidence, Reason: reason}, ""
	p.Mapping = &store.FactorMapping{FactorID: &f.ID, CategoryNumber: category, Reason: &reason, Confidence: confidence}
	p.name(by)
}

func per(unit string) string {
	if unit == "" {
		return ""
	}
	return fmt.Sprintf(" that %.20s converts to", unit)
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Mappings gives the mappings that are proposed.
func Mappings(proposals []Proposal) (out []*store.FactorMapping) {
	for _, p := range proposals {
		if p.Mapping != nil {
			out = append(out, p.Mapping)
		}
	}
	return out
}

// Tally counts accounts and their lines.
type Tally struct{ Accounts, Lines int }

// Summary counts what became of a ledger's accounts.
type Summary struct{ Mapped, Excluded, LeftOut Tally }

// Summarize counts proposals.
func Summarize(proposals []Proposal) (s Summary) {
	for _, p := range proposals {
		t := &s.LeftOut
		switch {
		case p.Mapping == nil:
		case p.Mapping.Exclude:
			t = &s.Excluded
		default:
			t = &s.Mapped
		}
		t.Accounts++
		t.Lines += p.Lines
	}
	return s
}
