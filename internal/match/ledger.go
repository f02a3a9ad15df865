package match

import (
	"cmp"
	"slices"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// Account is what the lines of a ledger share that one mapping decides.
type Account struct {
	AccountCode string
	Description string
	Country     string
	Unit        string // that most of its lines are in, a unit or a currency
	Lines       int
	Sum         exact.Decimal // of its lines in that unit; credit notes count as what they are
}

// maxAccounts bounds what a ledger's accounts take of memory, about 100 MB.
const maxAccounts = 200_000

// Ledger gathers the accounts of a ledger's lines. The zero value is empty and ready.
type Ledger struct {
	accounts map[accountKey]*gathered
}

// accountKey is folded: what differs in case and in spaces alone is mapped alike.
type accountKey struct{ accountCode, description, country string }

type gathered struct {
	Account
	units map[string]*sum
}

type sum struct {
	lines  int
	amount exact.Decimal
}

// Add counts a line. A ledger with more than 200,000 accounts is a BAD_USER_INPUT fault: such descriptions are free text, which no mapping repeats.
func (l *Ledger) Add(line Line, amount exact.Decimal) error {
	key := accountKey{fold(line.AccountCode), fold(line.Description), fold(line.Country)}
	g := l.accounts[key]
	if g == nil {
		if len(l.accounts) >= maxAccounts {
			return fault.New(fault.BadUserInput, "The ledger has more than %d different accounts and descriptions; map it by account code, or take the descriptions from another column.", maxAccounts)
		}
		if l.accounts == nil {
			l.accounts = map[accountKey]*gathered{}
		}
		g = &gathered{Account: Account{AccountCode: line.AccountCode, Description: line.Description, Country: line.Country}, units: map[string]*sum{}}
		l.accounts[key] = g
	}
	s := g.units[line.Unit]
	if s == nil {
		s = &sum{}
		g.units[line.Unit] = s
	}
	g.Lines++
	s.lines++
	s.amount = s.amount.Add(amount)
	return nil
}

// Accounts gives the accounts, those with the most lines first.
func (l *Ledger) Accounts() []Account {
	out := make([]Account, 0, len(l.accounts))
	for _, g := range l.accounts {
		a, most := g.Account, 0
		for unit, s := range g.units {
			if s.lines > most || s.lines == most && unit < a.Unit {
				a.Unit, a.Sum, most = unit, s.amount, s.lines
			}
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Account) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.AccountCode, b.AccountCode), cmp.Compare(a.Description, b.Description), cmp.Compare(a.Country, b.Country))
	})
	return out
}
