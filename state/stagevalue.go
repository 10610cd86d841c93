package state

import (
	"slices"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// A stage is a list of records in the order in which they came. Those of the
// members of a group follow its entry.
const (
	stEntry    = 'E' // what was read of a person or a group that is new or differs
	stMembers  = 'M' // the members of the group before, which is new, a chunk
	stDiff     = 'D' // members that the group before, which is known, gained or lost, a chunk
	stAbsent   = 'A' // what the absence of a known entry means
	stOverride = 'O' // a standing that is not as the entry says

	stContainer = 'C' // a container, or that it is gone
	stEdit      = 'G' // a group of which nothing but its members changed: what it gained or lost follows
)

// staged is a record of kind stEntry. Known are the ordinal and id of the
// entry; the rest of e is what was read.
type staged struct {
	ordinal identity.Ordinal // 0: new
	// differs: what was read is not what the snapshot has.
	differs bool
	// whole: everybody below the group may have gained or lost it.
	whole bool
	key   digest
	e     entry
}

// encode uses the scratch space, and returns a copy.
func (s *staged) encode(w *writer) []byte {
	w.b = w.b[:0]
	w.byte(stEntry)
	w.byte(byte(s.e.kind))
	w.text(string(s.e.id))
	w.uint(uint64(s.ordinal))
	w.bool(s.differs)
	w.bool(s.whole)
	w.raw(s.key[:])
	w.raw(s.e.digest[:])
	w.uint(s.e.source)
	s.e.encodeRead(w)
	return slices.Clone(w.b)
}

// decodeStaged leaves the attributes encoded.
func decodeStaged(b []byte) (staged, error) {
	r := reader{b: b}
	var s staged
	r.form(stEntry)
	s.e.kind, s.e.id, s.ordinal = directory.Kind(r.byte()), identity.ID(r.text()), identity.Ordinal(r.uint())
	s.differs, s.whole = r.bool(), r.bool()
	r.fixed(s.key[:])
	r.fixed(s.e.digest[:])
	s.e.source = r.uint()
	s.e.raw = r.b
	s.e.decodeMain(&r)
	return s, r.err
}

// stagedHead reads no further than the ordinal and the flags.
func stagedHead(b []byte) (kind directory.Kind, id identity.ID, ordinal identity.Ordinal, whole bool, err error) {
	r := reader{b: b}
	r.form(stEntry)
	kind, id, ordinal = directory.Kind(r.byte()), identity.ID(r.text()), identity.Ordinal(r.uint())
	r.bool()
	whole = r.bool()
	return kind, id, ordinal, whole, r.err
}

// ruling is a record of kind stAbsent or stOverride.
type ruling struct {
	absent   bool
	kind     directory.Kind
	ordinal  identity.Ordinal // 0: of an entry that is new
	id       identity.ID
	standing identity.Standing
	doubt    identity.Doubt
	why      string
	// dn is where somebody who is out of scope was found; else empty.
	dn    string
	first absence
	// relink is whose ordinal the entry gets; 0: nobody's.
	relink identity.Ordinal
}

func (u *ruling) encode() []byte {
	w := writer{}
	if u.absent {
		w.byte(stAbsent)
	} else {
		w.byte(stOverride)
	}
	w.byte(byte(u.kind))
	w.uint(uint64(u.ordinal))
	w.text(string(u.id))
	w.byte(byte(u.standing))
	w.byte(byte(u.doubt))
	w.text(u.why)
	w.text(u.dn)
	w.time(u.first.at)
	w.raw(u.first.listing[:])
	w.uint(uint64(u.relink))
	return w.b
}

func decodeRuling(b []byte) (ruling, error) {
	r := reader{b: b}
	var u ruling
	switch r.byte() {
	case stAbsent:
		u.absent = true
	case stOverride:
	default:
		r.fail("no ruling")
	}
	u.kind, u.ordinal, u.id = directory.Kind(r.byte()), identity.Ordinal(r.uint()), identity.ID(r.text())
	u.standing, u.doubt, u.why = identity.Standing(r.byte()), identity.Doubt(r.byte()), r.text()
	u.dn, u.first.at = r.text(), r.time()
	r.fixed(u.first.listing[:])
	u.relink = identity.Ordinal(r.uint())
	return u, r.end()
}

// encodeRefs writes a chunk of members; form is stMembers or stDiff.
func encodeRefs(form byte, refs []string) []byte {
	w := writer{}
	w.byte(form)
	w.texts(refs)
	return w.b
}

func decodeRefs(form byte, b []byte) ([]string, error) {
	r := reader{b: b}
	r.form(form)
	out := r.texts()
	return out, r.end()
}
