//go:build servers

package ldap_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/internal/servers"
	"github.com/rosterd/rosterd/sync/followtest"
)

// crowd is how many people the big stories are of.
const crowd = 5000

// story tells both stories, each in a world of its own.
func story(t *testing.T, start func(crowd int) followtest.Start, traits followtest.Traits) {
	traits.Now = time.Now
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		followtest.Run(t, start(0), traits)
	})
	t.Run("many", func(t *testing.T) {
		t.Parallel()
		followtest.RunBig(t, start(crowd), traits)
	})
}

func TestSlapdStory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode     servers.SlapdSync
		overlays []string
		traits   followtest.Traits
	}{
		{servers.NoSync, nil, followtest.Traits{}}, // everything is read each time
		{servers.NoSync, nil, followtest.Traits{Engine: "timestamp"}},
		{servers.NoSync, []string{"memberof", "refint"}, followtest.Traits{Engine: "timestamp"}},
		{servers.SyncPlain, nil, followtest.Traits{Engine: "timestamp"}},
		{servers.SyncPlain, []string{"memberof", "refint"}, followtest.Traits{Engine: "syncrepl", Deletes: true}},
		{servers.SyncSessionLog, nil, followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true}},
		{servers.SyncSessionLog, []string{"memberof", "refint"}, followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true}},
		{servers.SyncAccessLog, nil, followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true}},
		{servers.SyncAccessLog, []string{"memberof", "refint"}, followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true}},
	} {
		changes := cmp.Or(c.traits.Engine, "full")
		t.Run(fmt.Sprintf("%s %s %v", changes, c.mode, c.overlays), func(t *testing.T) {
			t.Parallel()
			story(t, func(n int) followtest.Start { return storySlapd(c.mode, changes, n, c.overlays...) }, c.traits)
		})
	}
}

// sambaWorld adds what only Active Directory has.
type sambaWorld struct {
	*storyWorld
	dc *servers.Samba
}

func (w *sambaWorld) SetPrimary(person, group string) error {
	found, err := w.dc.Search(group, "base", "(objectClass=*)", "primaryGroupToken")
	if err != nil || len(found) != 1 || len(found[0].Get("primaryGroupToken")) != 1 {
		return fmt.Errorf("read the number of %s: %v, %w", group, found, err)
	}
	return w.Set(person, "primaryGroupID", found[0].Get("primaryGroupToken")[0])
}

func storySamba(user, changes string, n int) followtest.Start {
	return func(t *testing.T) followtest.World {
		w := &storyWorld{t: t, schema: domain()}
		cfg := servers.SambaConfig{}
		if n > 0 {
			var text io.Reader
			w.crowd, text = crowded(w.schema, n)
			cfg.LDIF = []io.Reader{text}
		}
		s := servers.StartSamba(t, cfg)
		w.restart = s.Restart
		const ace = "(D;CI;RPLC;;;USER)"
		w.hide = func(in string) error { return s.AddACE(in, ace, user) }
		w.show = func(in string) error { return s.RemoveACE(in, ace, user) }
		w.admin = ldapwire.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: s.AdminDN, Password: func() (string, error) { return s.AdminPassword, nil }}
		w.cfg = ldap.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: user + "@lab.example", Password: password(t, servers.SambaPassword), Changes: changes,
			People: ldap.People{Bases: []string{w.base}}, Groups: ldap.Groups{Bases: []string{w.groups}}, Person: ldap.Person{Key: "employeeNumber"}}
		w.open()
		// Somebody was deleted before, by whom it is proved that deletions are seen.
		if err := errors.Join(w.AddPerson("CN=left,"+w.base, "left"), w.Delete("CN=left,"+w.base)); err != nil {
			t.Fatal(err)
		}
		return &sambaWorld{w, s}
	}
}

func TestSambaStory(t *testing.T) {
	t.Parallel()
	for user, traits := range map[string]followtest.Traits{
		"sync": {Engine: "dirsync", Deletes: true, Proves: true}, "dirsync": {Engine: "dirsync"},
		"deleted": {Engine: "usn", Deletes: true, Proves: true}, "reader": {Engine: "usn"}} {
		t.Run(traits.Engine+" as "+user, func(t *testing.T) {
			t.Parallel()
			story(t, func(n int) followtest.Start { return storySamba(user, traits.Engine, n) }, traits)
		})
	}
}

// What Samba does not do: 5,000 members in ranges of 1,500.
func TestDomainStory(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"dirsync", "usn"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			followtest.RunBig(t, storyDomain(engine, crowd, 0), followtest.Traits{Engine: engine, Deletes: true, Proves: true, Now: time.Now})
		})
	}
}

func storyDirsrv(changes string, n int, plugins ...servers.DirsrvPlugin) followtest.Start {
	return func(t *testing.T) followtest.World {
		w := &storyWorld{t: t, schema: unix(replace("nsAccountLock", "true"), replace("nsAccountLock"))}
		cfg := servers.DirsrvConfig{Plugins: plugins}
		if n > 0 {
			var text io.Reader
			w.crowd, text = crowded(w.schema, n)
			cfg.LDIF = []io.Reader{text}
		}
		s := servers.StartDirsrv(t, cfg)
		w.restart, w.ds = s.Restart, s
		w.hide = func(in string) error {
			return s.SetACI(in, `(targetattr = "*")(version 3.0; acl "hide"; deny (all) userdn = "ldap:///`+sync+`";)`)
		}
		w.show = func(in string) error { return s.SetACI(in) }
		w.admin = ldapwire.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: s.AdminDN, Password: func() (string, error) { return s.AdminPassword, nil }}
		w.cfg = ldap.Config{URLs: []string{s.TLSURL()}, CAFile: s.CACert, BindDN: sync, Password: password(t, "sync"), Changes: changes,
			People: ldap.People{Bases: []string{people}}, Groups: ldap.Groups{Bases: []string{groups}}, Person: ldap.Person{Key: "employeeNumber"}}
		if !slices.Contains(plugins, servers.ReferentialIntegrity) {
			w.cfg.Pause = hasty
		}
		return w.open()
	}
}

