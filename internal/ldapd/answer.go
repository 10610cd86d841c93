package ldapd

import (
	"context"
	"errors"
	"net/url"
	"slices"
)

// batch is how many entries are taken under one hold of the lock.
const batch = 500

// errDone ends the sending of entries: the answer has been given.
var errDone = errors.New("answered")

// run sends the entries and the result.
func (a *answer) run() error {
	if proceed, err := a.fault(a.w, a.base, nil); !proceed {
		return err
	}
	if a.rootDSE {
		return a.sendRootDSE()
	}
	switch m := a.w.msg; {
	case m.control(oidSync) != nil && a.srv.dir.kind.has(oidSync):
		return a.provide(m.control(oidSync))
	case m.control(oidDirSync) != nil && a.srv.dir.kind.has(oidDirSync):
		return a.dirSync(m.control(oidDirSync))
	case m.control(oidNotification) != nil && a.srv.dir.kind.has(oidNotification):
		return a.notify()
	}
	sent, err := a.entries()
	if errors.Is(err, errDone) {
		return nil
	}
	var refused *Error
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	return a.done(sent, refused)
}

func (a *answer) sendRootDSE() error {
	dir := a.srv.dir
	r := a.srv.rootDSE()
	v := a.view()
	dir.mu.RLock()
	f := &a.req.filter
	// That of Active Directory is there without an object class.
	matched := f.kind == filterPresent && f.attr.typ.key == "objectclass" || v.match(f, r) == isTrue
	dir.mu.RUnlock()
	if matched {
		a.enc.buf = a.enc.buf[:0]
		a.req.sel.encode(&a.enc, a.w.msg.id, v, result{rec: r})
		if err := a.write(a.enc.buf); err != nil {
			return err
		}
	}
	return a.done(nil, nil)
}

// conclude ends a search of which err is the reason, if it is one of the
// protocol.
func (a *answer) conclude(err error) error {
	var refused *Error
	switch {
	case errors.Is(err, errDone):
		return nil
	case errors.As(err, &refused):
		return a.reply(a.w.msg, refused, nil, nil)
	}
	return err
}

// beforeDone does what the faults say that strike the result. told: there is
// nothing more to send.
func (a *answer) beforeDone() (told bool, err error) {
	x := a.srv.faults.strike(a.request(), func(f *Fault) bool {
		return f.Do == DropMid && f.After > 0 && f.After == a.page.sent
	})
	if x != nil {
		a.cut = true
	}
	if x := a.srv.faults.strike(a.request(), func(f *Fault) bool { return f.Do == LoseDone }); x != nil {
		if err := a.out.Flush(); err != nil {
			return true, err
		}
		<-a.w.ctx.Done()
		return true, nil
	}
	return false, nil
}

// entryFault is what is wrong with the next entry alone.
func (a *answer) entryFault() *Fault {
	return a.srv.faults.strike(a.request(), func(f *Fault) bool {
		return f.Do >= Garbage && f.Do <= Stateless && f.After == a.page.sent
	})
}

// without takes an attribute out of a result.
func (r *result) without(name string) {
	d, _ := describe(name)
	rec := r.rec.clone()
	rec.drop(d)
	r.rec = rec
	r.computed = slices.DeleteFunc(slices.Clone(r.computed), func(a attr) bool { return a.key() == d.key() })
}

// like gives a result an attribute of another entry.
func (r *result) like(o *record, name string) {
	d, _ := describe(name)
	if o == nil || o.get(d.key()) == nil {
		return
	}
	rec := r.rec.clone()
	rec.put(d.key(), *o.get(d.key()))
	r.rec = rec
}

// followFault is what is wrong with an answer to who follows, as a whole.
func (a *answer) followFault() (Fault, error) {
	x := a.srv.faults.strike(a.request(), func(f *Fault) bool {
		switch f.Do {
		case Empty, Refer, NoControl, NoCookie, Flip, Phantom:
			return true
		}
		return false
	})
	switch {
	case x == nil:
		return Fault{}, nil
	case x.Do == NoControl:
		a.silent = true
	case x.Do == Refer:
		a.enc.buf = a.enc.buf[:0]
		a.reference(x.URL)
		return *x, a.write(a.enc.buf)
	}
	return *x, nil
}

// done sends the result, with the cookie of the next page where there is one.
func (a *answer) done(sent []*node, refused *Error) error {
	if told, err := a.beforeDone(); told {
		return err
	}
	if a.w.msg.paged == nil || a.silent || refused != nil {
		if err := a.subordinates(refused); err != nil {
			return err
		}
		return a.reply(a.w.msg, refused, nil, nil)
	}
	cookie := ""
	if a.last || !a.more() {
		if err := a.subordinates(nil); err != nil {
			return err
		}
	} else {
		cookie = newCookie()
		a.page.cookie, a.page.last = cookie, sent
		a.pages = a.page
	}
	return a.reply(a.w.msg, nil, nil, func() {
		e := &a.enc
		list := e.open(0xa0)
		control := e.open(tagSequence)
		e.octets(tagOctets, oidPaged)
		value := e.open(tagOctets)
		seq := e.open(tagSequence)
		e.integer(tagInteger, 0) // the size of the whole is not told
		e.octets(tagOctets, cookie)
		e.close(seq)
		e.close(value)
		e.close(control)
		e.close(list)
	})
}

