package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
)

// maxFormulas bounds how many formulas a process remembers as stored.
const maxFormulas = 1 << 16

// knownFormulas are formulas that are stored: committed, and never removed. It is safe for concurrent use.
type knownFormulas struct {
	mu  sync.Mutex
	ids map[ID]bool
}

func (k *knownFormulas) has(id ID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ids[id]
}

func (k *knownFormulas) add(ids []ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ids == nil || len(k.ids)+len(ids) > maxFormulas {
		k.ids = make(map[ID]bool, len(ids))
	}
	for _, id := range ids {
		k.ids[id] = true
	}
}

// putFormulas stores the formulas that lines are the first to use. Writers put them in one order and before they lock anything else, so that those who
// bring the same one wait for each other, and never in a circle.
func (w *Writer) putFormulas(ctx context.Context, lines []pendingLine) error {
	fresh := map[ID]string{}
	for i := range lines {
		if e := lines[i].Emission; e != nil && !w.t.store.formulas.has(e.FormulaID) {
			fresh[e.FormulaID] = e.Formula
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	ids := slices.Collect(maps.Keys(fresh))
	byText := make(map[string]string, len(fresh))
	for id, text := range fresh {
		byText[id.String()] = text
	}
	pairs, err := json.Marshal(byText) // in the order of the ids
	if err != nil {
		return err
	}
	words := w.t.store.dialect.words()
	err = w.exec(ctx, "INSERT", "formulas", "INSERT INTO formulas (id, text) SELECT CAST(pairs.key AS "+words["uuid"]+"), pairs.value FROM "+words["pairs"]+
		" AS pairs WHERE TRUE ON CONFLICT (id) DO NOTHING", string(pairs))
	w.after = append(w.after, func() { w.t.store.formulas.add(ids) })
	return err
}
