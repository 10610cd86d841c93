package tomltext

import (
	"strings"
	"testing"
	"time"
)

// What is nested without end is refused before the parser goes down into it.
func TestNesting(t *testing.T) {
	for name, text := range map[string]string{
		"lists":       "a = " + strings.Repeat("[", Limit-10),
		"tables":      "a = " + strings.Repeat("{a=", Limit/4),
		"key":         strings.Repeat("a.", Limit/2-10) + "b=1",
		"table":       "[" + strings.Repeat("a.", Limit/2-10) + "b]",
		"quoted key":  strings.Repeat(`"a".`, 100) + "b=1",
		"after texts": "x = \"\"\"[ ]\"\"\" # ]\na = [" + strings.Repeat("[", 40) + strings.Repeat("]", 41),
	} {
		began := time.Now()
		p := Parse("f.toml", []byte(text)).Problems()
		if len(p) != 1 || !strings.Contains(p[0].Message, "nested") || p[0].Hint == "" {
			t.Errorf("%s: %.200s", name, p.Error())
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s takes %s", name, took)
		}
	}
	for name, text := range map[string]string{
		"just so":       "a = " + strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting),
		"text":          `a = "` + strings.Repeat("[", 99) + `"`,
		"literal":       `a = '` + strings.Repeat(`[{.\`, 99) + `'`,
		"escaped quote": `a = "\"` + strings.Repeat("[", 99) + `"`,
		"lines":         "a = \"\"\"\n\"" + strings.Repeat("[{\n", 99) + `"""`,
		"literal lines": "a = '''\n''" + strings.Repeat("[{\n", 99) + `'''`,
		"comment":       "# it's " + strings.Repeat("[", 99) + "\na = 1 # " + strings.Repeat("[", 99),
		"many dots":     "a = [" + strings.Repeat("1.5, ", 99) + "]\n" + strings.Repeat("# a.b.c\n", 99),
	} {
		if p := Parse("f.toml", []byte(text)).Problems(); len(p) != 0 {
			t.Errorf("%s: %s", name, p.Error())
		}
	}
}
