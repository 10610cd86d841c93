package directory

import (
	"context"

	"github.com/rosterd/rosterd/identity"
)

// Unlinker is a source whose server may take whom it deletes out of the groups without
// a change of those: nobody tells of it, and a listing of IDs shows nothing of it.
type Unlinker interface {
	// Unlinked says whether any of those is not in a group any more that is known to
	// name them, because they were deleted. It costs a look-up by ID of all, and a
	// question for each that is not found. Where the server that listed last does no
	// such thing it is false and costs nothing.
	Unlinked(ctx context.Context, named []Named) (bool, error)
}

// Named is an entry out of scope that groups are known to name.
type Named struct {
	Known
	// Groups are those, at least one.
	Groups []identity.ID
}
