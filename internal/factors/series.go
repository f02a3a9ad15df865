package factors

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"carbongraph/internal/calc"
	"carbongraph/internal/exact"
)

// The reference series are tables of our own shape, made from their sources by builtin/pack.go.

// Engine gives a calculation engine over the built-in exchange rates, prices and warming potentials.
func Engine() (*calc.Engine, error) {
	var o calc.Options
	var err error
	if o.GWP, err = potentials(); err != nil {
		return nil, err
	}
	if o.Rates, err = readRates(builtinFile(ratesFile)); err != nil {
		return nil, err
	}
	if o.Inflation, err = readInflation(builtinFile(inflationFile)); err != nil {
		return nil, err
	}
	return calc.New(o)
}

// The files of the tables that Engine calculates with.
const (
	potentialsFile = "gwp.csv.gz"
	methaneFile    = "methane.csv"
	ratesFile      = "exchange-rates.csv.gz"
	inflationFile  = "inflation.csv.gz"
)

// Tables is a digest of the tables that Engine calculates with: another release of the program may bring others.
func Tables() ([sha256.Size]byte, error) {
	sum := sha256.New()
	for _, name := range []string{potentialsFile, methaneFile, ratesFile, inflationFile} {
		text, err := builtinFiles.ReadFile("builtin/" + name)
		if err != nil {
			return [sha256.Size]byte{}, fmt.Errorf("factors: %w", err)
		}
		sum.Write(text)
	}
	return [sha256.Size]byte(sum.Sum(nil)), nil
}

// warmingEngine is an engine that can value gases and nothing else.
func warmingEngine() (*calc.Engine, error) {
	gwp, err := potentials()
	if err != nil {
		return nil, err
	}
	return calc.New(calc.Options{GWP: gwp})
}

// readSeries reads a table that has exactly the columns.
func readSeries(f file, columns []string, visit func(*table) error) error {
	t, err := f.table()
	if err != nil {
		return err
	}
	defer t.close()
	if got := strings.Join(t.in.Header(), ","); got != strings.Join(columns, ",") {
		return t.bad("the header is %q, not %q", got, strings.Join(columns, ","))
	}
	return t.each(func() error { return visit(t) })
}

// readGWP reads warming potentials over 100 years: a row for each gas, a column for each set, blank where a set does not assess the gas.
func readGWP(f file) ([]calc.GWP, error) {
	var out []calc.GWP
	err := readSeries(f, []string{"gas", "AR4", "AR5", "AR6"}, func(t *table) error {
		for i, set := range sets() {
			n, err := t.number(i + 1)
			if err != nil {
				return err
			}
			if n != nil {
				out = append(out, calc.GWP{Set: string(set), Gas: t.text(0), Value: *n, Source: "GWP-100 of IPCC " + string(set) + " (openclimatedata/globalwarmingpotentials)"})
			}
		}
		return nil
	})
	return out, err
}

// potentials are the built-in warming potentials.
func potentials() ([]calc.GWP, error) {
	all, err := readGWP(builtinFile(potentialsFile))
	if err != nil {
		return nil, err
	}
	methane, err := readMethane(builtinFile(methaneFile))
	return append(all, methane...), err
}

// readMethane reads potentials of methane by where its carbon comes from: fossil carbon adds to the CO2 of the air when the methane has decayed. AR4 does not tell them apart.
func readMethane(f file) ([]calc.GWP, error) {
	var out []calc.GWP
	err := readSeries(f, []string{"gas", "set", "value", "source"}, func(t *table) error {
		value, err := t.required(2)
		out = append(out, calc.GWP{Gas: t.text(0), Set: t.text(1), Value: value, Source: t.text(3)})
		return err
	})
	return out, err
}

// readRates reads monthly averages of exchange rates, in units of the currency per US dollar.
func readRates(f file) ([]calc.Rate, error) {
	var out []calc.Rate
	err := readSeries(f, []string{"currency", "month", "perUSD"}, func(t *table) error {
		day, err := exact.ParseDate(t.text(1) + "-01")
		if err != nil {
			return t.cell(1, "%q is not a month", t.text(1))
		}
		rate, err := t.required(2)
		out = append(out, calc.Rate{Currency: t.text(0), Year: day.Year(), Month: int(day.Month()), PerUSD: rate})
		return err
	})
	return out, err
}

// readInflation reads by how many percent consumer prices of a country rose over the year before.
func readInflation(f file) ([]calc.Inflation, error) {
	var out []calc.Inflation
	err := readSeries(f, []string{"country", "year", "percent"}, func(t *table) error {
		year, err := exact.ParseDate(t.text(1) + "-01-01")
		if err != nil {
			return t.cell(1, "%q is not a year", t.text(1))
		}
		percent, err := t.required(2)
		out = append(out, calc.Inflation{Country: t.text(0), Series: "CPI", Year: year.Year(), Percent: percent})
		return err
	})
	return out, err
}
