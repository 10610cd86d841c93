package ldap

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// bookmark is what the token of a cursor holds: that of the engine, and what the
// frame has still to look at.
type bookmark struct {
	Engine []byte `json:"engine"`
	// Late are groups that the server may have changed without a trace since they
	// were read at Since.
	Late  []identity.ID `json:"late,omitempty"`
	Since time.Time     `json:"since,omitzero"`
}

func bookmarkOf(token []byte) (bookmark, error) {
	var out bookmark
	if err := json.Unmarshal(token, &out); err != nil || out.Engine == nil {
		return out, &directory.LostError{Why: "the cursor is not one of this program", Err: err}
	}
	return out, nil
}

func (p bookmark) text() ([]byte, error) {
	out, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write a cursor: %w", err)
	}
	return out, nil
}

// due says whether groups are to be looked at once more.
func (p bookmark) due(now time.Time) bool {
	return len(p.Late) > 0 && (!now.Before(p.Since.Add(lookAgain)) || now.Before(p.Since))
}

// with adds groups that were late just now.
func (p bookmark) with(late map[identity.ID]bool, now time.Time) bookmark {
	if len(late) == 0 {
		return p
	}
	for _, id := range p.Late {
		late[id] = true
	}
	p.Late, p.Since = slices.Sorted(maps.Keys(late)), now
	return p
}
