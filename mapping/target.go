package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/problem"
)

// targetPolicy is what the policy gives in one target.
type targetPolicy struct {
	name         string
	accounts     []roleStep // who has an account
	attributes   []targetAttribute
	entitlements []targetEntitlement
	exclusive    []Exclusive // by name
	match        []targetMatch
	nameRule     int // of attributes, or -1
}

type targetAttribute struct {
	name     string
	template *template
	mode     Mode
	empty    string
	reason   Reason
	unique   *uniqueRule // of the name alone
	// needed: it names or finds the account.
	needed bool
	path   []string // of the rule
}

type targetEntitlement struct {
	name string
	from []roleStep // the roles that give it
}

type targetMatch struct {
	rule  int // of attributes
	adopt string
}

// What an empty value means.
const (
	emptyClear = "clear"
	emptyKeep  = "keep"
	emptyPark  = "park"
)

func (m *compiler) target(name string, c Target) targetPolicy {
	t := targetPolicy{name: name, nameRule: -1}
	m.accounts(&t, c)
	m.entitlements(&t, c)
	m.exclusives(&t, c)
	m.attributes(&t, c)
	m.match(&t, c)
	m.named(&t, c)
	return t
}

func (m *compiler) accounts(t *targetPolicy, c Target) {
	path := []string{"target", t.name, "account", "for"}
	if c.Account.For == nil {
		named := slices.Sorted(maps.Keys(c.Entitlements))
		if len(named) == 0 {
			m.fail([]string{"target", t.name}, `write for = ["ROLE"] under [target.`+t.name+`.account], or name roles under entitlements`,
				"nobody could ever have an account here")
		}
		for _, role := range named {
			if i, ok := m.index[role]; ok { // else entitlements reports it
				t.accounts = append(t.accounts, roleStep{i, m.reason("role "+role+" has an account here",
					"target", t.name, "entitlements", role)})
			}
		}
		return
	}
	if len(c.Account.For) == 0 {
		m.fail(path, "leave it out for every role under entitlements", "the list is empty: nobody could ever have an account here")
	}
	for _, i := range m.roles(path, c.Account.For) {
		t.accounts = append(t.accounts, roleStep{i, m.reason("role "+m.roleNames[i]+" has an account here", path...)})
	}
}

func (m *compiler) entitlements(t *targetPolicy, c Target) {
	from, spelt := map[string][]roleStep{}, map[string][]string{}
	for _, role := range slices.Sorted(maps.Keys(c.Entitlements)) {
		path := []string{"target", t.name, "entitlements", role}
		known := m.roles(path, []string{role})
		if len(c.Entitlements[role]) == 0 && c.Account.For != nil {
			m.warn(path, "name what it gives, or take the line out", "the role %q gives no entitlement here", role)
		}
		for _, e := range slices.Compact(slices.Sorted(slices.Values(c.Entitlements[role]))) {
			if strings.TrimSpace(e) == "" {
				m.fail(path, `write ["Writers"], as it is called there`, "an entitlement needs a name")
				continue
			}
			spelt[e] = append(slices.Clone(path), strconv.Itoa(slices.Index(c.Entitlements[role], e)))
			for _, i := range known {
				from[e] = append(from[e], roleStep{i, m.reason("role "+role+" gives "+e, path...)})
			}
		}
	}
	folded := map[string]string{}
	for _, e := range slices.Sorted(maps.Keys(from)) {
		if other, twice := folded[identity.Fold(e)]; twice {
			m.fail(spelt[e], "write it in one way", "the entitlements %q and %q differ in case or blanks alone", other, e)
		}
		folded[identity.Fold(e)] = e
		t.entitlements = append(t.entitlements, targetEntitlement{e, from[e]})
	}
}

