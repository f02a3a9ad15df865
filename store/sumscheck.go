package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"carbongraph/internal/exact"
)

// WrongSum is a sum that is not what the current emissions come to.
type WrongSum struct {
	Of          string // the group, in words
	Column      string // what is wrong: a column of emission_sums, or co2e_mg of suppliers
	Kept, Right int64
}

// CheckSums holds the sums of the organization against its emissions, all as of one moment while others write, and hands over each that is wrong, in one
// order.
func (t *Tenant) CheckSums(ctx context.Context, each func(WrongSum) error) error {
	b := t.statement("e")
	return t.store.read(ctx, "emission_sums", comparedSums(b), b, wrongSums(each, nil))
}

// RepairSums does the same, and writes what is right in one transaction: nothing is handed over of a transaction that failed. Others may write meanwhile.
func (t *Tenant) RepairSums(ctx context.Context, each func(WrongSum) error) error {
	var wrong []WrongSum
	err := t.Write(ctx, func(ctx context.Context, w *Writer) error {
		wrong = nil
		return w.repairSums(ctx, func(s WrongSum) error {
			wrong = append(wrong, s)
			return nil
		})
	})
	for i := 0; err == nil && i < len(wrong); i++ {
		err = each(wrong[i])
	}
	return err
}

// repairSums adds what is missing. What others add between the look and the writing, they add to the emissions as well: a difference stays what it is.
func (w *Writer) repairSums(ctx context.Context, each func(WrongSum) error) error {
	b := w.t.statement("e")
	b.fresh = true
	of := map[ID]bool{}
	if err := w.query(ctx, "SELECT", "emission_sums", comparedSums(b), b.args, wrongSums(each, of)); err != nil || len(of) == 0 {
		return err
	}
	delete(of, ID{})
	ids := slices.Collect(maps.Keys(of))
	if _, err := w.lockSuppliers(ctx, ids); err != nil {
		return err
	}
	text := comparing(b) + " INSERT INTO emission_sums (org_id, grain, " + sumKeys + ", " + sumColumns(", ", "%s") + ") SELECT $1, grain, " + sumKeys + ", " +
		sumColumns(", ", "CAST(SUM(sign * %s) AS bigint)") + " FROM compared WHERE grain > 0 GROUP BY grain, " + sumKeys + " HAVING " +
		sumColumns(" OR ", "SUM(sign * %s) <> 0") + " ORDER BY grain, " + sumKeys + addedUp()
	if err := w.run(ctx, "INSERT", "emission_sums", text, b); err != nil || len(ids) == 0 {
		return err
	}
	if err := w.tellSuppliers(ctx, ids); err != nil {
		return err
	}
	none := w.statement()
	none.in("id", listUUID, ids)
	return w.run(ctx, "UPDATE", "suppliers", "UPDATE suppliers SET co2e_mg = 0 WHERE "+none.all("co2e_mg <> 0")+
		" AND NOT EXISTS (SELECT 1 FROM emission_sums AS s WHERE s.org_id = $1 AND s.grain = "+bySupplierAlone.number+" AND s.supplier_id = suppliers.id)", none)
}

// comparing begins a statement on compared: each sum as it should be (sign 1) and as it is kept (sign -1), those of suppliers themselves as grain 0.
func comparing(b *statement) string {
	d := b.dialect
	columns := "grain, " + sumKeys + ", " + sumColumns(", ", "%s")
	kept := func(column string) string {
		if column == "co2e_mg" {
			return column
		}
		return "0"
	}
	own := make([]string, len(summed))
	for i, s := range summed {
		own[i] = kept(s.column)
	}
	words := d.words()
	supplier := " CAST('0001-01-01' AS " + words["date"] + "), 0, '', CAST(" + noUUID + " AS " + words["uuid"] + "), " + strings.Join(own, ", ")
	return "WITH changed AS (" + byMonth(d, changed(b, []change{{1, "NOT e.superseded AND " + published}})) + "), made AS (" + byGrain(d) + "), compared AS (" +
		"SELECT 1 AS sign, " + columns + " FROM made UNION ALL SELECT -1, " + columns + " FROM emission_sums WHERE org_id = $1" +
		" UNION ALL SELECT 1, 0, supplier_id," + supplier + " FROM made WHERE grain = " + bySupplierAlone.number + " AND supplier_id <> " + noUUID +
		" UNION ALL SELECT -1, 0, id," + supplier + " FROM suppliers WHERE org_id = $1)"
}

// comparedSums is the statement of the groups of which a sum is wrong: its key, and of each sum what is kept and what is right.
func comparedSums(b *statement) string {
	b.fresh = true
	return comparing(b) + " SELECT grain, " + sumKeys + ", " +
		sumColumns(", ", "CAST(SUM(CASE WHEN sign < 0 THEN %[1]s ELSE 0 END) AS bigint), CAST(SUM(CASE WHEN sign > 0 THEN %[1]s ELSE 0 END) AS bigint)") +
		" FROM compared GROUP BY grain, " + sumKeys + " HAVING " + sumColumns(" OR ", "SUM(sign * %s) <> 0") + " ORDER BY grain, " + sumKeys
}

// wrongSums reads these groups, and notes the suppliers.
func wrongSums(each func(WrongSum) error, of map[ID]bool) func(scanner) error {
	return func(scan scanner) error {
		var number, category int
		var supplier, dataset ID
		var period exact.Date
		var method string
		kept, right := make([]int64, len(summed)), make([]int64, len(summed))
		dest := []any{&number, &supplier, &period, &category, &method, &dataset}
		for i := range summed {
			dest = append(dest, &kept[i], &right[i])
		}
		if err := scan(dest...); err != nil {
			return err
		}
		if of != nil {
			of[supplier] = true
		}
		group := "supplier " + supplier.String() + ", its own sum"
		if number > 0 {
			group = grains[number-1].words(supplier, period, category, method, dataset)
		}
		for i, s := range summed {
			if kept[i] != right[i] {
				if err := each(WrongSum{group, s.column, kept[i], right[i]}); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// words tells a group of the grain.
func (g grain) words(supplier ID, period exact.Date, category int, method string, dataset ID) string {
	var told []string
	if g.parts&partSupplier != 0 {
		if supplier.IsZero() {
			told = append(told, "no supplier")
		} else {
			told = append(told, "supplier "+supplier.String())
		}
	}
	switch {
	case g.parts&partMonth != 0:
		told = append(told, period.String()[:7])
	case g.parts&partYear != 0:
		told = append(told, period.String()[:4])
	}
	if g.parts&partCategory != 0 {
		told = append(told, fmt.Sprintf("category %d, %s, dataset %s", category, method, dataset))
	}
	return strings.Join(told, ", ")
}
