package store

import (
	"carbongraph/internal/exact"
)

// GwpSet is a set of global warming potentials, named by the IPCC assessment report that gives it.
type GwpSet string

// The sets that are known.
const (
	AR4 GwpSet = "AR4"
	AR5 GwpSet = "AR5"
	AR6 GwpSet = "AR6"
)

// CalculationMethod is how an emission was calculated, in the GHG Protocol's words.
type CalculationMethod string

// The methods of the GHG Protocol's Scope 3 guidance.
const (
	SupplierSpecific CalculationMethod = "SUPPLIER_SPECIFIC"
	Hybrid           CalculationMethod = "HYBRID"
	AverageData      CalculationMethod = "AVERAGE_DATA"
	SpendBased       CalculationMethod = "SPEND_BASED"
)

// GasBasis tells whether a gas amount is a mass of the gas or already CO2e.
type GasBasis string

// The bases.
const (
	BasisMass GasBasis = "MASS"
	BasisCO2e GasBasis = "CO2E"
)

// PriceBasis tells which price a money factor is per.
type PriceBasis string

// The bases.
const (
	PriceBasic     PriceBasis = "BASIC"
	PricePurchaser PriceBasis = "PURCHASER"
)

// Role is what a key may do; each holds the rights of those before it.
type Role string

// The roles, least first.
const (
	Viewer  Role = "VIEWER"
	Analyst Role = "ANALYST"
	Editor  Role = "EDITOR"
	Admin   Role = "ADMIN"
)

// MoneyOrder is an organization's choice of how spend reaches the factor's currency and price year.
type MoneyOrder string

// The orders. They differ by several percent: domain practice is to state which was used.
const (
	DeflateThenConvert MoneyOrder = "DEFLATE_THEN_CONVERT"
	ConvertThenDeflate MoneyOrder = "CONVERT_THEN_DEFLATE"
)

// BatchMode says what an item that fails takes along.
type BatchMode string

// The modes of batches.
const (
	ModeAtomic BatchMode = "ATOMIC" // all items or none
	ModeChunk  BatchMode = "CHUNK"  // each chunk of items, or none of it
	ModeItem   BatchMode = "ITEM"   // every item that is right is kept
)

// Known tells whether it is one of the modes.
func (m BatchMode) Known() bool { return m == ModeAtomic || m == ModeChunk || m == ModeItem }

// Together tells whether items are kept or lost with others.
func (m BatchMode) Together() bool { return m == ModeAtomic || m == ModeChunk }

// ItemStatus is what became of one item of a batch.
type ItemStatus string

// The statuses.
const (
	Created   ItemStatus = "CREATED"
	Updated   ItemStatus = "UPDATED"
	Unchanged ItemStatus = "UNCHANGED"
	Failed    ItemStatus = "FAILED"
)

// Organization is a tenant: the company whose ledger it is.
type Organization struct {
	ID             ID
	Name           string
	Country        *string
	Currency       string // ISO 4217; money is reported in it
	GwpSet         GwpSet
	MoneyOrder     MoneyOrder
	StrictValidity bool // a factor is refused for a day that it does not hold for
	CreatedAt      exact.Instant
}

// APIKey is a key without its secret.
type APIKey struct {
	OrgID      ID
	ID         ID
	Name       string
	Role       Role
	CreatedAt  exact.Instant
	LastUsedAt *exact.Instant
	ExpiresAt  *exact.Instant
}

// Category is one of the 15 Scope 3 categories.
type Category struct {
	Number    int32
	Name      string
	Direction CategoryDirection
}

// CategoryDirection is UPSTREAM (1 to 8) or DOWNSTREAM (9 to 15).
type CategoryDirection string

// The directions.
const (
	Upstream   CategoryDirection = "UPSTREAM"
	Downstream CategoryDirection = "DOWNSTREAM"
)

