package mapping

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr/conf"
)

// Of what the parser brings along nothing can be called but the functions that
// stand in usage: no clock, no randomness, no loop, no reflection.
func TestNothingOfTheParserIsCallable(t *testing.T) {
	names := []string{"env", "rand", "random", "uuid", "today", "time", "print", "panic", "os", "exec", "get", "call"}
	for name := range conf.CreateNew().Builtins {
		names = append(names, name)
	}
	if len(names) < 50 {
		t.Fatalf("only %d names", len(names))
	}
	for _, name := range names {
		if _, ours := usage[name]; ours {
			continue
		}
		for _, call := range []string{
			name + `()`, name + `(person.a)`, name + `("1")`, name + `(person.a, "x")`, name + `(values(person.a), # == "x")`, name + `(values(person.a), {# == "x"})`,
			name + `(values(person.a), {#})`, `person.a | ` + name + `()`, `person.` + name + `()`, name + `(person)`, name, name + `([1, 2])`, name + `($env)`,
		} {
			for _, when := range []string{call, call + ` == "x"`, `"x" in ` + call} {
				p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}})
				if p != nil || len(all) == 0 {
					t.Errorf("%s can be written", when)
				}
			}
		}
	}
}

// Nothing that has a meaning of its own in the language of the parser can stand
// in a rule, but what the page describes.
func TestNothingElseCanBeWritten(t *testing.T) {
	for _, part := range []string{
		`$env.person`, `$env["person"]`, `person`, `1`, `1.5`, `nil`, `0..9`, `1 + 2`, `2 ** 3`, `7 % 3`, `-1`, `+1`, `{"a": 1}`, `{}`, `[]`, `[1]`, `[[person.a]]`,
		`person.a.b`, `person["a"]["b"]`, `person.a[0]`, `person.a[-1]`, `person.a[0:2]`, `person?.a`, `person?.["a"]`, `let x = 1; x`, `person.a matches "^(a+)+$"`,
		`# == 1`, `.a`, `values(person.a).#`, `values(person.a)[0]`, `person.a; person.b`, `if true { true } else { false }`, `person.a < person.b`, `b"bytes"`, `#index`, `#acc`,
	} {
		for _, when := range []string{part, part + ` == "x"`, `(` + part + `) ?? "x" == "x"`, `lower(` + part + `) == "x"`, `person.z == "x" and ` + part} {
			if strings.HasPrefix(part, "person.a; ") && strings.HasSuffix(when, `"x" == "x"`) {
				continue
			}
			if p, _ := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}}); p != nil {
				t.Errorf("%s can be written", when)
			}
		}
	}
}

// What is nested as deep as it may be written neither ends the process nor
// takes long to read.
func TestDeepExpressions(t *testing.T) {
	began := time.Now()
	for _, when := range []string{
		strings.Repeat("(", maxSource/2) + strings.Repeat(")", maxSource/2), strings.Repeat("(", maxSource), strings.Repeat("!", maxSource), strings.Repeat("not ", maxSource/4),
		strings.Repeat("[", maxSource), strings.Repeat("{", maxSource), strings.Repeat("lower(", maxSource/6), strings.Repeat("a?", maxSource/2), strings.Repeat("-", maxSource),
		strings.Repeat("person.a??", maxSource/10), strings.Repeat("person.a|", maxSource/9), strings.Repeat("a.", maxSource/2), strings.Repeat("a?.", maxSource/3),
		strings.Repeat("let a=", maxSource/6), strings.Repeat("if a{", maxSource/5), strings.Repeat(`"`, maxSource), strings.Repeat("`", maxSource-1), strings.Repeat("/*", maxSource/2),
		strings.Repeat("9", maxSource), strings.Repeat("1e", maxSource/2), "0x" + strings.Repeat("f", maxSource-2), strings.Repeat("a in ", maxSource/5), strings.Repeat("\\", maxSource),
	} {
		if p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}}); p != nil || len(all) == 0 {
			t.Errorf("%.20s… can be written", when)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("reading them takes %s", took)
	}
}

// A rule of the greatest size on the greatest values is decided in a moment, and
// in a bounded room.
func TestWorstRule(t *testing.T) {
	fill := func(one, join string) string {
		n := 1
		for len(strings.Repeat(one+join, n+1)) < maxSource-20 && (n+1)*13 < maxNodes {
			n++
		}
		return strings.TrimSuffix(strings.Repeat(one+join, n), join)
	}
	nest := func(before, after string) string {
		n := 90
		return strings.Repeat(before, n) + "person.long" + strings.Repeat(after, n) + ` == "x"`
	}
	for _, when := range []string{
		fill(`"x" in split(person.long, "y")`, " or "), fill(`"x" in values(person.many)`, " or "), fill(`join(values(person.many), "") == "x"`, " or "),
		nest(`replace(`, `, "y", "z")`), nest(`lower(`, `)`), nest(`translit(`, `)`), nest(`slug(`, `)`), fill(`translit(person.wide) == "x"`, " or "),
		fill(`person.long contains person.part`, " or "), fill(`before(person.long)`, " or "), fill(`lookup("t", person.long) == "x"`, " or "),
	} {
		p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}, Tables: map[string]map[string]string{"t": {"x": "y"}}})
		if p == nil {
			t.Errorf("%.40s…: %+v", when, all)
			continue
		}
		many := make([]string, 1<<12)
		for i := range many {
			many[i] = strings.Repeat("m", maxValues/len(many))
		}
		s := Subject{Person: person(map[string][]string{"long": {strings.Repeat("y", maxText)}, "many": many,
			"wide": {strings.Repeat("北", maxText/3)}, "part": {strings.Repeat("y", maxText/2) + "x"}})}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		p.Resolve(s)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if made := after.TotalAlloc - before.TotalAlloc; took > 10*time.Second || made > 256<<20 {
			t.Errorf("%.40s…: %s, %d MiB", when, took, made>>20)
		}
	}
}

// A list has an end too.
func TestListHasAnEnd(t *testing.T) {
	p := policy(t, "[role.r]\nwhen = '\"x\" in split(person.a, \",\")'\n")
	for count, want := range map[int]string{maxItems: "", maxItems + 1: "r?value"} {
		if got := roleText(p.Resolve(Subject{Person: person(map[string][]string{"a": {strings.Repeat(",", count-1)}})})); got != want {
			t.Errorf("%d items: %s", count, got)
		}
	}
}

// Whatever goes wrong in an evaluation makes the rule unknown, and never false.
func TestPanicIsADoubt(t *testing.T) {
	c := &condition{source: "x", cond: func(*scope) verdict { panic("a bug") }}
	if v := c.decide(&scope{}); v.yes || v.why == nil || v.why.kind != faultValue {
		t.Errorf("%+v", v)
	}
	broken := &template{source: "x", parts: []textFunc{func(*scope) (string, *fault) { panic("a bug") }}}
	if v, why := broken.values(&scope{}, nil); v != nil || why == nil || why.kind != faultValue {
		t.Errorf("%q, %+v", v, why)
	}
}
