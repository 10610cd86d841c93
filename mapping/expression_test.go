package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var someone = map[string][]string{
	"uid": {"writer1"}, "mail": {"Writer.One@Corp.example"}, "sn": {"Straße"}, "cn": {" Writer   One "},
	"title": nil, "objectClass": {"top", "Person", "inetOrgPerson"}, "employeeType": {"Staff"},
	"ms-DS-a": {"dashed"}, "bin": {"\xff\xfe"}, "long": {strings.Repeat("x", maxText)}, "two": {"a", "b"}, "l": {"O'Hara \"x\""},
	"job": {"Head of  staff"}, "blank": {"  "},
	"huge": slices.Repeat([]string{strings.Repeat("y", maxText)}, maxValues/maxText+1), "grow": {strings.Repeat("ɐ", maxText/2)},
}

func TestConditions(t *testing.T) {
	const yes, no = "yes", "no"
	for _, c := range []struct{ when, want string }{
		// Comparisons follow the matching rule, exact does not.
		{`person.employeeType == "staff"`, yes},
		{`person.EMPLOYEETYPE == 'STAFF'`, yes},
		{`"staff" == person.employeetype`, yes},
		{`person["employeeType"] == "staff"`, yes},
		{`person["ms-ds-A"] == "dashed"`, yes},
		{`exact(person.employeeType) == "staff"`, no},
		{`exact(person.employeeType) == "Staff"`, yes},
		{`person.employeeType != "staff"`, no},
		{`exact(person.employeeType) != "staff"`, yes},
		{`person.cn == "writer one"`, yes},
		{`exact(person.cn) == "writer one"`, no},
		{`person.sn == "STRASSE"`, yes},
		{`person.employeeType in ["contractor", "STAFF"]`, yes},
		{`person.employeeType not in ["contractor", "STAFF"]`, no},
		{`exact(person.employeeType) in ["contractor", "STAFF"]`, no},
		{`person.mail endsWith "@corp.EXAMPLE"`, yes},
		{`person.mail startsWith "writer."`, yes},
		{`person.mail contains "ONE@"`, yes},
		{`exact(person.mail) contains "ONE@"`, no},
		{`person.uid == person.employeeType`, no},
		{`lower(person.uid) == upper(person.uid)`, yes},
		// Parts: blanks at the edges of a part count, those of the value do not.
		{`person.job contains " OF "`, yes},
		{`person.job contains "of "`, yes},
		{`person.job contains "o "`, no},
		{`person.job contains "f  s"`, yes},
		{`person.job startsWith "head "`, yes},
		{`person.job startsWith " head"`, yes},
		{`person.job startsWith "hea "`, no},
		{`person.job endsWith " staff"`, yes},
		{`person.job endsWith "staff "`, yes},
		{`person.job endsWith " taff"`, no},
		{`person.job contains " head"`, yes},
		{`person.job contains "staff "`, yes},
		{`exact(person.job) contains "  "`, yes},
		{`exact(person.job) startsWith "head"`, no},
		{`exact(person.job) endsWith " staff"`, yes},
		{`exact(person.job) startsWith " "`, no},
		{`person.job contains person.title`, no},
		{`person.job endsWith person.title`, no},
		{`exact(person.job) startsWith person.title`, no},
		{`person.job contains person.blank`, no},
		{`person.job startsWith person.blank`, no},
		{`person.job startsWith first(split(person.job, " "))`, yes},
		// Absent is the empty text, unless caught.
		{`person.title == ""`, yes},
		{`person.title != "boss"`, yes},
		{`person.title in ["", "none"]`, yes},
		{`(person.title ?? "none") == "none"`, yes},
		{`(lower(person.title) ?? "none") == "none"`, yes},
		{`"x" in values(person.title)`, no},
		{`first(person.title) == ""`, yes},
		{`join(values(person.title), ",") == ""`, yes},
		// Several values have to be spoken of as such.
		{`person.objectClass == "top"`, doubtValue},
		{`person.objectClass != "top"`, doubtValue},
		{`first(person.objectClass) == "top"`, yes},
		{`"PERSON" in values(person.objectClass)`, yes},
		{`exact("PERSON") in values(person.objectClass)`, no},
		{`join(person.objectClass, "|") == "top|person|inetorgperson"`, yes},
		{`first(split(person.mail, "@")) == "writer.one"`, yes},
		{`"corp.example" in split(lower(person.mail), "@")`, yes},
		{`replace(person.uid, "writer", "w") + "x" == "w1x"`, yes},
		{`trim(person.cn) startsWith "Writer"`, yes},
		{`(person.uid == "writer1" ? "a" : "b") == "a"`, yes},
		{`person.uid == "writer1" ? person.title == "" : false`, yes},
		{`person.uid | upper() == "writer1"`, yes},
		// What is not read is unknown; what decides without it decides.
		{`person.unread == "x"`, doubtCoverage},
		{`person.unread != "x"`, doubtCoverage},
		{`not (person.unread == "x")`, doubtCoverage},
		{`person.unread == "x" or person.uid == "writer1"`, yes},
		{`person.uid == "writer1" or person.unread == "x"`, yes},
		{`person.unread == "x" and person.uid == "other"`, no},
		{`person.uid == "other" and person.unread == "x"`, no},
		{`person.unread == "x" and person.uid == "writer1"`, doubtCoverage},
		{`person.objectClass == "x" or person.unread == "y"`, doubtCoverage},
		{`(person.unread ?? "x") == "x"`, doubtCoverage},
		{`(person.two ?? "x") == "x"`, doubtValue},
		{`person.unread == "x" ? person.uid == "a" : person.uid == "b"`, doubtCoverage},
		{`"x" in values(person.unread)`, doubtCoverage},
		// What cannot be a text is not compared.
		{`person.bin == "x"`, doubtValue},
		{`first(person.bin) == "x"`, doubtValue},
		{`person.long + "x" == "y"`, doubtValue},
		{`replace(person.long, "x", "xx") == "y"`, doubtValue},
		{`join(split(person.long, "x"), "xx") == "y"`, doubtValue},
		{`"x" in values(person.huge)`, doubtValue},
		{`upper(person.grow) contains "x"`, doubtValue},
		// Blank texts in the places of separators and patterns.
		{`"" in split(person.title, "@")`, no},
		{`first(split(person.title, "@")) == ""`, yes},
		{`"writer1" in split(person.uid, person.title)`, yes},
		{`replace(person.uid, person.title, "x") == "writer1"`, yes},
		{`"" in (values(person.title) ?? "")`, no},
		{`"x" in (values(person.title) ?? "x")`, yes},
		// Either side may be the exact one.
		{`"staff" == exact(person.employeeType)`, no},
		{`person.mail contains exact("ONE@")`, no},
		{`exact(person.mail) contains "One@"`, yes},
		// Constants.
		{`person.uid == "other" || false`, no},
		{`false || person.uid == "other"`, no},
		{`false or person.uid == "writer1"`, yes},
		{`true and person.uid == "other"`, no},
		{`true`, yes},
		{`not false and person.uid == "writer1"`, yes},
		{`person.uid == "writer1" || false`, yes},
	} {
		p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: c.when}}})
		if p == nil {
			t.Errorf("%s: %+v", c.when, all)
			continue
		}
		d := p.Resolve(Subject{Person: person(someone)})
		got := no
		if len(d.Roles) > 0 {
			got = yes
		}
		if len(d.Doubts) > 0 {
			got = d.Doubts[0].Doubt.Rule
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s (%+v)", c.when, got, c.want, d.Doubts)
		}
	}
}

