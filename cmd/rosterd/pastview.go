package main

import (
	"fmt"
	"strings"
	"time"
)

// printPast shows what somebody had then.
func (a *app) printPast(p *past, who string) {
	out := a.page()
	out.head(first(p.login, who), "as of "+moment(p.at))
	out.columns("offboarded", "by hand", "policy")
	if v := p.policy; v != nil {
		out.row("policy", "", fmt.Sprintf("number %d, %.12s, in force since %s", v.Public.Epoch, v.Public.Hash, minute(v.Time)))
	}
	if d := p.denied; d != nil {
		out.row("offboarded", red, fmt.Sprintf("since %s%s by %s: %s", minute(d.at), d.end(), first(d.by, "somebody who was forgotten"), strings.Join(d.because, "; ")))
	}
	for _, what := range sortedKeys(p.excepted) {
		m := p.excepted[what]
		out.row("by hand", "", what+m.end())
		out.mark(m)
	}
	if p.dropped {
		out.row("note", yellow, "older records were dropped; what was done before them, and not touched since, is not told")
	}
	if len(p.targets) == 0 {
		out.row("nothing", "", "no write for them stands in the journal until then")
	}
	for _, name := range sortedKeys(p.targets) {
		fmt.Fprintln(out.w)
		a.printPastAccount(out, name, p.targets[name])
	}
}

func (a *app) printPastAccount(out *page, name string, x *pastAccount) {
	out.head(name, x.phase)
	names := append(sortedKeys(x.rights), sortedKeys(x.attributes)...)
	out.columns(append(names, "account")...)
	switch {
	case x.phase == "":
		out.row("account", "", "none")
	default:
		out.row("account", "", fmt.Sprintf("%s, %sd %s, %s since %s", first(x.name, x.id), x.madeWord(), minute(x.begin.at), x.phase, minute(x.changed.at)))
		out.mark(x.changed)
	}
	if !x.verified.IsZero() {
		out.row("", dim, "read back as written "+minute(x.verified))
	}
	if x.doubt != "" {
		out.row("in doubt", yellow, x.doubt)
	}
	for _, u := range x.unproved {
		out.row("unproved", yellow, u)
	}
	for _, r := range sortedKeys(x.rights) {
		out.row(r, green, "since "+minute(x.rights[r].at))
		out.mark(x.rights[r])
	}
	for _, n := range sortedKeys(x.attributes) {
		v := x.attributes[n]
		out.row(n, blue, first(strings.Join(v.values, ", "), "(none)")+"  since "+minute(v.at))
		out.more(dim, v.record())
	}
}

// end is when a decision was to end by itself.
func (m pastMark) end() string {
	if m.until.IsZero() {
		return ""
	}
	return ", until " + minute(m.until)
}

// madeWord is create or link, so that a d makes it a thing of the past.
func (x *pastAccount) madeWord() string {
	if x.made == "link" {
		return "adopte"
	}
	return "create"
}

// mark writes why, and which record says so.
func (p *page) mark(m pastMark) {
	for _, b := range m.because {
		p.more("", "because "+b)
	}
	if m.by != "" {
		p.more("", "decided by "+m.by)
	}
	p.more(dim, m.record())
}

func (m pastMark) record() string {
	return strings.TrimSuffix(fmt.Sprintf("[record %d, cycle %s", m.seq, m.cycle), ", cycle ") + "]"
}

// pastDocument is explain --at, for machines.
type pastDocument struct {
	FormatVersion int                  `json:"format_version"`
	Person        uint64               `json:"person"`
	Login         string               `json:"login,omitempty"`
	At            time.Time            `json:"at"`
	PolicyHash    string               `json:"policy_hash,omitempty"`
	Offboarded    *markDocument        `json:"offboarded,omitempty"`
	ByHand        []pastItemDocument   `json:"by_hand,omitempty"`
	Incomplete    bool                 `json:"incomplete,omitempty"`
	Targets       []pastTargetDocument `json:"targets"`
}

type markDocument struct {
	Since   time.Time  `json:"since"`
	Record  uint64     `json:"record"`
	Cycle   string     `json:"cycle,omitempty"`
	By      string     `json:"by,omitempty"`
	Because []string   `json:"because,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
}

type pastTargetDocument struct {
	Target       string             `json:"target"`
	Account      string             `json:"account,omitempty"`
	ID           string             `json:"id,omitempty"`
	Phase        string             `json:"phase,omitempty"`
	Since        *markDocument      `json:"since,omitempty"`
	Verified     *time.Time         `json:"verified,omitempty"`
	Doubt        string             `json:"doubt,omitempty"`
	Unproved     []string           `json:"unproved,omitempty"`
	Entitlements []pastItemDocument `json:"entitlements"`
	Attributes   []pastItemDocument `json:"attributes"`
}

type pastItemDocument struct {
	Name   string   `json:"name"`
	Values []string `json:"values,omitempty"`
	markDocument
}

func (m pastMark) document() markDocument {
	d := markDocument{Since: m.at, Record: m.seq, Cycle: m.cycle, By: m.by, Because: m.because}
	if !m.until.IsZero() {
		d.Until = &m.until
	}
	return d
}

func (p *past) document(who uint64) pastDocument {
	d := pastDocument{FormatVersion: 1, Person: who, Login: p.login, At: p.at, Incomplete: p.dropped, Targets: []pastTargetDocument{}}
	if p.policy != nil {
		d.PolicyHash = p.policy.Public.Hash
	}
	if p.denied != nil {
		x := p.denied.document()
		d.Offboarded = &x
	}
	for _, what := range sortedKeys(p.excepted) {
		d.ByHand = append(d.ByHand, pastItemDocument{what, nil, p.excepted[what].document()})
	}
	for _, name := range sortedKeys(p.targets) {
		a := p.targets[name]
		t := pastTargetDocument{Target: name, Account: a.name, ID: a.id, Phase: a.phase, Doubt: a.doubt, Unproved: a.unproved,
			Entitlements: []pastItemDocument{}, Attributes: []pastItemDocument{}}
		if a.phase != "" {
			x := a.changed.document()
			t.Since = &x
		}
		if !a.verified.IsZero() {
			t.Verified = &a.verified
		}
		for _, r := range sortedKeys(a.rights) {
			t.Entitlements = append(t.Entitlements, pastItemDocument{r, nil, a.rights[r].document()})
		}
		for _, n := range sortedKeys(a.attributes) {
			t.Attributes = append(t.Attributes, pastItemDocument{n, a.attributes[n].values, a.attributes[n].document()})
		}
		d.Targets = append(d.Targets, t)
	}
	return d
}
