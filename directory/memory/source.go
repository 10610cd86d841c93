// Package memory is a source that lives in the process: for tests, for the
// demo, and for trying a policy without a directory. It is where a fake gets
// its proof from, and it fails on demand.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/directory/internal/proof"
	"github.com/rosterd/rosterd/identity"
)

// ChunkSize is the most entries that a stage is given at once.
const ChunkSize = 1000

// Config says what of the records is read. The zero value reads uid, mail and
// cn of everything.
type Config struct {
	// Attributes are read beside those of Login, Mail, Name and Key.
	Attributes []string
	// Login, Mail and Name are the attributes that give these; uid, mail and cn
	// if left out. Key gives the rehire key; none if left out.
	Login, Mail, Name, Key string
	// Bases are the containers whose records are listed; all if left out.
	Bases []string
	// Canaries are the DNs of records without which no read is complete.
	Canaries []string
	// Follow makes it a source whose changes can be followed; Mute one that does not
	// tell who was deleted.
	Follow, Mute bool
}

// Source is a source in memory. It is safe for concurrent use, so that a test
// may change the records while a read waits.
type Source struct {
	name     string
	cfg      Config
	bases    []identity.DN
	canaries []identity.DN
	coverage identity.Coverage
	now      func() time.Time

	mu      sync.Mutex
	records []Record // in the order in which they came
	places  map[identity.ID]int
	last    int
	faults  Faults
	reads   int
	sweeps  int
	finds   int
	follows int
	log     []operation // what happened since trimmed
	trimmed int
}

// New makes an empty source; now tells the instant of a proof. It panics if a
// base or canary is no DN, since the caller wrote it.
func New(name string, cfg Config, now func() time.Time) *Source {
	for _, d := range []struct {
		to    *string
		value string
	}{{&cfg.Login, "uid"}, {&cfg.Mail, "mail"}, {&cfg.Name, "cn"}} {
		if *d.to == "" {
			*d.to = d.value
		}
	}
	s := &Source{name: name, cfg: cfg, now: now}
	s.coverage = identity.NewCoverage(append(slices.Clone(cfg.Attributes), cfg.Login, cfg.Mail, cfg.Name, cfg.Key)...)
	for _, b := range cfg.Bases {
		s.bases = append(s.bases, identity.MustDN(b))
	}
	for _, c := range cfg.Canaries {
		s.canaries = append(s.canaries, identity.MustDN(c))
	}
	return s
}

// Name is the name that it was made with.
func (s *Source) Name() string { return s.name }

// Coverage is what Read asks for.
func (s *Source) Coverage() identity.Coverage { return s.coverage }

// Reads is how many reads were begun, those of Check included.
func (s *Source) Reads() int { s.mu.Lock(); defer s.mu.Unlock(); return s.reads }

// Finds is how many look-ups were begun.
func (s *Source) Finds() int { s.mu.Lock(); defer s.mu.Unlock(); return s.finds }

// Sweeps is how many listings of IDs were begun.
func (s *Source) Sweeps() int { s.mu.Lock(); defer s.mu.Unlock(); return s.sweeps }

// Follows is how often changes were asked for.
func (s *Source) Follows() int { s.mu.Lock(); defer s.mu.Unlock(); return s.follows }

// Read lists the records as they were when it was called.
func (s *Source) Read(ctx context.Context, stage directory.Stage) (directory.Proof, error) {
	return s.list(ctx, stage, &s.reads, false)
}

// Sweep lists their IDs.
func (s *Source) Sweep(ctx context.Context, stage directory.Stage) (directory.Proof, error) {
	return s.list(ctx, stage, &s.sweeps, true)
}

