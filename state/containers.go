package state

import (
	"fmt"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// Of a container there is an ID and a DN: enough to know, when it is renamed, who
// was below it. It may be a person or a group as well, which is kept apart. Nobody
// is marked by what happens to it, and its absence means nothing.

// container is one that a listing may show.
type container struct {
	dn   string
	seen bool
}

func containerKey(source uint64, id identity.ID) []byte { return append(u64(source), id...) }

// eachContainer calls f for those of a source.
func eachContainer(tx *txn, source uint64, f func(id identity.ID, dn string) error) error {
	prefix := u64(source)
	c := tx.Bucket(bContainers).Cursor()
	for k, v := c.Seek(prefix); k != nil && hasPrefix(k, prefix); k, v = c.Next() {
		if err := f(identity.ID(k[len(prefix):]), string(v)); err != nil {
			return err
		}
	}
	return nil
}

func (g *Stage) loadContainers(tx *txn) error {
	return eachContainer(tx, g.num, func(id identity.ID, dn string) error {
		g.containers[id] = &container{dn: dn}
		return nil
	})
}

// contains notes a container. A listing of IDs need not show them.
func (g *Stage) contains(e *directory.Entry) error {
	if g.ids != nil {
		return nil
	}
	c, known := g.containers[e.ID]
	switch {
	case !known:
		c = &container{}
		g.containers[e.ID] = c
	case c.seen:
		return fmt.Errorf("the listing shows the container %s twice, last as %s", e.ID, e.DN)
	}
	c.seen = true
	if dn := e.DN.String(); dn != c.dn {
		c.dn = dn
		g.put(encodeContainer(&g.scratch, e.ID, dn))
	}
	return nil
}

// uncontained stages that those which a whole listing did not show are none any
// more.
func (g *Stage) uncontained() {
	if g.ids != nil {
		return
	}
	for id, c := range g.containers {
		if !c.seen {
			g.put(encodeContainer(&g.scratch, id, ""))
		}
	}
}

// encodeContainer writes a record of kind stContainer; no DN is one that is gone.
func encodeContainer(w *writer, id identity.ID, dn string) []byte {
	w.b = w.b[:0]
	w.byte(stContainer)
	w.text(string(id))
	w.text(dn)
	return append([]byte(nil), w.b...)
}

func decodeContainer(b []byte) (id identity.ID, dn string, err error) {
	r := reader{b: b}
	r.form(stContainer)
	id, dn = identity.ID(r.text()), r.text()
	return id, dn, r.end()
}

// container moves one.
func (m *mover) container(v []byte) error {
	id, dn, err := decodeContainer(v)
	if err != nil {
		return err
	}
	m.bytes += len(v)
	b := m.tx.Bucket(bContainers)
	if dn == "" {
		return b.Delete(containerKey(m.rec.Num, id))
	}
	return b.Put(containerKey(m.rec.Num, id), []byte(dn))
}