// Supplier is a company that sells to the organization, or to its suppliers.
type Supplier struct {
	ID         ID
	ExternalID *string
	Name       string
	Country    *string
	NaicsCode  *string
	Duns       *string
	Lei        *string
	Tier       *int32
	CO2e       exact.Milligrams // sum of current emissions, kept by Writer
	CreatedAt  exact.Instant
	UpdatedAt  exact.Instant
}

// Quantity is a physical amount in the unit of the ledger's line.
type Quantity struct {
	Value exact.Micros
	Unit  string
}

// Money is an amount in the currency of the ledger's line.
type Money struct {
	Amount   exact.Micros
	Currency string
}

// Problem is why a line has no emission, or why an item of a batch failed.
type Problem struct {
	Code    string
	Message string
	Path    []string
}

// Activity is one line of the ledger.
type Activity struct {
	ID             ID
	ExternalID     string
	SupplierID     *ID
	CategoryNumber int32
	Description    string
	AccountCode    *string
	OccurredOn     exact.Date
	Quantity       *Quantity
	Money          *Money
	Country        *string
	FactorID       *ID    // the factor that the line itself names; nil where rules find it
	GivenCategory  *int32 // the category that the line itself names; nil where rules find it
	// ConversionProperty names the density or heat content that may lead from the quantity's dimension to the factor's; nil where the line names none.
	ConversionProperty *string
	UncertaintyPercent *exact.Micros // of the amount: half the width of its 95 % interval; nil where it is not stated
	Problem            *Problem      // why there is no emission; nil where there is one, or none was asked for
	CreatedAt          exact.Instant
	UpdatedAt          exact.Instant

	columns pairs // while the row is read
}

// GasAmount is one gas of an emission.
type GasAmount struct {
	Gas  string
	Mass *exact.Decimal // kilograms of the gas; nil where only CO2e is known
	CO2e exact.Decimal  // kilograms of CO2e
}

// ProvenanceStep is one conversion on the way from the ledger's line to the mass.
type ProvenanceStep struct {
	Step       string
	Input      *exact.Decimal
	InputUnit  *string
	Operator   string
	Operand    *exact.Decimal
	Output     exact.Decimal
	OutputUnit string
	Source     string
	SourceID   *GlobalID // the factor, where the operand is its value
	SourceRow  *ID
}

// Emission is the result of one calculation of one activity. It repeats what sums are grouped and filtered by, as it was when calculated.
type Emission struct {
	ID             ID
	ActivityID     ID
	SupplierID     *ID
	CategoryNumber int32
	FactorID       ID
	DatasetID      ID
	RunID          ID
	OccurredOn     exact.Date
	Country        *string
	AccountCode    *string
	CO2e           exact.Milligrams
	BiogenicCO2    exact.Milligrams
	Spend          *exact.Micros     // in the organization's currency; nil where the line has no money
	Low, High      *exact.Milligrams // of the 95 % interval, low to high by the sign of CO2e; nil where nothing states an uncertainty
	Method         CalculationMethod
	GwpSet         GwpSet
	Quality        DataQuality
	FormulaID      ID           // how Amount became CO2e
	Formula        string       // the formula's text; readers ask Steps and GasAmounts, which repeat it
	Amount         exact.Micros // of the ledger's line, in its unit or currency
	CalculatedAt   exact.Instant
	Superseded     bool

	quality int32 // as stored
}

// DataQuality are the pedigree indicators of a calculation, 1 best to 5 worst.
type DataQuality struct {
	Technology, Time, Geography, Completeness, Reliability int32
}

// FactorDataset is one release of one source of emission factors. Datasets are shared by all organizations.
type FactorDataset struct {
	ID           ID
	Source       string // for example epa-supply-chain
	Version      string
	Name         string
	Licence      string
	Attribution  string
	GwpSet       GwpSet
	FactorCount  int32
	ImportedAt   exact.Instant
	SupersedesID *ID
	Digest       string // SHA-256 of the content: the same release is imported once
}

// EPAWithoutMargins is the source of the EPA's supply chain factors without the margins of trade and transport.
const EPAWithoutMargins = "epa-supply-chain-without-margins"

