package words

// Page is a policy in words: sections of blocks, in order.
type Page struct {
	Title    string
	Lead     []Text
	Sections []Section
}

// Section is a part of the page that the contents name.
type Section struct {
	Title, ID string
	Blocks    []Block
}

// Block is one of Paragraph, Items, Table, Card and Picture.
type Block interface{ block() }

// Paragraph is a paragraph.
type Paragraph struct{ Text Text }

// Items is a list.
type Items struct{ Items []Text }

// Table has a head, and rows of as many cells.
type Table struct {
	Head []string
	Rows [][]Text
}

// Card is a thing with a name: a role, an application.
type Card struct {
	Title, ID string
	// Aside stands beside the title: what it is, where it is written.
	Aside Text
	Lead  Text
	Facts []Fact
	// Tables stand below the facts, each under its title.
	Tables []Titled
}

// Titled is a table in a card.
type Titled struct {
	Title string
	Table Table
}

// Fact is a question and its answers, one a line.
type Fact struct {
	Name  string
	Lines []Text
}

// Picture is a diagram of one application, or a part of it.
type Picture struct {
	Title   string
	Diagram *diagram
}

func (Paragraph) block() {}
func (Items) block()     {}
func (Table) block()     {}
func (Card) block()      {}
func (Picture) block()   {}

func (s *Section) say(parts ...any) { s.Blocks = append(s.Blocks, Paragraph{text(parts...)}) }

func (s *Section) add(b Block) { s.Blocks = append(s.Blocks, b) }

func (c *Card) fact(name string, lines ...Text) {
	var out []Text
	for _, l := range lines {
		if len(l) > 0 {
			out = append(out, l)
		}
	}
	if len(out) > 0 {
		c.Facts = append(c.Facts, Fact{name, out})
	}
}
