package ldapwire

import (
	"context"
)

// addWindow is how many adds are under way at once on one connection: enough to
// hide the way there and back and the server's waiting for its disk, and few
// enough that a broken connection leaves little in doubt.
const addWindow = 32

// Addition is an entry to add.
type Addition struct {
	DN         string
	Attributes []Values
}

// AddAll adds many entries, some of them under way at a time, and tells each with
// its position as its answer comes: the new entry, as AddRead has it, or an error.
// Where told returns false nothing more is sent; what has left is still told.
//
// With an error the connection broke, or the context ended, before all were sent:
// what had left without an answer was told as in doubt, and what was not told
// never left.
func (c *Conn) AddAll(ctx context.Context, additions []Addition, told func(int, Record, error) bool, read ...string) error {
	if len(additions) == 0 {
		return nil
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.acquire("add", additions[0].DN); err != nil {
		return err
	}
	defer c.mu.Unlock()
	if err := context.Cause(ctx); err != nil {
		return c.fault("add", additions[0].DN, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.w.fail(context.Cause(ctx)) })
	a := adding{c: c, additions: additions, control: postReadControl(read), told: told,
		burst: c.w.beginBurst(opAdd, len(additions), addWindow)}
	a.run()
	if !stop() {
		_ = c.w.fail(context.Cause(ctx))
	}
	first := c.w.err()
	if first != nil {
		c.teardown() // nothing is answered any more
		a.take()
		a.doubt(first)
	}
	c.w.endBurst()
	if first != nil && a.burst.sent < len(additions) && !a.enough {
		return c.fault("add", additions[a.burst.sent].DN, first)
	}
	return nil
}

// adding is one AddAll under way.
type adding struct {
	c         *Conn
	burst     *burst
	additions []Addition
	control   []byte
	told      func(int, Record, error) bool
	decoder   entryDecoder
	buffer    []byte // of requests
	done      int    // that were told
	enough    bool
}

// run sends and takes until all is told or the connection breaks.
func (a *adding) run() {
	for {
		sent := a.burst.sent
		// Half a window at a time: one write for many.
		if open := sent - a.done; !a.enough && sent < len(a.additions) && open <= addWindow/2 {
			n := min(addWindow-open, len(a.additions)-sent)
			requests := a.buffer[:0]
			for i := range n {
				requests = a.request(requests, sent+i)
			}
			a.buffer = requests
			if a.c.w.writeBurst(a.burst, requests, n) != nil {
				return
			}
			continue
		}
		if a.done == sent {
			return
		}
		select {
		case answer := <-a.burst.answers:
			a.tell(answer)
			a.take()
		case <-a.c.w.dead:
			return
		}
	}
}

// take tells what has been answered and does not wait.
func (a *adding) take() {
	for {
		select {
		case answer := <-a.burst.answers:
			a.tell(answer)
		default:
			return
		}
	}
}

func (a *adding) tell(answer burstAnswer) {
	r := answer.result
	var rec Record
	var err error
	if r.code == 0 {
		rec = a.decoder.readAfter(r)
	} else {
		e := a.c.fault("add", a.additions[answer.at].DN, nil)
		e.Code, e.Matched, e.Diagnostic, e.Referrals = r.code, r.matched, r.diagnostic, r.referrals
		err = e
	}
	a.say(answer.at, rec, err)
}

func (a *adding) say(at int, rec Record, err error) {
	a.done++
	if !a.told(at, rec, err) {
		a.enough = true
	}
}

// doubt tells those that left and will not be answered.
func (a *adding) doubt(cause error) {
	for at := range a.burst.sent {
		if !a.burst.seen[at] {
			e := a.c.fault("add", a.additions[at].DN, cause)
			e.inDoubt = true
			a.say(at, Record{}, e)
		}
	}
}

// request appends one add (RFC 4511, section 4.7).
func (a *adding) request(out []byte, at int) []byte {
	add := a.additions[at]
	list := 0
	for _, attr := range add.Attributes {
		list += elementSize(attributeSize(attr))
	}
	id := number(tagInteger, int32(a.burst.first+at))
	body := elementSize(len(add.DN)) + elementSize(list)
	out = appendHeader(out, tagSequence, len(id)+elementSize(body)+len(a.control))
	out = append(out, id...)
	out = appendHeader(out, opAdd, body)
	out = appendText(out, add.DN)
	out = appendHeader(out, tagSequence, list)
	for _, attr := range add.Attributes {
		out = appendHeader(out, tagSequence, attributeSize(attr))
		out = appendText(out, attr.Name)
		out = appendHeader(out, tagSet, valuesSize(attr))
		for _, v := range attr.Values {
			out = appendText(out, v)
		}
	}
	return append(out, a.control...)
}

func attributeSize(a Values) int {
	return elementSize(len(a.Name)) + elementSize(valuesSize(a))
}

func valuesSize(a Values) int {
	n := 0
	for _, v := range a.Values {
		n += elementSize(len(v))
	}
	return n
}

// postReadControl is the part of a message that asks for the entry as it is
// after the write.
func postReadControl(read []string) []byte {
	names := make([][]byte, len(read))
	for i, n := range read {
		names[i] = element(tagOctetString, []byte(n))
	}
	return element(tagControls, element(tagSequence, element(tagOctetString, []byte(postRead)),
		element(tagOctetString, element(tagSequence, names...))))
}
