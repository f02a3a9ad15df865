package exact

import "testing"

func TestMassIn(t *testing.T) {
	for name, tc := range map[string]struct {
		mass Milligrams
		unit MassUnit
		want string
	}{
		"milligrams are as stored":             {1234567890123, MG, "1234567890123"},
		"grams shift by three":                 {1234567890123, G, "1234567890.123"},
		"kilograms shift by six":               {1234567890123, KG, "1234567.890123"},
		"tonnes shift by nine":                 {1234567890123, T, "1234.567890123"},
		"zeros at the end go":                  {1500000000, T, "1.5"},
		"credits stay negative":                {-1, T, "-0.000000001"},
		"the largest mass is still exact":      {1<<63 - 1, KG, "9223372036854.775807"},
		"nothing is nothing whatever it is in": {0, T, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.mass.In(tc.unit).String(); got != tc.want {
				t.Errorf("%d mg in %s = %q, want %q", tc.mass, tc.unit, got, tc.want)
			}
		})
	}
}
