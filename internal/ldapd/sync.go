package ldapd

import (
	"encoding/hex"
	"strings"
)

// Modes of a sync request (RFC 4533, section 2.2).
const (
	modeRefreshOnly       = 1
	modeRefreshAndPersist = 3
)

// States of an entry (RFC 4533, section 2.3).
const (
	stateAdd    = 1
	stateModify = 2
	stateDelete = 3
)

const (
	oidSyncState = "1.3.6.1.4.1.4203.1.9.1.2"
	oidSyncDone  = "1.3.6.1.4.1.4203.1.9.1.3"
	oidSyncInfo  = "1.3.6.1.4.1.4203.1.9.1.4"

	opIntermediate = 0x79
	refreshNeeded  = 4096
)

// syncRequest is the value of the control.
type syncRequest struct {
	mode   int
	cookie string
	reload bool
}

func decodeSyncRequest(b []byte) (r syncRequest, ok bool) {
	d := decoder{rest: b}
	seq := d.sub(tagSequence)
	r.mode = seq.integer(tagEnumerated)
	if seq.peek() == tagOctets {
		r.cookie = seq.text(tagOctets)
	}
	if seq.peek() == tagBoolean {
		r.reload = seq.boolean(tagBoolean)
	}
	return r, firstError(d, seq) == nil && (r.mode == modeRefreshOnly || r.mode == modeRefreshAndPersist)
}

// refresh is the first part of an answer: what is told, in this order, and how
// it ends.
type refresh struct {
	refused *Error
	sets    []idSet // before the entries
	entries []result
	present []idSet // after them
	cookie  string
	deletes bool // refreshDeletes of the end
}

// idSet names entries by their UUIDs alone.
type idSet struct {
	cookie  string
	deletes bool
	ids     []string
}

// provider is one of the two ways to speak RFC 4533. The lock is held.
type provider interface {
	refresh(req syncRequest) refresh
	// cookie is where who has seen everything is now.
	cookie() string
	// id are the octets that tell an entry from all others.
	id(r *record) string
	// ids are those of everybody who is there now.
	ids() []string
	// sel is which attributes of an entry are told.
	sel(first bool) selection
}

// provide answers a sync request.
func (a *answer) provide(c *control) error {
	req, ok := decodeSyncRequest(c.value)
	if !ok || a.w.msg.paged != nil {
		return a.reply(a.w.msg, refuse(ProtocolError, "Sync control : decoding error"), nil, nil)
	}
	dir := a.srv.dir
	dir.mu.Lock()
	var p provider = &slapdProvider{a, req}
	if dir.kind == Dirsrv {
		p = &dirsrvProvider{a}
	}
	r := p.refresh(req)
	var f *feed
	if req.mode == modeRefreshAndPersist && r.refused == nil {
		f = dir.subscribe()
		defer dir.unsubscribe(f)
	}
	there := p.ids()
	dir.mu.Unlock()
	if r.refused != nil {
		return a.reply(a.w.msg, r.refused, nil, nil)
	}
	a.req.sel = p.sel(req.cookie == "")
	x, err := a.followFault()
	if err != nil {
		return err
	}
	r.spoil(x, there)
	if err := a.sendRefresh(p, r); err != nil {
		return a.conclude(err)
	}
	if f == nil {
		return a.syncDone(r)
	}
	if err := a.syncInfo(0xa1, r.cookie, nil); err != nil {
		return err
	}
	return a.watch(f, func(c change) error { return a.persist(p, c) })
}

// spoil is what a fault makes of an answer.
func (r *refresh) spoil(x Fault, there []string) {
	switch x.Do {
	case Empty:
		r.sets, r.entries, r.present = nil, nil, nil
	case NoCookie:
		r.cookie = ""
	case Flip:
		r.deletes = !r.deletes
	case Phantom:
		r.sets = append(r.sets, chunked(there, slapdSet, true)...)
	}
}

// sendRefresh sends what is told before the end.
func (a *answer) sendRefresh(p provider, r refresh) error {
	for _, s := range r.sets {
		if err := a.syncSet(s); err != nil {
			return err
		}
	}
	for _, x := range r.entries {
		x.controls = syncState(stateAdd, p.id(x.rec), "")
		if err := a.send(x); err != nil {
			return err
		}
	}
	for _, s := range r.present {
		if err := a.syncSet(s); err != nil {
			return err
		}
	}
	return nil
}

