package ldap

import (
	"strings"
	"testing"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// said reads what one attribute with the values means.
func said(name string, values ...string) identity.Validity {
	return validity(view("uid=x,dc=example", attribute(strings.ToLower(name), values...)), believed(nil), nil)
}

func TestValidityOfServers(t *testing.T) {
	const closed, open, unread = "closed", "", "unread"
	for _, c := range []struct{ attribute, value, want string }{
		{"userAccountControl", "512", open},
		{"userAccountControl", "514", closed},
		{"userAccountControl", "66050", closed},
		{"userAccountControl", "528", open},     // 0x10: locked out
		{"userAccountControl", "8389120", open}, // 0x800000: the password is over
		{"userAccountControl", "-2147483136", open},
		{"userAccountControl", "-2147483134", closed},
		{"userAccountControl", "0x2", unread},
		{"userAccountControl", "ACCOUNTDISABLE", unread},
		{"userAccountControl", "9999999999", unread},
		{"accountExpires", "0", open},
		{"accountExpires", "9223372036854775807", open},
		{"accountExpires", "134116128000000000", "until 2025-12-31 00:00 UTC"},
		{"accountExpires", "20261231170000Z", unread},
		{"nsAccountLock", "TRUE", closed},
		{"nsAccountLock", "true", closed},
		{"nsAccountLock", "FALSE", open},
		{"nsAccountLock", "yes", unread},
		{"pwdAccountLockedTime", "000001010000Z", closed},
		{"pwdAccountLockedTime", "00000101000000Z", closed},
		{"pwdAccountLockedTime", "20260101120000Z", open},
		{"pwdStartTime", "20261201080000Z", "from 2026-12-01 08:00 UTC"},
		{"pwdStartTime", "tomorrow", unread},
		{"pwdEndTime", "20261231170000Z", "until 2026-12-31 17:00 UTC"},
		{"pwdEndTime", "20261231170000", unread},
		{"krbPrincipalExpiration", "20261231170000Z", "until 2026-12-31 17:00 UTC"},
		{"krbPrincipalExpiration", "never", unread},
		{"shadowExpire", "-1", open},
		{"shadowExpire", "0", closed},
		{"shadowExpire", "1", closed},
		{"shadowExpire", "20819", "until 2027-01-01 00:00 UTC"},
		{"shadowExpire", "-7", unread},
		{"loginDisabled", "TRUE", closed},
		{"loginDisabled", "FALSE", open},
		{"loginExpirationTime", "20261231170000Z", "until 2026-12-31 17:00 UTC"},
		// Those that say nothing of the kind.
		{"lockoutTime", "134116128000000000", open},
		{"pwdChangedTime", "20200101000000Z", open},
		{"passwordExpirationTime", "20200101000000Z", open},
		{"krbPasswordExpiration", "20200101000000Z", open},
		{"shadowLastChange", "1", open},
	} {
		v := said(c.attribute, c.value)
		got := ""
		by := []string{v.ClosedBy, v.From.By, v.Until.By}
		switch {
		case len(v.Unread) > 0:
			got, by = unread, append(by, strings.SplitN(v.Unread[0], ":", 2)[0])
		case v.ClosedBy != "":
			got = closed
		case v.From.Set():
			got = "from " + v.From.At.Format("2006-01-02 15:04 MST")
		case v.Until.Set():
			got = "until " + v.Until.At.Format("2006-01-02 15:04 MST")
		}
		if got != c.want {
			t.Errorf("%s: %s is %q, want %q: %+v", c.attribute, c.value, got, c.want, v)
		}
		if named := strings.Join(by, ""); got != open && named != c.attribute {
			t.Errorf("%s: %s is said to be by %q", c.attribute, c.value, named)
		}
		// Nothing but a value makes a difference.
		for _, none := range [][]string{nil, {""}, {" "}} {
			if v := said(c.attribute, none...); !v.IsZero() {
				t.Errorf("%s without a value: %+v", c.attribute, v)
			}
		}
	}
}

// Of several the narrowest holds, of one attribute and of many; one that cannot
// be read does not hide the others, nor they it.
func TestValidityOfSeveral(t *testing.T) {
	v := said("nsAccountLock", "FALSE", "TRUE")
	if v.ClosedBy != "nsAccountLock" {
		t.Errorf("one of two values closes: %+v", v)
	}
	v = validity(view("uid=x,dc=example", attribute("shadowexpire", "20819"), attribute("krbprincipalexpiration", "20261231170000Z"),
		attribute("pwdendtime", "soon"), attribute("pwdstarttime", "20260101000000Z"), attribute("pwdaccountlockedtime", "20260101120000Z")), believed(nil), nil)
	want := time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC)
	if v.Until.By != "krbPrincipalExpiration" || !v.Until.At.Equal(want) || v.From.By != "pwdStartTime" || len(v.Unread) != 1 || v.ClosedBy != "" {
		t.Errorf("%+v", v)
	}
	if v := said("accountExpires", "134116128000000000", "0"); !v.Until.Set() {
		t.Errorf("never beside an end: %+v", v)
	}
}

