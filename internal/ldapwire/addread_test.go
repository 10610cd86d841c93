package ldapwire

import (
	"errors"
	"reflect"
	"testing"

	"github.com/rosterd/rosterd/internal/servers"
)

// The server sends the entry with its answer: the same as a read shows.
func TestSlapdAddRead(t *testing.T) {
	s := servers.StartSlapd(t, servers.SlapdConfig{})
	c := dial(t, Config{URLs: []string{s.URL()}, CAFile: s.CACert, BindDN: s.AdminDN, Password: password(s.AdminPassword)})
	dn := `cn=\, Odd \"One\",` + s.Suffix
	person := []Values{{"objectClass", []string{"inetOrgPerson"}}, {"cn", []string{`, Odd "One"`}}, {"sn", []string{"Öd"}}, {"mail", []string{"a@lab.example", "b@lab.example"}}}
	wanted := []string{"entryUUID", "cn", "mail", "title"}
	got, err := c.AddRead(t.Context(), dn, person, wanted...)
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.Base(t.Context(), dn, wanted...)
	if err != nil {
		t.Fatal(err)
	}
	if got.First("entryUUID") == "" || !reflect.DeepEqual(got, read) {
		t.Errorf("the answer shows\n%+v, a read\n%+v", got, read)
	}
	if again, err := c.AddRead(t.Context(), dn, person, wanted...); !errors.Is(err, ErrAlreadyExists) || again.DN != "" {
		t.Errorf("a second time: %+v, %v", again, err)
	}
}

// What the server sends beside its yes cannot turn it into a no.
func TestReadAfterIsNoEntryUnlessWhole(t *testing.T) {
	whole := []byte{opEntry, 19, tagOctetString, 4, 'd', 'c', '=', 'x', tagSequence, 11, tagSequence, 9, tagOctetString, 2, 'c', 'n', tagSet, 3, tagOctetString, 1, 'a'}
	whole[1] = byte(len(whole) - 2)
	after := func(value []byte) Record {
		return new(entryDecoder).readAfter(&result{controls: []Control{{OID: postRead, Value: value}}})
	}
	if r := after(whole); r.DN != "dc=x" || r.First("cn") != "a" {
		t.Fatalf("read %+v", r)
	}
	for n := range whole {
		if r := after(whole[:n]); r.DN != "" {
			t.Errorf("of %d octets of %d it read %+v", n, len(whole), r)
		}
	}
	for name, value := range map[string][]byte{
		"something behind":   append(append([]byte{}, whole...), 5, 0),
		"another operation":  append([]byte{opSearchDone}, whole[1:]...),
		"an attribute twice": {opEntry, 24, tagOctetString, 4, 'd', 'c', '=', 'x', tagSequence, 16, tagSequence, 6, tagOctetString, 2, 'c', 'n', tagSet, 0, tagSequence, 6, tagOctetString, 2, 'c', 'n', tagSet, 0},
	} {
		if r := after(value); r.DN != "" {
			t.Errorf("%s: it read %+v", name, r)
		}
	}
	if r := new(entryDecoder).readAfter(&result{}); r.DN != "" {
		t.Errorf("without the control it read %+v", r)
	}
}