// persist tells one change, as it happens.
func (a *answer) persist(p provider, c change) error {
	dir := a.srv.dir
	dir.mu.RLock()
	v := a.view()
	fits := func(r *record) bool {
		return r != nil && a.inScope(r.dn) && !v.concealed(r.dn) && v.match(&a.req.filter, r) == isTrue
	}
	was, is := fits(c.before), fits(c.after)
	cookie := p.cookie()
	dir.mu.RUnlock()
	switch {
	case is && was:
		return a.send(result{node: c.node, rec: c.after, controls: syncState(stateModify, p.id(c.after), cookie)})
	case is:
		return a.send(result{node: c.node, rec: c.after, controls: syncState(stateAdd, p.id(c.after), cookie)})
	case was:
		gone := &record{dn: c.before.dn}
		return a.send(result{node: c.node, rec: gone, controls: syncState(stateDelete, p.id(c.before), cookie)})
	}
	return nil
}

// syncState is the control that comes with an entry.
func syncState(state int, id, cookie string) func(*encoder) {
	return func(e *encoder) {
		e.responseControl(oidSyncState, func(e *encoder) {
			seq := e.open(tagSequence)
			e.integer(tagEnumerated, state)
			e.octets(tagOctets, id)
			if cookie != "" {
				e.octets(tagOctets, cookie)
			}
			e.close(seq)
		})
	}
}

// syncSet sends a set of UUIDs.
func (a *answer) syncSet(s idSet) error {
	return a.syncInfo(0xa3, s.cookie, func(e *encoder) {
		if s.deletes {
			e.boolean(true)
		}
		set := e.open(tagSet)
		for _, id := range s.ids {
			e.octets(tagOctets, id)
		}
		e.close(set)
	})
}

// syncInfo sends a message between entries (RFC 4533, section 2.5).
func (a *answer) syncInfo(choice byte, cookie string, rest func(*encoder)) error {
	if err := a.struck(true); err != nil {
		return err
	}
	e := &a.enc
	e.buf = e.buf[:0]
	msg := e.open(tagSequence)
	e.integer(tagInteger, a.w.msg.id)
	op := e.open(opIntermediate)
	e.octets(0x80, oidSyncInfo)
	value := e.open(0x81)
	seq := e.open(choice)
	if cookie != "" {
		e.octets(tagOctets, cookie)
	}
	if rest != nil {
		rest(e)
	}
	e.close(seq)
	e.close(value)
	e.close(op)
	e.close(msg)
	return a.write(e.buf)
}

// syncDone ends a refresh.
func (a *answer) syncDone(r refresh) error {
	if told, err := a.beforeDone(); told {
		return err
	}
	if a.silent {
		return a.reply(a.w.msg, nil, nil, nil)
	}
	return a.reply(a.w.msg, nil, nil, func() {
		a.enc.responseControl(oidSyncDone, func(e *encoder) {
			seq := e.open(tagSequence)
			if r.cookie != "" {
				e.octets(tagOctets, r.cookie)
			}
			if r.deletes {
				e.boolean(true)
			}
			e.close(seq)
		})
	})
}

// matching are all entries of the search as they are now. The lock is held.
func (a *answer) matching() []result {
	d := a.srv.dir
	base := d.byKey[a.base.Key()]
	if base == nil {
		return nil
	}
	v := a.view()
	var out []result
	for _, n := range d.candidates(base, a.req.scope, &a.req.filter) {
		if r, ok := a.consider(v, n); ok && r.rec != nil {
			out = append(out, r)
		}
	}
	return out
}

// uuidOctets are the sixteen octets of a UUID in text.
func uuidOctets(text string) string {
	b, _ := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	return string(b)
}

// chunked cuts a list of UUIDs into sets.
func chunked(ids []string, size int, deletes bool) []idSet {
	var out []idSet
	for len(ids) > 0 {
		n := min(size, len(ids))
		out = append(out, idSet{deletes: deletes, ids: ids[:n]})
		ids = ids[n:]
	}
	return out
}

// responseControl appends the controls of a message: this one.
func (e *encoder) responseControl(oid string, value func(*encoder)) {
	list := e.open(0xa0)
	control := e.open(tagSequence)
	e.octets(tagOctets, oid)
	v := e.open(tagOctets)
	value(e)
	e.close(v)
	e.close(control)
	e.close(list)
}
