package ldapd

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
)

// Directory is a tree of entries in memory. It is safe for concurrent use,
// whether or not a server serves it.
type Directory struct {
	// Strict refuses to take the last member out of a groupOfNames or a
	// groupOfUniqueNames, as slapd's schema check does. Set it before use.
	Strict bool
	// ServerID stands in the change sequence numbers; 1 if zero. Set it before
	// use.
	ServerID int
	// SessionLog is how many changes a sync provider in the manner of slapd
	// remembers: none, that many, or all of them if it is negative. Set it
	// before use.
	SessionLog int
	// AD are the settings of an Active Directory. Set them before use.
	AD ADSettings

	refint  bool
	kind    Kind
	domain  *domain // of an Active Directory
	log     sessionLog
	changes changelog // of 389-ds
	feeds   map[*feed]struct{}
	serial  uint64 // of the last change: a USN, or a change number
	csns    map[string]string

	mu        sync.RWMutex
	now       func() time.Time
	suffixes  []identity.DN
	byKey     map[string]*node
	index     map[string]map[string][]*node // attribute key, normal value
	referrals []*node
	seen      map[string]bool // attribute types that an entry ever had
	classes   map[string]bool
	seq       uint64
	csnTime   string
	csnCount  int
	csn       string // of the last change
}

// node is an entry's place in the tree. Its fields are guarded by the
// directory's lock.
type node struct {
	seq    uint64 // order of creation, in which searches answer
	parent *node
	kids   map[*node]struct{}
	rec    *record // nil once deleted
	meta   *meta   // in an Active Directory
}

// indexed attributes are found by equality without a walk.
var indexed = []string{"uid", "cn", "mail", "employeenumber", "memberuid", "entryuuid"}

// New returns an empty directory for the suffixes; the entry of a suffix is
// added like any other. It panics when one is not a distinguished name.
func New(suffix ...string) *Directory {
	d := &Directory{
		now: time.Now, byKey: map[string]*node{}, index: map[string]map[string][]*node{},
		seen: map[string]bool{}, classes: map[string]bool{}, csns: map[string]string{}, feeds: map[*feed]struct{}{},
	}
	for _, a := range indexed {
		d.index[a] = map[string][]*node{}
	}
	for _, c := range knownClasses {
		d.classes[c] = true
	}
	for _, s := range suffix {
		d.suffixes = append(d.suffixes, identity.MustDN(s))
	}
	return d
}

// SetClock makes now the source of every timestamp.
func (d *Directory) SetClock(now func() time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = now
}

// Len is the number of entries.
func (d *Directory) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.byKey)
}

// Get returns the entry with its operational attributes. ok is false when
// there is none, or dn is not a name.
func (d *Directory) Get(dn string) (e ldif.Entry, ok bool) {
	name, err := identity.ParseDN(dn)
	if err != nil {
		return ldif.Entry{}, false
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := d.byKey[name.Key()]
	if n == nil {
		return ldif.Entry{}, false
	}
	return n.rec.entry(true), true
}

// ContextCSN is the change sequence number of the last change, "" when there
// was none.
func (d *Directory) ContextCSN() string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.csn
}

// knows says whether the type means anything here: it is in the table, or an
// entry has had it.
func (d *Directory) knows(t *attrType) bool {
	_, ok := types[t.key]
	// The schema of a domain is larger than the table.
	return ok || d.seen[t.key] || d.domain != nil
}

func (d *Directory) knowsClass(c string) bool { return d.classes[c] || d.domain != nil }

// suffixOf returns the suffix that the name lies under, the deepest one.
func (d *Directory) suffixOf(dn identity.DN) (out identity.DN, ok bool) {
	for _, s := range d.suffixes {
		if dn.Within(s) && (!ok || s.Within(out)) {
			out, ok = s, true
		}
	}
	return out, ok
}

// missing makes the error for a name that is not there, with the closest entry
// above it.
func (d *Directory) missing(dn identity.DN) *Error {
	e := refuse(NoSuchObject, "")
	for up := dn.Parent(); !up.IsZero(); up = up.Parent() {
		if n := d.byKey[up.Key()]; n != nil {
			e.Matched = n.rec.dn
			break
		}
	}
	return e
}

// referral returns the entry of class referral at or above the name.
func (d *Directory) referral(dn identity.DN) *record {
	for up := dn; !up.IsZero(); up = up.Parent() {
		if n := d.byKey[up.Key()]; n != nil && n.rec.is("referral") {
			return n.rec
		}
	}
	return nil
}

// place puts the node with its record into the maps.
func (d *Directory) place(n *node) {
	d.byKey[n.rec.dn.Key()] = n
	d.indexIn(n)
	if n.rec.is("referral") {
		d.referrals = append(d.referrals, n)
	}
	for i := range n.rec.attrs {
		a := &n.rec.attrs[i]
		if _, ok := types[a.typ.key]; !ok {
			d.seen[a.typ.key] = true
		}
		if a.typ.key == "objectclass" {
			for _, c := range a.norms {
				d.classes[c] = true
			}
		}
	}
}