func (m *compiler) attributes(t *targetPolicy, c Target) {
	lower := map[string]string{}
	defer func() { m.names.within = nil }()
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		r := c.Attributes[name]
		below := r.path
		if below == nil {
			below = []string{name}
		}
		path := func(key ...string) []string {
			return append(append([]string{"target", t.name, "attributes"}, below...), key...)
		}
		for _, w := range r.wrong {
			m.fail(append([]string{"target", t.name, "attributes"}, w.path...), w.hint, "%s", w.message)
		}
		if len(r.wrong) > 0 {
			continue
		}
		if strings.TrimSpace(name) == "" {
			m.fail(path(), "write it as the target calls it", "an attribute needs a name")
		} else if c.Admits != nil {
			if err := c.Admits(name); err != nil {
				hint := ""
				if h, ok := err.(interface{ Hint() string }); ok {
					hint = h.Hint()
				}
				m.fail(path(), hint, "%v", err)
			}
		}
		if other, twice := lower[strings.ToLower(name)]; twice {
			m.fail(path(), "leave one of the two out", "the attributes %q and %q differ in case alone", other, name)
		}
		lower[strings.ToLower(name)] = name
		from, where := path(), path()
		if r.table {
			from = path("from")
		}
		// Each expression of the rule stands within the bounds of its own key: the rule
		// can be the main file's and a key of it somebody else's.
		m.names.within = m.within(from...)
		a := targetAttribute{
			name:   name,
			mode:   Mode(m.word(path("mode"), r.Mode, string(Enforce), string(OnCreate), string(IfEmpty), string(Merge))),
			empty:  m.word(path("empty"), r.Empty, emptyClear, emptyKeep, emptyPark),
			reason: m.reason(r.From, where...),
			path:   where,
		}
		if a.mode == IfEmpty && r.Empty == emptyClear {
			m.fail(path("empty"), `leave it out, or write "park"; mode = "enforce" clears`, "an attribute that is written only where it is empty is never cleared")
		}
		a.template = compileTemplate(m.names, r.From, func(at int, message, hint string, warning bool) {
			m.tell(problem.Problem{Path: from, Offset: at, Message: message, Hint: hint, Warning: warning})
		})
		m.names.within = m.within(path("otherwise")...)
		if a.mode == OnCreate && a.template != nil && a.template.refers {
			m.fail(path("mode"), `mode = "if-empty" writes it once, when theirs is there`, "who is referred to may have no account yet when this one is made")
		}
		if c.Path != "" && strings.EqualFold(name, c.Path) {
			m.path(&a, path)
		}
		a.unique = m.unique(r, path)
		t.attributes = append(t.attributes, a)
	}
}

// match reads by what accounts are found, and what names them.
func (m *compiler) match(t *targetPolicy, c Target) {
	find := func(name string) int {
		return slices.IndexFunc(t.attributes, func(a targetAttribute) bool { return a.name == name })
	}
	use := func(i int) {
		a := &t.attributes[i]
		if a.needed {
			return
		}
		a.needed = true
		if i == t.nameRule && (a.mode == IfEmpty || a.mode == Merge) {
			m.fail(append(slices.Clone(a.path), "mode"), "leave mode out", "%s is the name of the account, which always has one value", a.name)
		}
		if a.template != nil && a.template.refers {
			m.fail(a.path, "name what stays with the person", "%s names or finds the account, and another's account cannot say that", a.name)
		} else if a.template != nil && a.template.list != nil {
			m.fail(a.path, "first(…) takes one",
				"%s names or finds the account and needs one value", a.name)
		}
	}
	written := slices.Sorted(maps.Keys(c.Attributes))
	if c.NameAttribute != "" {
		_, given := c.Attributes[c.NameAttribute]
		if t.nameRule = find(c.NameAttribute); t.nameRule >= 0 {
			use(t.nameRule)
		} else if !given {
			hint := didYouMean(c.NameAttribute, written)
			if hint == "" {
				hint = c.NameAttribute + ` = "${…}" under attributes says it`
			}
			m.fail([]string{"target", t.name, "attributes"}, hint, "nothing says what %s, the name of an account, is", c.NameAttribute)
		}
	}
	path := []string{"target", t.name, "account", "match"}
	names := c.Account.Match
	switch {
	case names == nil && c.NameAttribute != "" && t.nameRule >= 0:
		names = []string{c.NameAttribute}
	case names != nil && len(names) == 0:
		m.fail(path, "leave it out to find accounts by name", "the list is empty: no account could ever be found")
	}
	seen := map[string]bool{}
	for _, name := range names {
		adopt := m.word([]string{"target", t.name, "account", "adopt", name}, c.Account.Adopt[name], "report", "link")
		i := find(name)
		_, given := c.Attributes[name]
		switch {
		case seen[name]:
			m.fail(path, "leave one of the two out", "%q stands here twice", name)
		case i >= 0:
			use(i)
			t.match = append(t.match, targetMatch{i, adopt})
		case !given:
			hint := didYouMean(name, written)
			if hint == "" {
				hint = fmt.Sprintf("add %s = \"${…}\" under attributes", name)
			}
			m.fail(path, hint, "no rule under attributes says what %q is", name)
		}
		seen[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.Account.Adopt)) {
		if !seen[name] {
			m.fail([]string{"target", t.name, "account", "adopt", name}, oneOf(name, names), "%q does not stand in match", name)
		}
	}
}
