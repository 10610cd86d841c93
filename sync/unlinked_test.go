package sync_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/rosterd/rosterd/directory"
	source "github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// unlinker is a source that may have taken somebody out of a group and said nothing.
type unlinker struct {
	*source.Source
	asked [][]directory.Named
	is    bool
	err   error
}

func (u *unlinker) Unlinked(_ context.Context, named []directory.Named) (bool, error) {
	u.asked = append(u.asked, named)
	return u.is, u.err
}

// A sweep asks about those out of scope whom groups name, and about nobody else; where
// the server tells deletions it asks nothing.
func TestASweepAsksWhomGroupsNameOutOfScope(t *testing.T) {
	for _, mute := range []bool{true, false} {
		w := follows(t, mute)
		ids := w.joinMany("p", 20)
		w.members("writers", "p0001", "p0002", "p0005")
		w.members("managers", "p0001", "p0003")
		u := &unlinker{Source: w.source}
		w.engine.Sources[0].Source = u
		w.synced()
		w.move(ids[1], "uid=p0001,ou=alumni,dc=corp,dc=example")
		w.move(ids[4], "uid=p0004,ou=alumni,dc=corp,dc=example")
		w.synced()
		// The server leaves the names as they were: they are those of now again.
		for group, more := range map[string]string{"writers": "p0002", "managers": "p0003"} {
			w.source.Change(w.source.At("cn="+group+","+groups), func(r *source.Record) {
				r.Members = []string{"uid=p0001,ou=alumni,dc=corp,dc=example", "uid=" + more + "," + people}
			})
		}
		w.synced()
		u.asked = nil
		if _, read := w.swept(); read {
			t.Errorf("mute %t: everything was read, and nobody was taken out", mute)
		}
		if !mute {
			if len(u.asked) > 0 {
				t.Errorf("deletions are told, and it asks about %v", u.asked)
			}
			continue
		}
		if len(u.asked) != 1 || len(u.asked[0]) != 1 || u.asked[0][0].ID != ids[1] || u.asked[0][0].Kind != directory.Person || len(u.asked[0][0].Groups) != 2 ||
			!u.asked[0][0].DN.Equal(identity.MustDN("uid=p0001,ou=alumni,dc=corp,dc=example")) {
			t.Errorf("it asks about %+v", u.asked)
		}
		// Of a group that the sweep does not show it is not known whom it names.
		writers := w.source.At("cn=writers," + groups)
		w.source.SetFaults(source.Faults{Hide: func(e directory.Entry) bool { return e.ID == writers }})
		u.asked = nil
		w.swept()
		if len(u.asked) != 1 || len(u.asked[0]) != 1 || slices.Contains(u.asked[0][0].Groups, writers) {
			t.Errorf("it asks about %+v, and the writers are hidden", u.asked)
		}
		w.source.SetFaults(source.Faults{})
		w.swept()

		u.is = true
		if r, read := w.swept(); !read || r.Exit() != 0 {
			t.Errorf("somebody was taken out: read %t, exit %d", read, r.Exit())
		}
		u.is, u.err = false, errors.New("the look-up failed")
		r, read := w.swept()
		if last := r.Reads[len(r.Reads)-1]; !read || !errors.Is(last.Cause, u.err) || last.Why == "" || r.Exit() != 0 {
			t.Errorf("it could not be looked up, each time: read %t, exit %d, because %s: %v, %v", read, r.Exit(), last.Why, last.Cause, last.Err)
		}
		u.err = nil
		w.swept()
		w.quiet()
	}
}
