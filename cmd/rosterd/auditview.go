package main

import (
	"encoding/json"
	"strings"

	"github.com/rosterd/rosterd/state/journal"
	"github.com/rosterd/rosterd/target"
)

// auditView is a record of the journal, taken apart.
type auditView struct {
	journal.Sealed
	// These name the person whom it is about; they are empty once forgotten.
	ID, Login, DN string
	Write         auditWrite
	By            string
	// Reason is why somebody decided so, Text why there is a hold.
	Reason, Text, Version string
	// Changes are those of a hold, in words.
	Changes []string
	// Errors are of a cycle, or of what was not read back.
	Errors []string
	// Forgotten says that a personal part is gone.
	Forgotten bool
	Public    auditPublic
}

// auditWrite is what the personal part of a write says.
type auditWrite struct {
	Account, Name string
	OldName       string `json:"old_name"`
	Set           []target.Value
	Before        []string
	Because       []string
	Error         string
	Reason        string
}

// auditPublic is what the public parts of all kinds of records say.
type auditPublic struct {
	Intent              uint64
	Entitlement         string
	Attributes, Roles   []string
	Approval            string
	Done                *bool
	Verified, Shut      bool
	Class               string
	Attempts            int
	TookMS              int64 `json:"took_ms"`
	Hold, Rule, Role    string
	Changes, Added      int
	Dropped, Approved   int
	Refused, Exit       int
	Verb, Until, Source string
	People              []uint64
	Hash                string
	Epoch               uint64
	Links, Failures     int
	Next, What, Way     string
	Counts              map[string]int
}

// viewOf reads what it knows of a record; what it does not is in the JSON forms.
func viewOf(r journal.Sealed) auditView {
	v := auditView{Sealed: r}
	_ = json.Unmarshal(r.Record.Public, &v.Public)
	for _, p := range r.Parts {
		if p.Data == nil {
			v.Forgotten = true
			continue
		}
		var e struct {
			ID, DN, Login, By, Reason, Text, Version string
			Subject, Error                           string
			Event                                    json.RawMessage
			Changes                                  []struct{ Text, Now string }
		}
		if json.Unmarshal(p.Event(), &e) != nil {
			continue
		}
		if p.Person == r.Person && e.ID != "" {
			v.ID, v.DN, v.Login = e.ID, e.DN, e.Login
		}
		_ = json.Unmarshal(e.Event, &v.Write)
		v.By, v.Text, v.Version = first(v.By, e.By), first(v.Text, e.Text), first(v.Version, e.Version)
		v.Reason = first(v.Reason, e.Reason, v.Write.Reason)
		for _, c := range e.Changes {
			v.Changes = append(v.Changes, c.Now+" "+c.Text)
		}
		if text := strings.TrimPrefix(e.Subject+": "+e.Error, ": "); text != "" {
			v.Errors = append(v.Errors, text)
		}
	}
	return v
}

// after are the values that a write gives, as attribute=value.
func (v *auditView) after() []string {
	var out []string
	for _, s := range v.Write.Set {
		out = append(out, s.Name+"="+strings.Join(s.Values, " | "))
	}
	return out
}

// partJSON is a personal part for machines.
type partJSON struct {
	// Person is 0 where it is about nobody who is known by number.
	Person uint64 `json:"person,omitempty"`
	// Everybody whom the record is about.
	Everybody bool            `json:"everybody,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Forgotten bool            `json:"forgotten,omitempty"`
}

// recordJSON is one record of the journal for machines.
type recordJSON struct {
	journal.Record
	Personal []partJSON `json:"personal,omitempty"`
	Hash     string     `json:"hash"`
}

func toRecordJSON(r journal.Sealed) recordJSON {
	out := recordJSON{Record: r.Record, Hash: r.Hash.String()}
	for _, p := range r.Parts {
		part := partJSON{Person: p.Person, Data: p.Event(), Forgotten: p.Data == nil}
		if p.Person == journal.Everybody {
			part.Person, part.Everybody = 0, true
		}
		out.Personal = append(out.Personal, part)
	}
	return out
}
