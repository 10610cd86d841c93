package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rosterd/rosterd/internal/ldif"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/target"
	targetldap "github.com/rosterd/rosterd/target/ldap"
)

// BenchmarkProvisioning measures the first accounts of a tenth of the people:
// ldapadd, the kind ldap alone with the same entries, and the whole program, in
// turn, each into a server of its own. One kind of server syncs each commit to the
// disk, the other has its database in memory.
func BenchmarkProvisioning(b *testing.B) {
	servers.Require(b, "slapd", "slapadd", "ldapsearch", "ldapadd")
	s := newSite(b)
	var t table
	for _, kind := range []struct {
		name string
		cfg  servers.SlapdConfig
	}{
		{"durable", servers.SlapdConfig{Durable: true}},
		{"in memory", servers.SlapdConfig{Durable: true, TempDir: "/dev/shm"}},
	} {
		s.provisioning(&t, kind.name, kind.cfg)
	}
	fmt.Printf("\n%d people; %s\n\n%s\n%s\n", s.company.People, machine(), &t, s.requests())
}

// provisioning measures one kind of server.
func (s *site) provisioning(t *table, kind string, cfg servers.SlapdConfig) {
	var engine, alone, tool, whole []time.Duration // tool is for the accounts, whole for the group too
	var peak int64
	var cpu time.Duration
	n := 0
	for i := range *prove {
		took, entries := s.engine(fmt.Sprintf("%s%d", kind[:2], i), cfg)
		engine, peak, cpu, n = append(engine, took.wall), max(peak, took.peak), took.cpu, len(entries)

		fresh := s.startApps(containers, cfg)
		add := func(file string) time.Duration {
			return s.run([]string{"LDAPTLS_CACERT=" + fresh.CACert}, "ldapadd", "-x", "-H", fresh.TLSURL(), "-D", fresh.AdminDN,
				"-y", s.path("apps.password"), "-f", s.path(file)).wall
		}
		tool = append(tool, add(accountsLDIF))
		whole = append(whole, tool[i]+add(groupLDIF))
		s.stop(fresh)

		fresh = s.startApps(containers+emptyGroup, cfg)
		alone = append(alone, s.alone(fresh, entries))
		s.stop(fresh)
	}
	t.add(fmt.Sprintf("%s: the kind ldap alone, %d entries", kind, n), alone, tool, rate(alone, tool))
	t.add(kind+": the whole program", engine, whole, rate(engine, whole), megabytes(peak), fmt.Sprintf("%s of processor", seconds(cpu)))
}

// rate is how many entries are made in the time in which the tool makes one.
func rate(ours, theirs []time.Duration) string {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = theirs[i].Seconds() / ours[i].Seconds()
	}
	return fmt.Sprintf("%.2f times its rate (%.2f to %.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios))
}

// engine runs the program with an empty state and target, leaves what it made as
// LDIF for ldapadd, and returns the accounts.
func (s *site) engine(name string, cfg servers.SlapdConfig) (took, []ldif.Entry) {
	s.tb.Helper()
	apps := s.startApps(containers+emptyGroup, cfg)
	defer s.stop(apps)
	name = strings.ReplaceAll(name, " ", "")
	config := s.config(name, "ou=unit00,"+s.company.PeopleBase(), "staff", apps)
	took := s.run(nil, s.rosterd, "-c", config, "sync")
	return took, s.export(apps)
}

// workers and share are what the engine does by default: so many calls at a time,
// for so many accounts each.
const (
	workers = 4
	share   = 100
)

// alone makes the accounts by the kind ldap alone: what of the program is not it
// reads, plans and keeps the state.
func (s *site) alone(apps *servers.Slapd, entries []ldif.Entry) time.Duration {
	s.tb.Helper()
	var accounts []target.Creation
	for _, e := range entries {
		c := target.Creation{Name: e.Get("uid")[0]}
		for _, a := range e.Attrs {
			if !strings.EqualFold(a.Name, "objectClass") && !strings.EqualFold(a.Name, "employeeType") {
				c.Set = append(c.Set, target.Value{Name: a.Name, Values: a.Values})
			}
		}
		accounts = append(accounts, c)
	}
	dir, err := targetldap.New(targetldap.Config{URLs: []string{apps.TLSURL()}, CAFile: apps.CACert, BindDN: apps.AdminDN, Password: secret.File(s.path("apps.password")),
		Base: "ou=accounts," + appsSuffix, RDN: "uid", ObjectClasses: []string{"inetOrgPerson"},
		Disable: targetldap.Disable{Attribute: "employeeType", Disabled: "disabled", Enabled: "active"},
		Groups:  targetldap.Groups{Base: "ou=groups," + appsSuffix, Style: "member"}, Connections: workers}, "intranet")
	if err != nil {
		s.tb.Fatal(err)
	}
	defer dir.Close()
	began := time.Now()
	var group sync.WaitGroup
	parts := make(chan []target.Creation)
	for range workers {
		group.Go(func() {
			for part := range parts {
				dir.CreateAll(context.Background(), part, func(i int, c target.Created) bool {
					if c.Err != nil {
						s.tb.Errorf("create %s: %v", part[i].Name, c.Err)
					}
					return c.Err == nil
				})
			}
		})
	}
	for part := range slices.Chunk(accounts, share) {
		parts <- part
	}
	close(parts)
	group.Wait()
	took := time.Since(began)
	there, err := apps.Search("ou=accounts,"+appsSuffix, "one", "(objectClass=inetOrgPerson)", "1.1")
	if err != nil || len(there) != len(accounts) {
		s.tb.Fatalf("the kind alone made %d of %d accounts: %v", len(there), len(accounts), err)
	}
	return took
}

// requests counts, at the server, what a first provisioning takes.
func (s *site) requests() string {
	s.tb.Helper()
	apps := s.startApps(containers+emptyGroup, servers.SlapdConfig{Debug: "stats"})
	defer s.stop(apps)
	s.run(nil, s.rosterd, "-c", s.config("counted", "ou=unit00,"+s.company.PeopleBase(), "staff", apps), "sync")
	made, all := len(s.export(apps)), 0
	kinds := apps.Operations()
	for _, n := range kinds {
		all += n
	}
	return fmt.Sprintf("first provisioning of %d: %d requests at the server, %.3f an account: %v (those of the count itself included)", made, all, float64(all)/float64(made), kinds)
}

// machine says what is measured on, and how busy it is.
func machine() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = []byte("unknown")
	}
	return fmt.Sprintf("%s, load %s", version(), strings.Join(strings.Fields(string(load))[:1], ""))
}
