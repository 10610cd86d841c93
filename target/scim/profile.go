package scim

import (
	"cmp"
	_ "embed" // profiles.toml
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rosterd/rosterd/internal/tomltext"
)

// Profile is the dialect of SCIM that a server speaks. What is left out (zero) is
// not said, and left to the profile below it; at last to the defaults.
type Profile struct {
	// About says where a profile comes from: run, or written from documentation. It
	// is no key of a dialect.
	About string `toml:"-"`

	// PageSize is how many resources a page asks for.
	PageSize int `toml:"page_size"`
	// Paging is index (RFC 7644), cursor (RFC 9865), or auto: cursor where the
	// server says that it is its default.
	Paging string `toml:"paging"`
	// Filter is on, or off: accounts and groups are then found by a listing.
	Filter string `toml:"filter"`

	// Update is how attributes are written: patch (a path for each attribute),
	// patch-no-path (one value for all), put (the whole resource), or auto: the
	// first of them that works, in this order.
	Update string `toml:"update"`
	// Active is how an account is closed: boolean, string ("False"), auto, or none:
	// it cannot be.
	Active string `toml:"active"`
	// Manager is how the manager is written: object ({"value": ID}) or string.
	Manager string `toml:"manager"`
	// Mark is externalId, where accounts carry the ownership mark, or none.
	Mark string `toml:"mark"`

	// Passwords is on, or off: the server takes none.
	Passwords string `toml:"passwords"`

	// Members says how it is known who is in a group: shown (the group names its
	// members), user (accounts name their groups), asked (by a filter for each
	// account and group), or omitted: it cannot be known.
	Members string `toml:"members"`
	// MemberChunk is how many members one request changes at most.
	MemberChunk int `toml:"member_chunk"`
	// RemovesPerRequest is how many of them are removals.
	RemovesPerRequest int `toml:"removes_per_request"`
	// MemberRemove is how a member is removed: filter (members[value eq "…"], as
	// RFC 7644 has it) or value (members with a list, as some servers want).
	MemberRemove string `toml:"member_remove"`

	// UserAgent is what the client calls itself; some servers refuse strangers.
	UserAgent string `toml:"user_agent"`
}

const (
	generic = "generic"
	auto    = "auto"
	on      = "on"
	off     = "off"
	none    = "none"

	pagingIndex  = "index"
	pagingCursor = "cursor"

	updatePatch  = "patch"
	updateNoPath = "patch-no-path"
	updatePut    = "put"

	activeBoolean = "boolean"
	activeString  = "string"

	managerObject = "object"
	managerString = "string"

	markExternalID = "externalId"

	membersShown   = "shown"
	membersUser    = "user"
	membersAsked   = "asked"
	membersOmitted = "omitted"

	removeFilter = "filter"
	removeValue  = "value"
)

// defaults are what a server is taken for of which nothing else is known.
var defaults = Profile{
	PageSize: 100, Paging: auto, Filter: on,
	Update: auto, Active: auto, Manager: managerObject, Mark: markExternalID, Passwords: on,
	Members: membersShown, MemberChunk: 100, RemovesPerRequest: 20, MemberRemove: removeFilter,
	UserAgent: "rosterd",
}

// choices are the words that a key may have.
var choices = []struct {
	key   string
	value func(Profile) string
	words []string
}{
	{"paging", func(p Profile) string { return p.Paging }, []string{auto, pagingIndex, pagingCursor}},
	{"filter", func(p Profile) string { return p.Filter }, []string{on, off}},
	{"update", func(p Profile) string { return p.Update }, []string{auto, updatePatch, updateNoPath, updatePut}},
	{"active", func(p Profile) string { return p.Active }, []string{auto, activeBoolean, activeString, none}},
	{"manager", func(p Profile) string { return p.Manager }, []string{managerObject, managerString}},
	{"mark", func(p Profile) string { return p.Mark }, []string{markExternalID, none}},
	{"passwords", func(p Profile) string { return p.Passwords }, []string{on, off}},
	{"members", func(p Profile) string { return p.Members }, []string{membersShown, membersUser, membersAsked, membersOmitted}},
	{"member_remove", func(p Profile) string { return p.MemberRemove }, []string{removeFilter, removeValue}},
}

// numbers are the keys that hold one, with the greatest that it may be.
var numbers = []struct {
	key   string
	value func(Profile) int
	most  int
}{
	{"page_size", func(p Profile) int { return p.PageSize }, 10_000},
	{"member_chunk", func(p Profile) int { return p.MemberChunk }, 10_000},
	{"removes_per_request", func(p Profile) int { return p.RemovesPerRequest }, 1_000},
}

// Over is the profile with what it does not say taken from another.
func (p Profile) Over(base Profile) Profile {
	return Profile{
		About:    cmp.Or(p.About, base.About),
		PageSize: cmp.Or(p.PageSize, base.PageSize), Paging: cmp.Or(p.Paging, base.Paging), Filter: cmp.Or(p.Filter, base.Filter),
		Update: cmp.Or(p.Update, base.Update), Active: cmp.Or(p.Active, base.Active), Manager: cmp.Or(p.Manager, base.Manager), Mark: cmp.Or(p.Mark, base.Mark), Passwords: cmp.Or(p.Passwords, base.Passwords),
		Members: cmp.Or(p.Members, base.Members), MemberChunk: cmp.Or(p.MemberChunk, base.MemberChunk),
		RemovesPerRequest: cmp.Or(p.RemovesPerRequest, base.RemovesPerRequest), MemberRemove: cmp.Or(p.MemberRemove, base.MemberRemove),
		UserAgent: cmp.Or(p.UserAgent, base.UserAgent),
	}
}

// wrong tells of each key that cannot be used.
func (p Profile) wrong(tell func(key, message, hint string)) {
	for _, c := range choices {
		if word := c.value(p); word != "" && !slices.Contains(c.words, word) {
			tell(c.key, fmt.Sprintf("%q is not a choice here", word), "write one of: "+strings.Join(c.words, ", "))
		}
	}
	for _, n := range numbers {
		if v := n.value(p); v < 0 || v > n.most {
			tell(n.key, fmt.Sprintf("must be from 1 to %d", n.most), "leave it out for what the profile says")
		}
	}
	if strings.ContainsFunc(p.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		tell("user_agent", "it must be printable ASCII", "")
	}
}

//go:embed profiles.toml
var profilesText []byte

// profiles are those that come with the program, by name.
var profiles = sync.OnceValue(func() map[string]Profile {
	const table = "profile"
	d := tomltext.Parse("profiles.toml", profilesText)
	out := map[string]Profile{}
	for _, name := range d.Names(table) {
		var p Profile
		var more struct {
			About string `toml:"about"`
		}
		d.Bind([]string{table, name}, &p, &more)
		p.About = more.About
		out[name] = p
	}
	return out
})

// profileNames are the names, sorted.
func profileNames() []string {
	var out []string
	for name := range profiles() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
