package ldap

import (
	"slices"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// byAttribute closes an account by the value of an attribute, if one is named.
func (d Disable) byAttribute() entries.Switch {
	if d.Attribute == "" {
		return entries.Switch{}
	}
	s := entries.Switch{
		Attributes: []string{d.Attribute},
		On: func(rec ldapwire.Record) bool {
			return !slices.ContainsFunc(rec.Values(d.Attribute), func(v string) bool {
				return entries.Same(d.Attribute, []string{v}, []string{d.Disabled})
			})
		},
		Turn: func(_ ldapwire.Record, on bool) []ldapwire.Change {
			var values []string
			if on && d.Enabled != "" {
				values = []string{d.Enabled}
			} else if !on {
				values = []string{d.Disabled}
			}
			return []ldapwire.Change{{Verb: ldapwire.ReplaceValues, Name: d.Attribute, Values: values}}
		},
	}
	if d.Enabled != "" {
		s.Fresh = []ldapwire.Values{{Name: d.Attribute, Values: []string{d.Enabled}}}
	}
	return s
}
