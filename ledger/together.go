package ledger

import (
	"time"

	"github.com/rosterd/rosterd/identity"
)

// Together is somebody who holds roles that a conflict of the policy parts.
type Together struct {
	Person   identity.Ordinal
	Conflict string
	// Roles are those of the conflict that are held, sorted.
	Roles []string
	// Action is "report" or "hold".
	Action string
	// Excepted says by which exception it is let be; empty if by none.
	Excepted string `json:",omitempty"`
	// Since is when that was first seen.
	Since time.Time
}
