package ldap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// attrDeleted is TRUE of what was deleted, and of the container where it is kept.
const (
	attrDeleted    = "isDeleted"
	deletedObjects = "Deleted Objects"
)

// traceAttributes are what a trace is made of.
var traceAttributes = []string{objectGUID, attrDeleted}

// showDeleted asks for deleted objects, and for those that are kept only so that
// other controllers learn of it.
func showDeleted(s ldapwire.Server) []ldapwire.RequestControl {
	if s.HasControl(ldapwire.OIDShowRecycled) {
		return []ldapwire.RequestControl{ldapwire.ShowRecycled()}
	}
	return []ldapwire.RequestControl{ldapwire.ShowDeleted()}
}

// traceOf reads what an entry of the domain is. The container of deleted objects
// is none of them: those who may not read it see it without attributes.
func traceOf(e *ldapwire.Entry, root identity.DN) (t trace, ok bool, err error) {
	if t.dn, err = identity.ParseDN(string(e.DN)); err != nil {
		return trace{}, false, fmt.Errorf("read the name of an entry: %w", err)
	}
	bin := identity.JoinRDN("CN", deletedObjects, root)
	if t.dn.Equal(bin) {
		return trace{}, false, nil
	}
	named, deleted := deletedName(t.dn)
	deleted = deleted && t.dn.Parent().Equal(bin)
	t.deleted = deleted || strings.EqualFold(e.First(strings.ToLower(attrDeleted)), "TRUE")
	values := e.Values(strings.ToLower(objectGUID))
	switch {
	case len(values) == 1:
		if t.id, err = parseGUID(values[0]); err != nil {
			err = fail(ErrID, "", "%s of %q: %v", objectGUID, e.DN, err)
		}
	case deleted:
		t.id = named
	default:
		err = fail(ErrID, "let the bind user read it, for every entry of the domain", "the entry %q shows no %s", e.DN, objectGUID)
	}
	return t, err == nil, err
}

// deletedName is the ID in the name of a deleted object, which is its old name
// with "\0ADEL:" and its GUID behind ([MS-ADTS], 3.1.1.5.5.1.1).
func deletedName(dn identity.DN) (identity.ID, bool) {
	rdn := dn.RDN()
	if len(rdn) != 1 {
		return "", false
	}
	_, id, found := strings.Cut(rdn[0].Value, "\nDEL:")
	if !found {
		return "", false
	}
	_, is := guidOctets(normalID(id))
	return normalID(id), is
}

// inBase says whether a name is below one of the bases, or one of them.
func (s *Source) inBase(dn identity.DN) bool { return slices.ContainsFunc(s.bases(), dn.Within) }

// notComputers leaves out what changes all day in a domain, unless the filters ask
// for it. Every schema knows the class: of one that is not known a server may say
// that nobody can tell, and show nothing.
func (s *Source) notComputers() string {
	if strings.Contains(strings.ToLower(s.cfg.People.Filter+s.cfg.Groups.Filter), "computer") {
		return ""
	}
	return "(!(objectClass=computer))"
}
