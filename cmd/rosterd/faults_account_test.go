package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
)

// appEntry is an account with what the server says of its last change.
type appEntry struct {
	appAccount
	uid, number, manager, csn string
}

// entries reads the accounts of the application by entryUUID.
func (k *killing) entries() map[string]appEntry {
	k.t.Helper()
	found, err := k.apps.Search("ou=accounts,"+appsSuffix, "sub", "(objectClass=inetOrgPerson)", "uid", "employeeNumber", "manager", "entryUUID", "entryCSN")
	if err != nil {
		k.t.Fatal(err)
	}
	accounts := k.accounts()
	out := make(map[string]appEntry, len(found))
	for _, e := range found {
		out[one(e, "entryUUID")] = appEntry{appAccount: accounts[one(e, "uid")], uid: one(e, "uid"), number: one(e, "employeeNumber"), manager: one(e, "manager"), csn: one(e, "entryCSN")}
	}
	return out
}

// entitled says whether everybody has the rights that the source gives them,
// and no others. Who left is looked at by agree.
func (k *killing) entitled() {
	k.t.Helper()
	people, err := k.corp.Search(k.company.PeopleBase(), "sub", "(employeeType=staff)", "uid", "title")
	if err != nil {
		k.t.Fatal(err)
	}
	big, err := k.corp.Search(k.company.Group("big"), "base", "(objectClass=*)", "member")
	if err != nil {
		k.t.Fatal(err)
	}
	inBig := map[string]bool{}
	for _, m := range big[0].Get("member") {
		inBig[identity.MustDN(m).Key()] = true
	}
	bottom := map[string]bool{}
	for _, i := range k.company.Bottom(0) {
		bottom[k.company.Login(i)] = true
	}
	have := k.accounts()
	for _, e := range people {
		var want []string
		if bottom[one(e, "uid")] {
			want = append(want, "Editors")
		}
		if inBig[identity.MustDN(e.DN).Key()] {
			want = append(want, "Everyone")
		}
		if one(e, "title") == "Publisher" {
			want = append(want, "Publishers")
		}
		if got := have[one(e, "uid")].groups; !slices.Equal(got, want) {
			k.fault("%s has %v, want %v", one(e, "uid"), got, want)
		}
	}
}

// managed says whether everybody's account refers to that of their manager.
func (k *killing) managed() {
	k.t.Helper()
	people, err := k.corp.Search(k.company.PeopleBase(), "sub", "(&(employeeType=staff)(manager=*))", "uid", "manager")
	if err != nil {
		k.t.Fatal(err)
	}
	accounts := map[string]appEntry{}
	for _, e := range k.entries() {
		accounts[e.uid] = e
	}
	for _, e := range people {
		boss := identity.MustDN(one(e, "manager")).RDN()[0].Value
		if got, want := accounts[one(e, "uid")].manager, accounts[boss].dn; want == "" || got == "" || !identity.MustDN(got).Equal(identity.MustDN(want)) {
			k.fault("the manager of %s is %q, want the account of %s, %q", one(e, "uid"), got, boss, want)
		}
	}
}

// seen is a difference between two readings of the application, or a write in
// the journal: whose account, what.
type seen struct{ account, what string }

// differences says what was done to the application between two readings, as
// the server itself shows it.
func differences(before, after map[string]appEntry) map[seen]bool {
	out := map[seen]bool{}
	for id, now := range after {
		was, old := before[id]
		switch {
		case !old:
			out[seen{id, "create"}] = true
		case was.state != now.state && now.state == "disabled":
			out[seen{id, "disable"}] = true
		case was.state != now.state:
			out[seen{id, "enable"}] = true
		}
		if old && (was.mail != now.mail || was.name != now.name || was.number != now.number || was.manager != now.manager) {
			out[seen{id, "update"}] = true
		}
		for _, g := range now.groups {
			if !slices.Contains(was.groups, g) {
				out[seen{id, "grant " + g}] = true
			}
		}
		for _, g := range was.groups {
			if !slices.Contains(now.groups, g) {
				out[seen{id, "revoke " + g}] = true
			}
		}
	}
	return out
}

