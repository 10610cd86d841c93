package ldapd

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// searchRequest is a decoded search (RFC 4511, section 4.5).
type searchRequest struct {
	base      string
	scope     int
	sizeLimit int
	timeLimit int
	filter    filter
	sel       selection
}

func decodeSearch(b []byte) (*searchRequest, error) {
	d := decoder{rest: b}
	r := &searchRequest{base: d.text(tagOctets), scope: d.integer(tagEnumerated)}
	d.integer(tagEnumerated) // aliases are not known here
	r.sizeLimit, r.timeLimit = d.integer(tagInteger), d.integer(tagInteger)
	typesOnly := d.boolean(tagBoolean)
	var err error
	if r.filter, err = decodeFilter(&d, 0); err != nil {
		return nil, err
	}
	list := d.sub(tagSequence)
	var attrs []string
	for list.more() {
		attrs = append(attrs, list.text(tagOctets))
	}
	if err := firstError(d, list); err != nil {
		return nil, err
	}
	if r.scope < scopeBase || r.scope > scopeSub || r.sizeLimit < 0 || r.timeLimit < 0 {
		return nil, errBER
	}
	r.sel = selectAttributes(attrs, typesOnly)
	return r, nil
}

// pages is a paged search between two pages (RFC 2696). A cookie is good once,
// on this connection, for the same request.
type pages struct {
	cookie  string
	request string
	rest    []*node
	last    []*node // the page before, for RepeatPage
	sent    int
	number  int
}

func newCookie() string {
	var b [12]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails
	return string(b[:])
}

// search answers a search request, or one page of it.
func (s *session) search(w work) error {
	req, err := decodeSearch(w.msg.body)
	if err != nil {
		return err
	}
	base, refused := s.parseName(req.base)
	if refused != nil {
		return s.reply(w.msg, refused, nil, nil)
	}
	if req.timeLimit > 0 {
		var cancel context.CancelFunc
		w.ctx, cancel = context.WithTimeout(w.ctx, time.Duration(req.timeLimit)*time.Second)
		defer cancel()
	}
	a := &answer{session: s, w: w, req: req, base: base, page: &pages{number: 1, request: string(w.msg.body)}}
	if refused := a.resume(); refused != nil {
		return s.reply(w.msg, refused, nil, nil)
	}
	return a.run()
}

// resume finds the search that a cookie belongs to, or begins one.
func (a *answer) resume() *Error {
	s, m := a.session, a.w.msg
	before := s.pages
	s.pages = nil
	if m.paged == nil || m.paged.cookie == "" {
		if max := s.srv.opts.MaxPage; m.paged != nil && max > 0 && m.paged.size > max {
			return refuse(AdminLimitExceeded, "illegal pagedResults page size")
		}
		return a.begin()
	}
	if before == nil || before.cookie != m.paged.cookie || before.request != string(m.body) {
		return refuse(UnwillingToPerform, "paged results cookie is invalid")
	}
	before.number++
	a.page = before
	if m.paged.size == 0 {
		// The client gives the search up (RFC 2696, section 3).
		a.page.rest = nil
	}
	return nil
}

// begin finds the candidates of a new search.
func (a *answer) begin() *Error {
	s := a.session
	dir := s.srv.dir
	if a.base.IsZero() && a.req.scope == scopeBase {
		a.rootDSE = true
		return nil
	}
	if s.bound.IsZero() && dir.domain != nil {
		return errNotBound()
	}
	if s.bound.IsZero() && s.srv.opts.NoAnonymous {
		return refuse(InsufficientAccessRights, "")
	}
	dir.mu.RLock()
	defer dir.mu.RUnlock()
	n := dir.byKey[a.base.Key()]
	if n != nil && !a.shows(n) {
		n = nil
	}
	if !a.w.msg.manageDSA {
		if r := dir.referral(a.base); r != nil {
			return referTo(r)
		}
	}
	if n == nil {
		return dir.missing(a.base)
	}
	if s.view().concealed(a.base) {
		return refuse(NoSuchObject, "")
	}
	a.page.rest = dir.candidates(n, a.req.scope, &a.req.filter)
	return nil
}

func referTo(r *record) *Error {
	e := refuse(Referral, "")
	e.Matched = r.dn
	if a := r.get("ref"); a != nil {
		e.Referrals = a.values
	}
	return e
}

// result is one thing to send: an entry or a reference.
type result struct {
	node     *node
	rec      *record
	computed []attr
	refs     []string
	name     string // instead of that of the record
	controls func(*encoder)
}

// collect takes the next results, at most max of them, off the candidates.
func (a *answer) collect(max int) []result {
	dir := a.srv.dir
	dir.mu.RLock()
	defer dir.mu.RUnlock()
	v := a.view()
	var out []result
	rest := a.page.rest
	for len(rest) > 0 && len(out) < max {
		n := rest[0]
		rest = rest[1:]
		if r, ok := a.consider(v, n); ok {
			out = append(out, r)
		}
	}
	a.page.rest = rest
	return out
}

// consider says what the candidate contributes to the answer.
func (a *answer) consider(v view, n *node) (result, bool) {
	if n.rec == nil || v.concealed(n.rec.dn) || !a.shows(n) {
		return result{}, false
	}
	if !a.w.msg.manageDSA && len(v.dir.referrals) > 0 {
		switch r := v.dir.referral(n.rec.dn); r {
		case nil:
		case n.rec:
			return result{node: n, refs: referTo(r).Referrals}, true
		default:
			return result{}, false // another server answers for it
		}
	}
	if v.match(&a.req.filter, n.rec) != isTrue {
		return result{}, false
	}
	out := result{node: n, rec: n.rec}
	if v.dir.domain != nil {
		out.computed = v.computedAD(n, a.req.sel)
		if c := a.w.msg.control(oidExtendedDN); c != nil {
			v.dir.extend(&out, c.value)
		}
	} else if a.req.sel.computed() {
		out.computed = v.dir.computed(n)
	}
	return out, true
}

// more says whether another entry would come.
func (a *answer) more() bool {
	before := a.page.rest
	got := a.collect(1)
	if len(got) == 0 {
		return false
	}
	for i, n := range before {
		if n == got[0].node {
			a.page.rest = before[i:]
			break
		}
	}
	return true
}

// answer is the search that is being answered.
type answer struct {
	*session
	w       work
	req     *searchRequest
	base    identity.DN
	page    *pages
	rootDSE bool
	before  *record // the entry that was sent last
	silent  bool    // the paging control is left out
	last    bool    // this page is called the last, whatever is left
}