// unplace takes it out of them.
func (d *Directory) unplace(n *node) {
	delete(d.byKey, n.rec.dn.Key())
	d.indexOut(n)
	d.referrals = slices.DeleteFunc(d.referrals, func(r *node) bool { return r == n })
}

func (d *Directory) indexIn(n *node) {
	for i := range n.rec.attrs {
		if ix := d.index[n.rec.attrs[i].typ.key]; ix != nil {
			for _, v := range n.rec.attrs[i].norms {
				ix[v] = append(ix[v], n)
			}
		}
	}
}

func (d *Directory) indexOut(n *node) {
	for i := range n.rec.attrs {
		if ix := d.index[n.rec.attrs[i].typ.key]; ix != nil {
			for _, v := range n.rec.attrs[i].norms {
				if at := slices.Index(ix[v], n); at >= 0 {
					ix[v] = slices.Delete(ix[v], at, at+1)
				}
				if len(ix[v]) == 0 {
					delete(ix, v)
				}
			}
		}
	}
}

// replace gives the node a new record of the same name.
func (d *Directory) replace(n *node, r *record) {
	d.unplace(n)
	n.rec = r
	d.place(n)
}

// stamp marks the record as changed now by who.
func (d *Directory) stamp(r *record, who string) {
	d.tick()
	r.set("modifiersName", who)
	r.set("modifyTimestamp", d.now().UTC().Format("20060102150405Z"))
	r.set("entryCSN", d.csn)
	switch {
	case d.domain != nil:
		d.stampAD(r)
	case d.kind == Dirsrv:
		r.set("entryUSN", strconv.FormatUint(d.serial, 10))
	}
}

// tick counts one more change.
func (d *Directory) tick() {
	d.serial++
	d.csn = d.nextCSN()
	d.knowCSN(d.csn)
}

// knowCSN remembers the last change of each server that took part.
func (d *Directory) knowCSN(csn string) {
	sid := sidOf(csn)
	d.csns[sid] = max(d.csns[sid], csn)
}

// contextCSN has one value for each of those servers.
func (d *Directory) contextCSN() []string { return slices.Sorted(maps.Values(d.csns)) }

// nextCSN is unique and ascends as long as the clock does not go back.
func (d *Directory) nextCSN() string {
	t := d.now().UTC().Format("20060102150405.000000Z")
	if t <= d.csnTime {
		d.csnCount++
	} else {
		d.csnTime, d.csnCount = t, 0
	}
	return fmt.Sprintf("%s#%06x#%03x#000000", d.csnTime, d.csnCount, max(d.ServerID, 1))
}

// newUUID makes a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// scope of a search (RFC 4511, section 4.5.1.2).
const (
	scopeBase = 0
	scopeOne  = 1
	scopeSub  = 2
)

// candidates returns the nodes in scope that may match, in order of creation.
// Call it with the lock held.
func (d *Directory) candidates(base *node, scope int, f *filter) []*node {
	var out []*node
	if scope == scopeBase {
		return []*node{base}
	}
	if found, ok := d.lookUp(f); ok {
		// Whatever the filter, references in scope are part of the answer.
		for _, n := range slices.Concat(found, d.referrals) {
			dn := n.rec.dn
			if scope == scopeOne && n.parent == base || scope == scopeSub && dn.Within(base.rec.dn) {
				out = append(out, n)
			}
		}
	} else if scope == scopeOne {
		for n := range base.kids {
			out = append(out, n)
		}
	} else {
		var walk func(*node)
		walk = func(n *node) {
			out = append(out, n)
			for k := range n.kids {
				walk(k)
			}
		}
		walk(base)
	}
	slices.SortFunc(out, func(a, b *node) int { return cmp.Compare(a.seq, b.seq) })
	return slices.Compact(out)
}

// lookUp answers from the indexes what can match f; ok is false when they
// cannot tell.
func (d *Directory) lookUp(f *filter) (found []*node, ok bool) {
	switch f.kind {
	case filterEqual:
		if f.bad {
			return nil, true
		}
		if ix := d.index[f.attr.typ.key]; ix != nil {
			return ix[f.value], true
		}
	case filterAnd:
		for i := range f.parts {
			if found, ok := d.lookUp(&f.parts[i]); ok {
				return found, true
			}
		}
	case filterOr:
		for i := range f.parts {
			some, ok := d.lookUp(&f.parts[i])
			if !ok {
				return nil, false
			}
			found = append(slices.Clip(found), some...)
		}
		return found, len(f.parts) > 0
	}
	return nil, false
}

// Suffixes returns the names that the directory answers for, as they were
// written.
func (d *Directory) Suffixes() []string {
	var out []string
	for _, s := range d.suffixes {
		out = append(out, s.String())
	}
	return out
}