// An attribute that everybody there has, and that is not shown, was not read:
// whoever may be closed by it is neither open nor closed.
func TestValidityThatIsNotShown(t *testing.T) {
	e := func(names ...string) *ldapwire.Entry {
		v := view("cn=x,dc=example")
		for _, n := range names {
			v.Attributes = append(v.Attributes, attribute(n, "512"))
		}
		return v
	}
	if v := validity(e("useraccountcontrol"), believed(nil), adServer.account); !v.IsZero() {
		t.Errorf("shown: %+v", v)
	}
	v := validity(e("samaccountname"), believed(nil), adServer.account)
	if len(v.Unread) != 1 || !strings.HasPrefix(v.Unread[0], "userAccountControl is not shown") || v.At(time.Now()).Standing != identity.Active {
		t.Errorf("not shown: %+v", v)
	}
	if v := validity(e("samaccountname"), believed(nil), genericServer.account); !v.IsZero() {
		t.Errorf("elsewhere nobody has it: %+v", v)
	}
}

// What is not believed is not asked for, says nothing, and is not missed.
func TestValidityOfWhatIsBelieved(t *testing.T) {
	s := source(t, func(c *Config) { c.AccountState = []string{"NSACCOUNTLOCK", "shadowExpire"} })
	if got := strings.Join(s.personAttributes(), " "); !strings.Contains(got, "nsAccountLock shadowExpire") || strings.Contains(got, "pwdAccountLockedTime") {
		t.Errorf("asked for: %s", got)
	}
	e := view("uid=x,dc=example", attribute("entryuuid", "1"), attribute("shadowexpire", "20819"), attribute("pwdaccountlockedtime", "000001010000Z"), attribute("useraccountcontrol", "514"))
	got, err := s.shape().person(e)
	if err != nil || got.Validity.ClosedBy != "" || got.Validity.Until.By != "shadowExpire" {
		t.Errorf("%+v, %v", got.Validity, err)
	}
	if v := validity(view("cn=x,dc=example"), []string{"accountExpires"}, adServer.account); !v.IsZero() {
		t.Errorf("what is not believed is missed: %+v", v)
	}
	none := source(t, func(c *Config) { c.AccountState = []string{} })
	if got, err := none.shape().person(e); err != nil || !got.Validity.IsZero() {
		t.Errorf("nothing is believed: %+v, %v", got.Validity, err)
	}
	if a, b := source(t, nil), none; a.scope == b.scope || s.scope == b.scope {
		t.Error("the scope does not tell them apart")
	}
}

// Whatever a server sends, an attribute says one thing, and the same each time.
func FuzzValidity(f *testing.F) {
	for name := range accountDecoders {
		for _, value := range []string{"", "0", "TRUE", "514", "20261231170000Z", "000001010000Z", "-1", "9223372036854775807", "\xff"} {
			f.Add(name, value)
		}
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		v := said(name, value)
		n := len(v.Unread)
		for _, is := range []bool{v.ClosedBy != "", v.From.Set(), v.Until.Set()} {
			if is {
				n++
			}
		}
		if n > 1 {
			t.Errorf("%s: %q says %+v", name, value, v)
		}
		for _, b := range []identity.Bound{v.From, v.Until} {
			if b.Set() && (b.At.Year() < 1601 || b.At.Year() > 9999 || b.At.Location() != time.UTC) {
				t.Errorf("%s: %q is %s", name, value, b.At)
			}
		}
		if _, known := accountDecoders[strings.ToLower(name)]; !known && !v.IsZero() {
			t.Errorf("%s is no such attribute: %+v", name, v)
		}
	})
}
