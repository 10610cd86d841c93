package state

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNeedlesAreWholeWords(t *testing.T) {
	names := []string{"writer1", "ann", "Writer1@corp.example", "uid=writer1,ou=people,dc=example,dc=com", "O\"Neill, Zoë", "x", "+491", "--", ""}
	n := newNeedles(names, false)
	for text, want := range map[string]string{
		"create writer1":       "create (forgotten)",
		"create Writer1, etc.": "create (forgotten), etc.",
		"create writer10":      "create writer10",
		"awriter1":             "awriter1",
		"uid=writer1,ou=people,dc=example,dc=com left": "(forgotten),ou=people,dc=example,dc=com left",
		"joanna": "joanna", "ann": "(forgotten)", "Ann-Marie": "Ann-Marie", "ann.lee@x": "ann.lee@x", "lee.ann": "lee.ann", "was Ann.": "was (forgotten).", "-ann-": "-(forgotten)-", "annä": "annä", "x y": "x y",
		"by o\"neill, ZOË.": "by (forgotten).", "call +491 now": "call +(forgotten) now", "": "",
		"writer1@corp.example": "(forgotten)",
	} {
		got := n.blank(text)
		// What a longer name covers may be cut at a shorter one, as long as
		// nothing of it that tells is left.
		if got != want && !(strings.HasPrefix(text, "uid=") && got == "(forgotten) left") && !(strings.HasPrefix(text, "uid=") && got == "uid=(forgotten),ou=people,dc=example,dc=com left") {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := n.blankJSON([]byte(`{"Error":"cannot make writer1","N":12345678901234567890,"list":["a",{"b":"ann"}]}`)); string(got) != `{"Error":"cannot make (forgotten)","N":12345678901234567890,"list":["a",{"b":"(forgotten)"}]}` {
		t.Errorf("%s", got)
	}
	if n.blankJSON([]byte(`{"writer2":"b"}`)) != nil || n.blankJSON([]byte(`{`)) != nil {
		t.Error("changed without need")
	}
}

// A name is found in JSON as it is written, whatever it is and stands beside.
func TestNeedlesInJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zA-Zäöü0-9"\\<&' ,=+@\n]{3,12}`).Draw(t, "name")
		n := newNeedles([]string{name}, true)
		if len(n.byWord) == 0 {
			return // no words in it, or one that is too short
		}
		beside := func(label string) string {
			return rapid.StringMatching(`(|[ \n\t"\\,;:()éa-z]*[ \n\t"\\,;:()])`).Draw(t, label)
		}
		before, after := beside("before"), beside("after")
		if after != "" && !strings.ContainsAny(after[:1], " \n\t\"\\,;:()") {
			after = " " + after
		}
		text := before + name + after
		b, err := json.Marshal(map[string]string{"t": text})
		if err != nil {
			t.Fatal(err)
		}
		plain := strings.NewReplacer(`\u003c`, "<", `\u0026`, "&", `\u003e`, ">").Replace(string(b))
		if !n.in(plain) {
			t.Fatalf("%q is not found in %s", name, plain)
		}
		if !newNeedles([]string{name}, false).in(text) {
			t.Fatalf("%q is not found in %q", name, text)
		}
	})
}
