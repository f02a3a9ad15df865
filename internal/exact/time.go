package exact

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"carbongraph/internal/fault"
)

// Date is a calendar day without a time zone. The zero value is no day at all.
type Date struct{ t time.Time }

const dateLayout = "2006-01-02"

// NewDate returns the day; overflowing days roll over as in package time.
func NewDate(year int, month time.Month, day int) Date {
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// DateOf gives the day of an instant in UTC.
func DateOf(t time.Time) Date { t = t.UTC(); return NewDate(t.Year(), t.Month(), t.Day()) }

// DayOf gives the day that is so many days after 1970-01-01.
func DayOf(days int64) Date { return Date{time.Unix(days*24*60*60, 0).UTC()} }

// ParseDate reads YYYY-MM-DD between the years 1900 and 9999, or fails with BAD_USER_INPUT.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(dateLayout, s)
	if err != nil || t.Year() < 1900 {
		return Date{}, fault.New(fault.BadUserInput, "%.40q is not a date; write it as YYYY-MM-DD, from 1900 on.", s)
	}
	return Date{t}, nil
}

// Time gives midnight UTC of the day.
func (d Date) Time() time.Time { return d.t }

// Year gives the year.
func (d Date) Year() int { return d.t.Year() }

// Month gives the month.
func (d Date) Month() time.Month { return d.t.Month() }

// IsZero tells whether the day was never set.
func (d Date) IsZero() bool { return d.t.IsZero() }

// After tells whether d is later than e.
func (d Date) After(e Date) bool { return d.t.After(e.t) }

// AddDays gives the day n days later.
func (d Date) AddDays(n int) Date { return Date{d.t.AddDate(0, 0, n)} }

// String writes YYYY-MM-DD.
func (d Date) String() string { return d.t.Format(dateLayout) }

// Value writes the day for SQL.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}

// Scan reads the day from SQL: Postgres gives a time, SQLite a text or a time.
func (d *Date) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = Date{}
		return nil
	case time.Time:
		*d = NewDate(v.Year(), v.Month(), v.Day())
		return nil
	case string:
		return d.parse(v)
	case []byte:
		return d.parse(string(v))
	}
	return fmt.Errorf("exact: cannot read a date from %T", src)
}

func (d *Date) parse(s string) error {
	if len(s) > 10 {
		s = s[:10]
	}
	t, err := time.Parse(dateLayout, s)
	*d = Date{t}
	return err
}

// MarshalJSON writes a JSON string.
func (d Date) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads a JSON string.
func (d *Date) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := ParseDate(s)
	*d = v
	return err
}

// Instant is a point in time in UTC with microseconds: what both databases keep without loss.
type Instant struct{ t time.Time }

const instantLayout = "2006-01-02T15:04:05.000000Z"

// InstantOf cuts a time to microseconds in UTC.
func InstantOf(t time.Time) Instant { return Instant{t.UTC().Truncate(time.Microsecond)} }

// ParseInstant reads RFC 3339, or fails with BAD_USER_INPUT.
func ParseInstant(s string) (Instant, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	i := InstantOf(t)
	if err != nil || i.t.Year() < 1 || i.t.Year() > 9999 { // an offset can lead out of the years that sort as text
		return Instant{}, fault.New(fault.BadUserInput, "%.40q is not an instant; write it like 2026-01-31T12:00:00Z.", s)
	}
	return i, nil
}

// Time gives the instant as a time in UTC.
func (i Instant) Time() time.Time { return i.t }

// IsZero tells whether the instant was never set.
func (i Instant) IsZero() bool { return i.t.IsZero() }

// String writes RFC 3339 with six digits of a second: texts of instants sort as the instants do.
func (i Instant) String() string { return i.t.Format(instantLayout) }

// Value writes the instant for SQL, of one width, so that text order is time order on SQLite.
func (i Instant) Value() (driver.Value, error) {
	if i.IsZero() {
		return nil, nil
	}
	return i.String(), nil
}

// Scan reads the instant from SQL.
func (i *Instant) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*i = Instant{}
		return nil
	case time.Time:
		*i = InstantOf(v)
		return nil
	case string:
		return i.parse(v)
	case []byte:
		return i.parse(string(v))
	}
	return fmt.Errorf("exact: cannot read an instant from %T", src)
}

func (i *Instant) parse(s string) error {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999-07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			*i = InstantOf(t)
			return nil
		}
	}
	return fmt.Errorf("exact: %q is not an instant", s)
}

// MarshalJSON writes a JSON string.
func (i Instant) MarshalJSON() ([]byte, error) { return json.Marshal(i.String()) }
