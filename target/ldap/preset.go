package ldap

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Preset is a way to close an account that a server knows by itself: who is closed
// cannot bind there.
type Preset string

const (
	// NSAccountLock is that of 389 Directory Server and FreeIPA.
	NSAccountLock Preset = "nsAccountLock"
	// PPolicy is that of the overlay ppolicy of OpenLDAP.
	PPolicy Preset = "ppolicy"
)

// presets are what they write. A lock of ppolicy with another time is one that
// passes, after wrong passwords, and closes nobody for good.
var presets = map[Preset]Disable{
	NSAccountLock: {Preset: NSAccountLock, Attribute: "nsAccountLock", Disabled: "true"},
	PPolicy:       {Preset: PPolicy, Attribute: "pwdAccountLockedTime", Disabled: "000001010000Z"},
}

// UnmarshalTOML takes the word of a preset, or a table.
func (d *Disable) UnmarshalTOML(data any) error {
	switch v := data.(type) {
	case string:
		p, known := presets[Preset(v)]
		if !known {
			return disableError{fmt.Errorf("%q is not a way to close an account", v)}
		}
		*d = p
		return nil
	case map[string]any:
		*d = Disable{}
		keys := map[string]*string{"attribute": &d.Attribute, "disabled": &d.Disabled, "enabled": &d.Enabled, "move_to": &d.MoveTo}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			to, known := keys[key]
			text, isText := v[key].(string)
			switch {
			case !known:
				return disableError{fmt.Errorf("there is no key %q", key)}
			case !isText:
				return disableError{fmt.Errorf("%s must be a text", key)}
			}
			*to = text
		}
		return nil
	}
	return disableError{errors.New("must be a word or a table")}
}

// disableError is what is wrong with it.
type disableError struct{ error }

// Hint is what to write.
func (disableError) Hint() string {
	return `write "` + strings.Join(words(), `" or "`) + `", { attribute = "…", disabled = "…", enabled = "…" } or { move_to = "ou=left,…" }`
}

func words() []string {
	var out []string
	for _, p := range slices.Sorted(maps.Keys(presets)) {
		out = append(out, string(p))
	}
	return out
}
