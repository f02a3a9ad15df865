package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"carbongraph/internal/auth"
	"carbongraph/internal/config"
	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/store"
)

type orgCommand struct {
	Create orgCreate `cmd:"" help:"Create an organization; prints an ADMIN key once."`
	Update orgUpdate `cmd:"" help:"Change how new calculations of an organization are made."`
}

type orgCreate struct {
	settings
	output
	Name       string `required:"" help:"The company's name." placeholder:"N"`
	Currency   string `default:"USD" help:"Money is reported in it (ISO 4217)." placeholder:"C"`
	Country    string `help:"Where the company sits (ISO 3166-1 alpha-2)." placeholder:"CC"`
	Gwp        string `default:"AR6" enum:"AR4,AR5,AR6" help:"Global warming potentials: AR4, AR5 or AR6."`
	MoneyOrder string `default:"deflate-first" enum:"deflate-first,convert-first" help:"How spend reaches a factor's currency and price year: deflate-first or convert-first."`

	StrictValidity bool `help:"Refuse a factor for a day that it does not hold for; without it the figure is rated lower."`
}

// Run creates an organization and its first key.
func (o *orgCreate) Run(ctx context.Context, w *World) error {
	org, err := o.organization()
	if err != nil {
		return wrongUse(err)
	}
	return o.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		switch there, err := st.FindOrganization(ctx, org.Name); {
		case err == nil && there != nil:
			return fault.New(fault.Conflict, "There is an organization %q already (%s).", org.Name, there.ID)
		case err != nil && fault.CodeOf(err) != fault.NotFound:
			return err
		}
		org.ID, org.CreatedAt = st.NewID(), st.Now()
		if err := st.CreateOrganization(ctx, org); err != nil {
			return err
		}
		secret := auth.NewSecret()
		if err := createKey(ctx, st, org.ID, "admin", store.Admin, nil, secret); err != nil {
			return err
		}
		return o.print(w, map[string]string{"id": org.ID.String(), "name": org.Name, "key": secret.Text},
			fmt.Sprintf("Organization  %s  %s\nADMIN key     %s  (shown this once)\n", org.ID, org.Name, secret.Text))
	})
}

func (o *orgCreate) organization() (*store.Organization, error) {
	org := &store.Organization{Name: strings.TrimSpace(o.Name), Currency: strings.ToUpper(o.Currency), GwpSet: store.GwpSet(o.Gwp), MoneyOrder: store.DeflateThenConvert, StrictValidity: o.StrictValidity}
	if o.MoneyOrder == "convert-first" {
		org.MoneyOrder = store.ConvertThenDeflate
	}
	if country := strings.ToUpper(o.Country); country != "" {
		org.Country = &country
	}
	switch {
	case org.Name == "":
		return nil, fault.New(fault.BadUserInput, "--name must not be empty.")
	case !letters(org.Currency, 3):
		return nil, fault.New(fault.BadUserInput, "--currency is three letters like EUR; got %q.", o.Currency)
	case org.Country != nil && !letters(*org.Country, 2):
		return nil, fault.New(fault.BadUserInput, "--country is two letters like DE; got %q.", o.Country)
	}
	return org, nil
}

type orgUpdate struct {
	settings
	output
	Org            string `required:"" help:"The organization's id or name." placeholder:"O"`
	Gwp            string `enum:",AR4,AR5,AR6" default:"" help:"Global warming potentials: AR4, AR5 or AR6." placeholder:"SET"`
	MoneyOrder     string `enum:",deflate-first,convert-first" default:"" help:"How spend reaches a factor's currency and price year: deflate-first or convert-first." placeholder:"ORDER"`
	StrictValidity *bool  `negatable:"" help:"Refuse a factor for a day that it does not hold for; or no more."`
}

// Run changes an organization's methods. What is calculated already stays until it is recalculated.
func (o *orgUpdate) Run(ctx context.Context, w *World) error {
	m := store.Methods{StrictValidity: o.StrictValidity}
	if o.Gwp != "" {
		m.GwpSet = new(store.GwpSet(o.Gwp))
	}
	switch o.MoneyOrder {
	case "deflate-first":
		m.MoneyOrder = new(store.DeflateThenConvert)
	case "convert-first":
		m.MoneyOrder = new(store.ConvertThenDeflate)
	}
	if m == (store.Methods{}) {
		return wrongUse(fault.New(fault.BadUserInput, "Nothing is to be changed: give --gwp, --money-order, --strict-validity or --no-strict-validity."))
	}
	return o.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		org, err := find(ctx, st, o.Org)
		if err != nil {
			return err
		}
		if org, err = st.Tenant(org.ID).SetMethods(ctx, m); err != nil {
			return err
		}
		order := "deflate-first"
		if org.MoneyOrder == store.ConvertThenDeflate {
			order = "convert-first"
		}
		return o.print(w, map[string]any{"id": org.ID.String(), "name": org.Name, "gwpSet": org.GwpSet, "moneyOrder": order, "strictValidity": org.StrictValidity},
			fmt.Sprintf("%s is calculated by %s, %s, strict validity %t, from now on; startRecalculation does so with what is there.\n", org.Name, org.GwpSet, order, org.StrictValidity))
	})
}

