package config

import (
	"errors"
	"strconv"
	"strings"
)

// Percent is a share of 0 to 100, written "90%".
type Percent float64

type percentError struct{ error }

func (percentError) Hint() string { return `write a share from 0 to 100 in quotes, such as "90%"` }

// UnmarshalTOML takes a text such as "90%".
func (p *Percent) UnmarshalTOML(value any) error {
	text, ok := value.(string)
	if !ok {
		return percentError{errors.New("must be a percentage in quotes")}
	}
	digits, ok := strings.CutSuffix(text, "%")
	if !ok {
		return percentError{errors.New("the % is missing")}
	}
	if strings.Trim(digits, "0123456789.") != "" {
		return percentError{errors.New("not a percentage")}
	}
	number, err := strconv.ParseFloat(digits, 64)
	if err != nil || number < 0 || number > 100 {
		return percentError{errors.New("not a percentage from 0 to 100")}
	}
	*p = Percent(number)
	return nil
}

// String writes it as it is read.
func (p Percent) String() string { return strconv.FormatFloat(float64(p), 'f', -1, 64) + "%" }

// Of is the share of n, not rounded.
func (p Percent) Of(n int) float64 { return float64(p) * float64(n) / 100 }
