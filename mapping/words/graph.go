package words

import (
	"fmt"
	"slices"
	"strings"
)

// diagram shows from left to right what leads to what: groups and conditions,
// roles, rights.
type diagram struct {
	nodes         []node
	edges         []edge
	width, height int
}

type node struct {
	kind  string // group, rule, role, account or right
	name  string // tells it from others of its kind
	lines []string
	title string // the whole of what the lines may shorten
	to    string // anchor
	layer int
	x, y  int // of the upper left corner
}

type edge struct {
	from, to int // of nodes
	// bends are where the line passes the columns in between, from left to right.
	bends []point
	// gives: a role gives another one.
	gives bool
}

type point struct{ x, y int }

// graph collects nodes and edges.
type graph struct {
	diagram
	index map[string]int
}

func newGraph() *graph { return &graph{index: map[string]int{}} }

func (g *graph) node(n node) int {
	key := n.kind + "\x00" + n.name
	if i, ok := g.index[key]; ok {
		return i
	}
	i := len(g.nodes)
	g.index[key], g.nodes = i, append(g.nodes, n)
	return i
}

func (g *graph) edge(from, to int, gives bool) {
	for _, e := range g.edges {
		if e.from == from && e.to == to {
			return
		}
	}
	g.edges = append(g.edges, edge{from: from, to: to, gives: gives})
}

// maxRows is how many rows a picture has at most, so that it fits a page.
const maxRows = 14

// pictures is a section with one diagram for each application, in parts where one
// would not fit a page.
func (w *writer) pictures() Section {
	s := Section{Title: "Groups, roles, rights", ID: "diagram"}
	if len(w.Targets) > 0 {
		s.say("From left to right: groups and conditions, the roles that they give, the rights that these give. A broken line is a role that gives another one. ",
			"Point at a box to see what leads to it, and what comes of it.")
	}
	for _, app := range w.Policy.Targets() {
		parts := w.parts(app)
		for i, roles := range parts {
			title := app
			if len(parts) > 1 {
				title = fmt.Sprintf("%s, part %d of %d", app, i+1, len(parts))
			}
			s.add(Picture{Title: title, Diagram: w.draw(app, roles)})
		}
	}
	return s
}

// bears are the roles that give something in the application, and those that give
// such a role.
func (w *writer) bears(app string) []string {
	bears := map[string]bool{}
	var mark func(name string)
	mark = func(name string) {
		if !bears[name] {
			bears[name] = true
			for _, by := range w.includedBy[name] {
				mark(by)
			}
		}
	}
	for _, name := range w.accountRoles(app) {
		mark(name)
	}
	for name := range w.config.Targets[app].Entitlements {
		mark(name)
	}
	return sorted(bears)
}

// parts puts the roles of an application into as few pictures as fit a page. Roles
// that give each other stay together; those with the same groups and rights stand
// near each other.
func (w *writer) parts(app string) [][]string {
	roles := w.bears(app)
	seen := map[string]bool{}
	var families [][]string
	for _, name := range roles {
		if seen[name] {
			continue
		}
		var family []string
		var visit func(string)
		visit = func(n string) {
			if seen[n] || !slices.Contains(roles, n) {
				return
			}
			seen[n] = true
			family = append(family, n)
			for _, by := range w.includedBy[n] {
				visit(by)
			}
			for _, inc := range sortedOnce(w.config.Roles[n].Includes) {
				visit(inc)
			}
		}
		visit(name)
		slices.Sort(family)
		families = append(families, family)
	}
	slices.SortStableFunc(families, func(a, b []string) int {
		return strings.Compare(w.kinship(app, a), w.kinship(app, b))
	})
	var out [][]string
	for _, f := range families {
		if n := len(out); n > 0 && w.rows(app, slices.Concat(out[n-1], f)) <= maxRows {
			out[n-1] = append(out[n-1], f...)
			continue
		}
		out = append(out, f)
	}
	return out
}

// kinship sorts families by what they give first, then by name.
func (w *writer) kinship(app string, family []string) string {
	var gives []string
	for _, name := range family {
		gives = append(gives, w.config.Targets[app].Entitlements[name]...)
	}
	return strings.Join(sortedOnce(gives), "\x00") + "\x01" + family[0]
}

// rows is the length of the longest column.
func (w *writer) rows(app string, roles []string) int {
	d := w.graph(app, roles)
	perLayer := map[int]int{}
	most := 0
	for _, n := range d.nodes {
		perLayer[n.layer]++
		most = max(most, perLayer[n.layer])
	}
	return most
}

func (w *writer) draw(app string, roles []string) *diagram {
	g := w.graph(app, roles)
	g.layOut()
	return &g.diagram
}

func (w *writer) graph(app string, roles []string) *graph {
	g := newGraph()
	depth := w.depths(roles)
	last := 1
	for _, d := range depth {
		last = max(last, d+1)
	}
	place := map[string]int{}
	for _, name := range sortedOnce(roles) {
		place[name] = g.node(node{kind: "role", name: name, lines: w.roleLines(name), title: w.roleTitle(name), to: anchor("role", name), layer: depth[name]})
	}
	p := w.config.Targets[app]
	for _, name := range sortedOnce(roles) {
		r, at := w.config.Roles[name], place[name]
		for _, dn := range sortedOnce(r.Groups) {
			g.edge(g.node(node{kind: "group", name: dn, lines: []string{shortGroup(dn)}, title: dn}), at, false)
		}
		if (r.When != "" || r.Birthright) && len(r.Groups) == 0 {
			said := condition(r.When).String()
			if r.Birthright || strings.TrimSpace(r.When) == "true" {
				said = "everybody"
			}
			g.edge(g.node(node{kind: "rule", name: said, lines: fold(said, 2), title: said}), at, false)
		}
		for _, inc := range sortedOnce(r.Includes) {
			if to, has := place[inc]; has {
				g.edge(at, to, true)
			}
		}
		if slices.Contains(w.accountRoles(app), name) {
			g.edge(at, g.node(node{kind: "account", name: app, lines: []string{"an account in " + app}, to: anchor("app", app), layer: last}), false)
		}
		for _, e := range sortedOnce(p.Entitlements[name]) {
			g.edge(at, g.node(node{kind: "right", name: e, lines: []string{e}, title: e + " in " + app, to: anchor("app", app), layer: last}), false)
		}
	}
	return g
}

// depths puts a role to the right of those that give it.
func (w *writer) depths(roles []string) map[string]int {
	depth := map[string]int{}
	var of func(name string) int
	of = func(name string) int {
		if d, ok := depth[name]; ok {
			return d
		}
		d := 1
		for _, by := range w.includedBy[name] {
			if slices.Contains(roles, by) {
				d = max(d, of(by)+1)
			}
		}
		depth[name] = d
		return d
	}
	for _, name := range roles {
		of(name)
	}
	return depth
}

// roleLines are the name of a role and what else it asks for.
func (w *writer) roleLines(name string) []string {
	r := w.config.Roles[name]
	out := []string{name}
	var more []string
	if len(r.Groups) > 0 && r.When != "" {
		more = append(more, "if "+condition(r.When).String())
	}
	if need := sortedOnce(r.Requires); len(need) > 0 {
		more = append(more, "beside "+strings.Join(need, ", "))
	}
	if len(more) > 0 {
		out = append(out, strings.Join(more, "; "))
	}
	return out
}

func (w *writer) roleTitle(name string) string {
	out := strings.Join(w.roleLines(name), ", ")
	if d := w.config.Roles[name].Description; d != "" {
		out += ": " + d
	}
	return out
}
