package state

import (
	"fmt"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// entry is what the state keeps of a person or a group, in the order in which
// it is written. Its strings are copies.
type entry struct {
	kind   directory.Kind
	source uint64
	id     identity.ID
	dn     string
	// Standing, doubt, why and since are ours; of a group only Unknown, Active,
	// OutOfScope and PresumedGone are used.
	standing identity.Standing
	doubt    identity.Doubt
	why      string
	since    time.Time
	// absent is the first complete listing that did not show it.
	absent absence
	digest digest

	// What follows was read.
	login, mail, name, rehireKey string
	validity                     identity.Validity
	members                      int
	coverage                     uint64
	attributes                   []attribute
	// raw is all that was read as it is encoded, where the attributes were not
	// decoded. It is a view of a value.
	raw []byte
}

// absence remembers the first complete listing that did not show an entry.
type absence struct {
	at      time.Time
	listing digest // of server, bind, scope and coverage
}

// attribute is one that was read: the number of its name in the coverage, and
// its values.
type attribute struct {
	name   int
	values []string
}

const entryForm = 2

// encode writes the whole entry.
func (e *entry) encode() []byte {
	w := writer{b: make([]byte, 0, 1024)}
	w.byte(entryForm)
	w.byte(byte(e.kind))
	w.uint(e.source)
	w.text(string(e.id))
	w.byte(byte(e.standing))
	w.byte(byte(e.doubt))
	w.text(e.why)
	w.time(e.since)
	w.time(e.absent.at)
	w.raw(e.absent.listing[:])
	w.raw(e.digest[:])
	if e.raw != nil {
		w.raw(e.raw)
	} else {
		e.encodeRead(&w)
	}
	return w.b
}

// encodeRead writes what was read.
func (e *entry) encodeRead(w *writer) {
	w.text(e.dn)
	w.text(e.login)
	w.text(e.mail)
	w.text(e.name)
	w.text(e.rehireKey)
	w.validity(e.validity)
	w.uint(uint64(e.members))
	w.uint(e.coverage)
	w.uint(uint64(len(e.attributes)))
	for _, a := range e.attributes {
		w.uint(uint64(a.name))
		w.texts(a.values)
	}
}

// decodeMain reads what was read, but for the attributes.
func (e *entry) decodeMain(r *reader) {
	e.dn, e.login, e.mail, e.name, e.rehireKey = r.text(), r.text(), r.text(), r.text(), r.text()
	e.validity = r.validity()
	e.members, e.coverage = int(r.uint()), r.uint()
}

func (e *entry) decodeRead(r *reader) {
	e.decodeMain(r)
	if n := r.count(); n > 0 {
		e.attributes = make([]attribute, 0, n)
		for range n {
			e.attributes = append(e.attributes, attribute{int(r.uint()), r.texts()})
		}
	}
}

// decodeEntry reads all of an entry; its strings are copies.
func decodeEntry(b []byte) (entry, error) {
	r := reader{b: b}
	e := decodeHead(&r)
	e.decodeRead(&r)
	return e, r.end()
}

// decodeLean leaves the attributes encoded: enough to compare an entry, and to
// write it again within the same transaction.
func decodeLean(b []byte) (entry, error) {
	r := reader{b: b}
	e := decodeHead(&r)
	e.raw = r.b
	e.decodeMain(&r)
	return e, r.err
}

// called gives another DN to an entry whose attributes are encoded.
func (e *entry) called(dn string) error {
	if e.raw != nil {
		r := reader{b: e.raw}
		e.raw = nil
		if e.decodeRead(&r); r.end() != nil {
			return r.end()
		}
	}
	e.dn = dn
	return nil
}

func decodeHead(r *reader) entry {
	var e entry
	r.form(entryForm)
	e.kind, e.source, e.id = directory.Kind(r.byte()), r.uint(), identity.ID(r.text())
	e.standing, e.doubt, e.why = identity.Standing(r.byte()), identity.Doubt(r.byte()), r.text()
	e.since, e.absent.at = r.time(), r.time()
	r.fixed(e.absent.listing[:])
	r.fixed(e.digest[:])
	return e
}

// names are what an entry is called.
type names struct {
	source                     uint64
	dn, login, mail, rehireKey string
}

// entryNames reads no further than the names.
func entryNames(b []byte) (names, error) {
	r := reader{b: b}
	r.form(entryForm)
	r.byte()
	n := names{source: r.uint()}
	r.view()
	r.byte()
	r.byte()
	r.view()
	r.uint()
	r.uint()
	var d digest
	r.fixed(d[:])
	r.fixed(d[:])
	n.dn, n.login, n.mail = r.text(), r.text(), r.text()
	r.view()
	n.rehireKey = r.text()
	return n, r.err
}

// entryDN reads no further than the DN.
func entryDN(b []byte) (string, error) {
	n, err := entryNames(b)
	return n.dn, err
}

// person makes the value for the world.
func (e *entry) person(o identity.Ordinal, names func(uint64) (string, error), coverage func(uint64) (identity.Coverage, error)) (identity.Person, error) {
	source, err := names(e.source)
	if err != nil {
		return identity.Person{}, err
	}
	c, err := coverage(e.coverage)
	if err != nil {
		return identity.Person{}, err
	}
	dn, err := identity.ParseDN(e.dn)
	if err != nil {
		return identity.Person{}, fmt.Errorf("%w (%v)", ErrCorrupt, err)
	}
	list := make([]identity.Attribute, 0, len(e.attributes))
	for _, a := range e.attributes {
		if a.name < 0 || a.name >= len(c.Names()) {
			return identity.Person{}, fmt.Errorf("%w (attribute %d of %s)", ErrCorrupt, a.name, o)
		}
		list = append(list, identity.Attribute{Name: c.Names()[a.name], Values: a.values})
	}
	return identity.Person{Ordinal: o, Key: identity.Key{Source: source, ID: e.id}, DN: dn, Login: e.login, Mail: e.mail,
		Name: e.name, RehireKey: e.rehireKey, Attributes: identity.NewAttributes(c, list), Standing: e.standing, Why: e.why,
		Doubt: e.doubt, Since: e.since, Validity: e.validity}, nil
}
