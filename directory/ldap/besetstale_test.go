package ldap_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapd"
)

// What a server may have forgotten, or become, since a cursor was given. Either
// it says so, or what is lost is found in another way; never is anybody lost who
// is there.
func TestStaleCursors(t *testing.T) {
	for _, x := range []struct {
		name string
		kind ldapd.Kind
		// spoil comes before the changes, and after them.
		before, after func(*beset)
		lost          bool // everything must be read
		sweep         bool // IDs must be listed
	}{
		{"slapd restarted, its session log lost", ldapd.OpenLDAP, nil, func(b *beset) { b.dir.Forget() }, false, true},
		{"slapd restarted before", ldapd.OpenLDAP, func(b *beset) { b.dir.Forget() }, nil, false, false},
		{"389-ds, its changelog trimmed", ldapd.Dirsrv, nil, func(b *beset) { b.dir.TrimChangelog(5) }, true, false},
		{"389-ds, trimmed to nothing", ldapd.Dirsrv, nil, func(b *beset) { b.dir.TrimChangelog(0) }, true, false},
		{"389-ds, trimmed before", ldapd.Dirsrv, func(b *beset) { b.dir.TrimChangelog(0) }, nil, false, false},
		{"a domain controller restored", ldapd.ActiveDirectory, nil, func(b *beset) { b.dir.Restored() }, true, false},
		{"a domain controller restored before", ldapd.ActiveDirectory, func(b *beset) { b.dir.Restored() }, nil, true, false},
	} {
		for _, w := range ways {
			if w.kind != x.kind || w.engine == "timestamp" || w.kind == ldapd.OpenLDAP && w.log == 0 {
				continue
			}
			t.Run(x.name+"/"+w.engine, func(t *testing.T) {
				t.Parallel()
				b := newBeset(t, w)
				b.crowd()
				s := b.open(nil)
				m := mirrorOf(t, s)
				for _, do := range []func(*beset){x.before, (*beset).happen, x.after} {
					if do != nil {
						do(b)
					}
				}
				there := b.present()
				f, err := m.clone(t, s).follow(t.Context())
				lost := (*directory.LostError)(nil)
				if errors.As(err, &lost) != x.lost || err != nil && !x.lost || x.sweep && f.Facts().Sweep == "" {
					t.Errorf("sweep %q, %v", f.Facts().Sweep, err)
				}
				if facts := m.must(); facts.Sweep != "" {
					m.sweep()
				}
				m.kept(there)
				m.same()
			})
		}
	}
}

// A controller that says that it has not got everything yet is not read.
func TestUnsynchronizedController(t *testing.T) {
	for _, w := range ways {
		if w.kind != ldapd.ActiveDirectory {
			continue
		}
		t.Run(w.engine, func(t *testing.T) {
			t.Parallel()
			b := newBeset(t, w)
			b.crowd()
			m := mirrorOf(t, b.open(nil))
			b.happen()
			b.dir.AD.Unsynchronized = true
			if _, err := m.follow(t.Context()); err == nil || !strings.Contains(err.Error(), "isSynchronized") || m.opened {
				t.Errorf("%v", err)
			}
		})
	}
}

// Who may not look into Deleted Objects sees that nobody is there, and that is no
// proof of anything.
func TestDeletedObjectsThatAreNotSeen(t *testing.T) {
	t.Parallel()
	b := newBeset(t, way{"", ldapd.ActiveDirectory, "usn", 0})
	b.dir.AD.DeletedReaders = nil
	b.crowd()
	m := mirrorOf(t, b.open(nil))
	b.happen()
	there := b.present()
	f := m.must()
	if f.Sweep == "" || len(m.gone) > 0 {
		t.Errorf("sweep %q, told %v", f.Sweep, m.told)
	}
	m.kept(there)
	m.sweep()
	m.same()
}

// Whoever comes back from the recycle bin comes back into their groups, of which
// nothing tells.
func TestBackFromTheRecycleBin(t *testing.T) {
	for _, w := range ways {
		if w.kind != ldapd.ActiveDirectory {
			continue
		}
		for _, bin := range []bool{true, false} {
			t.Run(w.engine+map[bool]string{true: ", recycle bin", false: ", tombstones"}[bin], func(t *testing.T) {
				t.Parallel()
				b := newBeset(t, w)
				b.dir.AD.RecycleBin = bin
				b.crowd()
				m := mirrorOf(t, b.open(nil))
				dn := "cn=writer0," + besetPeople
				guid := b.dir.GUID(dn)
				b.must(b.dir.Delete(dn))
				m.must()
				if m.gone[identity.ID(guid)] == "" {
					t.Fatalf("deleted, and told: %v", m.told)
				}
				m.same()
				b.must(b.dir.Undelete(guid, dn))
				m.must()
				m.same()
				if e := m.entries[identity.ID(guid)]; !e.DN.Equal(identity.MustDN(dn)) {
					t.Errorf("not back: %v", m.told)
				}
				b.must(b.dir.Delete(dn))
				if bin {
					b.must(b.dir.Recycle(guid))
				}
				m.must()
				m.same()
				if m.gone[identity.ID(guid)] == "" {
					t.Errorf("deleted again, and told: %v", m.told)
				}
			})
		}
	}
}

// A controller that gives less in one answer than is asked for, with both readers
// and long groups: everything comes.
func TestCappedController(t *testing.T) {
	for reader, kind := range readers {
		t.Run(reader, func(t *testing.T) {
			t.Parallel()
			b := newBeset(t, way{"", ldapd.ActiveDirectory, "dirsync", 0})
			b.dir.AD.MaxPageSize = 3
			b.crowd()
			s := b.open(func(c *ldap.Config) { c.Reader, c.PageSize = kind, 1000 })
			m := mirrorOf(t, s)
			if n := len(m.entries[identity.ID(b.dir.GUID("cn=all,"+besetGroups))].Members); n != 12 {
				t.Errorf("%d members", n)
			}
			b.happen()
			m.must()
			m.same()
		})
	}
}

// A provider that names who is present, and ends as if it had named who is
// deleted: whoever it did not name is looked for all the same.
func TestPresentPhaseThatEndsAsAnother(t *testing.T) {
	t.Parallel()
	b := newBeset(t, way{"", ldapd.OpenLDAP, "syncrepl", 0})
	b.crowd()
	m := mirrorOf(t, b.open(nil))
	b.must(b.dir.Delete("cn=writer4," + besetPeople))
	b.server.Faults().Add(ldapd.Fault{Op: ldapd.OpSearch, Do: ldapd.Flip})
	if f := m.must(); f.Sweep == "" {
		t.Errorf("nothing is looked for; told %v", m.told)
	}
}
