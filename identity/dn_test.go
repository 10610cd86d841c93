package identity

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Each row holds spellings of one name; the first is its key.
var sameNames = [][]string{
	{"", " ", "   "},
	{"cn=a", "CN=A", "cn = a", " cn=a ", "2.5.4.3=a", "OID.2.5.4.3=A", "commonName=a", `cn="a"`, "cn=#040161", "cn=#0C0141", `cn=\61`, `cn=\41`, `cn=\ a\ `, `cn=\20a`},
	{"uid=x,ou=people,dc=example", "UID=X, OU=People , DC=Example", "uid=x;ou=people;dc=example", "userid=x,organizationalUnitName=people,domainComponent=example",
		"0.9.2342.19200300.100.1.1=x,2.5.4.11=people,0.9.2342.19200300.100.1.25=example"},
	{`cn=a\2cb`, `cn=a\,b`, `CN="A,B"`, `cn=a\2Cb`, `cn=#0403612c62`},
	{`cn=a\2bb`, `cn=a\+b`, `cn=a\2bb`},
	{"cn=a b", "cn=a  b", `cn=a \ b`, `cn=\ a   b\ `, "cn=a\u00a0b", "cn=a\tb", `cn=a\09b`},
	{"cn=a+uid=b", "uid=b+cn=a", "UID=B + CN=A", "cn=a+0.9.2342.19200300.100.1.1=B"},
	{"cn=été", "cn=\u00c9t\u00c9", "cn=e\u0301te\u0301", `cn=\c3\89t\C3\a9`, "cn=#0c05c3a974c3a9"},
	{"cn=strasse", "cn=Straße", "cn=STRASSE"},
	{"cn=office", "cn=o\ufb03ce", "cn=of\u00adfice"},
	{"cn=", `cn=\ `, `cn=""`, "cn= "},
	{`cn=\23a`, `cn=\#a`, `cn="#a"`},
	{"cn=#02010a", "CN=#02010A"},
	{`cn=\3ca\3e`, `cn=<a>`, `cn=\<a\>`},
	{"cn=a=b", `cn=a\=b`},
	{"cn=who?/x", `cn=who\?/x`, `CN=Who\?\/x`, `cn=who\3f\2fx`},
	{"sn=x+sn=y", "surname=y+sn=x"},
	{`cn=\ff`, `CN=\FF`},
	{"title=x", "2.5.4.12=x"},
}

func TestSpellingsOfOneName(t *testing.T) {
	for _, row := range sameNames {
		for _, s := range row {
			dn, err := ParseDN(s)
			if err != nil {
				t.Errorf("%q: %v", s, err)
				continue
			}
			if dn.Key() != row[0] {
				t.Errorf("key of %q = %q, want %q", s, dn.Key(), row[0])
			}
			if dn.String() != s {
				t.Errorf("%q is written %q", s, dn)
			}
		}
		for _, other := range sameNames {
			if other[0] != row[0] && MustDN(other[1]).Equal(MustDN(row[1])) {
				t.Errorf("%q equals %q", other[1], row[1])
			}
		}
	}
}

