package mapping

import (
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// account is what the person should have in the target.
func (t *targetPolicy) account(held []holding, names []string, sc *scope, standing identity.Standing) Account {
	a := Account{Target: t.name}
	var doubt *fault
	a.Entitled, a.Because, a.Roles, doubt = given(t.accounts, held, names)
	a.Doubt = doubt.doubt()
	if a.Entitled || a.Doubt.Any() {
		a.Entitlements = make([]Entitlement, 0, min(len(t.entitlements), 8))
		for i := range t.entitlements {
			e := &t.entitlements[i]
			yes, because, by, why := given(e.from, held, names)
			if !yes && why == nil {
				continue
			}
			if !a.Entitled {
				why = heavier(doubt, why)
			}
			a.Entitlements = append(a.Entitlements, Entitlement{Name: e.name, Roles: by, Because: because, Doubt: why.doubt()})
		}
		if a.Entitled && len(t.exclusive) > 0 {
			t.settle(&a)
		}
	}
	t.compute(&a, sc, standing)
	return a
}

// given says whether a role that is held is among the steps, with the reasons
// and the names of those roles; if none is, what is in doubt.
func given(steps []roleStep, held []holding, names []string) (yes bool, because []Reason, by []string, doubt *fault) {
	reasons, count, one := 0, 0, 0
	for _, s := range steps {
		switch h := &held[s.role]; {
		case h.yes:
			count, one = count+1, s.role
			reasons += 1 + len(h.because)
		case h.why != nil:
			doubt = heavier(doubt, h.why)
		}
	}
	switch count {
	case 0:
		return false, nil, nil, doubt
	case 1:
		by = names[one : one+1 : one+1]
	default:
		by = make([]string, 0, count)
	}
	because = make([]Reason, 0, reasons)
	for _, s := range steps {
		if h := &held[s.role]; h.yes {
			because = append(append(because, s.reason), h.because...)
			if count > 1 {
				by = append(by, names[s.role])
			}
		}
	}
	return true, because, by, nil
}

// compute fills in the attributes. Of an account that the person should not
// have, only those that find it are computed, and nothing is wrong with it.
func (t *targetPolicy) compute(a *Account, sc *scope, standing identity.Standing) {
	wanted := a.Entitled || a.Doubt.Any()
	values, room := make([][]string, len(t.attributes)), make([]string, len(t.attributes))
	var invalid []string
	if wanted {
		a.Attributes = make([]Attribute, 0, len(t.attributes))
	}
	for i := range t.attributes {
		rule := &t.attributes[i]
		if !wanted && !rule.needed {
			continue
		}
		v, why := rule.template.values(sc, room[i:i:i+1])
		waits := false
		if rule.template.refers && why == nil {
			var known bool
			var remarks []string
			v, known, waits, remarks = sc.accounts(t.name, v)
			for _, text := range remarks {
				a.Remarks = append(a.Remarks, Remark{rule.name, text})
			}
			if wanted && waits && len(v) == 0 {
				a.Awaits = append(a.Awaits, rule.name)
			}
			if !known || waits && len(v) == 0 && rule.empty == emptyPark {
				continue // nobody waits for another's account, who may wait for theirs
			}
		}
		switch {
		case why != nil:
			invalid = append(invalid, rule.name+": "+why.text)
			continue
		case len(v) == 0 && i == t.nameRule:
			invalid = append(invalid, rule.name+": the name of the account is blank")
			continue
		case len(v) == 0 && rule.empty == emptyPark:
			invalid = append(invalid, rule.name+": the value is empty")
			continue
		case len(v) == 0 && rule.empty == emptyKeep:
			continue
		}
		values[i] = v
		if wanted {
			a.Attributes = append(a.Attributes, Attribute{Name: rule.name, Values: v, Mode: rule.mode, Reason: rule.reason, Waits: waits})
		}
	}
	if t.nameRule >= 0 && len(values[t.nameRule]) > 0 {
		a.Name = values[t.nameRule][0]
		if u := t.attributes[t.nameRule].unique; u != nil && wanted {
			var why *fault
			if a.Unique, why = u.names(a.Name, sc); why != nil {
				invalid = append(invalid, t.attributes[t.nameRule].name+": "+why.text)
			}
		}
	}
	a.Match = make([]Match, 0, len(t.match))
	for _, m := range t.match {
		if len(values[m.rule]) > 0 {
			a.Match = append(a.Match, Match{Attribute: t.attributes[m.rule].name, Value: values[m.rule][0], Adopt: m.adopt})
		}
	}
	if wanted && !standing.Left() {
		a.Invalid = strings.Join(invalid, "; ")
	}
}
