package ldap_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/internal/proof"
	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/identity"
)

// mirror is a snapshot in memory that a source is read and followed into.
type mirror struct {
	t         testing.TB
	source    *ldap.Source
	cursor    directory.Cursor
	known     directory.Knowledge
	entries   map[identity.ID]directory.Entry
	out, gone map[identity.ID]string // where they are now; what proves it
	left      map[identity.ID]directory.Known

	// living compares only members who are there: a server that does not tell who
	// was deleted does not tell of their memberships either.
	living bool

	opened  bool
	told    []string // of the last follow
	pending []func() // applied when it was proved
}

// mirrorOf reads the source whole.
func mirrorOf(t testing.TB, s *ldap.Source) *mirror {
	t.Helper()
	m := &mirror{t: t, source: s}
	m.read()
	return m
}

func (m *mirror) read() {
	m.t.Helper()
	m.entries, m.out, m.gone = map[identity.ID]directory.Entry{}, map[identity.ID]string{}, map[identity.ID]string{}
	m.left = nil
	p, err := m.source.Read(m.t.Context(), (*listed)(m))
	if err != nil {
		m.t.Fatal(err)
	}
	m.cursor, m.known = p.Cursor(), p.Shown()
}

// listed takes a listing.
type listed mirror

func (l *listed) Add(entries []directory.Entry) error {
	for _, e := range entries {
		l.entries[mirrored(e.Kind, e.ID)] = e
	}
	return nil
}

// mirrored is under what an entry is kept: a container may be somebody too.
func mirrored(kind directory.Kind, id identity.ID) identity.ID {
	if kind == directory.Container {
		return "container " + id
	}
	return id
}

// follow follows once, and returns what a sweep is needed for. Nothing of it
// counts if there is an error.
func (m *mirror) follow(ctx context.Context) (directory.Followed, error) {
	m.opened, m.told, m.pending = false, nil, nil
	f, err := m.source.Follow(ctx, m.cursor, m.known, func() (directory.Changes, error) {
		m.opened = true
		return m, nil
	})
	if err != nil {
		if f.Valid() {
			m.t.Fatalf("following failed (%v) and has a valid proof", err)
		}
		return f, err
	}
	if !f.Valid() || f.Facts().Nothing == m.opened {
		m.t.Fatalf("valid %t, nothing %t, opened %t", f.Valid(), f.Facts().Nothing, m.opened)
	}
	for _, do := range m.pending {
		do()
	}
	m.cursor, m.known = f.Facts().Cursor, f.Facts().Shown
	return f, nil
}

// must follows; reading everything where the cursor is lost counts as well, and
// is told.
func (m *mirror) must() proof.FollowedFacts {
	m.t.Helper()
	f, err := m.follow(m.t.Context())
	if lost := (*directory.LostError)(nil); errors.As(err, &lost) {
		m.t.Logf("lost: %v", err)
		m.read()
		m.told = []string{"lost"}
		return proof.FollowedFacts{}
	}
	if err != nil {
		m.t.Fatal(err)
	}
	return f.Facts()
}

// same compares what is thought to be there with a listing.
func (m *mirror) same() {
	m.t.Helper()
	fresh := mirrorOf(m.t, m.source)
	fresh.living = m.living
	want, got := fresh.text(), m.text()
	if diff := gocmp.Diff(want, got); diff != "" {
		m.t.Fatalf("what was followed is not what is there (-there +followed):\n%s\ntold: %s", diff, strings.Join(m.told, "; "))
	}
}

// text is one line an entry.
func (m *mirror) text() []string {
	var out []string
	for _, e := range m.entries {
		if e.Kind == directory.Container {
			continue // one that is empty now may be known still
		}
		var members []string
		for _, x := range e.Members {
			if m.living && !m.is(x.DN) {
				continue
			}
			members = append(members, x.DN.Key()+x.Login)
		}
		slices.Sort(members)
		out = append(out, fmt.Sprintf("%s %s %s %q %q %q %v %v %v", e.Kind, e.ID, e.DN.Key(), e.Login, e.Mail, e.Name, e.Validity, e.Attributes.List(), members))
	}
	slices.Sort(out)
	return out
}

// is says whether there is an entry of that name.
func (m *mirror) is(dn identity.DN) bool {
	for _, e := range m.entries {
		if e.DN.Equal(dn) {
			return true
		}
	}
	return false
}

// id is that of the entry with the name.
func (m *mirror) id(dn string) identity.ID {
	m.t.Helper()
	for _, e := range m.entries {
		if e.DN.Equal(identity.MustDN(dn)) {
			return e.ID
		}
	}
	m.t.Fatalf("%s is not known", dn)
	return ""
}

func (m *mirror) say(format string, args ...any) {
	m.told = append(m.told, fmt.Sprintf(format, args...))
}

