package plan

import (
	"encoding/json"
	"io"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// Document is the plan for machines: one JSON document. Its keys are those of
// the changes, so that a plan that was kept can be told from the present one.
type Document struct {
	FormatVersion int       `json:"format_version"`
	Drawn         time.Time `json:"drawn"`
	// Situations count everybody, those in sync too.
	Situations map[string]int    `json:"situations"`
	Totals     DocumentTotals    `json:"totals"`
	Subjects   []DocumentSubject `json:"subjects"`
	Orphans    []DocumentOrphan  `json:"orphans"`
	Holds      []DocumentHold    `json:"holds"`
	// Conflicts are the people who hold roles that a conflict parts.
	Conflicts []DocumentConflict `json:"conflicts,omitempty"`
}

// DocumentTotals count changes: those that may go by verb, and the others.
type DocumentTotals struct {
	Due    map[string]int `json:"due"`
	Held   int            `json:"held"`
	Parked int            `json:"parked"`
	Looks  int            `json:"looks"`
}

// DocumentSubject is one person in one target, where there is something to say.
type DocumentSubject struct {
	Target    string           `json:"target"`
	Person    identity.Ordinal `json:"person"`
	Login     string           `json:"login"`
	Account   string           `json:"account,omitempty"`
	Situation Situation        `json:"situation"`
	Stage     Stage            `json:"stage"`
	Why       string           `json:"why,omitempty"`
	Notes     []string         `json:"notes,omitempty"`
	Held      string           `json:"held,omitempty"`
	Holds     []string         `json:"holds,omitempty"`
	Parked    string           `json:"parked,omitempty"`
	Hint      string           `json:"hint,omitempty"`
	Retained  *time.Time       `json:"retained_until,omitempty"`
	Changes   []DocumentChange `json:"changes"`
}

// DocumentChange is one change.
type DocumentChange struct {
	Key         target.Key       `json:"key"`
	Verb        string           `json:"verb"`
	Account     target.NativeID  `json:"account,omitempty"`
	Name        string           `json:"name,omitempty"`
	OldName     string           `json:"old_name,omitempty"`
	Attributes  []DocumentValues `json:"attributes,omitempty"`
	Before      []string         `json:"before,omitempty"`
	Entitlement string           `json:"entitlement,omitempty"`
	Roles       []string         `json:"roles,omitempty"`
	Because     []string         `json:"because,omitempty"`
	// Kept says by which hold, or why, the change does not go; empty: it goes.
	Kept string `json:"kept,omitempty"`
}

// DocumentValues are the new values of an attribute.
type DocumentValues struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
	// How they meet what is there; Without are those that are taken.
	How     target.How `json:"how,omitzero"`
	Without []string   `json:"without,omitempty"`
}

// DocumentOrphan is an account that belongs to nobody.
type DocumentOrphan struct {
	Target  string          `json:"target"`
	Account target.NativeID `json:"account"`
	Name    string          `json:"name"`
	Enabled bool            `json:"enabled"`
}

// DocumentHold is one hold.
type DocumentHold struct {
	ID      string       `json:"id"`
	Target  string       `json:"target"`
	Rule    string       `json:"rule"`
	Role    string       `json:"role,omitempty"`
	Status  string       `json:"status"`
	Text    string       `json:"text"`
	Version string       `json:"version"`
	Opened  time.Time    `json:"opened"`
	Changes int          `json:"changes"`
	People  int          `json:"people"`
	Keys    []target.Key `json:"keys"`
	Approve string       `json:"approve,omitempty"`
}

// NewDocument makes it. Values of secrets are left out.
func NewDocument(p Plan, v Verdict) Document {
	n := tallyOf(p, v)
	d := Document{FormatVersion: 1, Drawn: p.Now.UTC(), Situations: map[string]int{}, Subjects: []DocumentSubject{},
		Orphans: []DocumentOrphan{}, Holds: []DocumentHold{},
		Totals: DocumentTotals{Due: map[string]int{}, Held: n.held, Parked: n.parked, Looks: n.looks}}
	for verb, count := range n.due {
		d.Totals.Due[verb.String()] = count
	}
	for i := range p.Subjects {
		s := &p.Subjects[i]
		d.Situations[s.Situation.String()]++
		if telling(s) || !s.Retained.IsZero() {
			d.Subjects = append(d.Subjects, documentSubject(s, v.at(i)))
		}
	}
	for _, o := range p.Orphans {
		d.Orphans = append(d.Orphans, DocumentOrphan{o.Target, o.ID, o.Name, o.Enabled})
	}
	for _, c := range p.Conflicts {
		d.Conflicts = append(d.Conflicts, documentConflict(c))
	}
	for _, h := range v.Holds {
		d.Holds = append(d.Holds, documentHold(h))
	}
	return d
}

func documentSubject(s *Subject, at Standing) DocumentSubject {
	out := DocumentSubject{Target: s.Target, Person: s.Person, Login: s.Login, Account: s.Account, Situation: s.Situation, Stage: at.Stage,
		Why: s.Why, Notes: s.Notes, Held: s.Held, Holds: at.Holds, Changes: []DocumentChange{}}
	if s.Park != nil {
		out.Parked, out.Hint = s.Park.Error, s.Park.Hint
	}
	if !s.Retained.IsZero() {
		until := s.Retained.UTC()
		out.Retained = &until
	}
	for c := range s.Changes {
		ch := s.Changes[c].Change
		one := DocumentChange{Key: s.Changes[c].Key, Verb: ch.Verb.String(), Account: ch.Account, Name: ch.Name, OldName: ch.OldName,
			Before: ch.Before, Entitlement: ch.Entitlement, Roles: s.Changes[c].Roles, Because: s.Changes[c].Because, Kept: nth(at.Changes, c)}
		for _, v := range ch.Set {
			values := v.Values
			if secret.Attribute(v.Name) {
				one.Before, values = nil, []string{secret.Redacted}
			}
			if values == nil {
				values = []string{}
			}
			one.Attributes = append(one.Attributes, DocumentValues{v.Name, values, v.How, secret.Values(v.Name, v.Without)})
		}
		out.Changes = append(out.Changes, one)
	}
	return out
}

func documentHold(h ledger.Hold) DocumentHold {
	out := DocumentHold{ID: h.ID, Target: h.Target, Rule: h.Rule, Role: h.Role, Status: h.Status.String(), Text: h.Text, Version: h.Version(),
		Opened: h.Opened.UTC(), Changes: len(h.Keys), Keys: make([]target.Key, 0, len(h.Keys))}
	for _, k := range h.Keys {
		out.Keys = append(out.Keys, k.Key)
	}
	out.People = people(h.Keys)
	if h.Status == ledger.Waiting {
		out.Approve = "rosterd approve " + h.ID
	}
	return out
}

// JSON writes the plan as one JSON document.
func JSON(w io.Writer, p Plan, v Verdict) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(NewDocument(p, v))
}
