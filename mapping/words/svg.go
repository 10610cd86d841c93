package words

import (
	"fmt"
	"slices"
	"strings"
)

// fold breaks a text into so many lines that fit a node; the last is cut.
func fold(s string, most int) (out []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		next := strings.TrimSpace(line + " " + word)
		if line != "" && wide(next) > lineWidth && len(out)+1 < most {
			out = append(out, line)
			next = word
		}
		line = next
	}
	return append(out, fit(line))
}

// lineWidth is the room in a node, in the units of wide.
const lineWidth = nodeWidth - 2*12

// wide estimates the width of a text in pixels, rather too much than too little: no
// font is asked.
func wide(s string) (n float64) {
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljtfrI.,:;'|! ", r):
			n += 4.6
		case strings.ContainsRune("mwMW@%—…", r):
			n += 12
		case r >= 'A' && r <= 'Z':
			n += 9.2
		case r > 0x2e80:
			n += 14
		default:
			n += 7.7
		}
	}
	return n
}

// fit cuts what is too wide.
func fit(s string) string {
	if wide(s) <= lineWidth {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && wide(string(runes))+12 > lineWidth {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimRight(string(runes), " ,;") + "…"
}

// svg writes a diagram. Each node shows, when it is pointed at, what leads to it and
// what comes of it; rules for that go to the style of the page.
func (d *diagram) svg(id, title string) (picture, rules string) {
	var b, css strings.Builder
	fmt.Fprintf(&b, `<svg class="dia %s" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		id, d.width, d.height, d.width, d.height, safe("Groups, roles and rights of "+title))
	near := d.near()
	for k, e := range d.edges {
		class := "edge"
		if e.gives {
			class += " gives"
		}
		for i := range d.nodes {
			if near[i].edges[k] {
				class += fmt.Sprintf(" k%d", i)
			}
		}
		fmt.Fprintf(&b, `<path class="%s" d="%s"/>`+"\n", class, d.path(e))
	}
	for i, n := range d.nodes {
		class := fmt.Sprintf("node %s n%d", n.kind, i)
		for j := range d.nodes {
			if near[j].nodes[i] {
				class += fmt.Sprintf(" k%d", j)
			}
		}
		d.box(&b, n, class)
		fmt.Fprintf(&css, ".%[1]s:has(.n%[2]d:hover) :is(.edge,.node):not(.k%[2]d){opacity:.12}.%[1]s:has(.n%[2]d:hover) .edge.k%[2]d{stroke:var(--accent);stroke-width:2}\n", id, i)
	}
	b.WriteString("</svg>")
	return b.String(), css.String()
}

func (d *diagram) box(b *strings.Builder, n node, class string) {
	if n.to != "" {
		fmt.Fprintf(b, `<a href="#%s">`, n.to)
	}
	h := 2*nodePad + lineHeight*len(n.lines)
	round := 6
	if n.kind == "right" || n.kind == "account" {
		round = h / 2
	}
	fmt.Fprintf(b, `<g class="%s"><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="%d"/>`,
		class, safe(n.title), n.x, n.y, nodeWidth, h, min(round, 18))
	for i, line := range n.lines {
		small := ""
		if i > 0 && n.kind == "role" {
			small = ` class="small"`
		}
		fmt.Fprintf(b, `<text%s x="%d" y="%d">%s</text>`, small, n.x+12, n.y+nodePad+lineHeight*(i+1)-4, safe(fit(line)))
	}
	b.WriteString("</g>")
	if n.to != "" {
		b.WriteString("</a>")
	}
	b.WriteString("\n")
}

// path is a smooth line from box to box, level where it passes a column.
func (d *diagram) path(e edge) string {
	from, to := d.nodes[e.from], d.nodes[e.to]
	at := point{from.x + nodeWidth, d.middle(from)}
	out := fmt.Sprintf("M%d %d", at.x, at.y)
	curve := func(next point) {
		half := (next.x - at.x) / 2
		out += fmt.Sprintf("C%d %d %d %d %d %d", at.x+half, at.y, next.x-half, next.y, next.x, next.y)
		at = next
	}
	for _, p := range e.bends {
		curve(p)
		at.x += nodeWidth
		out += fmt.Sprintf("H%d", at.x)
	}
	curve(point{to.x, d.middle(to)})
	return out
}

func (d *diagram) middle(n node) int { return n.y + nodePad + lineHeight*len(n.lines)/2 }

// reach is what leads to a node and what comes of it.
type reach struct{ nodes, edges map[int]bool }

func (d *diagram) near() []reach {
	out := make([]reach, len(d.nodes))
	for i := range d.nodes {
		r := reach{map[int]bool{i: true}, map[int]bool{}}
		for _, forward := range []bool{true, false} {
			todo := []int{i}
			seen := []int{i}
			for len(todo) > 0 {
				at := todo[0]
				todo = todo[1:]
				for k, e := range d.edges {
					begin, end := e.from, e.to
					if !forward {
						begin, end = end, begin
					}
					if begin != at {
						continue
					}
					r.edges[k], r.nodes[end] = true, true
					if !slices.Contains(seen, end) {
						seen, todo = append(seen, end), append(todo, end)
					}
				}
			}
		}
		out[i] = r
	}
	return out
}
