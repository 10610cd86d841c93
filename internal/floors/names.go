package floors

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// vague are names that say nothing of what is in a file or folder.
var vague = []string{"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common", "stuff"}

// names: a file is named for one noun. The words are refused as parts of a name
// too: log_utils.go.
func names(f File, out *[]Breach) {
	for part := range strings.SplitSeq(f.Path, "/") {
		stem, _, _ := strings.Cut(part, ".")
		for _, word := range strings.FieldsFunc(strings.ToLower(stem), func(r rune) bool { return r == '_' || r == '-' }) {
			if slices.Contains(vague, word) {
				*out = append(*out, Breach{f.Path, 1, "name", "call it by what is in it, not " + word})
			}
		}
	}
}

// machines are where paths of the machines begin that the program is built on.
// They mean nothing to anybody else.
var machines = roots("work", "Users")

func roots(names ...string) []string {
	for i, n := range names {
		names[i] = "/" + n + "/"
	}
	return names
}

// foreign finds such a path, where it is not the end of another.
func foreign(below string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:])(` + machines[0] + `|` + machines[1] + below + `)`)
}

// elsewhere are those of any file. Where SCIM is spoken, a home of a person has
// something below it: with one name alone it is the address of an account.
var elsewhere, besideSCIM = foreign(`[\w.~-]+`), foreign(`[\w.~-]+/`)

func places(f File, out *[]Breach) {
	if path.Base(f.Path) == "go.sum" || within(path.Dir(f.Path), "internal/floors") {
		return
	}
	if !slices.ContainsFunc(machines, func(m string) bool { return bytes.Contains(f.Source, []byte(m)) }) {
		return
	}
	found := elsewhere
	if strings.Contains(strings.ToLower(f.Path), "scim") {
		found = besideSCIM
	}
	for i, line := range bytes.Split(f.Source, []byte("\n")) {
		if m := found.FindSubmatch(line); m != nil {
			*out = append(*out, Breach{f.Path, i + 1, "place", "a path of one machine: " + string(m[1])})
		}
	}
}
