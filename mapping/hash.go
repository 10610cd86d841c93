package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// digest hashes what the policy means, in a canonical order.
func (p *Policy) digest(c Config) string {
	h := sha256.New()
	put := func(words ...string) {
		for _, w := range words {
			fmt.Fprintf(h, "%d:%s,", len(w), w)
		}
		fmt.Fprint(h, "\n")
	}
	list := func(key string, words []string) {
		words = slices.Compact(slices.Sorted(slices.Values(words)))
		put(append([]string{key, fmt.Sprint(len(words))}, words...)...)
	}
	names := func(key string, steps []roleStep) {
		var out []string
		for _, s := range steps {
			out = append(out, p.roles[s.role].name)
		}
		list(key, out)
	}
	put("rosterd policy 2")
	if p.dated {
		put("zone", p.zone.String())
	}
	for _, r := range p.roles {
		put("role", r.name)
		list("owners", c.Roles[r.name].AnswersFor())
		if r.birthright {
			put("birthright")
		}
		if !r.term.isZero() {
			put("term", r.term.key())
		}
		var groups []string
		for _, g := range r.groups {
			groups = append(groups, g.key)
		}
		list("groups", groups)
		if r.when != nil {
			put("when", r.when.key)
		}
		names("requires", r.requires)
		names("included by", r.includedBy)
		if len(r.excludedBy) > 0 {
			names("excluded by", r.excludedBy)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		put("table", name)
		for _, word := range slices.Sorted(maps.Keys(c.Tables[name])) {
			put(word, c.Tables[name][word])
		}
	}
	for _, k := range p.conflicts {
		put("conflict", k.name, k.action)
		list("roles", k.roles)
	}
	for _, e := range p.exceptions {
		put("exception", e.Kind.String(), e.Written, e.Role, e.Target, e.Conflict, moments(e.From), moments(e.Until))
	}
	for _, name := range slices.Sorted(maps.Keys(p.sources)) {
		s := c.Sources[name]
		put("source", name, strings.ToLower(s.Login), strings.ToLower(s.Mail), strings.ToLower(s.Name), strings.ToLower(s.Key))
		var required []string
		for _, r := range p.sources[name].required {
			required = append(required, p.slots[r.slot])
		}
		list("required", required)
		if d := p.sources[name].disabled; d != nil {
			put("disabled", d.key)
		}
		if s.Start != "" || s.End != "" {
			put("dates", strings.ToLower(s.Start), strings.ToLower(s.End), p.zone.String())
		}
	}
	for _, t := range p.targets {
		put("target", t.name, c.Targets[t.name].NameAttribute)
		names("for", t.accounts)
		for _, m := range t.match {
			put("match", t.attributes[m.rule].name, m.adopt)
		}
		for _, a := range t.attributes {
			put("attribute", a.name, string(a.mode), a.empty, a.template.key)
			if u := a.unique; u != nil {
				put("unique", u.otherwise.key, u.reserve.String(), fmt.Sprint(u.follow))
			}
		}
		for _, e := range t.entitlements {
			names("entitlement "+e.name, e.from)
		}
		for _, x := range t.exclusive {
			put(append([]string{"exclusive", fmt.Sprint(len(x.Members))}, x.Members...)...)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// moments is a bound as it counts: the same for a day however it is written.
func moments(b identity.Bound) string {
	if !b.Set() {
		return ""
	}
	return b.At.UTC().Format(time.RFC3339Nano)
}