func TestNamesThatAreNone(t *testing.T) {
	for _, s := range []string{
		"a", "=", "cn", "=a", "cn=a,", ",cn=a", "cn=a,,dc=b", "cn=a+", "cn=a+,dc=b", `cn=a\`, `cn=a\zz`, `cn=\4`, `cn=a"b`, `cn="a`,
		`cn="a"b`, "cn=#", "cn=#0", "cn=#04016", "cn=#zz", "c n=a", "2.5.=a", "2..5=a", ".2=a", "2=a", "-a=b", "a.b=c", "oid.=a", "<GUID=a>",
		"cn=a\x00b", "cn=#040161x", "é=a", "cn;lang-de=a",
	} {
		dn, err := ParseDN(s)
		if err == nil {
			t.Errorf("%q was taken for %q", s, dn.Key())
		} else if !dn.IsZero() || dn.String() != "" {
			t.Errorf("%q: an error and a name", s)
		}
	}
}

func TestTree(t *testing.T) {
	dn := MustDN(`uid=x+cn=a\, b , OU="People, and more";DC=Example`)
	if dn.Depth() != 3 || dn.IsZero() {
		t.Errorf("depth %d", dn.Depth())
	}
	p := dn.Parent()
	if p.String() != `OU="People, and more";DC=Example` || p.Key() != `ou=people\2c and more,dc=example` {
		t.Errorf("parent %q %q", p, p.Key())
	}
	if again := MustDN(p.String()); !again.Equal(p) {
		t.Errorf("parent parsed afresh: %q", again.Key())
	}
	if top := p.Parent(); top.Key() != "dc=example" || !top.Parent().IsZero() || !top.Parent().Parent().IsZero() {
		t.Errorf("top %q", top.Key())
	}
	if want := []AVA{{"uid", "x"}, {"cn", "a, b"}}; !slices.Equal(dn.RDN(), want) {
		t.Errorf("rdn %q", dn.RDN())
	}
	if want := []AVA{{"ou", "People, and more"}}; !slices.Equal(p.RDN(), want) {
		t.Errorf("rdn %q", p.RDN())
	}
	if (DN{}).RDN() != nil {
		t.Error("the root has an RDN")
	}
	for _, base := range []DN{dn, p, p.Parent(), {}} {
		if !dn.Within(base) {
			t.Errorf("not within %q", base)
		}
	}
	for _, s := range []string{"dc=xample", "dc=other", `dc=a+dc=example`, "uid=y,ou=people,dc=example", "and more,dc=example"} {
		base, err := ParseDN(s)
		if err == nil && dn.Within(base) {
			t.Errorf("within %q", base)
		}
	}
	if MustDN("dc=example").Within(dn) {
		t.Error("a parent lies within its child")
	}
	if MustDN(`cn=a\,dc=example`).Within(MustDN("dc=example")) {
		t.Error("an escaped comma was taken for a separator")
	}
	if got := MustDN(`cn= \ Leading Blank\ `).RDN()[0].Value; got != " Leading Blank " {
		t.Errorf("value %q", got)
	}
}

func TestJoinAndTypes(t *testing.T) {
	base := MustDN("ou=People,dc=example")
	if got := JoinRDN("uid", "a", base).String(); got != "uid=a,ou=People,dc=example" {
		t.Errorf("joined %q", got)
	}
	if got := JoinRDN("cn", `, "x" #`, DN{}); got.String() != `cn=\, \"x\" #` || got.Depth() != 1 {
		t.Errorf("joined %q", got)
	}
	for s, want := range map[string]bool{"uid": true, "2.5.4.3": true, "x-y_z": true, "": false, "a=b": false, "a=": false, " a": false, "a ": false, "a,b": false, "2.": false} {
		if ValidType(s) != want {
			t.Errorf("ValidType(%q) = %v", s, !want)
		}
	}
}

func TestEscapeValueKeepsTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune(" #,+\"\\<>;=\x00\na\u00e9"))),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "value")
		dn := JoinRDN("cn", v, MustDN("dc=example"))
		if got := dn.RDN(); len(got) != 1 || got[0].Value != v {
			t.Fatalf("%q became %q by %q", v, got, dn)
		}
		if dn.Depth() != 2 || dn.Parent().Key() != "dc=example" {
			t.Fatalf("%q broke out of its RDN: %q", v, dn.Key())
		}
	})
}

