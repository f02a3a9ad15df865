package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
)

// CreateOrganization stores a new one and fills in what is not given: id, time, AR6, DEFLATE_THEN_CONVERT. A name that is taken is a CONFLICT.
func (s *Store) CreateOrganization(ctx context.Context, o *Organization) error {
	o.Name = strings.TrimSpace(o.Name)
	if o.Name == "" {
		return fault.New(fault.BadUserInput, "An organization needs a name.").At("name")
	}
	if len(o.Currency) != 3 || strings.Trim(o.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return fault.New(fault.BadUserInput, "%.20q is not a currency; write its ISO 4217 code, for example EUR.", o.Currency).At("currency")
	}
	if o.ID.IsZero() {
		o.ID = s.newID()
	}
	if o.CreatedAt.IsZero() {
		o.CreatedAt = s.Now()
	}
	if o.GwpSet == "" {
		o.GwpSet = AR6
	}
	if o.MoneyOrder == "" {
		o.MoneyOrder = DeflateThenConvert
	}
	row := organizationRow{ID: o.ID, Name: o.Name, Country: o.Country, Currency: o.Currency, GwpSet: o.GwpSet, MoneyOrder: o.MoneyOrder,
		StrictValidity: o.StrictValidity, CreatedAt: o.CreatedAt}
	err := s.once(ctx, o.ID, func(ctx context.Context, tx *transaction) error {
		_, err := tx.NewInsert().Model(&row).Exec(ctx)
		return err
	})
	if err != nil && s.dialect.classify(err) == notUnique {
		return fault.Wrap(err, fault.Conflict, "There is an organization %q already.", o.Name).At("name")
	}
	return s.fault(err, "create organization")
}

// Methods are an organization's choices of how it is calculated; nil leaves a choice as it is.
type Methods struct {
	GwpSet         *GwpSet
	MoneyOrder     *MoneyOrder
	StrictValidity *bool
}

// SetMethods changes what new calculations go by, and gives the organization as it is then. What is calculated already stays as it is: it says itself what it was
// calculated by.
func (t *Tenant) SetMethods(ctx context.Context, m Methods) (*Organization, error) {
	err := t.Write(ctx, func(ctx context.Context, w *Writer) error {
		return w.exec(ctx, "UPDATE", "organizations", "UPDATE organizations SET gwp_set = COALESCE($2, gwp_set), money_order = COALESCE($3, money_order), strict_validity = COALESCE($4, strict_validity) WHERE id = $1",
			t.org, (*string)(m.GwpSet), (*string)(m.MoneyOrder), m.StrictValidity)
	})
	if err != nil {
		return nil, err
	}
	return t.Organization(ctx)
}

// FindOrganization finds one by id (a UUID, or as clients see it) or by its exact name; NOT_FOUND where there is none.
func (s *Store) FindOrganization(ctx context.Context, idOrName string) (*Organization, error) {
	var row organizationRow
	q := s.db.NewSelect().Model(&row).Where("name = ?", idOrName)
	if id, err := ParseID(idOrName); err == nil {
		q.WhereOr("id = ?", id)
	} else if g, err := ParseGlobalID(idOrName); err == nil && g.Kind == KindOrganization {
		q.WhereOr("id = ?", g.Row)
	}
	err := q.OrderExpr("created_at, id").Limit(1).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "There is no organization %.80q; `carbongraph org create --name …` makes one.", idOrName)
	}
	if err != nil {
		return nil, s.fault(err, "find organization")
	}
	return row.organization(), nil
}

// Organizations gives all of them, in the order in which they were made: for whoever looks after a database, never for a client.
func (s *Store) Organizations(ctx context.Context) ([]*Organization, error) {
	return all(s, s.statement(), organizations(), "o.created_at, o.id", 0).All(ctx)
}

var organizationRelation = newRelation("organizations", "o", nil,
	idColumn("o.id", "ID GlobalID", func(o *Organization) *ID { return &o.ID }),
	textColumn("o.name", "Name", func(o *Organization) *string { return &o.Name }),
	maybeText("o.country", "Country", func(o *Organization) **string { return &o.Country }),
	textColumn("o.currency", "Currency", func(o *Organization) *string { return &o.Currency }),
	textColumn("o.gwp_set", "GwpSet", func(o *Organization) *GwpSet { return &o.GwpSet }),
	textColumn("o.money_order", "MoneyOrder", func(o *Organization) *MoneyOrder { return &o.MoneyOrder }),
	boolColumn("o.strict_validity", "StrictValidity", func(o *Organization) *bool { return &o.StrictValidity }),
	instantColumn("o.created_at", "CreatedAt", func(o *Organization) *exact.Instant { return &o.CreatedAt }),
)

func organizations() *relation[Organization] { return organizationRelation }

// Organization gives the organization itself; NOT_FOUND where the handle is of none.
func (t *Tenant) Organization(ctx context.Context) (*Organization, error) {
	found, err := t.OrganizationsWith([]ID{t.org}, 0).All(ctx)
	if err == nil && len(found) == 0 {
		return nil, fault.New(fault.NotFound, "There is no such organization.")
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// OrganizationsWith is the read of the organization itself, if its id is among these: every other one does not exist. Where it is not, the database is
// asked nothing.
func (t *Tenant) OrganizationsWith(ids []ID, some Columns) *Select[Organization] {
	b := t.store.statement()
	b.is("o.id", "=", t.org)
	b.owned = true
	if !slices.Contains(ids, t.org) {
		ids = nil
	}
	return byID(t.store, b, organizations(), ids, some)
}
