package state

import (
	"fmt"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// SealRules are the limits by which a listing is judged.
type SealRules struct {
	// VanishAfter is how much later a second listing must have begun to confirm
	// an absence; 10 minutes if zero, 1 s at least.
	VanishAfter time.Duration
	// MinPeople is the share of the peak that a listing must show; 0.9 if zero.
	MinPeople float64
	// MaxRekey is how many IDs may be replaced in one listing; 5 if zero.
	MaxRekey int
	// AcceptOlder believes a server that has seen less than the snapshot; it is
	// noted in the journal.
	AcceptOlder bool
	// By is who asked for it.
	By string
	// Why says why everything was read where changes could have been followed.
	Why string
	// Now is the instant of sealing.
	Now time.Time
}

// Missing returns the people and groups that are to be looked up by ID: those
// thought to be there that the listing did not show, those out of scope whose rehire
// key a new entry carries, and those of whom it was proved only now that they were
// deleted. Call it after the last Add.
func (g *Stage) Missing() ([]directory.Known, error) {
	if g.over {
		return nil, errOver
	}
	absent := g.absent()
	out := make([]directory.Known, 0, len(absent))
	err := g.s.view(func(tx *txn) error {
		for _, i := range absent {
			k := &g.known[i]
			dn, err := dnOf(tx, k)
			if err != nil {
				return err
			}
			out = append(out, directory.Known{Kind: k.kind, ID: k.id, DN: dn})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list missing of %s: %w", g.source, err)
	}
	return out, nil
}

// absent are the positions in known of those whom Missing returns.
func (g *Stage) absent() []int32 {
	wanted := map[digest]bool{}
	for _, n := range g.newcomers {
		if n.key != (digest{}) {
			wanted[n.key] = true
		}
	}
	var out []int32
	for i := range g.known {
		k := &g.known[i]
		told := k.standing != identity.Gone && g.evidence[k.id] != ""
		if !k.seen && (!k.settled() || told || k.standing == identity.OutOfScope && wanted[k.key]) {
			out = append(out, int32(i))
		}
	}
	return out
}

// Evidence takes of whom it was proved, by the changes since the last listing, that
// they were deleted. Whoever is listed or found all the same is there.
func (g *Stage) Evidence(gone []directory.Gone) {
	g.evidence = make(map[identity.ID]string, len(gone))
	for _, x := range gone {
		g.evidence[x.ID] = x.By
	}
}

func dnOf(tx *txn, k *known) (identity.DN, error) {
	bucket := bPeople
	if k.kind == directory.Group {
		bucket = bGroups
	}
	raw, err := entryDN(tx.Bucket(bucket).Get(ordKey(k.ordinal)))
	if err != nil {
		return identity.DN{}, err
	}
	dn, err := identity.ParseDN(raw)
	if err != nil {
		return dn, fmt.Errorf("%w (%v)", ErrCorrupt, err)
	}
	return dn, nil
}

// Found takes answers of the look-ups by ID. It may be called several times;
// every one whom Missing returned must be answered before Seal.
func (g *Stage) Found(findings []directory.Finding) error {
	if g.over {
		return errOver
	}
	for _, f := range findings {
		i, ok := g.byID[f.ID]
		if !ok || g.known[i].kind != f.Kind {
			return fmt.Errorf("take findings of %s: nobody asked for the %s %s", g.source, f.Kind, f.ID)
		}
		if f.Found && f.DN.IsZero() {
			return fmt.Errorf("take findings of %s: the %s %s was found nowhere", g.source, f.Kind, f.ID)
		}
		g.answers[i] = f
	}
	return nil
}
