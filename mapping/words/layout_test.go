package words

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is joined to what: no box covers another, everything is inside of the
// picture, lines go from left to right, and the order is never worse than where it
// began.
func TestLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGraph()
		layers := rapid.IntRange(2, 5).Draw(t, "layers")
		for l := range layers {
			for i := range rapid.IntRange(1, 9).Draw(t, "nodes") {
				lines := make([]string, rapid.IntRange(1, 2).Draw(t, "lines"))
				g.node(node{kind: "role", name: fmt.Sprint(l, "-", i), lines: lines, layer: l})
			}
		}
		for range rapid.IntRange(0, 25).Draw(t, "edges") {
			a, b := rapid.IntRange(0, len(g.nodes)-1).Draw(t, "from"), rapid.IntRange(0, len(g.nodes)-1).Draw(t, "to")
			if g.nodes[a].layer < g.nodes[b].layer {
				g.edge(a, b, false)
			}
		}
		before := g.plane().crossings()
		g.layOut()
		if after := crossed(g); after > before {
			t.Fatalf("%d lines cross, %d did", after, before)
		}
		for i, a := range g.nodes {
			ah := 2*nodePad + lineHeight*len(a.lines)
			if a.x < 0 || a.y < 0 || a.x+nodeWidth > g.width || a.y+ah > g.height {
				t.Fatalf("%+v is outside of %d × %d", a, g.width, g.height)
			}
			for _, b := range g.nodes[i+1:] {
				bh := 2*nodePad + lineHeight*len(b.lines)
				if a.layer == b.layer && a.y < b.y+bh && b.y < a.y+ah {
					t.Fatalf("%+v covers %+v", a, b)
				}
			}
		}
		for _, e := range g.edges {
			x := g.nodes[e.from].x + nodeWidth
			for _, p := range append(e.bends, point{g.nodes[e.to].x, g.nodes[e.to].y}) {
				if p.x < x {
					t.Fatalf("%+v goes back", e)
				}
				x = p.x + nodeWidth
			}
			for _, p := range e.bends {
				for _, n := range g.nodes {
					if n.x == p.x && p.y > n.y && p.y < n.y+2*nodePad+lineHeight*len(n.lines) {
						t.Fatalf("a line runs through %+v", n)
					}
				}
			}
		}
	})
}

// crossed counts the lines that cross, by where they were put.
func crossed(g *graph) (n int) {
	type line struct{ x, from, to int }
	var lines []line
	for _, e := range g.edges {
		at := point{g.nodes[e.from].x, g.middle(g.nodes[e.from])}
		for _, p := range append(e.bends, point{g.nodes[e.to].x, g.middle(g.nodes[e.to])}) {
			lines = append(lines, line{at.x, at.y, p.y})
			at = p
		}
	}
	for i, a := range lines {
		for _, b := range lines[i+1:] {
			if a.x == b.x && (a.from-b.from)*(a.to-b.to) < 0 {
				n++
			}
		}
	}
	return n
}

// A text in a box is never wider than the box, as far as that can be told.
func TestFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 3).Draw(t, "most")
		lines := fold(rapid.StringMatching(`([A-Za-zäß漢]{1,40} ?){0,12}`).Draw(t, "text"), most)
		if len(lines) > most {
			t.Fatalf("%d lines", len(lines))
		}
		for i, l := range lines {
			if i == len(lines)-1 && wide(l) > lineWidth {
				t.Fatalf("%q is too wide", l)
			}
		}
	})
	if got := fold("employeeType is staff or contractor", 2); len(got) != 2 || got[0] != "employeeType is staff or" {
		t.Errorf("%q", got)
	}
}