// trueNames lets the server show entries by the names that they have (docs/directories/389ds.md).
func trueNames(start followtest.Start) followtest.Start {
	return func(t *testing.T) followtest.World {
		w := start(t)
		if err := w.(*storyWorld).ds.Modify("dn: cn=config\nchangetype: modify\nreplace: nsslapd-return-original-entrydn\nnsslapd-return-original-entrydn: off\n"); err != nil {
			t.Fatal(err)
		}
		return w
	}
}

func TestDirsrvStory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plugins []servers.DirsrvPlugin
		traits  followtest.Traits
	}{
		"timestamp bare":    {nil, followtest.Traits{Engine: "timestamp"}},
		"timestamp":         {[]servers.DirsrvPlugin{servers.MemberOf, servers.ReferentialIntegrity}, followtest.Traits{Engine: "timestamp"}},
		"syncrepl":          {[]servers.DirsrvPlugin{servers.ContentSync}, followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true, Restarts: true}},
		"syncrepl all else": {[]servers.DirsrvPlugin{servers.ContentSync, servers.MemberOf, servers.ReferentialIntegrity, servers.EntryUSN}, followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true, Restarts: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, func(n int) followtest.Start {
				if len(c.plugins) > 3 {
					n = min(n, crowd/5) // 389 DS writes memberOf of each, and a change of that into its log, while one waits for the group
				}
				return storyDirsrv(c.traits.Engine, n, c.plugins...)
			}, c.traits)
		})
	}
}

// hidden hides a container of ten and shows it again, once for each.
func hidden(t *testing.T, name string, start followtest.Start, traits followtest.Traits) {
	traits.Now = time.Now
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		followtest.RunHidden(t, start, traits)
	})
}

func TestSlapdHidden(t *testing.T) {
	t.Parallel()
	hidden(t, "plain", storySlapd(servers.SyncPlain, "syncrepl", 0), followtest.Traits{Engine: "syncrepl", Deletes: true})
	hidden(t, "access log", storySlapd(servers.SyncAccessLog, "syncrepl", 0), followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true})
}

func TestSambaHidden(t *testing.T) {
	t.Parallel()
	hidden(t, "dirsync", storySamba("sync", "dirsync", 0), followtest.Traits{Engine: "dirsync", Deletes: true, Proves: true})
	hidden(t, "usn", storySamba("deleted", "usn", 0), followtest.Traits{Engine: "usn", Deletes: true, Proves: true})
	hidden(t, "usn without the deleted", storySamba("reader", "usn", 0), followtest.Traits{Engine: "usn"})
}

// To ask Samba for changes is not to see what was deleted.
func TestSambaUnlinked(t *testing.T) {
	t.Parallel()
	for user, engine := range map[string]string{"reader": "usn", "dirsync": "dirsync"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			followtest.RunUnlinked(t, storySamba(user, engine, 0), followtest.Traits{Engine: engine, Now: time.Now})
		})
	}
}

func TestDirsrvHidden(t *testing.T) {
	t.Parallel()
	hidden(t, "syncrepl", storyDirsrv("syncrepl", 0, servers.ContentSync), followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true, Restarts: true})
	hidden(t, "timestamp", storyDirsrv("timestamp", 0), followtest.Traits{Engine: "timestamp"})
}

// walk goes at random, once for each.
func walk(t *testing.T, name string, start followtest.Start, traits followtest.Traits) {
	traits.Now = time.Now
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		seed, operations := followtest.Drawn(t, uint64(time.Now().UnixNano()))
		followtest.Walk(t, start, traits, seed, operations)
	})
}

func TestSlapdWalk(t *testing.T) {
	t.Parallel()
	walk(t, "plain", storySlapd(servers.SyncPlain, "syncrepl", 0), followtest.Traits{Engine: "syncrepl", Deletes: true})
	walk(t, "access log", storySlapd(servers.SyncAccessLog, "syncrepl", 0), followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true})
	walk(t, "not a provider", storySlapd(servers.NoSync, "timestamp", 0), followtest.Traits{Engine: "timestamp"})
	walk(t, "full", storySlapd(servers.NoSync, "full", 0), followtest.Traits{})
}

func TestSambaWalk(t *testing.T) {
	t.Parallel()
	walk(t, "dirsync", storySamba("sync", "dirsync", 0), followtest.Traits{Engine: "dirsync", Deletes: true, Proves: true})
	walk(t, "usn", storySamba("deleted", "usn", 0), followtest.Traits{Engine: "usn", Deletes: true, Proves: true})
	walk(t, "usn without the deleted", storySamba("reader", "usn", 0), followtest.Traits{Engine: "usn"})
}

func TestDirsrvWalk(t *testing.T) {
	t.Parallel()
	walk(t, "syncrepl", storyDirsrv("syncrepl", 0, servers.ContentSync, servers.MemberOf, servers.ReferentialIntegrity), followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true, Restarts: true, RenamesOnce: true})
	walk(t, "timestamp", storyDirsrv("timestamp", 0), followtest.Traits{Engine: "timestamp", RenamesOnce: true})
	walk(t, "true names", trueNames(storyDirsrv("syncrepl", 0, servers.ContentSync, servers.ReferentialIntegrity)), followtest.Traits{Engine: "syncrepl", Deletes: true, Proves: true, Restarts: true})
}
