package ldapd

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// dirsrvProvider is the content synchronisation of 389-ds, which is RFC 4533
// by its messages and not by their meaning: it reads the retro changelog, so
// that it tells deletions, never who else is still there, and ends every
// refresh with refreshDeletes FALSE.
type dirsrvProvider struct{ *answer }

// dirsrvSet is how many UUIDs of deleted entries stand in one set.
const dirsrvSet = 50

// nsUniqueID is a UUID in the way that 389-ds writes it.
func nsUniqueID(uuid string) string {
	h := strings.ReplaceAll(uuid, "-", "")
	return h[:8] + "-" + h[8:16] + "-" + h[16:24] + "-" + h[24:]
}

func (p *dirsrvProvider) id(r *record) string { return uuidOctets(r.first("nsuniqueid")) }

func (p *dirsrvProvider) ids() []string { return idsOf(p, p.matching()) }

// sel: which attributes were asked for counts in the first answer only.
func (p *dirsrvProvider) sel(first bool) selection {
	if first {
		return p.req.sel
	}
	return selection{user: true, named: p.req.sel.named}
}

// signature is what a cookie is good for: this server, this client, this
// search.
func (p *dirsrvProvider) signature() string {
	addr := p.srv.listeners[0].Addr().String()
	who := strings.ToLower(p.bound.String())
	return fmt.Sprintf("localhost%s#%s:%s:%s", addr[strings.LastIndex(addr, ":"):], who, strings.ToLower(p.base.String()), filterText(p.w.msg.body))
}

func (p *dirsrvProvider) cookie() string {
	_, last := p.srv.dir.changeNumbers()
	return p.signature() + "#" + last
}

func (p *dirsrvProvider) refresh(req syncRequest) refresh {
	d := p.srv.dir
	if req.cookie == "" {
		return refresh{entries: p.matching(), cookie: p.cookie()}
	}
	mark := strings.LastIndex(req.cookie, "#")
	number, err := -1, error(nil)
	if mark >= 0 {
		number, err = strconv.Atoi(req.cookie[mark+1:])
	}
	if mark < 0 || err != nil || number < 0 || number > d.changes.last || req.cookie[:mark] != p.signature() {
		return refresh{refused: refuse(refreshNeeded, "Invalid session cookie")}
	}
	r := refresh{cookie: p.cookie()}
	var gone []string
	// What was added since and is gone again is not told.
	added, seen := map[string]bool{}, map[string]bool{}
	for _, c := range d.changes.entries {
		added[c.id] = added[c.id] || c.number > number && c.op == OpAdd
	}
	// Whether the changelog still reaches back to the cookie is not looked at.
	for _, c := range slices.Backward(d.changes.entries) {
		if c.number <= number {
			break
		}
		if seen[c.id] {
			continue
		}
		seen[c.id] = true
		x, ok := result{}, false
		there := c.op != OpDelete && p.inScope(c.node.rec.dn)
		if there {
			x, ok = p.consider(p.view(), c.node)
		}
		switch {
		case !there && p.inScope(c.dn) && !(added[c.id] && c.op == OpDelete):
			// Whoever has left the scope is told like somebody deleted.
			gone = append(gone, uuidOctets(c.id))
		case c.op == OpRename && p.req.scope == scopeOne && !p.inScope(c.dn):
			// Who moved in is not told where one level is searched.
		case ok:
			r.entries = append(r.entries, x)
		}
		// Nor is who has left the filter.
	}
	slices.Reverse(r.entries)
	r.sets = chunked(gone, dirsrvSet, true)
	for i := range r.sets {
		r.sets[i].cookie = r.cookie
	}
	return r
}

// filterText is the filter of a search, told from all others.
func filterText(body []byte) string {
	d := decoder{rest: body}
	for range 6 {
		d.any()
	}
	f := d.any()
	if f.tag == 0x87 {
		return "(" + string(f.body) + "=*)"
	}
	return fmt.Sprintf("(%02x%s)", f.tag, hex.EncodeToString(f.body))
}
