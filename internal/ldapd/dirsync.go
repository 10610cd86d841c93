package ldapd

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// Flags of DirSync ([MS-ADTS], section 3.1.1.3.4.1.3).
const (
	flagObjectSecurity    = 0x1
	flagIncrementalValues = 0x80000000
)

// dirSyncCookie is how far a client has come. Base is what it has seen whole;
// while it reads on in several rounds, at is where the last of them ended.
type dirSyncCookie struct {
	invocation string
	base       uint64
	at         position
}

// position is one step in the order in which changes are told.
type position struct{ serial, node, link uint64 }

func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(p.serial, o.serial), cmp.Compare(p.node, o.node), cmp.Compare(p.link, o.link))
}

const cookieMagic = "MSDS\x03\x00\x00\x00"

func (c dirSyncCookie) encode() string {
	b := []byte(cookieMagic)
	for _, v := range []uint64{c.base, c.at.serial, c.at.node, c.at.link} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return string(append(b, c.invocation...))
}

func parseDirSyncCookie(s string) (c dirSyncCookie, ok bool) {
	if len(s) != len(cookieMagic)+4*8+16 || s[:len(cookieMagic)] != cookieMagic {
		return dirSyncCookie{}, false
	}
	b := []byte(s[len(cookieMagic):])
	c.base = binary.LittleEndian.Uint64(b)
	c.at = position{binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])}
	c.invocation = string(b[32:])
	return c, true
}

// step is a part of the answer: the changed attributes of an entry, or one
// link of it.
type step struct {
	position
	node *node
	attr string // of a link
	to   *node
}

// dirSyncRequest is the control's value.
type dirSyncRequest struct {
	flags  uint32
	bytes  int
	cookie string
}

func decodeDirSync(b []byte) (r dirSyncRequest, ok bool) {
	d := decoder{rest: b}
	seq := d.sub(tagSequence)
	flags := seq.take(tagInteger)
	if seq.err != nil || len(flags) == 0 || len(flags) > 5 {
		return r, false
	}
	for _, c := range flags {
		r.flags = r.flags<<8 | uint32(c)
	}
	r.bytes = seq.integer(tagInteger)
	r.cookie = seq.text(tagOctets)
	return r, firstError(d, seq) == nil
}

// dirSync answers one round.
func (a *answer) dirSync(c *control) error {
	req, ok := decodeDirSync(c.value)
	secured := req.flags&flagObjectSecurity != 0
	d := a.srv.dir
	var cookie dirSyncCookie
	valid := req.cookie == ""
	if !valid {
		cookie, valid = parseDirSyncCookie(req.cookie)
	}
	var refused *Error
	switch {
	case !ok || a.w.msg.paged != nil:
		refused = refuse(UnavailableCriticalExtension, "00000057: LdapErr: Error processing control, data 0")
	case !a.base.Equal(d.domain.nc) && secured:
		refused = refuse(UnwillingToPerform, "000020F5: SvcErr: the base is not the head of a naming context")
	case !a.base.Equal(d.domain.nc), !secured && !a.replicator():
		refused = refuse(InsufficientAccessRights, "00002105: SecErr: problem 4003 (INSUFF_ACCESS_RIGHTS), data 0")
	case !valid:
		refused = refuse(UnavailableCriticalExtension, "00000057: LdapErr: Error processing control, data 0")
	}
	if refused != nil {
		return a.reply(a.w.msg, refused, nil, nil)
	}
	d.mu.RLock()
	if cookie.invocation != d.domain.invocation {
		// That of another domain controller, or from before a restore: nothing it
		// says of numbers holds here.
		cookie = dirSyncCookie{invocation: d.domain.invocation}
	}
	round := &dirSyncRound{answer: a, req: req, cookie: cookie, secured: secured, view: a.view()}
	results, more := round.results()
	next := dirSyncCookie{invocation: d.domain.invocation, base: cookie.base, at: round.cookie.at}
	if !more {
		next.base = d.serial
		next.at = position{serial: d.serial, node: 1<<63 - 1}
	}
	d.mu.RUnlock()
	a.req.sel = selection{user: true}
	x, err := a.followFault()
	if err != nil {
		return err
	}
	switch x.Do {
	case Empty:
		results = nil
	case NoCookie:
		a.last = true
	}
	for _, r := range results {
		if err := a.send(r); err != nil {
			return a.conclude(err)
		}
	}
	return a.dirSyncDone(next, more)
}

func (a *answer) dirSyncDone(next dirSyncCookie, more bool) error {
	if told, err := a.beforeDone(); told {
		return err
	}
	if a.silent {
		return a.reply(a.w.msg, nil, nil, nil)
	}
	text := next.encode()
	if a.last {
		text = ""
	}
	return a.reply(a.w.msg, nil, nil, func() {
		flag := 0
		if more {
			flag = 1
		}
		a.enc.responseControl(oidDirSync, func(e *encoder) {
			seq := e.open(tagSequence)
			e.integer(tagInteger, flag)
			e.integer(tagInteger, 0)
			e.octets(tagOctets, text)
			e.close(seq)
		})
	})
}

// dirSyncRound collects what one round tells. The lock is held.
type dirSyncRound struct {
	*answer
	req     dirSyncRequest
	cookie  dirSyncCookie // its position moves on
	secured bool
	view    view
}

func (x *dirSyncRound) incremental() bool { return x.req.flags&flagIncrementalValues != 0 }