// spell writes the RDNs in one of the many ways that are allowed.
func spell(t *rapid.T, rdns [][]AVA, label string) string {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	names := map[string][]string{
		"cn": {"cn", "CN", "2.5.4.3", "commonName", "oid.2.5.4.3"}, "ou": {"ou", "Ou", "2.5.4.11"},
		"uid": {"uid", "UserID", "0.9.2342.19200300.100.1.1"}, "x-own": {"x-own", "X-OWN"},
	}
	var b strings.Builder
	for i, rdn := range rdns {
		if i > 0 {
			b.WriteString(pick(",", " , ", ";", ", "))
		}
		for j, a := range rapid.Permutation(rdn).Draw(t, label) {
			if j > 0 {
				b.WriteString(pick("+", " + "))
			}
			b.WriteString(pick(names[a.Type]...) + pick("=", " = "))
			v := a.Value
			switch pick("as it is", "upper", "blanks", "decomposed") {
			case "upper":
				v = strings.ToUpper(v)
			case "blanks":
				v = " " + strings.ReplaceAll(v, " ", "   ") + " "
			case "decomposed":
				v = strings.ReplaceAll(v, "\u00e9", "e\u0301")
			}
			switch pick("escaped", "escaped", "quoted", "hex pairs") {
			case "escaped":
				b.WriteString(EscapeValue(v))
			case "quoted":
				b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`)
			case "hex pairs":
				for k := 0; k < len(v); k++ {
					b.WriteString("\\" + string(hexDigits[v[k]>>4]) + string(hexDigits[v[k]&15]))
				}
			}
		}
	}
	return b.String()
}

func drawRDNs(t *rapid.T, label string) [][]AVA {
	ava := rapid.Custom(func(t *rapid.T) AVA {
		return AVA{
			Type:  rapid.SampledFrom([]string{"cn", "ou", "uid", "x-own"}).Draw(t, "type"),
			Value: collapse(rapid.StringOfN(rapid.SampledFrom([]rune("ab \u00e9,+=\"\\;<>#\u65e5")), 1, 6, -1).Draw(t, "value")),
		}
	})
	return rapid.SliceOfN(rapid.SliceOfN(ava, 1, 3), 1, 4).Draw(t, label)
}

func TestEverySpellingHasTheSameKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rdns := drawRDNs(t, "rdns")
		one, two := spell(t, rdns, "one"), spell(t, rdns, "two")
		a, err := ParseDN(one)
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseDN(two)
		if err != nil {
			t.Fatal(err)
		}
		if !a.Equal(b) || a.Key() != b.Key() {
			t.Fatalf("%q → %q\n%q → %q", one, a.Key(), two, b.Key())
		}
		if a.Depth() != len(rdns) {
			t.Fatalf("%q: depth %d, want %d", one, a.Depth(), len(rdns))
		}
		checkLaws(t, a)
	})
}

func TestDifferentNamesHaveDifferentKeys(t *testing.T) {
	canon := func(rdns [][]AVA) string { // an encoding that owes nothing to DNs
		var b strings.Builder
		for _, rdn := range rdns {
			var parts []string
			for _, a := range rdn {
				parts = append(parts, a.Type+"\x01"+a.Value)
			}
			slices.Sort(parts)
			b.WriteString(strings.Join(parts, "\x02") + "\x03")
		}
		return b.String()
	}
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawRDNs(t, "x"), drawRDNs(t, "y")
		same := canon(x) == canon(y)
		a, b := MustDN(spell(t, x, "one")), MustDN(spell(t, y, "two"))
		if a.Equal(b) != same {
			t.Fatalf("%q and %q: equal %v, want %v", a.Key(), b.Key(), !same, same)
		}
	})
}

type fataler interface{ Fatalf(string, ...any) }

// checkLaws holds for every name whatever.
func checkLaws(t fataler, dn DN) {
	k, err := ParseDN(dn.Key())
	if err != nil || k.Key() != dn.Key() {
		t.Fatalf("the key %q of %q has the key %q (%v)", dn.Key(), dn, k.Key(), err)
	}
	if dn.IsZero() {
		return
	}
	p := dn.Parent()
	if dn.Depth() != p.Depth()+1 || !dn.Within(p) || p.Within(dn) || !dn.Within(dn) {
		t.Fatalf("%q and its parent %q", dn.Key(), p.Key())
	}
	if !p.IsZero() && !strings.HasSuffix(dn.Key(), ","+p.Key()) {
		t.Fatalf("%q does not end in %q", dn.Key(), p.Key())
	}
	again, err := ParseDN(p.String())
	if err != nil || !again.Equal(p) {
		t.Fatalf("parent of %q: %q has the key %q, kept %q (%v)", dn, p, again.Key(), p.Key(), err)
	}
	if rdn := dn.RDN(); len(rdn) == 0 {
		t.Fatalf("%q has no RDN", dn)
	} else if len(rdn) == 1 && !strings.HasPrefix(rdn[0].Value, "#") {
		if j := JoinRDN(rdn[0].Type, rdn[0].Value, p); !j.Equal(dn) {
			t.Fatalf("%q put together again is %q", dn.Key(), j.Key())
		}
	}
}

func FuzzParseDN(f *testing.F) {
	for _, row := range sameNames {
		for _, s := range row {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		dn, err := ParseDN(s)
		if err != nil {
			if !dn.IsZero() {
				t.Fatalf("%q: an error and a name", s)
			}
			return
		}
		checkLaws(t, dn)
	})
}

func TestNamesDoNotCompareWithEquals(t *testing.T) {
	if reflect.TypeFor[DN]().Comparable() {
		t.Error("== compiles for two DNs, and would compare spellings")
	}
}

func TestPlainNamesAreCheap(t *testing.T) {
	for s, max := range map[string]float64{
		"uid=writer1,ou=people,dc=example,dc=com": 0,
		"UID=Writer1,OU=People,DC=example,DC=com": 1,
	} {
		if n := testing.AllocsPerRun(100, func() { MustDN(s) }); n > max {
			t.Errorf("%q: %v allocations", s, n)
		}
	}
}

func BenchmarkParseDN(b *testing.B) {
	for name, s := range map[string]string{
		"canonical": "uid=writer1,ou=people,dc=example,dc=com",
		"mixed":     "UID=Writer1,OU=People,DC=example,DC=com",
		"accents":   "uid=Ren\u00e9e,ou=people,dc=example,dc=com",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseDN(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
