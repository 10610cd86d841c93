package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/internal/handover"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/target"
)

// engine makes the engine of a state under the policy in force. Where the file
// at hand says another policy, its engine stands behind as the next one. The
// function it returns closes what the targets hold.
func (a *app) engine(c *config.Config, store *state.Store) (*rostersync.Engine, func(), error) {
	m := &maker{app: a, store: store, attributes: c.Policy.Attributes(), sources: map[string]directory.Source{}, targets: map[string]target.Target{}}
	e, err := m.engines(c)
	return e, m.close, err
}

// maker makes engines that share sources and targets, as far as their policies
// agree about these.
type maker struct {
	*app
	store *state.Store
	// attributes are those that either policy names: an edit is judged on what
	// was read, and a read that has more than is needed does no harm.
	attributes []string
	sources    map[string]directory.Source
	targets    map[string]target.Target
	closers    []func() error
}

func (m *maker) close() {
	for _, f := range m.closers {
		if err := f(); err != nil {
			m.complain(err, "")
		}
	}
}

func (m *maker) engines(c *config.Config) (*rostersync.Engine, error) {
	if m.store == nil {
		return m.engine(c)
	}
	kept, known, err := m.store.Policy()
	if err != nil {
		return nil, err
	}
	if !known {
		return m.engine(c)
	}
	force, problems := config.Parse(c.File+" in force", []byte(kept.Text), kinds())
	if force != nil && force.Hash == c.Hash {
		return m.engine(c)
	}
	if force == nil {
		return m.frozen(c, problems)
	}
	m.attributes = slices.Concat(m.attributes, force.Policy.Attributes())
	slices.Sort(m.attributes)
	m.attributes = slices.Compact(m.attributes)
	e, err := m.engine(c.Under(force))
	if err != nil {
		return nil, err
	}
	e.Next, err = m.engine(c)
	return e, err
}

// frozen is for a policy in force that this version cannot read. Which accounts
// it protects, and what it would take, is not known: nothing is done.
func (m *maker) frozen(c *config.Config, problems config.Problems) (*rostersync.Engine, error) {
	e, err := m.engine(c)
	if err != nil {
		return nil, err
	}
	why := ""
	for _, p := range problems {
		if !p.Warning {
			why = first(why, strings.TrimPrefix(p.Key+": "+p.Message, ": "))
		}
	}
	e.Frozen = "the policy in force cannot be read by this rosterd (" + why + ")"
	if e.Next, err = m.engine(c); err != nil {
		return nil, err
	}
	return e, nil
}

// engine makes one engine.
func (m *maker) engine(c *config.Config) (*rostersync.Engine, error) {
	e := &rostersync.Engine{Store: m.store, Policy: c.Policy, PolicyText: string(c.Text), File: c.File, Hash: c.Hash, Now: m.now, KeepJournal: time.Duration(c.State.KeepJournal), KeepLeavers: time.Duration(c.State.KeepLeavers)}
	var errs []error
	for _, name := range sortedKeys(c.Sources) {
		s := c.Sources[name]
		source, err := m.source(s)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		e.Sources = append(e.Sources, rostersync.Source{Source: source, VanishAfter: time.Duration(s.Guard.VanishAfter),
			MinPeople: float64(s.Guard.MinPeople) / 100, MaxRekey: int(s.Guard.MaxRename.Count)})
	}
	for _, name := range sortedKeys(c.Targets) {
		t := c.Targets[name]
		made, err := m.target(t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		member := rostersync.Target{Name: name, Target: made, Rules: t.Rules, Concurrency: t.Concurrency, VerifyWithin: time.Duration(t.VerifyWithin)}
		if t.Rate > 0 {
			member.Rate = rate.NewLimiter(rate.Limit(t.Rate), max(1, int(t.Rate)))
		}
		if t.Rules.Password.Generate {
			desk, err := handover.New(t.HandOver)
			if err != nil {
				errs = append(errs, fmt.Errorf("make target %s: %w", name, err))
				continue
			}
			member.Passwords = desk
		}
		e.Targets = append(e.Targets, member)
	}
	return e, errors.Join(errs...)
}

func (m *maker) source(s *config.Source) (directory.Source, error) {
	kin, err := s.Kin()
	if err != nil {
		return nil, fmt.Errorf("make source %s: %w", s.Name, err)
	}
	if made, is := m.sources[kin]; is {
		return made, nil
	}
	made, err := m.newSource(s, m.attributes)
	if err != nil {
		return nil, err
	}
	m.sources[kin] = made
	if closer, ok := made.(io.Closer); ok {
		m.closers = append(m.closers, closer.Close)
	}
	return made, nil
}

func (m *maker) target(t *config.Target) (target.Target, error) {
	kin, err := t.Kin()
	if err != nil {
		return nil, fmt.Errorf("make target %s: %w", t.Name, err)
	}
	if made, is := m.targets[kin]; is {
		return made, nil
	}
	made, err := newTarget(t.Name, t.Options)
	if err != nil {
		return nil, err
	}
	m.targets[kin] = made
	if closer, ok := made.(target.Closer); ok {
		m.closers = append(m.closers, closer.Close)
	}
	return made, nil
}
