package calc

import (
	"strings"

	"carbongraph/internal/exact"
	"carbongraph/internal/fault"
	"carbongraph/internal/formula"
)

// Unit is what an amount is counted in.
type Unit struct {
	Symbol    string // the one spelling that we write
	Dimension Dimension
	ratio     exact.Decimal // units of the dimension's base in one of these
}

// Dimension is what units measure. Amounts convert within a dimension; across dimensions only by a Property that is named.
type Dimension string

// The dimensions. Energy by net and by gross calorific value are kept apart, and from energy that does not say:
// for the same fuel they differ by five to ten percent. So are kilometres of a vehicle, a passenger and a distance.
const (
	Mass              Dimension = "mass"
	Energy            Dimension = "energy"
	EnergyNet         Dimension = "energy by net calorific value"
	EnergyGross       Dimension = "energy by gross calorific value"
	Volume            Dimension = "volume"
	Distance          Dimension = "distance"
	FreightDistance   Dimension = "freight distance"
	PassengerDistance Dimension = "passenger distance"
	VehicleDistance   Dimension = "vehicle distance"
	RoomNights        Dimension = "room nights"
	PersonNights      Dimension = "person nights"
	Time              Dimension = "time"
	WorkingTime       Dimension = "working time"
	ComputingTime     Dimension = "computing time"
	Data              Dimension = "data"
	DataTime          Dimension = "data held over time"
	Count             Dimension = "count"
	Area              Dimension = "area"
	People            Dimension = "people"
	Money             Dimension = "money"
)

// ParseUnit finds a unit by its symbol or by a spelling in use; an ISO 4217 currency is a unit of Money.
// What is unknown, or may mean two things ("ton", "Mt"), is UNKNOWN_UNIT with a suggestion.
func ParseUnit(symbol string) (Unit, error) {
	if u := spellings.find(symbol); u != nil {
		return *u, nil
	}
	if IsCurrency(symbol) {
		return Unit{Symbol: symbol, Dimension: Money, ratio: one}, nil
	}
	return Unit{}, unknownUnit(symbol)
}

func unknownUnit(symbol string) *fault.Fault {
	if strings.TrimSpace(symbol) == "" {
		return fault.New(fault.UnknownUnit, "The unit is empty; write one such as kWh, kg or tonne.km.")
	}
	if meant, ok := ambiguous[symbol]; ok {
		return fault.New(fault.UnknownUnit, "The unit %q may mean several things; write %s.", symbol, meant)
	}
	if meant, ok := ambiguous[fold(symbol)]; ok {
		return fault.New(fault.UnknownUnit, "The unit %.40q may mean several things; write %s.", symbol, meant)
	}
	if near := spellings.nearest(symbol); near != "" {
		return fault.New(fault.UnknownUnit, "The unit %.40q is unknown. Did you mean %q?", symbol, near)
	}
	return fault.New(fault.UnknownUnit, "The unit %.40q is unknown; write one such as kWh, kg or tonne.km.", symbol)
}

// ratioStep is one multiplication or division on the way from one unit to another.
type ratioStep struct {
	operator string
	operand  exact.Decimal
	unit     string // of the output
}

// conversion gives the shortest way within a dimension whose operands are exact: one multiplication, else one division, else both by way of the base.
// 1 lb is 0.00045359237 tonne; a mile is a kilometre divided by 1.609344, whose inverse never ends.
func conversion(from, to *Unit) []ratioStep {
	if from == to {
		return nil
	}
	if q, ok := finiteQuotient(from.ratio, to.ratio); ok {
		return []ratioStep{{formula.Multiply, q, to.Symbol}}
	}
	if q, ok := finiteQuotient(to.ratio, from.ratio); ok {
		return []ratioStep{{formula.Divide, q, to.Symbol}}
	}
	return []ratioStep{{formula.Multiply, from.ratio, baseUnits[from.Dimension].Symbol}, {formula.Divide, to.ratio, to.Symbol}}
}

// finiteQuotient divides, and tells whether the quotient ends within 18 digits. Up to there its product with
// a ratio of ours is exact in 34 digits, so that multiplying back is a proof.
func finiteQuotient(x, y exact.Decimal) (exact.Decimal, bool) {
	q := x.Quo(y)
	short := q.Significant(18)
	return short, short.Cmp(q) == 0 && short.Mul(y).Cmp(x) == 0
}