// results takes steps until the round is full, and says whether more follow.
func (x *dirSyncRound) results() (out []result, more bool) {
	limit, size := x.srv.dir.AD.DirSyncBatch, 0
	if limit <= 0 {
		limit = 1000
	}
	steps := x.steps()
	of := map[*node][]step{}
	var order []*node
	for i, s := range steps {
		if i >= limit || i > 0 && x.req.bytes > 0 && size >= x.req.bytes {
			more = true
			break
		}
		// In one round an entry comes once, where its last step stands; what does
		// not fit comes in the next.
		order = append(slices.DeleteFunc(order, func(n *node) bool { return n == s.node && of[n] != nil }), s.node)
		of[s.node] = append(of[s.node], s)
		size += x.size(s)
		x.cookie.at = s.position
	}
	for _, n := range order {
		out = append(out, x.entry(n, of[n]))
	}
	return out, more
}

// size is about how many octets the step takes in the answer.
func (x *dirSyncRound) size(s step) int {
	if s.to != nil {
		return len(s.to.rec.dn.String()) + 2
	}
	n := len(s.node.rec.dn.String()) + 64
	x.attributes(s.node, func(name string, values []string) {
		for _, v := range values {
			n += len(name) + len(v)
		}
	})
	return n
}

// steps are all that lie behind the position of the cookie, in order.
func (x *dirSyncRound) steps() []step {
	d := x.srv.dir
	var out []step
	add := func(s step) {
		if s.serial > x.cookie.base && s.compare(x.cookie.at) > 0 {
			out = append(out, s)
		}
	}
	for _, n := range d.byKey {
		if n.meta == nil || !n.rec.dn.Within(d.domain.nc) || d.suffixIsConfig(n.rec.dn) || !x.tells(n) {
			continue
		}
		last := uint64(0)
		for _, s := range n.meta.attrs {
			if x.asked(s.desc) {
				last = max(last, s.serial)
			}
		}
		for key, links := range n.meta.links {
			if t, _ := describe(key); !x.asked(t) {
				continue
			}
			for to, l := range links {
				if !x.incremental() {
					last = max(last, l.serial)
				} else if to.rec != nil {
					add(step{position{l.serial, n.seq, l.order}, n, key, to})
				}
			}
		}
		if last > 0 {
			add(step{position: position{last, n.seq, 0}, node: n})
		}
	}
	slices.SortFunc(out, func(a, b step) int { return a.compare(b.position) })
	return out
}

// suffixIsConfig says whether the name belongs to the configuration, which is
// a naming context of its own.
func (d *Directory) suffixIsConfig(dn identity.DN) bool {
	s, _ := d.suffixOf(dn)
	return !s.Equal(d.domain.nc)
}

// tells says whether the entry is one of the search. A deleted one is, without
// being asked for, unless only what the client may read is told.
func (x *dirSyncRound) tells(n *node) bool {
	if x.secured && (x.view.concealed(n.rec.dn) || n.rec.first("isdeleted") == "TRUE" && !x.seesDeleted()) {
		return false
	}
	v := x.view
	if !x.secured {
		v = view{dir: v.dir}
	}
	return v.match(&x.answer.req.filter, n.rec) == isTrue
}

func (x *dirSyncRound) asked(d desc) bool {
	if x.secured && x.view.hides(d.typ.key) || foreignTo(ActiveDirectory, d.typ.key) {
		return false
	}
	return x.answer.req.sel.user || slices.ContainsFunc(x.answer.req.sel.named, func(n desc) bool { return n.covers(d, true) })
}

// entry tells what the steps say of one entry.
func (x *dirSyncRound) entry(n *node, steps []step) result {
	r := &record{dn: n.rec.dn}
	r.set("objectGUID", n.rec.first("objectguid"))
	r.set("instanceType", n.rec.first("instancetype"))
	give := func(name string, values []string) {
		t, _ := describe(name)
		r.attrs = append(r.attrs, attr{desc: t, values: values})
	}
	values := map[string][2][]string{} // of a linked attribute: lost, gained
	for _, s := range steps {
		if s.to != nil {
			l := n.meta.links[s.attr][s.to]
			pair := values[s.attr]
			i := 0
			if l.present {
				i = 1
			}
			pair[i] = append(pair[i], s.to.rec.dn.String())
			values[s.attr] = pair
			continue
		}
		x.attributes(n, give)
	}
	for _, key := range []string{"member", "manager", "managedby"} {
		t, _ := describe(key)
		for i, option := range [2]string{";range=0-0", ";range=1-1"} {
			if v := values[key][i]; len(v) > 0 {
				give(t.typ.name+option, v)
			}
		}
	}
	return result{node: n, rec: r}
}

// attributes tells what has changed of an entry since the cookie's base; what
// it has no more comes without values.
func (x *dirSyncRound) attributes(n *node, give func(string, []string)) {
	var changed []stamp
	for key, s := range n.meta.attrs {
		if s.serial > x.cookie.base && key != "instancetype" && x.asked(s.desc) {
			changed = append(changed, s)
		}
	}
	slices.SortFunc(changed, func(a, b stamp) int { return cmp.Compare(a.desc.key(), b.desc.key()) })
	for _, s := range changed {
		var values []string
		if a := n.rec.get(s.desc.key()); a != nil {
			values = a.values
		}
		if s.desc.typ.key == "lastknownparent" && len(values) == 1 {
			values = []string{x.srv.dir.extended(identity.MustDN(values[0]), true)}
		}
		give(s.desc.String(), values)
		if s.desc.typ.key == "name" && n.parent != nil {
			give("parentGUID", []string{n.parent.rec.first("objectguid")})
		}
	}
	if x.incremental() {
		return
	}
	for key, links := range n.meta.links {
		t, _ := describe(key)
		for _, l := range links {
			if l.serial > x.cookie.base && x.asked(t) {
				var values []string
				if a := n.rec.get(key); a != nil {
					values = a.values
				}
				give(t.String(), values)
				break
			}
		}
	}
}
