package exact

// MassUnit is a unit that masses are shown in.
type MassUnit string

// The units of mass.
const (
	MG MassUnit = "MG"
	G  MassUnit = "G"
	KG MassUnit = "KG"
	T  MassUnit = "T"
)

// In gives the mass in a unit. It shifts the decimal point and loses nothing; a unit that is none of ours counts as kilograms.
func (m Milligrams) In(u MassUnit) Scaled {
	switch u {
	case MG:
		return Scaled{int64(m), 0}
	case G:
		return Scaled{int64(m), 3}
	case T:
		return Scaled{int64(m), 9}
	}
	return Scaled{int64(m), 6}
}