// limit is how many results this request may send; -1: all.
func (a *answer) limit() int {
	if a.w.msg.paged == nil {
		return -1
	}
	if max := a.srv.dir.maxPageSize(); max > 0 {
		return min(a.w.msg.paged.size, max)
	}
	return a.w.msg.paged.size
}

// entries sends what belongs to this page. The error is an *Error when the
// result is to carry it.
func (a *answer) entries() (sent []*node, err error) {
	limit := a.limit()
	if skip, err := a.pageFault(limit); skip || err != nil {
		return nil, err
	}
	for limit < 0 || len(sent) < limit {
		take := batch
		if limit >= 0 {
			take = min(take, limit-len(sent))
		}
		results := a.collect(take)
		if len(results) == 0 {
			break
		}
		for _, r := range results {
			if err := a.send(r); err != nil {
				return sent, err
			}
			sent = append(sent, r.node)
		}
	}
	return sent, nil
}

// send sends one result, if no fault and no limit is in the way. References
// count for neither.
func (a *answer) send(r result) error {
	e := &a.enc
	if r.rec == nil {
		e.buf = e.buf[:0]
		a.reference(r.refs...)
		return a.write(e.buf)
	}
	max := a.srv.dir.maxPageSize()
	if a.req.sizeLimit > 0 && a.page.sent >= a.req.sizeLimit || max > 0 && a.limit() < 0 && a.page.sent >= max {
		return refuse(SizeLimitExceeded, "")
	}
	if err := a.struck(true); err != nil {
		return err
	}
	if a.w.ctx.Err() != nil {
		return a.interrupted()
	}
	e.buf = e.buf[:0]
	id, twice := a.w.msg.id, false
	if x := a.entryFault(); x != nil {
		switch x.Do {
		case Garbage:
			a.page.sent++
			return a.write([]byte(x.Octets))
		case WrongID:
			id += 7
		case Twice:
			twice = true
		case Strip:
			r.without(x.Attribute)
		case SameID:
			r.like(a.before, x.Attribute)
		case Stateless:
			r.controls = nil
		}
	}
	a.before = r.rec
	v := a.view()
	v.stuck = a.req.sel.ranges != nil && a.srv.faults.strike(a.request(), func(f *Fault) bool { return f.Do == StuckRange }) != nil
	a.req.sel.encode(e, id, v, r)
	if err := a.write(e.buf); err != nil {
		return err
	}
	if twice {
		if err := a.write(e.buf); err != nil {
			return err
		}
	}
	a.page.sent++
	return a.struck(false)
}

func (a *answer) interrupted() error {
	if errors.Is(a.w.ctx.Err(), context.DeadlineExceeded) {
		return refuse(TimeLimitExceeded, "")
	}
	return errDone // abandoned: no answer (RFC 4511, section 4.11)
}

func (a *answer) reference(urls ...string) {
	e := &a.enc
	msg := e.open(tagSequence)
	e.integer(tagInteger, a.w.msg.id)
	op := e.open(opSearchReference)
	for _, u := range urls {
		e.octets(tagOctets, continuation(u, a.req.scope))
	}
	e.close(op)
	e.close(msg)
}

// continuation adds the scope to a URL that has none, as slapd does: below a
// one-level search only the entry itself is left to look at.
func continuation(ref string, scope int) string {
	u, err := url.Parse(ref)
	if err != nil || u.RawQuery != "" || u.Path == "" || u.Path == "/" {
		return ref
	}
	if scope == scopeOne {
		return ref + "??base"
	}
	return ref + "??sub"
}

func (a *answer) request() request {
	r := request{op: OpSearch, bind: a.bound, base: a.base}
	if a.w.msg.paged != nil {
		r.page = a.page.number
	}
	return r
}

// struck does what the faults say that wait for a number of entries: before
// another entry is sent (next), or behind the last.
func (a *answer) struck(next bool) error {
	x := a.srv.faults.strike(a.request(), func(f *Fault) bool {
		switch {
		case f.Do == Slow:
			return next && a.page.sent >= f.After
		case f.After == 0 || a.page.sent != f.After:
			return false
		case f.Do == Answer || f.Do == DropMid:
			return next
		}
		return !next && (f.Do == Drop || f.Do == Hang)
	})
	if x == nil {
		return nil
	}
	if x.Do == Answer {
		return refuse(x.Code, "%s", x.Diagnostic)
	}
	if proceed, err := a.act(a.w, x); err != nil || proceed {
		return err
	}
	return errDone
}

// pageFault does what a fault says about the page as a whole. skip: there are
// no entries to send.
func (a *answer) pageFault(limit int) (skip bool, err error) {
	x := a.srv.faults.strike(a.request(), func(f *Fault) bool {
		switch f.Do {
		case Empty, Refer:
			return true
		case LosePage, NoCookie, NoControl:
			return limit >= 0
		case RepeatPage:
			return limit >= 0 && a.page.number > 1
		}
		return false
	})
	if x == nil {
		return false, nil
	}
	switch x.Do {
	case Empty:
		a.page.rest = nil
		return true, nil
	case LosePage:
		a.collect(limit)
	case RepeatPage:
		a.page.rest = slices.Concat(a.page.last, a.page.rest)
	case NoCookie:
		a.last = true
	case NoControl:
		a.silent = true
	case Refer:
		a.enc.buf = a.enc.buf[:0]
		a.reference(x.URL)
		return false, a.write(a.enc.buf)
	}
	return false, nil
}