func TestConditionMistakes(t *testing.T) {
	for _, c := range []struct {
		when          string
		at            int
		message, hint string
	}{
		{`person.a == `, 12, "ends too early", ""},
		{`person.a = "x"`, 9, "a single =", "=="},
		{`person.a == 'x`, 14, "a quote is not closed", ""},
		{`person.a == "x" )`, 16, "cannot read the expression", ""},
		{`é == person.a`, 0, `unknown name "é"`, "person.NAME"},
		{`person.a == "é" and foo`, 21, `unknown name "foo"`, ""},
		{`Person.a == "x"`, 0, `unknown name "Person"`, ""},
		{`persn == "x"`, 0, `unknown name "persn"`, "person.NAME"},
		{`person == "x"`, 0, "person alone", "person.mail"},
		{`person[person.a] == "x"`, 6, "named literally", ""},
		{`person["a b"] == "x"`, 7, "not the name of an attribute", ""},
		{`person.a.b == "x"`, 9, "only person has attributes", ""},
		{`person?.a == "x"`, 8, "?. cannot stand here", ""},
		{`person.a.lower() == "x"`, 9, "no methods", "lower(person.a)"},
		{`person.a == 5`, 12, "a number", `write "5"`},
		{`person.a == nil`, 12, "nil", "??"},
		{`person.a`, 0, "an attribute stands where a condition is needed", "=="},
		{`lower(person.a)`, 0, "a text stands where a condition", ""},
		{`not person.a == "x"`, 4, "an attribute stands where a condition", "not (person.x"},
		{`lowr(person.a) == "x"`, 0, `unknown function "lowr"`, `did you mean "lower"?`},
		{`now() == "x"`, 0, `unknown function "now"`, ""},
		{`all(values(person.a), # == "x")`, 0, `unknown function "all"`, ""},
		{`len(person.a) == "x"`, 0, `unknown function "len"`, ""},
		{`lower() == "x"`, 0, "takes 1", "write lower("},
		{`split(person.a) == "x"`, 0, "takes 2", "write split("},
		{`person.a matches "^x"`, 9, "matches", "contains"},
		{`person.a < "x"`, 9, "operator <", ""},
		{`person.a-b == "x"`, 8, "operator -", `person["a-b"]`},
		{`person.a in []`, 12, "the list is empty", ""},
		{`person.a in person.b`, 12, "not a list", "values(person.b)"},
		{`person.a in "x"`, 12, "a text stands where a list", "in ["},
		{`"a" in ["a", "b"]`, 4, "fixed texts", ""},
		{`"a" == "b"`, 4, "two fixed texts", ""},
		{`person.a == person.A`, 9, "with itself", ""},
		{`person.a contains ""`, 18, "empty one", ""},
		{`person.a contains "  "`, 18, "empty one", ""},
		{`exact(person.a) contains ""`, 25, "empty one", ""},
		{`values(person.a) == "x"`, 0, "a list cannot be compared", `in values(`},
		{`(person.a == "x") == (person.b == "y")`, 10, "a condition cannot be compared", ""},
		{`values(lower(person.a)) == "x"`, 0, "takes an attribute", ""},
		{`join(lower(person.a), "x") == "x"`, 0, "takes a list", ""},
		{`split(person.a, "") == "x"`, 16, "something to split at", ""},
		{`replace(person.a, "", "y") == "x"`, 18, "something to look for", ""},
		{`lower(exact(person.a)) == "x"`, 6, "exact", ""},
		{`(person.a == "x" ? exact(person.b) : "y") == "z"`, 19, "exact", ""},
		{`person.a == "x" ? "y" : "z"`, 18, "a text stands where a condition", ""},
		{`person.a == "x" ? person.b == "y" : "z"`, 27, "one side is", ""},
		{`(person.a == "x") ?? "y"`, 18, "?? stands between", ""},
		{`let x = person.a; x == "y"`, 4, "cannot stand in a rule", ""},
		{`{"a": "b"} == "x"`, 0, "cannot stand in a rule", ""},
		{`if person.a == "x" { true } else { false }`, 21, "if cannot stand", "?"},
		{`person.a[0] == "x"`, 8, "only person has attributes", "first("},
		{`person.a[0:1] == "x"`, 8, "cannot stand", ""},
		{`false`, 0, "can never be true", ""},
		{`not true`, 0, "can never be true", ""},
		{`person.a == "x" and false`, 16, "can never be true", ""},
		{`person.a == "x" and person.A == "y"`, 16, "can never be true", "in ["},
		{`person.a in ["x", "y"] and (person.b == "1" and person.a in ["z"])`, 23, "can never be true", ""},
		{`person.a == "x" and person.a != "X "`, 16, "can never be true", ""},
		{`person.a in ["x"] and not (person.a in ["x", "y"])`, 18, "can never be true", ""},
		{`lower(person.a) == "x" and exact(lower(person.a)) == "y"`, 23, "can never be true", ""},
		{`"x" == person.a and "y" == person.a`, 16, "can never be true", ""},
		{`exact(lower(person.a)) == "Wien"`, 26, "lower(…) never gives \"Wien\"", `gives "wien"`},
		{`exact(upper(person.a)) in ["WIEN", "Graz"]`, 35, "never gives \"Graz\"", `gives "GRAZ"`},
		{`translit(person.a) == "Köln"`, 22, "translit(…) never gives \"Köln\"", `gives "Koln"`},
		{`"Köln" != translit(person.a)`, 0, "never gives", `gives "Koln"`},
		{`slug(person.a) in ["st-veit", "St. Pölten"]`, 30, "slug(…) never gives \"St. Pölten\"", `gives "st-polten"`},
		{`slug(person.a) == "---"`, 18, "never gives", "take it out"},
		{`exact(trim(person.a)) == " x"`, 25, "never gives", `gives "x"`},
		{`inGroup("nodn")`, 8, "", ""},
		{`inGroup("")`, 8, "needs a name", ""},
		{`inGroup(person.a)`, 0, "named literally", ""},
		{`not inGroup("cn=a")`, 4, "take rights away", "exclude"},
		{`person.a == "x" ? inGroup("cn=a") : true`, 18, "take rights away", ""},
		{`(inGroup("cn=a") ? "x" : "y") == "y"`, 1, "take rights away", ""},
		{`inGroup("cn=a") == true`, 0, "take rights away", ""},
		{strings.Repeat("(", maxSource+1), 0, "longer than", ""},
		{"person.a == \"\xff\"", 0, "not UTF-8", ""},
		{`person.a in [` + strings.Repeat(`"a",`, maxNodes) + `]`, 0, "more than 400 parts", "split"},
	} {
		p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: c.when}}})
		if p != nil || len(all) == 0 {
			t.Errorf("%.80s: compiled, want %q", c.when, c.message)
			continue
		}
		got := all[0]
		if !strings.Contains(c.message, "parts") && got.Offset != c.at || !strings.Contains(got.Message, c.message) || !strings.Contains(got.Hint, c.hint) ||
			fmt.Sprint(got.Path) != "[role r when]" || got.Warning {
			t.Errorf("%.80s: %+v, want %d %q %q", c.when, got, c.at, c.message, c.hint)
		}
	}
}

