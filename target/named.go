package target

import "context"

// Namer is a target in which one entitlement may have several names: a group by its
// name, by its DN, by its ID.
type Namer interface {
	// Called returns what the target itself calls each of the entitlements; two names of
	// one have the same. One that is not there is not in the answer.
	Called(ctx context.Context, entitlements []string) (map[string]string, error)
}
