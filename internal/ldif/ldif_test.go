package ldif

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRead(t *testing.T) {
	const in = "version: 1\n# a comment\n# over\n  two lines\n\n\ndn: cn=a,dc=x\ncn: a\ndescription: one\n  two\nsn:: w6k=\nCN: b\nempty:\n\r\ndn:: Y249w6k=\r\ncn: last"
	got, err := All(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{DN: "cn=a,dc=x", Attrs: []Attr{{"cn", []string{"a", "b"}}, {"description", []string{"one two"}}, {"sn", []string{"é"}}, {"empty", []string{""}}}},
		{DN: "cn=é", Attrs: []Attr{{"cn", []string{"last"}}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func TestReadRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"cn: a\n":                          "begins with dn",
		"dn: x\nnothing\n":                 "line 2",
		"dn: x\nchangetype: add\n":         "change records",
		"dn: x\njpegPhoto:< file:///etc/x": "URL",
		"dn: x\ncn:: !!\n":                 "value of cn",
		"version: 2\n\ndn: x\ncn: a\n":     "version",
		"dn: x\n: novalue\n":               "no attribute name",
	} {
		if _, err := All(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", in, err, want)
		}
	}
}

func TestWriteReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " lead", "trail ", ":c", "<u", "a\nb", "é", "\x00", "#no comment"}))
		want := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Entry {
			e := Entry{DN: value.Draw(t, "dn")}
			for _, n := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"cn", "sn", "mail", "cn;lang-de"}), 0, 3, rapid.ID[string]).Draw(t, "names") {
				e.Attrs = append(e.Attrs, Attr{n, rapid.SliceOfN(value, 1, 3).Draw(t, "values")})
			}
			return e
		}), 0, 4).Draw(t, "entries")
		var b strings.Builder
		if err := Write(&b, want...); err != nil {
			t.Fatal(err)
		}
		got, err := All(strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 {
			want = nil
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s\n%s", d, b.String())
		}
	})
}

func TestReaderStopsAtTheEnd(t *testing.T) {
	r := NewReader(strings.NewReader("dn: x\ncn: a\n"))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("got %v", err)
		}
	}
}
