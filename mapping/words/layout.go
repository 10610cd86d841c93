package words

import (
	"cmp"
	"slices"
)

// Sizes of a diagram, in pixels.
const (
	nodeWidth  = 206
	lineHeight = 17
	nodePad    = 9
	between    = 14 // nodes of one column
	bendHeight = 10
	gap        = 60 // between columns
	margin     = 8
)

// cell is a node in its column, or where an edge passes a column.
type cell struct {
	node        int // or -1
	layer       int
	height      int
	left, right []int // cells beside it
	y           float64
}

// plane is a diagram while it is laid out. An edge that passes columns has a cell in
// each, so that no line runs through a box.
type plane struct {
	cells   []cell
	columns [][]int
	chains  [][]int // of each edge: its cells, from left to right
}

// layOut gives nodes and bends their places: columns by layer, rows so that few
// lines cross, and each node near what it is joined to.
func (g *graph) layOut() {
	p := g.plane()
	best, fewest := p.order(), p.crossings()
	for range 24 {
		p.sweep(false)
		p.sweep(true)
		if n := p.crossings(); n < fewest {
			best, fewest = p.order(), n
		}
		if fewest == 0 {
			break
		}
	}
	p.restore(best)
	p.space()
	p.apply(g)
}

func (g *graph) plane() *plane {
	p := &plane{}
	last := 0
	for i, n := range g.nodes {
		p.cells = append(p.cells, cell{node: i, layer: n.layer, height: 2*nodePad + lineHeight*len(n.lines)})
		last = max(last, n.layer)
	}
	for _, e := range g.edges {
		chain := []int{e.from}
		for l := g.nodes[e.from].layer + 1; l < g.nodes[e.to].layer; l++ {
			chain = append(chain, len(p.cells))
			p.cells = append(p.cells, cell{node: -1, layer: l, height: bendHeight})
		}
		chain = append(chain, e.to)
		for i := 1; i < len(chain); i++ {
			p.cells[chain[i-1]].right = append(p.cells[chain[i-1]].right, chain[i])
			p.cells[chain[i]].left = append(p.cells[chain[i]].left, chain[i-1])
		}
		p.chains = append(p.chains, chain)
	}
	p.columns = make([][]int, last+1)
	for i, c := range p.cells {
		p.columns[c.layer] = append(p.columns[c.layer], i)
	}
	return p
}

func (p *plane) order() [][]int {
	out := make([][]int, len(p.columns))
	for i, c := range p.columns {
		out[i] = slices.Clone(c)
	}
	return out
}

func (p *plane) restore(columns [][]int) { p.columns = columns }

// places are the rows of all cells.
func (p *plane) places() []int {
	at := make([]int, len(p.cells))
	for _, column := range p.columns {
		for row, i := range column {
			at[i] = row
		}
	}
	return at
}

// sweep sorts each column by the middle of what its cells are joined to, from left
// to right or back.
func (p *plane) sweep(back bool) {
	for k := range p.columns {
		column := p.columns[k]
		if back {
			column = p.columns[len(p.columns)-1-k]
		}
		at := p.places()
		middle := map[int]float64{}
		for row, i := range column {
			beside := p.cells[i].left
			if back {
				beside = p.cells[i].right
			}
			middle[i] = float64(row)
			if len(beside) > 0 {
				sum := 0
				for _, j := range beside {
					sum += at[j]
				}
				middle[i] = float64(sum) / float64(len(beside))
			}
		}
		slices.SortStableFunc(column, func(a, b int) int { return cmp.Compare(middle[a], middle[b]) })
	}
}

// crossings counts the lines that cross.
func (p *plane) crossings() (n int) {
	at := p.places()
	for _, column := range p.columns {
		var ends [][2]int
		for row, i := range column {
			for _, j := range p.cells[i].right {
				ends = append(ends, [2]int{row, at[j]})
			}
		}
		for i, a := range ends {
			for _, b := range ends[i+1:] {
				if (a[0]-b[0])*(a[1]-b[1]) < 0 {
					n++
				}
			}
		}
	}
	return n
}

// space moves cells towards what they are joined to, and keeps their order and
// distance.
func (p *plane) space() {
	for _, column := range p.columns {
		y := 0.0
		for _, i := range column {
			p.cells[i].y = y + float64(p.cells[i].height)/2
			y += float64(p.cells[i].height) + between
		}
	}
	for round := range 12 {
		for k := range p.columns {
			column := p.columns[k]
			if round%2 == 1 {
				column = p.columns[len(p.columns)-1-k]
			}
			p.settle(column)
		}
	}
	top := 0.0
	for i, c := range p.cells {
		if y := c.y - float64(c.height)/2; i == 0 || y < top {
			top = y
		}
	}
	for i := range p.cells {
		p.cells[i].y -= top
	}
}

// settle puts the cells of a column as near to their wishes as their distance lets
// it: neighbours that are too close share the middle of what they wish.
func (p *plane) settle(column []int) {
	type block struct{ sum, n float64 }
	var blocks []block
	var sizes []int
	offset := make([]float64, len(column))
	for row, i := range column {
		if row > 0 {
			before := p.cells[column[row-1]]
			offset[row] = offset[row-1] + float64(before.height+p.cells[i].height)/2 + between
		}
		blocks, sizes = append(blocks, block{p.wish(i) - offset[row], 1}), append(sizes, 1)
		for n := len(blocks); n > 1 && blocks[n-2].sum/blocks[n-2].n > blocks[n-1].sum/blocks[n-1].n; n = len(blocks) {
			blocks[n-2].sum += blocks[n-1].sum
			blocks[n-2].n += blocks[n-1].n
			sizes[n-2] += sizes[n-1]
			blocks, sizes = blocks[:n-1], sizes[:n-1]
		}
	}
	row := 0
	for k, b := range blocks {
		for range sizes[k] {
			p.cells[column[row]].y = b.sum/b.n + offset[row]
			row++
		}
	}
}

// wish is the middle of what a cell is joined to.
func (p *plane) wish(i int) float64 {
	c := p.cells[i]
	if len(c.left)+len(c.right) == 0 {
		return c.y
	}
	sum := 0.0
	for _, j := range slices.Concat(c.left, c.right) {
		sum += p.cells[j].y
	}
	return sum / float64(len(c.left)+len(c.right))
}

// apply gives nodes and edges their places in pixels.
func (p *plane) apply(g *graph) {
	x := func(layer int) int { return margin + layer*(nodeWidth+gap) }
	for i := range g.nodes {
		c, n := p.cells[i], &g.nodes[i]
		n.x, n.y = x(c.layer), margin+int(c.y)-c.height/2
		g.height = max(g.height, n.y+c.height+margin)
	}
	for k, chain := range p.chains {
		for _, i := range chain[1 : len(chain)-1] {
			c := p.cells[i]
			g.edges[k].bends = append(g.edges[k].bends, point{x(c.layer), margin + int(c.y)})
			g.height = max(g.height, margin+int(c.y)+margin)
		}
	}
	g.width = x(len(p.columns)-1) + nodeWidth + margin
}
