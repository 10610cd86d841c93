package floors

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the path that all of our imports begin with.
const Module = "github.com/rosterd/rosterd"

// File is one file of the module.
type File struct {
	// Path is relative to the root, with slashes.
	Path   string
	Source []byte
}

// Breach is one place where a rule is broken.
type Breach struct {
	Path string
	Line int
	// Rule is the name of the rule, Text what is wrong.
	Rule, Text string
}

func (b Breach) String() string { return fmt.Sprintf("%s:%d: %s: %s", b.Path, b.Line, b.Rule, b.Text) }

// source is a Go file with what the rules ask of it.
type source struct {
	path string
	// folder is the package's folder: "sync/plan", "" for the root.
	folder string
	test   bool
	file   *ast.File
	set    *token.FileSet
	// imports are by the name they have in the file.
	imports map[string]string
	report  func(rule string, at token.Pos, format string, args ...any)
}

// Check returns every breach, sorted. A Go file that cannot be parsed is one.
func Check(files []File) []Breach {
	var out []Breach
	var sources []*source
	for _, f := range files {
		names(f, &out)
		places(f, &out)
		if !strings.HasSuffix(f.Path, ".go") {
			continue
		}
		s, err := parse(f, &out)
		if err != nil {
			out = append(out, Breach{f.Path, 1, "syntax", err.Error()})
			continue
		}
		sources = append(sources, s)
	}
	for _, s := range sources {
		for _, rule := range []func(*source){upward, kinds, rooms, pure, clock, alias, proofs} {
			rule(s)
		}
	}
	writers(sources)
	slices.SortFunc(out, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(out)
}

func parse(f File, out *[]Breach) (*source, error) {
	s := &source{path: f.Path, folder: path.Dir(f.Path), set: token.NewFileSet(), imports: map[string]string{}}
	if s.folder == "." {
		s.folder = ""
	}
	s.test = strings.HasSuffix(f.Path, "_test.go")
	var err error
	if s.file, err = parser.ParseFile(s.set, f.Path, f.Source, parser.SkipObjectResolution); err != nil {
		return nil, err
	}
	s.report = func(rule string, at token.Pos, format string, args ...any) {
		*out = append(*out, Breach{f.Path, s.set.Position(at).Line, rule, fmt.Sprintf(format, args...)})
	}
	for _, spec := range s.file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		s.imports[name] = imported
	}
	return s, nil
}

// each calls f for every import of the file; ours is the folder in the module,
// or "" for packages of others.
func (s *source) each(f func(spec *ast.ImportSpec, imported, ours string)) {
	for _, spec := range s.file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		ours := ""
		if rest, ok := strings.CutPrefix(imported, Module+"/"); ok {
			ours = rest
		}
		f(spec, imported, ours)
	}
}

// uses calls f for every use of package.Name, called or not.
func (s *source) uses(f func(at token.Pos, imported, name string)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := selector.X.(*ast.Ident); ok {
				if imported, ok := s.imports[id.Name]; ok {
					f(selector.Pos(), imported, selector.Sel.Name)
				}
			}
		}
		return true
	})
}

// within says whether a folder is one of the rooms or below it.
func within(folder string, rooms ...string) bool {
	for _, room := range rooms {
		if folder == room || strings.HasPrefix(folder, room+"/") {
			return true
		}
	}
	return false
}