// What is true of some value must not be called a contradiction.
func TestNoFalseContradiction(t *testing.T) {
	for _, when := range []string{
		`person.a in ["x", "y"] and person.a != "x"`,
		`person.a == "x" or person.a == "y"`,
		`person.a == "x" and person.b == "y"`,
		`person.a == "x" and exact(person.a) != "x"`,
		`person.a == "x" and not (exact(person.a) == "x")`,
		`person.a in ["x"] and not (exact(person.a) in ["x"])`,
		`"x" in values(person.a) and "y" in values(person.a)`,
		`person.a != "x" and person.a != "y"`,
		`not (person.a == "x") and person.a == "y"`,
		`(person.a == "x" or person.b == "z") and person.a == "w"`,
		`person.a == "x" and lower(person.a) == "y"`,
	} {
		if p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: when}}}); p == nil {
			t.Errorf("%s: %+v", when, all)
		}
	}
}

// Two mistakes in one expression are told together.
func TestAllMistakesOfAnExpression(t *testing.T) {
	_, all := compileConfig(Config{Roles: map[string]Role{"r": {When: `lowr(person.a) == "x" and uper(person.b) == "y"`}}})
	if len(all) != 2 || all[0].Offset != 0 || all[1].Offset != 26 {
		t.Fatalf("%+v", all)
	}
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{
		`person.a == "x" and not (person.b in ["y", 'z']) or inGroup("cn=a,dc=b")`,
		`first(split(replace(person.a, "x", "y"), "@")) ?? "" != exact(person.c)`,
		`person.a ? 1 : {`, "`", `((((`, `person["x"].y?.z[1:2] | map(# + 1)`, "// /* \x00 é",
	} {
		f.Add(s)
	}
	subject := Subject{Person: person(someone)}
	f.Fuzz(func(t *testing.T, source string) {
		p, all := compileConfig(Config{Roles: map[string]Role{"r": {When: source}}, Sources: map[string]SourcePerson{"corp": {Disabled: source}}})
		for _, x := range all {
			if x.Offset > len(source) || x.Message == "" {
				t.Fatalf("%q: %+v", source, x)
			}
			if strings.Contains(x.Message, "runtime error") {
				t.Fatalf("%q: panic: %+v", source, x)
			}
		}
		if p == nil {
			if len(all) == 0 {
				t.Fatalf("%q: refused without a word", source)
			}
			return
		}
		for _, d := range p.Resolve(subject).Doubts {
			if strings.HasPrefix(d.Doubt.Text, "evaluate ") {
				t.Fatalf("%q: %s", source, d.Doubt.Text)
			}
		}
	})
}
