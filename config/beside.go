package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/tomltext"
)

// files are what the main file names: included files and tables. They are read from
// its folder, or stand in the bundle that the text is.
type files func(name string) ([]byte, error)

// local checks the name of a file: what lies outside of the folder of the main file
// is nobody's to name.
func (l *loader) local(at []string, name, ending string, report problem.Report) bool {
	switch {
	case name == "":
		report.At(at, "no file", fmt.Sprintf("as in %s = %q", at[len(at)-1], "conf.d/wiki"+ending))
	case !fs.ValidPath(name) || !filepath.IsLocal(name) || strings.ContainsAny(name, "\\\x00\n\""):
		report.At(at, fmt.Sprintf("%q is no file in the folder of this one", name), `write its name from there, with slashes and without "..": "conf.d/wiki`+ending+`"`)
	case path.Ext(name) != ending:
		report.At(at, fmt.Sprintf("%q does not end in %s", name, ending), "what it holds is told by its name")
	default:
		return true
	}
	return false
}

// file reads a file that a key names, and keeps its text.
func (l *loader) file(at []string, name string, report problem.Report) ([]byte, bool) {
	if text, known := l.texts[name]; known {
		return text, true
	}
	if l.files == nil {
		report.At(at, name+" is not at hand", "a text alone has no folder: name the file that it stands in")
		return nil, false
	}
	text, err := l.files(name)
	if err != nil {
		report.At(at, err.Error(), "it lies beside the main file, is a file of its own and no link, and can be read by whoever reads that")
		return nil, false
	}
	if l.texts == nil {
		l.texts = map[string][]byte{}
	}
	l.texts[name] = text
	return text, true
}

// folder reads files in and below the folder of the main file. No link leads out of
// it, none is taken for the file itself, and what is no file is not waited for.
func folder(main string) files {
	return func(name string) ([]byte, error) {
		root, err := os.OpenRoot(filepath.Dir(main))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		defer root.Close()
		for i, c := range name {
			if c != '/' {
				continue
			}
			if info, err := root.Lstat(filepath.FromSlash(name[:i])); err != nil || !info.IsDir() {
				return nil, fmt.Errorf("read %s: %s is no folder of its own", name, name[:i])
			}
		}
		file, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, cause(err))
		}
		defer file.Close()
		link, err := root.Lstat(filepath.FromSlash(name))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, cause(err))
		}
		if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || !link.Mode().IsRegular() || !os.SameFile(info, link) {
			return nil, fmt.Errorf("read %s: it is no plain file", name)
		}
		text, err := io.ReadAll(io.LimitReader(file, tomltext.Limit+1))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, cause(err))
		}
		if len(text) > tomltext.Limit {
			return nil, fmt.Errorf("read %s: it is longer than %d bytes", name, tomltext.Limit)
		}
		return text, nil
	}
}

// cause leaves out the path, which the caller says.
func cause(err error) error {
	if p, is := err.(*fs.PathError); is {
		return p.Err
	}
	return err
}
