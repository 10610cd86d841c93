package state

import (
	"reflect"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/memory"
	"github.com/rosterd/rosterd/identity"
)

// What the server says of when an account may be used is kept as it was read,
// over years that a count of nanoseconds does not reach; a change of it alone is
// a change, and what is the same is none.
func TestValidityIsKept(t *testing.T) {
	k := newKit(t)
	id := k.persons(6)[0]
	k.read()
	for _, v := range []identity.Validity{
		{Until: identity.Bound{At: time.Date(9999, 12, 31, 23, 59, 59, 999, time.UTC), By: "accountExpires"}},
		{From: identity.Bound{At: time.Date(1903, 1, 2, 3, 4, 5, 600, time.UTC), By: "pwdStartTime", Day: "1903-01-02"}},
		{Until: identity.Bound{At: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), By: "shadowExpire"}, Unread: []string{"pwdEndTime: ?", "x: ?"}},
		{ClosedBy: "nsAccountLock"},
		{},
	} {
		k.src.Change(id, func(r *memory.Record) { r.Validity = v })
		k.read()
		p := k.one("writer1")
		if !reflect.DeepEqual(p.Validity, v) {
			t.Errorf("%+v became %+v", v, p.Validity)
		}
		want := identity.Active
		if v.ClosedBy != "" {
			want = identity.Disabled
		}
		if p.Standing != want {
			t.Errorf("%+v: %s", v, p.Standing)
		}
		if s := k.read(); s.Changed != 0 {
			t.Errorf("%+v: read again, %d changed", v, s.Changed)
		}
	}
}