// NamedOnly tells of a dataset whose factors have the names and codes of another's, so that neither tells which of the two is meant: it is used where it is named,
// and found by nothing else.
func (d *FactorDataset) NamedOnly() bool { return d.Source == EPAWithoutMargins }

// EmissionFactor is kilograms of CO2e per unit of an activity. Factors are never updated in place.
type EmissionFactor struct {
	ID                 ID
	DatasetID          ID
	DatasetGwpSet      GwpSet // the dataset's own, of a factor that was read
	Code               string
	Name               string
	Region             string
	Unit               string
	Value              *exact.Decimal // by the dataset's own GWP set; nil where none was published
	ValueAR4           *exact.Decimal // by other sets, where gases are known by mass
	ValueAR5           *exact.Decimal
	ValueAR6           *exact.Decimal
	BiogenicCO2        *exact.Decimal // kilograms per unit, where it is known
	PriceYear          *int32
	PriceBasis         *PriceBasis
	LifeCycleBoundary  *string
	Year               *int32
	ValidFrom          *exact.Date
	ValidTo            *exact.Date
	UncertaintyPercent *exact.Decimal
	SupplierShare      *exact.Decimal // the part of the value, 0 to 1, that rests on the supplier's own data; nil where it is an average
	Verified           *bool          // whether somebody else than its maker checked it; nil where its file does not say
	ConversionProperty *string        // the density or heat content that may lead to its unit from another dimension
	SupplierName       *string        // the supplier whose own product it is of; nil where it is of anybody's
	CategoryNumber     *int32         // the category that the factor implies, where its source says so
	Gases              []FactorGas
}

// FactorGas is one gas of a factor: kilograms per unit, of the gas or of CO2e as Basis tells.
type FactorGas struct {
	Gas    string        `json:"gas"`
	Amount exact.Decimal `json:"amount"`
	Basis  GasBasis      `json:"basis"`
}

// RunStatus is the state of a calculation run; the same words as a batch's.
type RunStatus string

// The states that a run can be in.
const (
	RunQueued    RunStatus = "QUEUED"
	RunRunning   RunStatus = "RUNNING"
	RunSucceeded RunStatus = "SUCCEEDED"
	RunPartial   RunStatus = "PARTIAL"
	RunFailed    RunStatus = "FAILED"
	RunCancelled RunStatus = "CANCELLED"
)

// CalculationRun groups the emissions of one import or recalculation.
type CalculationRun struct {
	ID         ID
	Status     RunStatus
	Preview    bool
	Reason     string
	GwpSet     GwpSet
	StartedAt  exact.Instant
	FinishedAt *exact.Instant
}

// MappingSource is who or what decided a mapping.
type MappingSource string

// The sources.
const (
	ByRule          MappingSource = "RULE"
	ByTextMatch     MappingSource = "TEXT_MATCH"
	ByLanguageModel MappingSource = "LANGUAGE_MODEL"
	ByPerson        MappingSource = "PERSON"
)

// FactorMapping is what lines of one (account code, description, country) are calculated with. Nil parts match anything.
type FactorMapping struct {
	ID             ID
	AccountCode    *string
	Description    *string
	Country        *string
	FactorID       *ID
	CategoryNumber *int32
	Exclude        bool
	Reason         *string
	DecidedBy      MappingSource
	Confidence     exact.Decimal
	Reviewed       bool
}

// FootprintTotals are sums over emissions.
type FootprintTotals struct {
	CO2e          exact.Milligrams
	BiogenicCO2   exact.Milligrams
	ActivityCount int32
	EmissionCount int32
	Spend         exact.Micros
	HasSpend      bool
	SpendCO2e     exact.Milligrams // of the emissions whose line has money: what intensity divides
	Low, High     exact.Milligrams // of the sum's 95 % interval, where HasInterval
	HasInterval   bool             // whether any of the emissions states an uncertainty
	Weight        int64            // CO2e without its sign in whole grams: what Quality is weighted by
	Quality       int64            // the sum of each emission's five indicators, times its weight
}