func (m *mirror) Put(entries []directory.Entry) error {
	for _, e := range entries {
		m.say("put %s", e.DN)
		m.pending = append(m.pending, func() {
			if e.Kind != directory.Container {
				delete(m.out, e.ID)
				delete(m.gone, e.ID)
				delete(m.left, e.ID)
			}
			m.entries[mirrored(e.Kind, e.ID)] = e
		})
	}
	return nil
}

func (m *mirror) Edit(edits []directory.Edit) error {
	for _, e := range edits {
		m.say("edit %s", e.Group)
		m.pending = append(m.pending, func() {
			g := m.entries[e.Group]
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(x directory.Member) bool {
				return slices.ContainsFunc(append(slices.Clone(e.Gained), e.Lost...), func(y directory.Member) bool { return x.DN.Equal(y.DN) && x.Login == y.Login })
			})
			g.Members = append(g.Members, e.Gained...)
			m.entries[e.Group] = g
		})
	}
	return nil
}

func (m *mirror) Left(found []directory.Finding) error {
	for _, f := range found {
		m.say("left %s", f.DN)
		m.pending = append(m.pending, func() {
			if e, known := m.entries[f.ID]; known && f.Kind != directory.Container {
				m.out[f.ID] = f.DN.String()
				m.leave(e.Kind, f.ID, f.DN)
			}
			delete(m.entries, mirrored(f.Kind, f.ID))
		})
	}
	return nil
}

func (m *mirror) leave(kind directory.Kind, id identity.ID, dn identity.DN) {
	if m.left == nil {
		m.left = map[identity.ID]directory.Known{}
	}
	m.left[id] = directory.Known{Kind: kind, ID: id, DN: dn, Left: true}
}

func (m *mirror) Gone(gone []directory.Gone) error {
	for _, g := range gone {
		m.say("gone %s: %s", g.ID, g.By)
		m.pending = append(m.pending, func() {
			if e, known := m.entries[g.ID]; known {
				m.gone[g.ID] = g.By
				m.leave(e.Kind, g.ID, e.DN)
				delete(m.entries, g.ID)
			}
			delete(m.entries, mirrored(directory.Container, g.ID))
		})
	}
	return nil
}

func (m *mirror) Lookup(ids []identity.ID) ([]directory.Known, error) {
	var out []directory.Known
	for _, id := range ids {
		if k, left := m.left[id]; left {
			out = append(out, k)
		}
		for _, kind := range []directory.Kind{directory.Person, directory.Container} {
			if e, known := m.entries[mirrored(kind, id)]; known {
				out = append(out, directory.Known{Kind: e.Kind, ID: e.ID, DN: e.DN})
			}
		}
	}
	return out, nil
}

func (m *mirror) Below(container identity.DN) ([]directory.Known, error) {
	return m.filter(func(e directory.Entry) bool { return e.DN.Within(container) && !e.DN.Equal(container) }), nil
}

func (m *mirror) Named(container identity.DN) (out []identity.DN, _ error) {
	for _, e := range m.entries {
		for _, x := range e.Members {
			if e.Kind == directory.Group && x.DN.Within(container) && !x.DN.Equal(container) {
				out = append(out, x.DN)
			}
		}
	}
	return out, nil
}

func (m *mirror) Holding(members []identity.DN) ([]directory.Known, error) {
	return m.filter(func(e directory.Entry) bool {
		return e.Kind == directory.Group && slices.ContainsFunc(e.Members, func(x directory.Member) bool {
			return !x.DN.IsZero() && slices.ContainsFunc(members, x.DN.Equal)
		})
	}), nil
}

func (m *mirror) Referring(named []identity.DN) ([]directory.Known, error) {
	return m.filter(func(e directory.Entry) bool {
		managers, _ := e.Attributes.Get("manager")
		return slices.ContainsFunc(managers, func(v string) bool { return slices.ContainsFunc(named, identity.MustDN(v).Equal) })
	}), nil
}

func (m *mirror) filter(keep func(directory.Entry) bool) []directory.Known {
	var out []directory.Known
	for _, e := range m.entries {
		if keep(e) {
			out = append(out, directory.Known{Kind: e.Kind, ID: e.ID, DN: e.DN})
		}
	}
	slices.SortFunc(out, func(a, b directory.Known) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// sweep does what a sweep and look-ups by ID would: who is known and not listed is
// out of scope, or presumed gone.
func (m *mirror) sweep() {
	m.t.Helper()
	seen := &mirror{t: m.t, entries: map[identity.ID]directory.Entry{}}
	if _, err := m.source.Sweep(m.t.Context(), (*listed)(seen)); err != nil {
		m.t.Fatal(err)
	}
	var missing []directory.Known
	for id, e := range m.entries {
		if _, there := seen.entries[id]; !there && e.Kind != directory.Container {
			missing = append(missing, directory.Known{Kind: e.Kind, ID: id, DN: e.DN})
		}
	}
	found, err := m.source.Find(m.t.Context(), missing)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, f := range found {
		if f.Found {
			m.out[f.ID] = f.DN.String()
		} else {
			m.gone[f.ID] = "presumed"
		}
		delete(m.entries, f.ID)
	}
}
