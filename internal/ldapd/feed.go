package ldapd

import (
	"strings"
	"sync"
)

// change is one write, as who follows the directory is told of it.
type change struct {
	op            Op
	node          *node
	before, after *record // nil: the entry was not there, or is gone
	who           string
	changes       []Change // of a modify
	serial        uint64
	csn           string
}

// committed tells a change to whoever keeps account of changes. The lock is
// held, and the change is in the tree.
func (d *Directory) committed(c change) {
	c.serial, c.csn = d.serial, d.csn
	switch {
	case d.domain != nil:
		d.account(c)
	case d.kind == OpenLDAP:
		d.log.add(c, d.SessionLog)
	case d.kind == Dirsrv && !c.internal():
		d.logChange(c)
	}
	for f := range d.feeds {
		f.put(c)
	}
}

// internal says whether the change is one of the server's own records.
func (c change) internal() bool {
	r := c.after
	if r == nil {
		r = c.before
	}
	return strings.HasSuffix(r.dn.Key(), changelogBase)
}

// feed holds the changes that a search which never ends has not yet seen.
type feed struct {
	mu    sync.Mutex
	queue []change
	wake  chan struct{} // holds one token when there is something
}

// subscribe begins a feed. The lock is held, so that nothing is missed between
// what was read and the first change.
func (d *Directory) subscribe() *feed {
	f := &feed{wake: make(chan struct{}, 1)}
	d.feeds[f] = struct{}{}
	return f
}

func (d *Directory) unsubscribe(f *feed) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.feeds, f)
}

func (f *feed) put(c change) {
	f.mu.Lock()
	f.queue = append(f.queue, c)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *feed) take() []change {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.queue
	f.queue = nil
	return out
}
