package ad

import (
	"errors"
	"strings"
	"testing"
)

func TestFitName(t *testing.T) {
	for name, fits := range map[string]bool{
		"writer1": true, "Zoë": true, "a.b_c-d": true, "o'brien & co": true, "日本語日本語日本語日本語日本語日本語日本": true, "#hash": true, "a b": true,
		strings.Repeat("x", 20): true, strings.Repeat("x", 21): false, strings.Repeat("é", 20): true, strings.Repeat("é", 21): false,
		`a"b`: false, "a/b": false, `a\b`: false, "a[b": false, "a]b": false, "a:b": false, "a|b": false, "a<b": false, "a>b": false,
		"a+b": false, "a=b": false, "a;b": false, "a,b": false, "a?b": false, "a*b": false, "a\nb": false, "a\tb": false, "writer.": false,
	} {
		err := fitName(name)
		if (err == nil) != fits {
			t.Errorf("%q: %v, want it to fit: %v", name, err, fits)
		}
		if h := (interface{ Hint() string })(nil); err != nil && (!errors.As(err, &h) || h.Hint() == "") {
			t.Errorf("%q: no hint", name)
		}
	}
}