// fault tells what is wrong in a round, a dozen times at most.
func (k *killing) fault(format string, args ...any) {
	k.t.Helper()
	k.t.Errorf("round %d: "+format, append([]any{k.number}, args...)...)
	if k.wrong++; k.wrong == 12 {
		k.t.Fatal("and so on")
	}
}

// account holds the journal of a round against what the server shows, and
// returns how many writes there were: every difference was intended and has one
// outcome that says it was done; no more was done than shows; no entry was
// touched without a word; nothing is left in doubt; nobody has two accounts.
func (k *killing) account(before, after map[string]appEntry, records []auditRecord) int {
	k.t.Helper()
	intended, settled := map[uint64]string{}, map[uint64]bool{}
	done := map[seen]int{}
	touched := map[string]bool{}
	for _, r := range records {
		id := r.Public.Intent
		switch {
		case r.Kind == "intent":
			intended[id] = strings.TrimSpace(r.Action + " " + r.Public.Entitlement)
		case r.Kind != "outcome":
		case intended[id] == "":
			k.fault("record %d is an outcome of intent %d, which stands nowhere before it", r.Seq, id)
		case settled[id]:
			k.fault("record %d is a second outcome of intent %d", r.Seq, id)
		case r.Public.Class != "in-doubt":
			settled[id] = true
			if r.Public.Done {
				account := r.Personal[0].Data.Event.Account
				done[seen{account, intended[id]}]++
				touched[account] = touched[account] || !strings.Contains(intended[id], " ")
			}
		}
	}
	for id := range intended {
		if !settled[id] {
			k.fault("intent %d has no outcome", id)
		}
	}
	shown := differences(before, after)
	for d := range shown {
		if done[d] != 1 {
			k.fault("%s of %s shows, and the journal says %d times that it was done", d.what, after[d.account].uid, done[d])
		}
	}
	for d, n := range done {
		if !shown[d] {
			k.fault("the journal says %d times that %s of %s was done, and it does not show", n, d.what, after[d.account].uid)
		}
	}
	numbers := map[string]string{}
	for id, now := range after {
		if other := numbers[now.number]; other != "" {
			k.fault("%s and %s are accounts of number %s", other, now.uid, now.number)
		}
		numbers[now.number] = now.uid
		if now.csn != before[id].csn && !touched[id] {
			k.fault("the entry of %s was written, and the journal says nothing of it", now.uid)
		}
	}
	for id, was := range before {
		if after[id].uid == "" {
			k.fault("the account of %s is gone", was.uid)
		}
	}
	return len(shown)
}

// tooEarly is a kill after which there was nothing to answer.
const tooEarly = "before the first intent"

// fell says in which part of a run the process was killed.
func (k *killing) fell(records []auditRecord) string {
	open, intents, done := map[uint64]bool{}, 0, 0
	for _, r := range records {
		switch {
		case r.Kind == "intent":
			intents++
			open[r.Public.Intent] = true
		case r.Kind == "outcome" && r.Public.Class != "in-doubt":
			delete(open, r.Public.Intent)
			if r.Public.Done {
				done++
			}
		}
	}
	switch {
	case intents == 0:
		return tooEarly
	case len(open) > 0:
		return "between intent and outcome"
	case done < killWrites:
		return "between two batches"
	}
	return "after the last outcome"
}

// tell logs the figures.
func tell(t *testing.T, fell map[string]int, runs map[int]int) {
	for _, stage := range slices.Sorted(maps.Keys(fell)) {
		t.Logf("%d fell %s", fell[stage], stage)
	}
	for _, n := range slices.Sorted(maps.Keys(runs)) {
		t.Logf("%d rounds needed %d more runs", runs[n], n)
	}
}
