package plan

import (
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/target"
)

// update shows what an attribute was and will be.
func update(ch target.Change) string {
	v := ch.Set[0]
	if v.How == target.Merge {
		add, take := v.Steps(ch.Before, target.Description{})
		out := "update " + clean(v.Name) + ":"
		if len(add) > 0 {
			out += " add " + shown(v.Name, add)
		}
		if len(take) > 0 {
			out += " take " + shown(v.Name, take)
		}
		return out + ", beside what others wrote"
	}
	return fmt.Sprintf("update %s: %s → %s", clean(v.Name), shown(v.Name, ch.Before), shown(v.Name, v.Values))
}

// shown writes values; those of a secret never.
func shown(name string, values []string) string {
	if len(values) == 0 {
		return "(none)"
	}
	if secret.Attribute(name) {
		return secret.Redacted
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprintf("%q", v)
	}
	return strings.Join(out, ", ")
}
