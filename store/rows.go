package store

import (
	"strings"

	"github.com/uptrace/bun"

	"carbongraph/internal/exact"
)

// Rows as the tables have them, for what bun reads and writes. Pages are read, and lines are written, without it.

type organizationRow struct {
	bun.BaseModel `bun:"table:organizations,alias:o"`

	ID             ID            `bun:"id,pk,type:uuid"`
	Name           string        `bun:"name"`
	Country        *string       `bun:"country"`
	Currency       string        `bun:"currency"`
	GwpSet         GwpSet        `bun:"gwp_set"`
	MoneyOrder     MoneyOrder    `bun:"money_order"`
	StrictValidity bool          `bun:"strict_validity"`
	CreatedAt      exact.Instant `bun:"created_at,type:timestamptz"`
}

func (r *organizationRow) organization() *Organization {
	return &Organization{ID: r.ID, Name: r.Name, Country: r.Country, Currency: r.Currency, GwpSet: r.GwpSet, MoneyOrder: r.MoneyOrder,
		StrictValidity: r.StrictValidity, CreatedAt: r.CreatedAt}
}

type apiKeyRow struct {
	bun.BaseModel `bun:"table:api_keys,alias:k"`

	OrgID      ID             `bun:"org_id,pk,type:uuid"`
	ID         ID             `bun:"id,pk,type:uuid"`
	Prefix     string         `bun:"prefix"`
	SecretHash []byte         `bun:"secret_hash"`
	Name       string         `bun:"name"`
	Role       Role           `bun:"role"`
	CreatedAt  exact.Instant  `bun:"created_at,type:timestamptz"`
	LastUsedAt *exact.Instant `bun:"last_used_at"`
	ExpiresAt  *exact.Instant `bun:"expires_at"`
}

func (r *apiKeyRow) apiKey() *APIKey {
	return &APIKey{OrgID: r.OrgID, ID: r.ID, Name: r.Name, Role: r.Role, CreatedAt: r.CreatedAt, LastUsedAt: r.LastUsedAt, ExpiresAt: r.ExpiresAt}
}

type supplierRow struct {
	bun.BaseModel `bun:"table:suppliers,alias:s"`

	OrgID      ID               `bun:"org_id,pk,type:uuid"`
	ID         ID               `bun:"id,pk,type:uuid"`
	ExternalID *string          `bun:"external_id"`
	Name       string           `bun:"name"`
	NameKey    string           `bun:"name_key"`
	Country    *string          `bun:"country"`
	NaicsCode  *string          `bun:"naics_code"`
	Duns       *string          `bun:"duns"`
	Lei        *string          `bun:"lei"`
	Tier       *int32           `bun:"tier"`
	CO2e       exact.Milligrams `bun:"co2e_mg"`
	CreatedAt  exact.Instant    `bun:"created_at,type:timestamptz"`
	UpdatedAt  exact.Instant    `bun:"updated_at,type:timestamptz"`
}

type activityRow struct {
	bun.BaseModel `bun:"table:activities,alias:a"`

	OrgID              ID            `bun:"org_id,pk,type:uuid"`
	ID                 ID            `bun:"id,pk,type:uuid"`
	ExternalID         string        `bun:"external_id"`
	SupplierID         *ID           `bun:"supplier_id,type:uuid"`
	CategoryNumber     int32         `bun:"category_number"`
	Description        string        `bun:"description"`
	AccountCode        *string       `bun:"account_code"`
	SearchKey          string        `bun:"search_key"`
	OccurredOn         exact.Date    `bun:"occurred_on,type:date"`
	QuantityMicros     *int64        `bun:"quantity_micros"`
	QuantityUnit       *string       `bun:"quantity_unit"`
	MoneyMicros        *int64        `bun:"money_micros"`
	Currency           *string       `bun:"currency"`
	Country            *string       `bun:"country"`
	FactorID           *ID           `bun:"factor_id,type:uuid"`
	GivenCategory      *int32        `bun:"given_category"`
	ConversionProperty *string       `bun:"conversion_property"`
	UncertaintyMicros  *int64        `bun:"uncertainty_micros"`
	Calculated         bool          `bun:"calculated"`
	ProblemCode        *string       `bun:"problem_code"`
	ProblemMessage     *string       `bun:"problem_message"`
	ContentHash        digest        `bun:"content_hash,type:bytea"`
	CreatedAt          exact.Instant `bun:"created_at,type:timestamptz"`
	UpdatedAt          exact.Instant `bun:"updated_at,type:timestamptz"`
}

type datasetRow struct {
	bun.BaseModel `bun:"table:factor_datasets,alias:d"`

	ID           ID            `bun:"id,pk,type:uuid"`
	Source       string        `bun:"source"`
	Version      string        `bun:"version"`
	Name         string        `bun:"name"`
	Licence      string        `bun:"licence"`
	Attribution  string        `bun:"attribution"`
	GwpSet       GwpSet        `bun:"gwp_set"`
	FactorCount  int32         `bun:"factor_count"`
	ImportedAt   exact.Instant `bun:"imported_at"`
	SupersedesID *ID           `bun:"supersedes_id,type:uuid"`
	Digest       string        `bun:"digest"`
}

func (r *datasetRow) dataset() *FactorDataset {
	return &FactorDataset{ID: r.ID, Source: r.Source, Version: r.Version, Name: r.Name, Licence: r.Licence, Attribution: r.Attribution, GwpSet: r.GwpSet,
		FactorCount: r.FactorCount, ImportedAt: r.ImportedAt, SupersedesID: r.SupersedesID, Digest: r.Digest}
}

type runRow struct {
	bun.BaseModel `bun:"table:calculation_runs,alias:r"`

	OrgID      ID             `bun:"org_id,pk,type:uuid"`
	ID         ID             `bun:"id,pk,type:uuid"`
	Status     RunStatus      `bun:"status"`
	Preview    bool           `bun:"preview"`
	Reason     string         `bun:"reason"`
	GwpSet     GwpSet         `bun:"gwp_set"`
	StartedAt  exact.Instant  `bun:"started_at"`
	FinishedAt *exact.Instant `bun:"finished_at"`
}

type mappingRow struct {
	bun.BaseModel `bun:"table:factor_mappings,alias:m"`

	OrgID          ID            `bun:"org_id,pk,type:uuid"`
	ID             ID            `bun:"id,pk,type:uuid"`
	MatchKey       string        `bun:"match_key"`
	AccountCode    *string       `bun:"account_code"`
	Description    *string       `bun:"description"`
	Country        *string       `bun:"country"`
	FactorID       *ID           `bun:"factor_id,type:uuid"`
	CategoryNumber *int32        `bun:"category_number"`
	Exclude        bool          `bun:"exclude"`
	Reason         *string       `bun:"reason"`
	DecidedBy      MappingSource `bun:"decided_by"`
	Confidence     exact.Decimal `bun:"confidence"`
	Reviewed       bool          `bun:"reviewed"`
}

// fold makes the text that names are ordered and searched by: lower case, single spaces.
func fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }
