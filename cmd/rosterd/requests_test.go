package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/company"
	"github.com/rosterd/rosterd/internal/servers"
)

// counted puts in the place of the application's server one that counts.
func (s *site) counted(more string) {
	s.t.Helper()
	s.apps = servers.StartSlapd(s.t, servers.SlapdConfig{Suffix: appsSuffix, LDIF: []io.Reader{strings.NewReader(appsLDIF)}, Debug: "stats"})
	writeFile(s.t, filepath.Join(s.folder, "apps.password"), s.apps.AdminPassword)
	s.write(siteConfig + more)
}

// spent are the requests of what is done, by kind and all together.
func (s *site) spent(do func()) (byKind map[string]int, all int) {
	before := s.apps.Operations()
	do()
	byKind = s.apps.Operations()
	for kind := range byKind {
		byKind[kind] -= before[kind]
		all += byKind[kind]
	}
	maps.DeleteFunc(byKind, func(_ string, n int) bool { return n == 0 })
	return byKind, all
}

// Requests counted at the server, of the whole program: few for many, one for
// one, none for nothing.
func TestRequestsAreFew(t *testing.T) {
	const people = 500
	s := newSite(t, company.Company{People: people, Groups: 10, Big: people}, guardOff)
	s.counted(guardOff)

	// A first provisioning: everybody is looked for in one listing, made, put into
	// a group, and read back in one listing. Beside the adds are ten requests for
	// each connection and listing, and six hundredths of one for each account.
	kinds, all := s.spent(func() { s.want(0, "sync") })
	made := len(s.accounts())
	t.Logf("%d accounts: %d requests, %v: %.3f an account", made, all, kinds, float64(all)/float64(made))
	if made < people*8/10 || kinds["ADD"] != made {
		t.Errorf("%d accounts by %d adds", made, kinds["ADD"])
	}
	if most := made + made*6/100 + 40; all > most {
		t.Errorf("%d requests for %d accounts, at most %d: %v", all, made, most, kinds)
	}
	if n := kinds["MOD"]; n > 10 {
		t.Errorf("%d requests to fill three groups", n)
	}
	s.agree()

	// No change, no write; and where everybody is looked at, a listing.
	for _, how := range [][]string{{"sync"}, {"sync", "--full"}} {
		kinds, all := s.spent(func() { s.want(0, how...) })
		t.Logf("%v, no change: %d requests, %v", how, all, kinds)
		if writes := kinds["ADD"] + kinds["MOD"] + kinds["MODRDN"] + kinds["DEL"]; writes > 0 || all > 10 {
			t.Errorf("%v, no change: %d writes, %v", how, writes, kinds)
		}
	}

	// One attribute, one request to write.
	s.modify("dn: %s\nchangetype: modify\nreplace: sn\nsn: Otherwise\n", s.company.DN(0))
	kinds, all = s.spent(func() { s.want(0, "sync") })
	t.Logf("one attribute: %d requests, %v", all, kinds)
	if kinds["MOD"] != 1 || kinds["ADD"]+kinds["MODRDN"]+kinds["DEL"] > 0 {
		t.Errorf("one attribute: %v", kinds)
	}

	// One right fewer for many, one request. Each of them is asked for afterwards, since no
	// listing is believed about who lost something: a search for every few.
	var gone strings.Builder
	for i := range 400 {
		fmt.Fprintf(&gone, "member: %s\n", s.company.DN(i))
	}
	s.modify("dn: %s\nchangetype: modify\ndelete: member\n%s", s.company.Group("big"), gone.String())
	kinds, all = s.spent(func() { s.want(0, "sync") })
	t.Logf("400 out of a group: %d requests, %v", all, kinds)
	if kinds["MOD"] > 2 || kinds["ADD"]+kinds["MODRDN"]+kinds["DEL"] > 0 || all > 160 {
		t.Errorf("400 out of a group: %v", kinds)
	}
	accounts := s.accounts()
	for i := range people {
		if a, has := accounts[s.company.Login(i)]; has && slices.Contains(a.groups, "Everyone") != (i >= 400) {
			t.Errorf("%s holds %q", s.company.Login(i), a.groups)
		}
	}
}
