package ldapd

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// slapdProvider is the overlay syncprov of slapd 2.5, as it was measured: it
// answers with a delete phase when its session log covers the cookie, with a
// present phase when not, and never with e-syncRefreshRequired.
type slapdProvider struct {
	*answer
	req syncRequest
}

// present is how many UUIDs stand in one set of the present phase.
const slapdSet = 256

func (p *slapdProvider) id(r *record) string { return uuidOctets(r.first("entryuuid")) }

func (p *slapdProvider) ids() []string { return idsOf(p, p.matching()) }

func idsOf(p provider, all []result) (out []string) {
	for _, r := range all {
		out = append(out, p.id(r.rec))
	}
	return out
}

func (p *slapdProvider) sel(bool) selection { return p.answer.req.sel }

func (p *slapdProvider) cookie() string { return p.cookieOf(p.srv.dir.contextCSN()) }

func (p *slapdProvider) cookieOf(csns []string) string {
	rid := "rid=000"
	if first, _, _ := strings.Cut(p.req.cookie, ","); strings.HasPrefix(first, "rid=") {
		rid = first
	}
	return fmt.Sprintf("%s,sid=%03x,csn=%s", rid, max(p.srv.dir.ServerID, 1), strings.Join(csns, ";"))
}

// parseSlapdCookie gives the change sequence numbers by server; nil when there
// are none, which slapd takes in silence for no cookie.
func parseSlapdCookie(s string) map[string]string {
	for _, field := range strings.Split(s, ",") {
		if list, ok := strings.CutPrefix(field, "csn="); ok {
			out := map[string]string{}
			for _, csn := range strings.Split(list, ";") {
				if sid := sidOf(csn); sid != "" {
					out[sid] = csn
				}
			}
			return out
		}
	}
	return nil
}

// sidOf is the part of a change sequence number that names the server.
func sidOf(csn string) string {
	parts := strings.Split(csn, "#")
	if len(parts) != 4 {
		return ""
	}
	return parts[2]
}

func (p *slapdProvider) refresh(req syncRequest) refresh {
	d := p.srv.dir
	has := parseSlapdCookie(req.cookie)
	if req.cookie == "" || len(has) == 0 {
		r := refresh{entries: p.matching(), deletes: true}
		if req.cookie == "" {
			r.cookie = p.cookie()
		}
		return r
	}
	same := true
	for sid, csn := range d.csns {
		if has[sid] > csn {
			return refresh{refused: refuse(UnwillingToPerform, "consumer state is newer than provider!")}
		}
		same = same && has[sid] == csn
	}
	if same {
		return refresh{deletes: true}
	}
	r := refresh{cookie: p.cookie()}
	var there []string
	for _, x := range p.matching() {
		there = append(there, p.id(x.rec))
		if csn := x.rec.first("entrycsn"); csn > has[sidOf(csn)] {
			r.entries = append(r.entries, x)
		}
	}
	if !d.log.covers(has, d.SessionLog) {
		if d.olderThan(has) {
			r.present = chunked(there, slapdSet, false)
		}
		return r
	}
	r.deletes = true
	told := map[string]bool{}
	for _, x := range r.entries {
		told[p.id(x.rec)] = true
	}
	for _, l := range d.log.since(has) {
		// Deleted, or changed and not of this search: whether it ever was is not
		// known.
		id := uuidOctets(l.uuid)
		// An accesslog database knows where the entry was.
		if !l.added && !told[id] && (d.SessionLog > 0 || l.dn.Within(p.base)) {
			told[id] = true
			r.sets = append(r.sets, idSet{cookie: p.cookie() + ",delcsn=" + l.csn, deletes: true, ids: []string{id}})
		}
	}
	return r
}

// olderThan says whether there is an entry that who has the cookie can know.
// Without one, nobody is named as present: everybody comes.
func (d *Directory) olderThan(has map[string]string) bool {
	var lowest string
	for csn := range maps.Values(has) {
		if lowest == "" || csn < lowest {
			lowest = csn
		}
	}
	for _, n := range d.byKey {
		if csn := n.rec.first("entrycsn"); csn != "" && csn <= lowest {
			return true
		}
	}
	return false
}

// sessionLog is what syncprov remembers of changes, in memory.
type sessionLog struct {
	entries []logged
	floor   map[string]string // by server: from which change on it is whole
}

type logged struct {
	csn, uuid string
	dn        identity.DN
	added     bool // takes up room, and is found without a log
}

func (l *sessionLog) add(c change, size int) {
	r := c.before
	if c.op == OpAdd {
		r = c.after
	}
	l.entries = append(l.entries, logged{c.csn, r.first("entryuuid"), r.dn, c.op == OpAdd})
	for size >= 0 && len(l.entries) > size {
		l.raise(l.entries[0].csn)
		l.entries = l.entries[1:]
	}
}

func (l *sessionLog) raise(csn string) {
	if l.floor == nil {
		l.floor = map[string]string{}
	}
	l.floor[sidOf(csn)] = max(l.floor[sidOf(csn)], csn)
}

func (l *sessionLog) covers(has map[string]string, size int) bool {
	if size == 0 {
		return false
	}
	for sid, floor := range l.floor {
		if has[sid] < floor {
			return false
		}
	}
	return true
}

func (l *sessionLog) since(has map[string]string) []logged {
	i := slices.IndexFunc(l.entries, func(e logged) bool { return e.csn > has[sidOf(e.csn)] })
	if i < 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(l.entries[i:]), func(e logged) bool { return e.csn <= has[sidOf(e.csn)] })
}

// Forget empties the session log, as a restart of slapd does. Only the log of
// an accesslog database outlives one.
func (d *Directory) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log.entries = nil
	for csn := range maps.Values(d.csns) {
		d.log.raise(csn)
	}
}
