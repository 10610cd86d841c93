package ldapwire

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is one entry of a listing: a view that is valid only until the sink
// returns. Keep a Record, or copies of what is needed.
type Entry struct {
	// DN is the name as the server wrote it.
	DN []byte
	// Attributes are those that came, in the order in which they came. Each
	// description occurs once.
	Attributes []Attribute
	// Controls that came with the entry.
	Controls []Control

	long bool // of an attribute only a part came
}

// Attribute is one attribute of an entry.
type Attribute struct {
	// Name is the type in lower case, without options.
	Name string
	// Options, in lower case: "binary", "lang-de".
	Options []string
	// Part says which of its values they are.
	Part Part
	// Values in the order in which they came. They may be empty.
	Values [][]byte

	span span // of a Partial
}

// whole says whether it is the attribute itself, not a kind or a part of it.
func (a *Attribute) whole() bool {
	return a.Part == Whole && (len(a.Options) == 0 || len(a.Options) == 1 && a.Options[0] == "binary")
}

// Values returns the values of the attribute without options, or with
// ";binary" alone. The name is given in lower case.
func (e *Entry) Values(name string) [][]byte {
	for i := range e.Attributes {
		a := &e.Attributes[i]
		if a.Name == name && a.whole() {
			return a.Values
		}
	}
	return nil
}

// Has says whether the attribute came, even without a value.
func (e *Entry) Has(name string) bool {
	for i := range e.Attributes {
		if a := &e.Attributes[i]; a.Name == name && a.whole() {
			return true
		}
	}
	return false
}

// Changed returns the values that the attribute gained and lost; only DirSync
// says so.
func (e *Entry) Changed(name string) (gained, lost [][]byte) {
	for i := range e.Attributes {
		switch a := &e.Attributes[i]; {
		case a.Name == name && a.Part == Gained:
			gained = a.Values
		case a.Name == name && a.Part == Lost:
			lost = a.Values
		}
	}
	return gained, lost
}

// First returns the first of Values, or "".
func (e *Entry) First(name string) string {
	if v := e.Values(name); len(v) > 0 {
		return string(v[0])
	}
	return ""
}

// Record copies the entry.
func (e *Entry) Record() Record {
	r := Record{DN: string(e.DN), Attributes: make([]RecordAttribute, len(e.Attributes))}
	for i, a := range e.Attributes {
		values := make([]string, len(a.Values))
		for j, v := range a.Values {
			values[j] = string(v)
		}
		r.Attributes[i] = RecordAttribute{Name: a.Name, Options: a.Options, Part: a.Part, Values: values}
	}
	return r
}

// Record is an entry that owns its parts. The zero value is no entry.
type Record struct {
	DN         string
	Attributes []RecordAttribute
}

// RecordAttribute is an attribute of a Record; see Attribute.
type RecordAttribute struct {
	Name    string
	Options []string
	Part    Part
	Values  []string
}

// Values is that of Entry; the name may be in any case.
func (r Record) Values(name string) []string {
	name = strings.ToLower(name)
	for _, a := range r.Attributes {
		if a.Name == name && a.Part == Whole && (len(a.Options) == 0 || len(a.Options) == 1 && a.Options[0] == "binary") {
			return a.Values
		}
	}
	return nil
}

// First returns the first of Values, or "".
func (r Record) First(name string) string {
	if v := r.Values(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Has says whether the attribute has the value, exactly as it is written.
func (r Record) Has(name, value string) bool { return slices.Contains(r.Values(name), value) }

// entryDecoder makes the Entry of one message after the other, in one place.
type entryDecoder struct {
	names  names
	ranges ranges
	entry  Entry
	values [][]byte
	cuts   []int // where the values of an attribute begin
}

func (d *entryDecoder) begin(dn []byte) {
	d.names.entry++
	d.entry.DN, d.entry.long = dn, false
	d.entry.Attributes = d.entry.Attributes[:0]
	d.entry.Controls = d.entry.Controls[:0]
	d.values, d.cuts = d.values[:0], d.cuts[:0]
}

// attribute begins an attribute; its values are appended to d.values.
func (d *entryDecoder) attribute(description []byte) error {
	name, fresh := d.names.lookup(description)
	switch {
	case name.base == "":
		return fmt.Errorf("%w: an attribute without a name in %q", ErrProtocol, d.entry.DN)
	case !fresh:
		return fmt.Errorf("%w: %q occurs twice in %q", ErrProtocol, description, d.entry.DN)
	}
	a := Attribute{Name: name.base, Options: name.options}
	if name.ranged {
		if a.Part, a.span = d.ranges.part(name), name.part; a.Part == Whole {
			return &RangeError{DN: string(d.entry.DN), Attribute: string(description)}
		}
		d.entry.long = d.entry.long || a.Part == Partial
	}
	d.entry.Attributes = append(d.entry.Attributes, a)
	d.cuts = append(d.cuts, len(d.values))
	return nil
}

// finish hands out the values; until then d.values may still move.
func (d *entryDecoder) finish() (*Entry, error) {
	for i := range d.entry.Attributes {
		end := len(d.values)
		if i+1 < len(d.cuts) {
			end = d.cuts[i+1]
		}
		d.entry.Attributes[i].Values = d.values[d.cuts[i]:end:end]
	}
	if d.ranges == rangesRefused {
		return &d.entry, nil
	}
	return &d.entry, d.entry.checkParts()
}

// decode reads a SearchResultEntry (RFC 4511, section 4.5.2).
func (d *entryDecoder) decode(m message) (*Entry, error) {
	c := cursor{b: m.body}
	d.begin(c.take(tagOctetString, "the name of an entry"))
	attributes := cursor{b: c.take(tagSequence, "the attributes")}
	c.end("an entry")
	if c.err != nil {
		return nil, c.err
	}
	for attributes.more() {
		a := cursor{b: attributes.take(tagSequence, "an attribute")}
		description := a.take(tagOctetString, "the name of an attribute")
		set := cursor{b: a.take(tagSet, "the values of an attribute")}
		a.end("an attribute")
		if attributes.err != nil {
			break
		}
		if a.err != nil {
			return nil, a.err
		}
		if err := d.attribute(description); err != nil {
			return nil, err
		}
		for set.more() {
			d.values = append(d.values, set.take(tagOctetString, "a value"))
		}
		if set.err != nil {
			return nil, set.err
		}
	}
	if attributes.err != nil {
		return nil, attributes.err
	}
	var err error
	if d.entry.Controls, err = parseControls(d.entry.Controls, m.controls); err != nil {
		return nil, err
	}
	return d.finish()
}
