package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rosterd/rosterd/target"
)

// DigestOf is the digest of an attribute's values as a set: neither order nor
// repetition matters.
func DigestOf(values []string) Digest {
	set := slices.Clone(values)
	slices.Sort(set)
	h := sha256.New()
	var n [8]byte
	for _, v := range slices.Compact(set) {
		binary.BigEndian.PutUint64(n[:], uint64(len(v)))
		h.Write(n[:])
		h.Write([]byte(v))
	}
	var d Digest
	copy(d[:], h.Sum(nil))
	return d
}

// After is the link after an order was carried out; if it was not, the link as
// it is. The receiver is not changed.
func (l Link) After(o Order, out Outcome, now time.Time) Link {
	if !out.Done {
		return l
	}
	ch := o.Change
	l.Written, l.Added, l.Granted = maps.Clone(l.Written), maps.Clone(l.Added), slices.Clone(l.Granted)
	switch ch.Verb {
	case target.Create:
		l = Link{Person: ch.Person, Target: ch.Target, Owner: Created, Name: ch.Name, Awaits: slices.Clone(o.Awaits)}
		l.open(now)
		l.wrote(ch.Set)
		if l.Owed = o.Owed; o.Shut {
			l.close(Closed, Unopened, now)
		}
	case target.Link:
		if l.Account == ch.Account && l.Phase != 0 && l.Phase != Deleted {
			return l // it is ours already, and was marked anew
		}
		l = Link{Person: ch.Person, Target: ch.Target, Owner: Adopted, By: o.Approval, Account: ch.Account, Name: ch.Name, Awaits: slices.Clone(o.Awaits)}
		if l.By == "" {
			l.By = "policy"
		}
		if l.open(now); o.Shut {
			l.close(ClosedElsewhere, ClosedThere, now)
		}
	case target.Enable:
		l.open(now)
		l.Owed = l.Owed || o.Owed
		l.Reference = "" // it may stand elsewhere now: reading back tells
	case target.SetPassword:
		l.Owed, l.Handed = false, now
	case target.Rename:
		l.Name, l.Reference = ch.Name, ""
	case target.Update:
		l.wrote(ch.Set)
	case target.Grant:
		l.granted(ch.Entitlement, o.Roles, now)
		l.Taken = without(l.Taken, ch.Entitlement)
	case target.Revoke:
		l.Granted = slices.DeleteFunc(l.Granted, func(g Granted) bool { return g.Entitlement == ch.Entitlement })
		if !out.Verified {
			l.Taken = append(slices.Clone(l.Taken), ch.Entitlement)
			slices.Sort(l.Taken)
			l.Taken = slices.Compact(l.Taken)
		}
	case target.Disable:
		l.close(Closed, o.Situation, now)
		l.Reference = ""
	case target.Delete:
		l.close(Deleted, o.Situation, now)
		l.Granted, l.Taken, l.Written, l.Added, l.Awaits = nil, nil, nil, nil, nil
	}
	switch ch.Verb {
	case target.Create, target.Link, target.Rename:
		if out.Account.ID != "" {
			l.Account = out.Account.ID
		}
		if out.Account.Name != "" {
			l.Name = out.Account.Name
		}
		l.Called = l.Name
	}
	if out.Verified {
		l.Verified = now
	}
	return l
}

// MergedDigest is the digest of values that were written beside those of others. It
// is another one than that of the same values alone: whoever wants them alone has
// still to write them.
func MergedDigest(values []string) Digest {
	return DigestOf(append(slices.Clone(values), "\x00beside others"))
}

// SeenDigest is the digest of values that stood there, by whomever.
func SeenDigest(values []string) Digest {
	return DigestOf(append(slices.Clone(values), "\x00seen"))
}

func (l *Link) open(now time.Time) {
	if l.Phase != Open {
		l.Phase, l.PhaseSince = Open, now
	}
	l.Cause = ""
}

func (l *Link) close(p Phase, cause string, now time.Time) {
	if l.Phase != p {
		l.Phase, l.PhaseSince = p, now
	}
	l.Cause = cause
}

func (l *Link) wrote(set []target.Value) {
	if l.Written == nil {
		l.Written = make(map[string]Digest, len(set))
	}
	for _, v := range set {
		if l.Written[v.Name] = DigestOf(v.Values); v.How == target.Merge {
			l.Written[v.Name] = MergedDigest(v.Values)
		}
		l.add(v)
	}
}

// add remembers what a merge gave. Any other write makes all values ours, or
// none, and then there is nothing to remember.
func (l *Link) add(v target.Value) {
	if v.How != target.Merge {
		delete(l.Added, v.Name)
		return
	}
	ours := slices.DeleteFunc(slices.Clone(l.Added[v.Name]), func(x string) bool { return slices.Contains(v.Without, x) })
	for _, x := range v.Values {
		if !slices.Contains(v.Kept, x) {
			ours = append(ours, x)
		}
	}
	l.SetAdded(v.Name, ours)
}

// SetAdded says which values of an attribute are those that we added.
func (l *Link) SetAdded(name string, values []string) {
	if len(values) == 0 {
		delete(l.Added, name)
		return
	}
	if l.Added == nil {
		l.Added = map[string][]string{}
	}
	slices.Sort(values)
	l.Added[name] = slices.Compact(values)
}

func (l *Link) granted(entitlement string, roles []string, now time.Time) {
	i, had := slices.BinarySearchFunc(l.Granted, entitlement, func(g Granted, e string) int { return strings.Compare(g.Entitlement, e) })
	if had {
		l.Granted[i].Roles = slices.Clone(roles)
		return
	}
	l.Granted = slices.Insert(l.Granted, i, Granted{Entitlement: entitlement, Roles: slices.Clone(roles), Since: now})
}

// Respelt is the link with entitlements by other names, by those that they had. The
// receiver is not changed.
func (l Link) Respelt(names map[string]string) Link {
	given := l.Granted
	l.Granted = nil
	for _, g := range given {
		g.Entitlement = cmp.Or(names[g.Entitlement], g.Entitlement)
		i, had := slices.BinarySearchFunc(l.Granted, g.Entitlement, func(x Granted, e string) int { return strings.Compare(x.Entitlement, e) })
		if !had {
			l.Granted = slices.Insert(l.Granted, i, g)
			continue
		}
		both := slices.Sorted(slices.Values(slices.Concat(l.Granted[i].Roles, g.Roles)))
		l.Granted[i].Roles = slices.Compact(both)
		if g.Since.Before(l.Granted[i].Since) {
			l.Granted[i].Since = g.Since
		}
	}
	return l
}

// Unproved is the link of an account of which nobody read back what was taken: whoever
// was to do that was stopped. By it that is held still. The receiver is not changed.
func (l Link) Unproved() Link {
	l.Granted = slices.Clone(l.Granted)
	for _, e := range l.Taken {
		i, had := slices.BinarySearchFunc(l.Granted, e, func(g Granted, e string) int { return strings.Compare(g.Entitlement, e) })
		if !had {
			l.Granted = slices.Insert(l.Granted, i, Granted{Entitlement: e})
		}
	}
	l.Taken = nil
	return l
}

func without(list []string, one string) []string {
	if len(list) == 1 && list[0] == one {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return x == one })
}
