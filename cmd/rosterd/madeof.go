package main

import (
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/secret"
	"github.com/rosterd/rosterd/mapping"
)

// madeOf says of what a value was made: the attributes that it names, and what the
// person has there.
func madeOf(p identity.Person, value string) string {
	const most = 3
	var out []string
	for _, name := range mapping.Named(value) {
		values, there := p.Attributes.Get(name)
		said := name + " = "
		switch {
		case there == identity.NotRead:
			said = name + ", which was not read"
		case len(values) == 0:
			said = name + ", which has no value"
		default:
			for i, v := range secret.Values(name, values) {
				if i == most {
					said += ", and " + strconv.Itoa(len(values)-most) + " more"
					break
				}
				if i > 0 {
					said += ", "
				}
				said += strconv.Quote(v)
			}
		}
		out = append(out, said)
	}
	return strings.Join(out, "; ")
}
