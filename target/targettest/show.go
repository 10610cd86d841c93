package targettest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// show is all that an account has, in one line that can be compared.
func show(a target.Account) string {
	var b strings.Builder
	fmt.Fprintf(&b, "id=%q name=%q enabled=%v mark=%q", a.ID, a.Name, a.Enabled, a.Mark)
	for _, name := range slices.Sorted(maps.Keys(a.Attributes)) {
		fmt.Fprintf(&b, " %s=%q", name, slices.Sorted(slices.Values(a.Attributes[name])))
	}
	fmt.Fprintf(&b, " entitlements=%q", slices.Sorted(slices.Values(a.Entitlements)))
	return b.String()
}
