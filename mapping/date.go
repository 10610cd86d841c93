package mapping

import (
	"errors"
	"time"
)

// Date is a date in the file, in quotes or as TOML writes one: a day, or a
// moment, in the forms of internal/moment. Empty: none.
type Date string

// UnmarshalTOML takes both forms.
func (d *Date) UnmarshalTOML(data any) error {
	switch v := data.(type) {
	case string:
		*d = Date(v)
		return nil
	case time.Time:
		// The zone says how much of it was written.
		switch v.Location().String() {
		case "date-local":
			*d = Date(v.Format(time.DateOnly))
		case "datetime-local":
			*d = Date(v.Format("2006-01-02T15:04:05"))
		case "time-local":
			return dateError{errors.New("a time of day says no date")}
		default:
			*d = Date(v.Format(time.RFC3339))
		}
		return nil
	}
	return dateError{errors.New("must be a date, not " + tomlKind(data))}
}

// dateError is what is wrong with a date.
type dateError struct{ error }

// Hint is what to write.
func (dateError) Hint() string { return `write a day such as "2026-12-31", or "2026-12-31T17:00:00Z"` }
