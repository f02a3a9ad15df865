package calc_test

import (
	"encoding/csv"
	"go/ast"
	"go/parser"
	"go/token"
	"math/big"
	"os"
	"strings"
	"testing"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
	"carbongraph/internal/factors"
	"carbongraph/store"
)

// testdata/worksheet.csv is a ledger of all 15 categories and all four methods, worked out without this program: each line has its arithmetic, put down
// from the published files (factors, the ratio of consumer prices to 12 digits, a month's rate or the average of a year's to 12 digits, a ratio of units), and
// what that comes to, rounded half to even to the milligram. The figures were computed with Python's decimals at 60 digits; bc gives them too:
//
//	echo 'scale=40; 98765.43 / 1.10287809603 / 0.811075 * 0.084' | bc
//
// The test first does the arithmetic over again in fractions, which round nothing on the way, and then asks the engine.
func TestTheWorksheet(t *testing.T) {
	file, err := os.Open("testdata/worksheet.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := factors.Engine()
	if err != nil {
		t.Fatal(err)
	}
	known := worksheetFactors(t)
	seen := map[string]bool{}
	for i, row := range rows[1:] {
		cell := map[string]string{}
		for column, name := range rows[0] {
			cell[name] = row[column]
		}
		f := known[cell["factor"]]
		if f == nil {
			t.Fatalf("row %d: no factor %q", i+2, cell["factor"])
		}
		seen["category "+cell["category"]], seen[cell["method"]] = true, true
		for arithmetic, figure := range map[string]string{cell["arithmetic"]: cell["kgCO2e"], cell["biogenicArithmetic"]: cell["kgBiogenicCO2"]} {
			if arithmetic != "" && byHand(t, arithmetic).Cmp(m(figure)) != 0 {
				t.Errorf("row %d: %s is %s, not %s", i+2, arithmetic, byHand(t, arithmetic), figure)
			}
		}
		settings := calc.Settings{DeflateFirst: cell["settings"] == "deflate first"}
		if strings.HasPrefix(cell["settings"], "AR") {
			settings.GwpSet = cell["settings"]
		}
		line := calc.Line{Property: cell["property"], Country: "GB", Match: calc.Named}
		if line.OccurredOn, err = exact.ParseDate(cell["date"]); err != nil {
			t.Fatal(err)
		}
		if cell["quantity"] != "" {
			line.Quantity = amount(cell["quantity"], cell["unit"])
		}
		if cell["money"] != "" {
			line.Money = amount(cell["money"], cell["currency"])
		}
		r, err := emissions(engine, line, f, settings)
		if err != nil {
			t.Errorf("row %d: %v", i+2, err)
			continue
		}
		if r.CO2e.Decimal().Cmp(m(cell["kgCO2e"])) != 0 || r.Biogenic.Decimal().Cmp(m(cell["kgBiogenicCO2"])) != 0 || r.Method != cell["method"] {
			t.Errorf("row %d: %s kg CO2e and %s kg of biogenic CO2 by %s; want %s, %s, %s\n%s", i+2, r.CO2e.Decimal(), r.Biogenic.Decimal(), r.Method,
				cell["kgCO2e"], cell["kgBiogenicCO2"], cell["method"], said(r.Steps))
		}
		repeat(t, r.Steps)
	}
	if len(rows) < 31 || len(seen) != 15+4 {
		t.Errorf("%d rows of %d categories and methods; want 30 and 19 at least", len(rows)-1, len(seen))
	}
}

// worksheetFactors are the built-in ones, by source, version and code, and an organization's own.
func worksheetFactors(t *testing.T) map[string]*calc.Factor {
	all, err := factors.Builtin(func() store.ID { return store.ID{} }, exact.Instant{})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]*calc.Factor{}
	for _, im := range all {
		for _, f := range im.Factors {
			known[im.Dataset.Source+" "+im.Dataset.Version+" "+f.Code] = factors.Calc(f, im.Dataset)
		}
	}
	own := func(name, unit, value, share string) *calc.Factor {
		f := &calc.Factor{Source: "own", Version: "2024", Code: name, Region: "GB", Unit: unit, Value: ptr(value), GwpSet: "AR5", SupplierShare: m(share)}
		known["own "+name] = f
		return f
	}
	own("steel", "kg", "1.42", "1")
	own("laptop", "piece", "213.75", "0.6")
	own("press", "piece", "48210.5", "1")
	own("forming", "tonne", "310.4", "1")
	own("average forming", "tonne", "402.9", "0")
	own("recycling credit", "tonne", "-120.5", "0")
	own("franchise", "piece", "18250", "1")
	own("fund", "EUR", "0.085", "0")
	own("share", "EUR", "0.0421", "0.4")
	fuel := own("fuel oil", "litre", "2.6881", "0") // 2.68 + 0.0001 × 28 + 0.00002 × 265
	fuel.Biogenic = ptr("0.05")
	fuel.Gases = []calc.Gas{{Gas: "CO2", Amount: m("2.68")}, {Gas: "CH4", Amount: m("0.0001")}, {Gas: "N2O", Amount: m("0.00002")}}
	return known
}

// byHand does an arithmetic in fractions and rounds at the end, half to even, to the milligram.
func byHand(t *testing.T, arithmetic string) exact.Decimal {
	expression, err := parser.ParseExpr(arithmetic)
	if err != nil {
		t.Fatal(err)
	}
	milligrams := fraction(t, expression)
	milligrams.Mul(milligrams, big.NewRat(1_000_000, 1))
	twice := new(big.Int).Lsh(milligrams.Num(), 1)
	floor, rest := new(big.Int).DivMod(twice.Add(twice, milligrams.Denom()), new(big.Int).Lsh(milligrams.Denom(), 1), new(big.Int)) // ⌊x + ½⌋
	if rest.Sign() == 0 && floor.Bit(0) == 1 {
		floor.Sub(floor, big.NewInt(1))
	}
	return exact.NewDecimal(floor.Int64(), -6)
}

func fraction(t *testing.T, expression ast.Expr) *big.Rat {
	switch x := expression.(type) {
	case *ast.BasicLit:
		r, _ := new(big.Rat).SetString(x.Value)
		return r
	case *ast.ParenExpr:
		return fraction(t, x.X)
	case *ast.UnaryExpr:
		return new(big.Rat).Neg(fraction(t, x.X))
	case *ast.BinaryExpr:
		a, b := fraction(t, x.X), fraction(t, x.Y)
		switch x.Op {
		case token.ADD:
			return a.Add(a, b)
		case token.SUB:
			return a.Sub(a, b)
		case token.MUL:
			return a.Mul(a, b)
		case token.QUO:
			return a.Quo(a, b)
		}
	}
	t.Fatalf("%T is no arithmetic", expression)
	return nil
}
