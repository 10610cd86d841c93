package ldapd

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rosterd/rosterd/identity"
)

// Op is a kind of request.
type Op string

// The requests that are counted, and that a Fault may be for. AnyOp and
// AnyWrite stand for several in a Fault.
const (
	AnyOp      Op = ""
	AnyWrite   Op = "write" // add, modify, rename or delete
	OpBind     Op = "bind"
	OpSearch   Op = "search"
	OpCompare  Op = "compare"
	OpAdd      Op = "add"
	OpModify   Op = "modify"
	OpRename   Op = "rename"
	OpDelete   Op = "delete"
	OpExtended Op = "extended"
	OpAbandon  Op = "abandon"
	OpUnbind   Op = "unbind"
)

func (o Op) write() bool { return o == OpAdd || o == OpModify || o == OpRename || o == OpDelete }

// Action is what a fault does when it strikes.
type Action int

// The actions of a Fault.
const (
	Answer     Action = iota // end the operation with Code and Diagnostic
	Drop                     // close the connection
	DropMid                  // the same in the middle of the next message
	Hang                     // answer no more, keep the connection open
	Slow                     // wait Delay before each entry, or before the answer of another operation
	Empty                    // search: no entries, success
	LosePage                 // search: leave a page out and go on behind it
	RepeatPage               // search: send the page before once more instead
	NoCookie                 // search: say that this page is the last
	NoControl                // search: leave the paging control out of the answer
	Refer                    // search: add a continuation reference to URL
	Cut                      // close the connection once Octet octets of the answer are sent
	Garbage                  // search: send Octets instead of the next entry
	WrongID                  // search: send the next entry under another message ID
	Twice                    // search: send the next entry twice
	Strip                    // search: send the next entry without Attribute
	SameID                   // search: send the next entry with the Attribute of the one before
	Stateless                // search: send the next entry without its controls
	LoseDone                 // search: send everything but the result, and keep the connection open
	Flip                     // sync: say the opposite of refreshDeletes
	Phantom                  // sync: say of everybody who is there that they are deleted
	StuckRange               // search: answer a range with the first one, again and again
)

// Fault is one thing that goes wrong, for the requests that all of Op, BindDN,
// Base and Page fit.
type Fault struct {
	Op     Op
	BindDN string // only for this identity
	Base   string // only for requests whose entry or base is this one
	Page   int    // search: only for this page of a paged search, from 1; 0: any

	Do         Action
	Code       int           // of Answer
	Diagnostic string        // of Answer
	Delay      time.Duration // of Slow
	URL        string        // of Refer
	Octet      int           // of Cut
	Octets     string        // of Garbage
	Attribute  string        // of Strip and SameID

	// After strikes a search only once it has sent that many entries, over all
	// its pages. An Answer then strikes only if there is one entry more, as a
	// size limit does. Zero: before the first.
	After int
	// Applied carries a write out before the action: what the client then
	// knows of it is in doubt.
	Applied bool
	// Skip lets that many strikes pass first.
	Skip int
	// Times ends the fault after that many strikes; 0: it stays until Clear.
	Times int
}

// Faults is a script of faults that may be changed while the server runs, and
// a count of the requests that it saw. It is safe for concurrent use.
type Faults struct {
	mu     sync.Mutex
	active []*fault
	attrs  map[string]map[string]bool // bind key, attribute key
	trees  map[string][]identity.DN   // bind key
	counts map[Op]int
}

type fault struct {
	Fault
	bind, base identity.DN
}

// Add adds a fault. Of several that fit at one point the first added strikes.
// It panics when a name in it is not one.
func (f *Faults) Add(x Fault) {
	n := &fault{Fault: x, bind: identity.MustDN(x.BindDN), base: identity.MustDN(x.Base)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active = append(f.active, n)
}

// HideAttribute takes the right to read and to search an attribute from an
// identity, as an access rule does: nothing says that it is missing. The empty
// name is anonymous.
func (f *Faults) HideAttribute(bindDN, attribute string) {
	d, ok := describe(attribute)
	if !ok {
		panic("ldapd: hide attribute " + attribute + ": not a name")
	}
	key := identity.MustDN(bindDN).Key()
	f.mu.Lock()
	defer f.mu.Unlock()
	// Replaced, never changed: a running search holds the old map.
	hidden := maps.Clone(f.attrs[key])
	if hidden == nil {
		hidden = map[string]bool{}
	}
	hidden[d.typ.key] = true
	if f.attrs == nil {
		f.attrs = map[string]map[string]bool{}
	}
	f.attrs[key] = hidden
}

// HideSubtree takes the right to see an entry and all below it.
func (f *Faults) HideSubtree(bindDN, base string) {
	key, top := identity.MustDN(bindDN).Key(), identity.MustDN(base)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trees == nil {
		f.trees = map[string][]identity.DN{}
	}
	f.trees[key] = append(slices.Clip(f.trees[key]), top)
}

// Clear ends all faults and gives all rights back. The counts stay.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active, f.attrs, f.trees = nil, nil, nil
}

// Count is how many requests of the kind arrived since the start or the last
// ResetCounts. AnyOp counts all, AnyWrite the writes.
func (f *Faults) Count(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for o, c := range f.counts {
		if op == AnyOp || op == o || op == AnyWrite && o.write() {
			n += c
		}
	}
	return n
}

// ResetCounts begins to count anew.
func (f *Faults) ResetCounts() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.counts)
}

func (f *Faults) count(op Op) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[Op]int{}
	}
	f.counts[op]++
}

// request is what a fault is compared with.
type request struct {
	op   Op
	bind identity.DN
	base identity.DN
	page int
}

// strike returns the first fault that fits and that want accepts, and counts
// the strike. Nil: none.
func (f *Faults) strike(r request, want func(*Fault) bool) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, x := range f.active {
		if !x.fits(r) || !want(&x.Fault) {
			continue
		}
		if x.Skip > 0 {
			x.Skip--
			continue
		}
		out := x.Fault
		if x.Times > 0 {
			if x.Times--; x.Times == 0 {
				f.active = slices.Delete(slices.Clone(f.active), i, i+1)
			}
		}
		return &out
	}
	return nil
}

func (x *fault) fits(r request) bool {
	return (x.Op == AnyOp || x.Op == r.op || x.Op == AnyWrite && r.op.write()) &&
		(x.BindDN == "" || x.bind.Equal(r.bind)) &&
		(x.Base == "" || x.base.Equal(r.base)) &&
		(x.Page == 0 || x.Page == r.page)
}

// rights returns what is hidden from the identity.
func (f *Faults) rights(bind identity.DN) (attrs map[string]bool, trees []identity.DN) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.attrs[bind.Key()], f.trees[bind.Key()]
}