func letters(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func createKey(ctx context.Context, st *store.Store, org store.ID, name string, role store.Role, expires *exact.Instant, s auth.Secret) error {
	k := &store.APIKey{OrgID: org, ID: st.NewID(), Name: name, Role: role, CreatedAt: st.Now(), ExpiresAt: expires}
	return st.Tenant(org).CreateKey(ctx, k, s.Prefix, s.Hash)
}

// find gives the organization that a command names by id or by name.
func find(ctx context.Context, st *store.Store, idOrName string) (*store.Organization, error) {
	org, err := st.FindOrganization(ctx, idOrName)
	if fault.CodeOf(err) == fault.NotFound || err == nil && org == nil {
		return nil, fault.New(fault.NotFound, "There is no organization %q. Create it with `carbongraph org create --name`.", idOrName)
	}
	return org, err
}

type keyCommand struct {
	Create keyCreate `cmd:"" help:"Create a key; its secret is printed alone, once."`
	List   keyList   `cmd:"" help:"List an organization's keys."`
	Revoke keyRevoke `cmd:"" help:"Revoke a key."`
}

type keyCreate struct {
	settings
	output
	Org     string        `required:"" help:"The organization's id or name." placeholder:"O"`
	Role    string        `required:"" enum:"VIEWER,ANALYST,EDITOR,ADMIN" help:"VIEWER, ANALYST, EDITOR or ADMIN." placeholder:"R"`
	Name    string        `default:"command line" help:"What the key is called."`
	Expires time.Duration `help:"How long it is good for, for example 720h; without it, for ever." placeholder:"D"`
}

// Run creates a key.
func (k *keyCreate) Run(ctx context.Context, w *World) error {
	if k.Expires < 0 {
		return wrongUse(fault.New(fault.BadUserInput, "--expires lies in the future, for example 720h."))
	}
	return k.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		org, err := find(ctx, st, k.Org)
		if err != nil {
			return err
		}
		var expires *exact.Instant
		if k.Expires > 0 {
			at := exact.InstantOf(st.Now().Time().Add(k.Expires))
			expires = &at
		}
		secret := auth.NewSecret()
		if err := createKey(ctx, st, org.ID, k.Name, store.Role(k.Role), expires, secret); err != nil {
			return err
		}
		return k.print(w, map[string]string{"organization": org.ID.String(), "role": k.Role, "key": secret.Text}, secret.Text+"\n")
	})
}

type keyList struct {
	settings
	output
	Org string `required:"" help:"The organization's id or name." placeholder:"O"`
}

// Run lists keys.
func (k *keyList) Run(ctx context.Context, w *World) error {
	return k.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		org, err := find(ctx, st, k.Org)
		if err != nil {
			return err
		}
		keys, err := st.Tenant(org.ID).Keys(ctx)
		if err != nil {
			return err
		}
		type row struct {
			ID       string         `json:"id"`
			Name     string         `json:"name"`
			Role     store.Role     `json:"role"`
			Created  exact.Instant  `json:"createdAt"`
			LastUsed *exact.Instant `json:"lastUsedAt"`
			Expires  *exact.Instant `json:"expiresAt"`
		}
		rows, lines := []row{}, [][]string{{"ID", "ROLE", "NAME", "CREATED", "LAST USED", "EXPIRES"}}
		for _, key := range keys {
			rows = append(rows, row{key.ID.String(), key.Name, key.Role, key.CreatedAt, key.LastUsedAt, key.ExpiresAt})
			lines = append(lines, []string{key.ID.String(), string(key.Role), key.Name, key.CreatedAt.String(), when(key.LastUsedAt), when(key.ExpiresAt)})
		}
		return k.print(w, rows, table(lines...))
	})
}

func when(at *exact.Instant) string {
	if at == nil {
		return "never"
	}
	return at.String()
}

type keyRevoke struct {
	settings
	output
	Org string `required:"" help:"The organization's id or name." placeholder:"O"`
	Key string `arg:"" help:"The key's id, as key list shows it."`
}

// Run revokes a key: servers refuse it within a second.
func (k *keyRevoke) Run(ctx context.Context, w *World) error {
	id, err := store.ParseID(k.Key)
	if err != nil {
		return wrongUse(err)
	}
	return k.withStore(ctx, w, func(_ *config.Config, st *store.Store) error {
		org, err := find(ctx, st, k.Org)
		if err != nil {
			return err
		}
		done, err := st.Tenant(org.ID).RevokeKey(ctx, id)
		if err != nil {
			return err
		}
		if !done {
			return fault.New(fault.NotFound, "The organization has no key %s. See `carbongraph key list`.", id)
		}
		return k.print(w, map[string]string{"revoked": id.String()}, "revoked "+id.String()+"\n")
	})
}
