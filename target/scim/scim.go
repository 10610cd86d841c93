package scim

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rosterd/rosterd/internal/clock"
	"github.com/rosterd/rosterd/target"
)

// Target is a service with accounts. It is safe for concurrent use.
type Target struct {
	cfg     Config
	dialect Profile
	name    string
	base    *url.URL
	http    *client
	most    int64 // bytes of a listing

	learn   sync.Mutex // held while the server is asked what it is
	learned *server    // guarded by learn

	mu    sync.Mutex // guards what follows
	rungs rungs
	// groups are the IDs of groups by the entitlement that means them.
	groups map[string]string
	locks  map[string]*sync.Mutex
	// alive are accounts that were seen, and not deleted since.
	alive map[target.NativeID]bool
	// unfiltered are attributes by which this server cannot find anything.
	unfiltered map[string]bool
	members    caution
	written    written
	sure       bool // the configuration says that groups show their members
	kept       keeping
	// mustMatch: the server takes no write without If-Match.
	mustMatch atomic.Bool
	// textActive: a new account says that it is active in a text.
	textActive atomic.Bool
}

// New makes the target. It does no I/O.
func New(cfg Config, name string) (*Target, error) { return newTarget(cfg, name, clock.Real{}) }

func newTarget(cfg Config, name string, now clock.Clock) (*Target, error) {
	sure := cfg.Dialect.Members == membersShown || profiles()[cfg.Profile].Members == membersShown
	cfg = cfg.withDefaults()
	base, err := url.Parse(strings.TrimRight(cfg.URL, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("make the target %s: the address cannot be used", name)
	}
	t := &Target{
		cfg: cfg, dialect: cfg.Dialect, name: name, base: base, most: maxListing, sure: sure,
		groups: map[string]string{}, locks: map[string]*sync.Mutex{}, alive: map[target.NativeID]bool{}, unfiltered: map[string]bool{},
	}
	t.rungs = firstRungs(cfg.Dialect)
	t.members = firstCaution(cfg.Dialect)
	t.http = newClient(cfg, base, now)
	return t, nil
}

func (t *Target) marks() bool { return t.dialect.Mark == markExternalID }

// Describe says what the dialect allows.
func (t *Target) Describe() target.Description {
	return target.Description{
		Kind: "scim", NameAttribute: userName,
		CanRename: true, CanDisable: t.dialect.Active != none, CanDelete: true,
		Entitlements: true, ReadBack: t.dialect.Members != membersOmitted, Marks: t.marks(), Passwords: t.dialect.Passwords == on,
		Same: same, SameName: sameName,
	}
}

// Identity is the address: SCIM has no name for the system behind it.
func (t *Target) Identity(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	u := *t.base
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return "scim:" + u.Host + u.EscapedPath(), nil
}

// Close closes the connections that nobody uses.
func (t *Target) Close() error {
	t.http.close()
	return nil
}

// each runs do for 0 to n-1, a few at once, and returns the first error. After an
// error no more are begun.
func (t *Target) each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	slots := make(chan struct{}, max(1, t.cfg.Connections))
	for i := range n {
		slots <- struct{}{}
		if ctx.Err() != nil {
			<-slots
			break
		}
		group.Go(func() {
			defer func() { <-slots }()
			if err := do(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
