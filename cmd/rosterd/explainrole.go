package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/internal/tomltext"
	"github.com/rosterd/rosterd/mapping"
	rostersync "github.com/rosterd/rosterd/sync"
)

// roleExplanation is explain --role, for machines.
type roleExplanation struct {
	FormatVersion int              `json:"format_version"`
	Person        uint64           `json:"person"`
	Login         string           `json:"login"`
	Role          string           `json:"role"`
	Held          bool             `json:"held"`
	Because       []reasonDocument `json:"because"`
	Doubt         string           `json:"doubt,omitempty"`
	Lacks         []reasonDocument `json:"lacks"`
	Standing      string           `json:"standing"`
}

// explainRole says of one role why it is held, or which rule is not met.
func (a *app) explainRole(known []string, x *rostersync.Explanation, role string) error {
	if !slices.Contains(known, role) {
		tip := "one of: " + strings.Join(known, ", ")
		if meant := tomltext.Suggest(role, known); meant != "" {
			tip = "did you mean " + meant + "?"
		}
		return usage(fmt.Errorf("there is no role %q", role), tip)
	}
	d := roleExplanation{FormatVersion: 1, Person: uint64(x.Person.Ordinal), Login: x.Person.Login, Role: role, Standing: x.Desired.Standing.String()}
	var because, lacks []mapping.Reason
	for _, h := range x.Desired.Roles {
		if h.Role == role {
			d.Held, because = true, h.Because
		}
	}
	for _, h := range x.Desired.Doubts {
		if h.Role == role {
			d.Doubt = h.Doubt.Text
		}
	}
	if !d.Held {
		lacks = x.Lacks(role)
	}
	if a.json {
		d.Because, d.Lacks = newReasons(because), newReasons(lacks)
		return failed(a.printJSON(d))
	}
	p := a.page()
	p.head(first(x.Person.Login, x.Person.Name, x.Person.Ordinal.String()), printable(x.Person.Name))
	p.columns(role)
	switch {
	case d.Held && x.Denial != nil:
		p.row(role, yellow, "by the rules; it gives nothing, since the person is offboarded")
	case d.Held && x.Desired.Standing.Left():
		p.row(role, yellow, fmt.Sprintf("by the rules; it gives nothing, since the person is %s", x.Desired.Standing))
	case d.Held:
		p.row(role, green, "is held")
	case d.Doubt != "":
		p.row(role, yellow, "in doubt: "+d.Doubt)
	default:
		p.row(role, red, "is not held")
	}
	for _, r := range append(because, lacks...) {
		p.reason(r)
	}
	return nil
}
