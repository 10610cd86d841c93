package main

import (
	"time"

	"github.com/rosterd/rosterd/identity"

	rostersync "github.com/rosterd/rosterd/sync"
)

// statusDocument is the status for machines.
type statusDocument struct {
	FormatVersion int              `json:"format_version"`
	At            time.Time        `json:"at"`
	Exit          int              `json:"exit"`
	Policy        *pendingDocument `json:"policy,omitempty"`
	Holds         []holdDocument   `json:"holds"`
	Parked        []parkedDocument `json:"parked"`
	Offboarded    []denialDocument `json:"offboarded"`
	// Exceptions are those that are not over, but for offboards.
	Exceptions []exceptionDocument `json:"exceptions"`
	// Together are the people who hold roles that a conflict parts.
	Together []togetherDocument `json:"held_together"`
	Paused   []pauseDocument    `json:"paused"`
	Outages  []outageDocument   `json:"outages"`
	// Trouble is why the state cannot be written.
	Trouble  string                    `json:"trouble,omitempty"`
	Restored *restoredDocument         `json:"restored,omitempty"`
	InDoubt  int                       `json:"in_doubt"`
	Waiting  int                       `json:"waiting"`
	Sources  map[string]sourceDocument `json:"sources"`
	Targets  []targetDocument          `json:"targets"`
	Cycles   []cycleDocument           `json:"cycles"`
	// Next is when the service runs the next cycle; none without a service.
	Next *time.Time `json:"next,omitempty"`
}

type pauseDocument struct {
	Target string     `json:"target,omitempty"`
	By     string     `json:"by"`
	Reason string     `json:"reason"`
	At     time.Time  `json:"at"`
	Until  *time.Time `json:"until,omitempty"`
}

type restoredDocument struct {
	At       time.Time `json:"at"`
	Why      string    `json:"why"`
	Commits  uint64    `json:"commits_missing"`
	Records  uint64    `json:"records_missing"`
	Head     string    `json:"head,omitempty"`
	Resynced bool      `json:"resynced"`
}

type outageDocument struct {
	Target   string     `json:"target"`
	Since    time.Time  `json:"since"`
	Failures int        `json:"failures"`
	Broken   bool       `json:"broken"`
	Class    string     `json:"class"`
	Error    string     `json:"error"`
	Hint     string     `json:"hint,omitempty"`
	Next     *time.Time `json:"next,omitempty"`
}

type sourceDocument struct {
	People       int        `json:"people"`
	Groups       int        `json:"groups"`
	Largest      int        `json:"largest"`
	Server       string     `json:"server,omitempty"`
	LastComplete *time.Time `json:"last_complete,omitempty"`
	LastSweep    *time.Time `json:"last_sweep,omitempty"`
	// LastFollow is as of when changes are known, DeletionsAt deletions; Engine is how
	// changes are followed, and Why is why everything was read the last time all the same.
	LastFollow   *time.Time `json:"last_follow,omitempty"`
	DeletionsAt  *time.Time `json:"deletions_known_at,omitempty"`
	Engine       string     `json:"engine,omitempty"`
	Why          string     `json:"read_because,omitempty"`
	SecondLookAt *time.Time `json:"second_look_at,omitempty"`
	Blackouts    []string   `json:"blackouts"`
	MinPeople    bool       `json:"min_people"`
	Rekeyed      int        `json:"rekeyed"`
	Dangling     int        `json:"dangling"`
	// Push is how it stands with what the source says at once; none without push.
	Push *pushDocument `json:"push,omitempty"`
}

type targetDocument struct {
	Target string `json:"target"`
	Kind   string `json:"kind"`
	Open   int    `json:"open"`
	Closed int    `json:"closed"`
	New    bool   `json:"new"`
	// Loose are accounts of nobody about which somebody has to decide.
	Loose *looseDocument `json:"loose,omitempty"`
	// Kept are people for whom nothing is done here, by why, and that no hold tells.
	Kept map[string][]identity.Ordinal `json:"kept,omitempty"`
}

type looseDocument struct {
	At     time.Time `json:"at"`
	Lost   int       `json:"lost"`
	Left   int       `json:"left"`
	Marked int       `json:"marked"`
}

type cycleDocument struct {
	Cycle  string         `json:"cycle"`
	Verb   string         `json:"verb"`
	Began  time.Time      `json:"began"`
	Ended  *time.Time     `json:"ended,omitempty"`
	Exit   int            `json:"exit"`
	Counts map[string]int `json:"counts"`
	Error  string         `json:"error,omitempty"`
}

func newStatusDocument(st *rostersync.Status, next time.Time) statusDocument {
	d := statusDocument{FormatVersion: 1, At: st.At.UTC(), Exit: statusExit(st), Policy: newPendingDocument(st.Policy), Holds: []holdDocument{}, Parked: []parkedDocument{},
		Next: some(next), Offboarded: []denialDocument{}, Exceptions: newExceptions(st.Exceptions), Together: newTogether(st.Together), Paused: []pauseDocument{}, Outages: []outageDocument{}, InDoubt: st.InDoubt, Waiting: st.Waiting, Sources: map[string]sourceDocument{},
		Targets: []targetDocument{}, Cycles: []cycleDocument{}}
	for _, h := range st.Holds {
		d.Holds = append(d.Holds, toHoldDocument(h))
	}
	for _, k := range st.Parked {
		d.Parked = append(d.Parked, newParkedDocument(k))
	}
	for _, o := range st.Denials {
		d.Offboarded = append(d.Offboarded, newDenialDocument(o))
	}
	for _, p := range st.Pauses {
		d.Paused = append(d.Paused, pauseDocument{p.Target, p.By, p.Reason, p.At.UTC(), some(p.Until)})
	}
	if st.Trouble != nil {
		d.Trouble = st.Trouble.Error()
	}
	if r := st.Restored; r != nil {
		d.Restored = &restoredDocument{r.At.UTC(), r.Why, r.Commits, r.Records, r.Head, r.Resynced}
	}
	for _, o := range st.Outages {
		d.Outages = append(d.Outages, outageDocument{o.Target, o.Since.UTC(), o.Failures, o.Broken(), o.Class, o.Error, o.Hint, some(o.Next)})
	}
	for name, f := range st.Sources {
		d.Sources[name] = sourceDocument{f.People, f.Groups, f.Peak, f.Server, some(f.LastComplete), some(f.LastSweep), some(f.LastFollow), some(f.Deletions()), f.Engine, f.Why, some(f.SecondLookAt), list(f.Blackouts),
			f.MinPeople, f.Rekeyed, f.Dangling, nil}
	}
	for _, t := range st.Targets {
		one := targetDocument{t.Name, t.Kind, t.Open, t.All - t.Open, t.New, nil, nil}
		if l := t.Loose; l.Lost+l.Left+l.Marked > 0 {
			one.Loose = &looseDocument{l.At.UTC(), l.Lost, l.Left, l.Marked}
		}
		for _, k := range t.Kept {
			if one.Kept == nil {
				one.Kept = map[string][]identity.Ordinal{}
			}
			one.Kept[k.Why] = k.People
		}
		d.Targets = append(d.Targets, one)
	}
	for _, c := range st.Cycles {
		counts := c.Counts
		if counts == nil {
			counts = map[string]int{}
		}
		d.Cycles = append(d.Cycles, cycleDocument{c.ID, c.Verb, c.Began.UTC(), some(c.Ended), c.Exit, counts, c.Error})
	}
	return d
}
