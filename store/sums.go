package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// summed are the sums that emission_sums holds, and what one emission adds to each.
var summed = []struct{ column, of string }{
	{"co2e_mg", "e.co2e_mg"},
	{"biogenic_mg", "e.biogenic_mg"},
	{"low_mg", lowOf},
	{"high_mg", highOf},
	{"spend_micros", "COALESCE(e.spend_micros, 0)"},
	{"spend_co2e_mg", "CASE WHEN e.spend_micros IS NULL THEN 0 ELSE e.co2e_mg END"},
	{"weight", weightOf},
	{"quality", weightOf + " * " + indicatorsOf},
	{"emissions", "1"},
	{"with_spend", "CASE WHEN e.spend_micros IS NULL THEN 0 ELSE 1 END"},
	{"with_interval", "CASE WHEN " + hasInterval + " THEN 1 ELSE 0 END"},
}

// What is summed of an emission where its columns do not say it as they are. The bounds of a negative figure's interval stand the other way round. A number
// less nine times what is left of it without its last digits is the sum of its digits.
const (
	hasInterval  = "e.low_mg IS NOT NULL AND e.high_mg IS NOT NULL"
	lowOf        = "CASE WHEN e.low_mg < e.high_mg THEN e.low_mg WHEN e.high_mg <= e.low_mg THEN e.high_mg ELSE e.co2e_mg END"
	highOf       = "CASE WHEN e.low_mg < e.high_mg THEN e.high_mg WHEN e.high_mg <= e.low_mg THEN e.low_mg ELSE e.co2e_mg END"
	weightOf     = "ABS(e.co2e_mg / 1000)"
	indicatorsOf = "(e.quality - 9 * (e.quality / 10 + e.quality / 100 + e.quality / 1000 + e.quality / 10000))"
)

// change is emissions that are current from now on (sign 1), or no longer (-1): those of the organization, as e, that meet a condition.
type change struct {
	sign int
	cond string
}

// sum adds emissions to the sums that they are in, or takes them away, be they a million. It is done at once, by what the emissions are before or after
// whatever makes them current, so it belongs at the end of a transaction: it locks suppliers and sums. The statement holds the values of the conditions.
func (w *Writer) sum(ctx context.Context, b *statement, changes ...change) error {
	if err := w.settle(ctx); err != nil { // what is there now need not be there in the end
		return err
	}
	of := map[ID]bool{}
	text := "SELECT DISTINCT e.supplier_id FROM (" + changed(b, changes) + ") AS e WHERE e.supplier_id IS NOT NULL"
	if err := w.query(ctx, "SELECT", "emissions", text, b.args, func(scan scanner) error {
		var id ID
		err := scan(&id)
		of[id] = true
		return err
	}); err != nil {
		return err
	}
	ids := slices.Collect(maps.Keys(of))
	if _, err := w.lockSuppliers(ctx, ids); err != nil {
		return err
	}
	return w.addUp(ctx, ids, b, changes...)
}

// changed is the statement of the emissions that change, each with its sign.
func changed(b *statement, changes []change) string {
	selects := make([]string, len(changes))
	for i, c := range changes {
		selects[i] = fmt.Sprintf("SELECT %d AS sign, e.* FROM emissions AS e WHERE ", c.sign) + b.all("("+c.cond+")")
	}
	return strings.Join(selects, " UNION ALL ")
}

// addUp writes the sums of all grains, in one order for every writer, and tells suppliers theirs, which are locked.
func (w *Writer) addUp(ctx context.Context, suppliers []ID, b *statement, changes ...change) error {
	b.fresh = true // planned for any values, it might read all emissions
	d := w.t.store.dialect
	text := "WITH changed AS (" + byMonth(d, changed(b, changes)) + ") INSERT INTO emission_sums (org_id, grain, " + sumKeys + ", " + sumColumns(", ", "%s") +
		") SELECT * FROM (" + byGrain(d) + ") AS sums WHERE TRUE ORDER BY grain, " + sumKeys + addedUp()
	if err := w.run(ctx, "INSERT", "emission_sums", text, b); err != nil || len(suppliers) == 0 {
		return err
	}
	return w.tellSuppliers(ctx, suppliers)
}

// addedUp ends an INSERT of sums.
func addedUp() string {
	return " ON CONFLICT (org_id, grain, " + sumKeys + ") DO UPDATE SET " + sumColumns(", ", "%[1]s = emission_sums.%[1]s + excluded.%[1]s")
}

// tellSuppliers gives suppliers, which are locked, the sum that is kept of each. The sum is looked up for each of them: joined, a database that knows little of an
// organization yet, because it is new among others, reads all of its sums for each, and more of them with every chunk. It raises no supplier's version: only who orders
// suppliers by their sums sees these, and hangs on the emissions.
func (w *Writer) tellSuppliers(ctx context.Context, suppliers []ID) error {
	of := w.statement()
	of.in("suppliers.id", listUUID, suppliers)
	kept := "COALESCE((SELECT s.co2e_mg FROM emission_sums AS s WHERE s.org_id = $1 AND s.grain = " + bySupplierAlone.number + " AND s.supplier_id = suppliers.id), co2e_mg)"
	return w.unseen(func() error {
		return w.run(ctx, "UPDATE", "suppliers", "UPDATE suppliers SET co2e_mg = "+kept+" WHERE suppliers."+of.all("co2e_mg <> "+kept), of)
	})
}

// sumColumns writes something for each sum.
func sumColumns(between, format string) string {
	each := make([]string, len(summed))
	for i, s := range summed {
		each[i] = fmt.Sprintf(format, s.column)
	}
	return strings.Join(each, between)
}

// byMonth is the statement of the sums of emissions with a sign, by the key that those of all grains can be made of. What comes to nothing is left out.
func byMonth(d dialect, emissions string) string {
	columns := make([]string, len(summed))
	for i, s := range summed {
		columns[i] = "CAST(SUM(e.sign * " + s.of + ") AS bigint) AS " + s.column
	}
	return "SELECT * FROM (SELECT COALESCE(e.supplier_id, " + noUUID + ") AS supplier_id, " + d.firstDay("e.occurred_on", ByMonth) +
		" AS month, e.category_number, e.method, e.dataset_id, " + strings.Join(columns, ", ") + " FROM (" + emissions +
		") AS e GROUP BY 1, 2, 3, 4, 5) AS months WHERE " + sumColumns(" OR ", "%s <> 0")
}

// byGrain is the statement of the rows of emission_sums that add up what is in changed. $1 is the organization.
func byGrain(d dialect) string {
	selects := make([]string, len(grains))
	for i, g := range grains {
		of := g.of(d)
		for j, key := range strings.Split(sumKeys, ", ") {
			of[j] += " AS " + key
		}
		selects[i] = "SELECT CAST($1 AS " + d.words()["uuid"] + ") AS org_id, " + g.number + " AS grain, " + strings.Join(of, ", ") + ", " +
			sumColumns(", ", "CAST(SUM(%[1]s) AS bigint) AS %[1]s") + " FROM changed GROUP BY 3, 4, 5, 6, 7"
	}
	return strings.Join(selects, " UNION ALL ")
}
