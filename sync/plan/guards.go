package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/target"
)

// guards are the patterns of accounts that are left alone.
type guards struct{ protect, glass []pattern }

type pattern struct {
	text        string
	entitlement bool
	glob        string
}

func newGuards(r Rules) guards {
	read := func(list []string) []pattern {
		var out []pattern
		for _, p := range list {
			kind, glob, _ := strings.Cut(p, ":")
			out = append(out, pattern{text: p, entitlement: kind == "entitlement", glob: strings.ToLower(glob)})
		}
		return out
	}
	return guards{protect: read(r.Protect), glass: read(r.BreakGlass)}
}

// breakGlass returns the pattern that makes the account a break-glass account.
func (g guards) breakGlass(name string, entitlements []string) string {
	return first(g.glass, name, entitlements)
}

// protected returns the pattern that protects the account.
func (g guards) protected(name string, entitlements []string) string {
	return first(g.protect, name, entitlements)
}

// sealed says whether the entitlement makes a break-glass account of whoever
// holds it, so that it is neither given nor taken.
func (g guards) sealed(entitlement string) bool {
	for _, p := range g.glass {
		if p.entitlement && p.matches(entitlement) {
			return true
		}
	}
	return false
}

func first(list []pattern, name string, entitlements []string) string {
	for _, p := range list {
		if !p.entitlement {
			if name != "" && p.matches(name) {
				return p.text
			}
			continue
		}
		for _, e := range entitlements {
			if p.matches(e) {
				return p.text
			}
		}
	}
	return ""
}

// matches ignores case, as most targets do: a pattern that protects too much
// is seen, one that protects too little is not. Slashes are nothing special.
func (p pattern) matches(text string) bool {
	flat := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(flat.Replace(p.glob), flat.Replace(strings.ToLower(text)))
	return ok && err == nil
}

// Idle are the patterns of the rules that fit none of the accounts, in the order in
// which they are written: whoever they are meant for is not guarded by them.
func (r Rules) Idle(accounts []target.Account) (out []string) {
	g := newGuards(r)
	for _, p := range slices.Concat(g.protect, g.glass) {
		if !slices.ContainsFunc(accounts, func(a target.Account) bool {
			return first([]pattern{p}, a.Name, a.Entitlements) != ""
		}) {
			out = append(out, p.text)
		}
	}
	return out
}

// Entitlements are those that the patterns name without a wildcard, sorted. A target
// must be asked for them too: no role may give them, and still they protect.
func (r Rules) Entitlements() (out []string) {
	for _, p := range slices.Concat(r.Protect, r.BreakGlass) {
		if kind, name, _ := strings.Cut(p, ":"); kind == "entitlement" && !strings.ContainsAny(name, `*?[\`) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
