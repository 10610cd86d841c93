package entries

import (
	"context"
	"sync"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

// Accounts are the entries of a directory as a target. They are safe for
// concurrent use.
type Accounts struct {
	cfg Settings

	slots chan struct{} // one for each connection that may be open
	mu    sync.Mutex    // guards what follows
	idle  []*ldapwire.Conn
	done  bool
	known map[target.NativeID]string // where an account was last seen
	// behind is what groups may still call an account that has another name by now: they
	// could not be written.
	behind map[target.NativeID][]string
	// containers that were there when last looked for, by their names as they were written
	containers map[string]bool

	// moving keeps a move from one searched container to another out of a
	// listing that reads them one after the other: it would be in neither.
	moving sync.RWMutex
}

// New makes them. It does no I/O.
func New(cfg Settings) *Accounts {
	return &Accounts{cfg: cfg, slots: make(chan struct{}, max(1, cfg.Connections)), known: map[target.NativeID]string{}, behind: map[target.NativeID][]string{}, containers: map[string]bool{}}
}

// Describe says what the settings allow.
func (t *Accounts) Describe() target.Description {
	d := target.Description{
		Kind: t.cfg.Kind, NameAttribute: t.cfg.Name,
		CanRename: true, CanDisable: t.cfg.Switch.Turn != nil || !t.cfg.MoveTo.IsZero(), CanDelete: true,
		Entitlements: !t.cfg.Groups.Base.IsZero(), ReadBack: true, Marks: t.cfg.Mark != "", References: true, Moves: !t.cfg.MoveTo.IsZero(),
		Same:     Same,
		SameName: func(a, b string) bool { return Canon(t.cfg.Name, a) == Canon(t.cfg.Name, b) },
		Path:     Container, Passwords: t.cfg.SetPassword != nil, MustChange: t.cfg.MustChange,
	}
	if !t.cfg.MoveTo.IsZero() {
		d.WhileOpen = []string{Container}
	}
	return d
}

// Identity is the base and the ID of its entry: another directory with the same
// names has another.
func (t *Accounts) Identity(ctx context.Context) (string, error) {
	var id string
	err := t.with(ctx, "read the base", func(s *session) error {
		rec, err := s.c.Base(ctx, t.cfg.Base.String(), t.cfg.IDAttribute)
		if err != nil {
			return s.read(err)
		}
		id = t.cfg.Kind + ":" + t.cfg.Base.Key() + "?" + t.id(rec)
		return nil
	})
	return id, err
}

// bases are the containers in which accounts are looked for.
func (t *Accounts) bases() []string {
	if t.cfg.MoveTo.IsZero() || t.cfg.MoveTo.Within(t.cfg.Base) {
		return []string{t.cfg.Base.String()}
	}
	return []string{t.cfg.Base.String(), t.cfg.MoveTo.String()}
}