func (s *Source) list(ctx context.Context, stage directory.Stage, counter *int, ids bool) (directory.Proof, error) {
	at := s.now()
	records, faults, reached := s.view(counter)
	var chunk []directory.Entry
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		full := chunk
		chunk = nil
		return stage.Add(full)
	}
	seen := map[string]bool{}
	count := map[directory.Kind]int{}
	given := 0
	for i := range len(records) + 1 {
		if err := ctx.Err(); err != nil {
			return directory.Proof{}, fmt.Errorf("read source %s: %w", s.name, err)
		}
		if faults.Read != nil {
			if err := faults.Read(ctx, given); err != nil {
				return directory.Proof{}, fmt.Errorf("read source %s: %w", s.name, err)
			}
		}
		if i == len(records) {
			break
		}
		e := s.entry(records[i], faults.Lose)
		if e.Kind == directory.Container {
			if !ids && s.cfg.Follow && (faults.Hide == nil || !faults.Hide(e)) {
				chunk = append(chunk, e)
			}
			continue
		}
		if !s.listed(e.DN) || faults.Hide != nil && faults.Hide(e) {
			continue
		}
		if ids {
			chunk = append(chunk, directory.Entry{Kind: e.Kind, ID: e.ID, DN: e.DN})
		} else {
			chunk = append(chunk, e)
		}
		given++
		seen[e.DN.Key()] = true
		count[e.Kind]++
		if len(chunk) == ChunkSize {
			if err := flush(); err != nil {
				return directory.Proof{}, fmt.Errorf("stage entries of source %s: %w", s.name, err)
			}
		}
	}
	if err := flush(); err != nil {
		return directory.Proof{}, fmt.Errorf("stage entries of source %s: %w", s.name, err)
	}
	for _, c := range s.canaries {
		if !seen[c.Key()] {
			return directory.Proof{}, fmt.Errorf("read source %s: the canary %s was not seen", s.name, c)
		}
	}
	if err := ctx.Err(); err != nil {
		return directory.Proof{}, fmt.Errorf("read source %s: %w", s.name, err)
	}
	return proof.New(proof.Facts{Source: s.name, Server: cmp.Or(faults.Server, "memory"), Knowledge: faults.Knowledge,
		Shown: faults.Shown, Bind: cmp.Or(faults.Bind, "anybody"),
		Scope: strings.Join(s.cfg.Bases, " "), Coverage: s.coverage,
		People: count[directory.Person], Groups: count[directory.Group], At: at, Cursor: s.cursor(reached, at, faults)}), nil
}

// Find looks records up by ID, outside the bases too.
func (s *Source) Find(ctx context.Context, known []directory.Known) ([]directory.Finding, error) {
	records, faults, _ := s.view(&s.finds)
	if faults.Find != nil {
		if err := faults.Find(ctx, known); err != nil {
			return nil, fmt.Errorf("find entries in source %s: %w", s.name, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find entries in source %s: %w", s.name, err)
	}
	at := map[identity.ID]identity.DN{}
	for _, r := range records {
		e := s.entry(r, nil)
		if faults.Hide == nil || !faults.Hide(e) {
			at[e.ID] = e.DN
		}
	}
	out := make([]directory.Finding, len(known))
	for i, k := range known {
		dn, ok := at[k.ID]
		out[i] = directory.Finding{Kind: k.Kind, ID: k.ID, Found: ok, DN: dn, Listed: ok && s.listed(dn)}
	}
	return out, nil
}

// Check reads once, and says what came of it.
func (s *Source) Check(ctx context.Context) (directory.Report, error) {
	report := directory.Report{Server: "memory"}
	p, err := s.Read(ctx, nowhere{})
	switch {
	case ctx.Err() != nil:
		return directory.Report{}, ctx.Err()
	case err != nil:
		report.Notes = append(report.Notes, directory.Note{Level: directory.Broken, Text: err.Error()})
	default:
		report.Notes = append(report.Notes, directory.Note{Text: fmt.Sprintf("%d people and %d groups", p.People(), p.Groups())})
	}
	return report, nil
}

// nowhere is a stage that keeps nothing.
type nowhere struct{}

func (nowhere) Add([]directory.Entry) error { return nil }

// view returns the records and faults of this instant, with how many operations led
// to them, and counts.
func (s *Source) view(counter *int) (_ []Record, _ Faults, reached int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*counter++
	return slices.Clone(s.records), s.faults, s.trimmed + len(s.log)
}

// Places says whether the name lies in one of the bases.
func (s *Source) Places(dn identity.DN) bool { return s.listed(dn) }

func (s *Source) listed(dn identity.DN) bool {
	return len(s.bases) == 0 || slices.ContainsFunc(s.bases, dn.Within)
}

// Foresee compares the bases of two sources; nothing else of them may differ but
// what they read of each entry.
func (s *Source) Foresee(other directory.Source) (f directory.Foresight) {
	was, is := other.(*Source)
	if !is {
		f.Everybody = []string{"kind: it is read in another way"}
		return f
	}
	for _, b := range s.bases {
		if len(was.bases) > 0 && !slices.ContainsFunc(was.bases, b.Within) {
			f.Wider = append(f.Wider, fmt.Sprintf("bases: who is under %s was not read", b))
		}
	}
	if len(s.bases) == 0 && len(was.bases) > 0 {
		f.Wider = append(f.Wider, "bases: everybody is read")
	}
	f.Keeps = func(p identity.Person) (directory.Answer, string) {
		if s.listed(p.DN) {
			return directory.Yes, ""
		}
		return directory.No, ""
	}
	return f
}
