package span

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"10m": 10 * time.Minute, "1s": time.Second, "0s": 0, "250ms": 250 * time.Millisecond,
		"30d": 30 * day, "2w": 14 * day, "7y": 7 * 365 * day, "400d": 400 * day,
		"1d12h": 36 * time.Hour, "1y2w3d4h5m6s7ms": 365*day + 17*day + 4*time.Hour + 5*time.Minute + 6*time.Second + 7*time.Millisecond,
		"90m": 90 * time.Minute, "292y": 292 * 365 * day,
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"": "is empty", "10": "unit is missing after 10", "m": "whole number is missing", "-1d": "whole number is missing",
		"+1d": "whole number is missing", "1.5h": `unknown unit "."`, "1 d": `unknown unit " d"`, "1D": `unknown unit "D"`,
		"1month": `unknown unit "month"`, "1h1d": "from long to short", "1d1d": "from long to short",
		"293y": "too long", "99999999999999999999s": "too long", "292y99999999h": "too long", "10m ": `unknown unit "m "`,
	} {
		got, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || got != 0 {
			t.Errorf("Parse(%q) = %v, %v; want %q", text, got, err, want)
			continue
		}
		var hinted interface{ Hint() string }
		if !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "30d") {
			t.Errorf("Parse(%q): no hint", text)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, text := range []string{"10m", "1s", "0s", "30d", "2w", "7y", "400d", "1d12h", "1h30m", "250ms"} {
		length, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Format(length); got != text {
			t.Errorf("Format(%q) = %q", text, got)
		}
	}
}

// TestFormatReadsBack: what is written is read as the same length.
func TestFormatReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(0, 292*365*24*3600*1000).Draw(t, "ms")) * time.Millisecond
		got, err := Parse(Format(want))
		if err != nil || got != want {
			t.Fatalf("Parse(%q) = %v, %v; want %v", Format(want), got, err, want)
		}
	})
}

func TestUnmarshal(t *testing.T) {
	var d Duration
	if err := d.UnmarshalTOML("2w"); err != nil || d.String() != "2w" {
		t.Errorf("got %v, %v", d, err)
	}
	for _, bad := range []any{int64(5), true, "5", nil, []any{"1d"}} {
		if err := d.UnmarshalTOML(bad); err == nil {
			t.Errorf("%v was taken for %v", bad, d)
		}
	}
}
