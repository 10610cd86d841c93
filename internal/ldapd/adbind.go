package ldapd

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/rosterd/rosterd/identity"
)

// Bits of userAccountControl.
const (
	uacDisabled    = 0x2
	uacNoPassword  = 0x20
	uacNeverExpire = 0x10000
)

// bindName reads who wants to bind: in an Active Directory also name@domain
// and DOMAIN\name.
func (s *session) bindName(name string) (identity.DN, *Error) {
	dir := s.srv.dir
	dn, refused := s.parseName(name)
	if dir.domain == nil || refused == nil {
		return dn, refused
	}
	dir.mu.RLock()
	defer dir.mu.RUnlock()
	attr, value := "userprincipalname", name
	if realm, login, ok := strings.Cut(name, `\`); ok && strings.EqualFold(realm, dir.domain.netbios) {
		attr, value = "samaccountname", login
	} else if login, realm, ok := strings.Cut(name, "@"); ok && strings.EqualFold(realm, dir.domain.dns) && len(dir.index[attr][strings.ToLower(name)]) == 0 {
		attr, value = "samaccountname", login
	}
	if found := dir.index[attr][strings.ToLower(value)]; len(found) == 1 {
		return found[0].rec.dn, nil
	}
	return identity.DN{}, badCredentials("52e")
}

func badCredentials(data string) *Error {
	return refuse(InvalidCredentials, "80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data %s, v4563", data)
}

// bindAD checks a password and whether the account may be used. The lock is
// held.
func (d *Directory) bindAD(n *node, password string) *Error {
	r := n.rec
	good := false
	for _, key := range []string{"unicodepwd", "userpassword"} {
		if a := r.get(key); a != nil && slices.ContainsFunc(a.values, func(v string) bool { return same(v, password) }) {
			good = true
		}
	}
	uac, _ := strconv.Atoi(r.first("useraccountcontrol"))
	expires, _ := strconv.ParseInt(r.first("accountexpires"), 10, 64)
	now, _ := strconv.ParseInt(fileTime(d.now()), 10, 64)
	switch {
	case !good:
		return badCredentials("52e")
	case r.is("user") && uac&uacDisabled != 0:
		return badCredentials("533")
	case expires > 0 && expires <= now:
		return badCredentials("701")
	case r.is("user") && r.get("unicodepwd") != nil && r.first("pwdlastset") == "0" && uac&uacNeverExpire == 0:
		return badCredentials("773")
	}
	return nil
}

// passwords reads what is to become a password, which an Active Directory
// takes in one form, and over TLS only.
func (s *session) passwords(changes []Change) *Error {
	if s.srv.dir.domain == nil {
		return nil
	}
	for i, c := range changes {
		if !strings.EqualFold(c.Attr, "unicodePwd") {
			continue
		}
		if !s.secure && s.raw.RemoteAddr().Network() != "unix" {
			return refuse(UnwillingToPerform, "0000001F: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0")
		}
		var values []string
		for _, v := range c.Values {
			text, ok := quoted16(v)
			switch {
			case !ok:
				return refuse(UnwillingToPerform, "0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0")
			case len(text) < 7:
				return refuse(ConstraintViolation, "0000052D: AtrErr: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)")
			}
			values = append(values, text)
		}
		changes[i].Values = values
	}
	return nil
}

// quoted16 reads a text in quotes, in UTF-16 with the least octet first.
func quoted16(v string) (string, bool) {
	if len(v)%2 != 0 {
		return "", false
	}
	var units []uint16
	for i := 0; i < len(v); i += 2 {
		units = append(units, uint16(v[i])|uint16(v[i+1])<<8)
	}
	text := string(utf16.Decode(units))
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return "", false
	}
	return text[1 : len(text)-1], true
}

// checkAccount holds the rules for accounts, and notes when a password was set, unless
// the same request said so. Who is "" is us, who may do anything.
func (d *Directory) checkAccount(before, after *record, said bool, who string) *Error {
	if d.domain == nil || !after.is("user") {
		return nil
	}
	was := func(key string) string {
		if before == nil {
			return ""
		}
		return before.first(key)
	}
	if pw := after.first("unicodepwd"); pw != "" && pw != was("unicodepwd") && after.first("pwdlastset") == was("pwdlastset") && !said || after.first("pwdlastset") == "-1" {
		after.set("pwdLastSet", fileTime(d.now()))
	}
	uac, _ := strconv.Atoi(after.first("useraccountcontrol"))
	enabled := uac&(uacDisabled|uacNoPassword) == 0
	if who != "" && enabled && after.first("useraccountcontrol") != was("useraccountcontrol") &&
		!after.is("computer") && after.get("unicodepwd") == nil && after.get("userpassword") == nil {
		return refuse(UnwillingToPerform, "0000052D: SvcErr: DSID-031A126A, problem 5003 (WILL_NOT_PERFORM), data 0")
	}
	if g := after.first("primarygroupid"); before != nil && g != was("primarygroupid") {
		if group := d.primaryGroup(g); group == nil || group.rec.get("member") == nil || group.rec.get("member").find(before.dn.Key()) < 0 {
			return refuse(UnwillingToPerform, "00000561: SvcErr: DSID-031A1246, problem 5003 (WILL_NOT_PERFORM), data 0")
		}
	}
	return nil
}

// primaryGroup finds the group with that RID.
func (d *Directory) primaryGroup(rid string) *node {
	n, err := strconv.ParseUint(rid, 10, 32)
	if err != nil {
		return nil
	}
	if found := d.index["objectsid"][d.domain.account(uint32(n))]; len(found) == 1 {
		return found[0]
	}
	return nil
}

// changedPrimaryGroup moves somebody whose primary group has changed from the
// members of the one into those of the other.
func (d *Directory) changedPrimaryGroup(n *node, before *record, who string) {
	if d.domain == nil || before.first("primarygroupid") == n.rec.first("primarygroupid") {
		return
	}
	dn := n.rec.dn.String()
	for _, x := range []struct {
		group *node
		op    ChangeOp
	}{{d.primaryGroup(n.rec.first("primarygroupid")), DeleteValues}, {d.primaryGroup(before.first("primarygroupid")), AddValues}} {
		if x.group != nil {
			d.modify(x.group.rec.dn, []Change{{Op: x.op, Attr: "member", Values: []string{dn}}}, who, true) //nolint:errcheck // permissive
		}
	}
}
