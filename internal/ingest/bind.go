package ingest

import "carbongraph/internal/fault"

// bind finds the columns in the header.
func (r *Reader) bind(c *Columns) error {
	places := map[string][]int{}
	for i, h := range r.Header() {
		places[fold(h)] = append(places[fold(h)], i)
	}
	used := map[int]bool{}
	find := func(spellings ...string) (int, error) {
		for _, s := range spellings {
			switch at := places[fold(s)]; len(at) {
			case 0:
			case 1:
				used[at[0]] = true
				return at[0], nil
			default:
				return -1, fault.New(fault.BadUserInput, "%s: the header has %d columns %q; rename all but one.", r.name, len(at), s)
			}
		}
		return -1, nil
	}
	for i, s := range c.sources {
		f, err := r.bindField(Targets()[i], s, find)
		if err != nil {
			return err
		}
		r.fields[i] = f
		if f.source != nil && f.column >= 0 && f.notation != nil && f.notation.point != '.' {
			r.commas = append(r.commas, i)
		}
	}
	for i, h := range r.Header() {
		if !used[i] {
			r.ignored = append(r.ignored, h)
		}
	}
	return nil
}

func (r *Reader) bindField(name string, s *source, find func(...string) (int, error)) (field, error) {
	f := field{source: s, column: -1, name: name}
	if s == nil {
		return f, nil
	}
	var err error
	missing := s.from
	if f.column, err = find(s.from...); err != nil {
		return f, err
	}
	for _, p := range s.template {
		column := -1
		if p.column != "" {
			if column, err = find(p.column); err != nil {
				return f, err
			}
			if column < 0 {
				missing = append(missing, p.column)
			}
		}
		f.columns = append(f.columns, column)
	}
	if f.column < 0 && len(missing) > 0 && !s.optional {
		return f, fault.New(fault.BadUserInput, "%s has no column for %s: its header has no %s. It has %s. Add the spelling to the columns file%s.",
			r.name, name, quoted(missing, " or "), quoted(r.Header(), ", "), ", or say \"optional: true\" there")
	}
	if len(s.template) > 0 && len(missing) > 0 {
		f.source = nil // an optional template with a column that is not there gives nothing
	}
	return f, nil
}

// checkHeader makes sure that a header without a columns file gives what every activity needs.
func (r *Reader) checkHeader() error {
	has := func(target int) bool { return r.fields[target].column >= 0 }
	if !(has(amount) && has(currency)) && !(has(quantity) && has(unit)) {
		return fault.New(fault.BadUserInput, "%s: the header has neither amount and currency nor quantity and unit. It has %s. Name the columns as the activity's fields, or give a columns file.",
			r.name, quoted(r.Header(), ", "))
	}
	return nil
}
