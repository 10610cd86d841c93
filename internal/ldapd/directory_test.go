package ldapd

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
)

func dump(t interface {
	Helper()
	Fatal(...any)
}, d *Directory) string {
	t.Helper()
	var b strings.Builder
	if err := d.Dump(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func code(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return -1
	}
	return Success
}

// TestDumpLoads: a directory that went through writes and moves is the same
// after Dump and Load, IDs and stamps included.
func TestDumpLoads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New(lab)
		names := rapid.SampledFrom([]string{"a", "b", "c,d", `q"`, " x", "é", "#h", "a+b", "e=f;g", `\`})
		existing := []string{lab}
		if err := d.Add(lab, map[string][]string{"objectClass": {"domain"}}); err != nil {
			t.Fatal(err)
		}
		pick := func(label string) string { return rapid.SampledFrom(existing).Draw(t, label) }
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				dn := identity.JoinRDN("cn", names.Draw(t, "name"), identity.MustDN(pick("parent")))
				if err := d.Add(dn.String(), map[string][]string{"objectClass": {"device"}, "description": {names.Draw(t, "text")}}); code(err) == 0 {
					existing = append(existing, dn.String())
				} else if code(err) != EntryAlreadyExists && code(err) != NoSuchObject {
					t.Fatal(err)
				}
			case 2:
				rdn := identity.JoinRDN("cn", names.Draw(t, "new name"), identity.DN{}).String()
				err := d.Rename(pick("renamed"), rdn, rapid.Bool().Draw(t, "delete old"), pick("superior"))
				if err != nil && code(err) < 0 {
					t.Fatal(err)
				}
			case 3:
				if err := d.Delete(pick("deleted")); err != nil && code(err) < 0 {
					t.Fatal(err)
				}
			}
			consistent(t, d)
		}
		text := dump(t, d)
		again := New(lab)
		if err := again.Load(strings.NewReader(text)); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if got := dump(t, again); got != text {
			t.Fatalf("got\n%s\nwant\n%s", got, text)
		}
		if d.Len() > 0 && again.ContextCSN() > d.ContextCSN() {
			t.Fatal("the loaded directory is newer than the dumped one")
		}
	})
}

// consistent holds the maps against the tree.
func consistent(t *rapid.T, d *Directory) {
	t.Helper()
	indexedValues := 0
	for key, n := range d.byKey {
		if n.rec.dn.Key() != key {
			t.Fatalf("%s stands under %s", n.rec.dn, key)
		}
		if n.parent != nil {
			if _, ok := n.parent.kids[n]; !ok || !n.rec.dn.Parent().Equal(n.parent.rec.dn) {
				t.Fatalf("%s is not a child of %s", n.rec.dn, n.parent.rec.dn)
			}
		}
		if !n.rec.named() {
			t.Fatalf("%s lacks its naming value", n.rec.dn)
		}
		for i := range n.rec.attrs {
			a := &n.rec.attrs[i]
			if ix := d.index[a.typ.key]; ix != nil {
				for _, v := range a.norms {
					indexedValues++
					found := 0
					for _, x := range ix[v] {
						if x == n {
							found++
						}
					}
					if found != 1 {
						t.Fatalf("%s stands %d times in the index of %s", n.rec.dn, found, a.typ.key)
					}
				}
			}
		}
	}
	for name, ix := range d.index {
		for _, nodes := range ix {
			indexedValues -= len(nodes)
			if len(nodes) == 0 {
				t.Fatalf("an empty list in the index of %s", name)
			}
		}
	}
	if indexedValues != 0 {
		t.Fatalf("the indexes are off by %d", indexedValues)
	}
}

func TestErrors(t *testing.T) {
	d := crowd(t, 2)
	const p0 = "uid=p0,ou=people," + lab
	for name, x := range map[string]struct {
		err  error
		want int
	}{
		"below itself":       {d.Rename("ou=people,"+lab, "ou=people", true, "ou=people,"+lab), UnwillingToPerform},
		"a suffix":           {d.Rename(lab, "dc=x", true, ""), UnwillingToPerform},
		"out of the suffix":  {d.Rename(p0, "uid=x", true, "dc=other"), AffectsMultipleDSAs},
		"two RDNs":           {d.Rename(p0, "uid=x,ou=people", true, ""), InvalidDNSyntax},
		"superior no name":   {d.Rename(p0, "uid=x", true, "nonsense"), InvalidDNSyntax},
		"no name":            {d.Delete("nonsense"), InvalidDNSyntax},
		"change without":     {d.Modify(p0, Change{Op: AddValues, Attr: "title"}), ProtocolError},
		"unknown change":     {d.Modify(p0, Change{Op: 9, Attr: "title", Values: []string{"x"}}), ProtocolError},
		"no attribute":       {d.Modify(p0, Change{Op: AddValues, Attr: "a b", Values: []string{"x"}}), UndefinedAttributeType},
		"kept by the server": {d.Modify(p0, Change{Op: ReplaceValues, Attr: "entryUUID", Values: []string{"x"}}), ConstraintViolation},
		"outside":            {d.Modify("dc=x", Change{}), UnwillingToPerform},
		"delete outside":     {d.Delete("dc=x"), UnwillingToPerform},
	} {
		if code(x.err) != x.want {
			t.Errorf("%s: %v, want code %d", name, x.err, x.want)
		}
	}
	var e *Error
	if err := d.Delete("cn=a,uid=p9,ou=people," + lab); !errors.As(err, &e) || !e.Matched.Equal(identity.MustDN("ou=people,"+lab)) {
		t.Errorf("matched: %v", err)
	}
}

// TestDuplicates: a value given twice is refused in a short list and in a
// long one, which is looked at in another way.
func TestDuplicates(t *testing.T) {
	for _, n := range []int{2, 33, 500} {
		d := crowd(t, 1)
		var values []string
		for i := range n {
			values = append(values, fmt.Sprint("Value ", i))
		}
		const dn = "uid=p0,ou=people," + lab
		add := func(v ...string) int {
			return code(d.Modify(dn, Change{Op: AddValues, Attr: "description", Values: v}))
		}
		if got := add(append(values, "VALUE  1")...); got != AttributeOrValueExists {
			t.Errorf("%d values, twice in one change: %d", n, got)
		}
		if got := add(values...); got != Success {
			t.Errorf("%d values: %d", n, got)
		}
		again := []string{"Value 0"}
		for i := range n {
			again = append(again, fmt.Sprint("other ", i))
		}
		if got := add(again...); got != AttributeOrValueExists {
			t.Errorf("%d values, one there: %d", n, got)
		}
		if e, _ := d.Get(dn); len(e.Get("description")) != n {
			t.Errorf("%d values, want %d", len(e.Get("description")), n)
		}
	}
}

// TestDeleteIsAChange: who polls the contextCSN hears of it.
func TestDeleteIsAChange(t *testing.T) {
	d := crowd(t, 1)
	before := d.ContextCSN()
	if err := d.Delete("uid=p0,ou=people," + lab); err != nil || d.ContextCSN() <= before {
		t.Errorf("%s, then %s; %v", before, d.ContextCSN(), err)
	}
}

// TestStrict: without it the last member may go, as on a server whose schema
// says so.
func TestStrict(t *testing.T) {
	for _, strict := range []bool{false, true} {
		d := crowd(t, 1)
		d.Strict = strict
		group := "cn=g," + lab
		if err := d.Add(group, map[string][]string{"objectClass": {"groupOfNames"}, "member": {lab}}); err != nil {
			t.Fatal(err)
		}
		err := d.Modify(group, Change{Op: DeleteValues, Attr: "member", Values: []string{lab}})
		if strict != (code(err) == ObjectClassViolation) {
			t.Errorf("strict %v: %v", strict, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"dn: cn=x,ou=nowhere," + lab + "\nobjectClass: device\n": "result 32",
		"dn: nonsense\nobjectClass: device\n":                    "parse DN",
		"cn: x\n":                                                "begins with dn",
	} {
		if err := New(lab).Load(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestNormalTime(t *testing.T) {
	sorted := []string{
		"20260101000000+0130", "20251231224500Z", "2025123123Z", "202512312330Z", "20251231233000.000001Z",
		"20251231233000.5Z", "20251231233001,0Z", "20260101010000+01", "20260101000000.25Z",
	}
	last := ""
	for _, v := range sorted {
		n, ok := normalTime(v)
		if !ok || n <= last {
			t.Errorf("%s: %s, %v behind %s", v, n, ok, last)
		}
		last = n
	}
	for _, v := range []string{"", "2026", "Z", "20261301000000Z", "20260101000000", "20260101000000.Z", "20260101000000+1", "20260101000000Zx"} {
		if n, ok := normalTime(v); ok {
			t.Errorf("%q was read as %s", v, n)
		}
	}
}

// TestIndexes: what is indexed is found without a walk. Only the ratio is held
// to, since a loaded machine makes everything slow.
func TestIndexes(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "dn: %s\nobjectClass: domain\ndc: lab\n\n", lab)
	for i := range 4_000 {
		fmt.Fprintf(&b, "dn: uid=u%d,%s\nobjectClass: inetOrgPerson\nuid: u%d\ncn: User %d\nsn: User\nmail: u%d@lab.example\nemployeeType: staff\ntitle: T%d\n\n", i, lab, i, i, i, i)
	}
	start := time.Now()
	d := load(t, b.String())
	t.Logf("4,000 loaded in %v", time.Since(start))
	c := asAdmin(t, serve(t, d, Options{}))
	start = time.Now()
	f, _, err := c.searchAll(query{base: lab, scope: scopeSub, page: 1000})
	if err != nil || len(f.dns) != 4_001 {
		t.Fatalf("%d entries, %v", len(f.dns), err)
	}
	t.Logf("4,000 read in %v", time.Since(start))
	look := func(attr, prefix string) time.Duration {
		start := time.Now()
		for i := range 10 {
			f, err := c.search(query{base: lab, scope: scopeSub, equal: [2]string{attr, fmt.Sprintf("%s%d", prefix, i*300)}})
			if err != nil || len(f.dns) != 1 {
				t.Fatal(f, err)
			}
		}
		return time.Since(start)
	}
	slow, fast := look("title", "T"), look("uid", "U")
	t.Logf("10 look-ups in %v, with an index in %v", slow, fast)
	if fast*2 > slow {
		t.Errorf("the index saves nothing: %v and %v", fast, slow)
	}
}
