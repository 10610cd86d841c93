package file

import (
	"path/filepath"

	"github.com/rosterd/rosterd/internal/problem"
)

// Config is a [target.NAME] of kind "file".
type Config struct {
	// Path of the JSON Lines file. It must exist; an empty file has no accounts.
	Path string `toml:"path"`
	// NameAttribute is the attribute that is the account's name; "name" if
	// left out.
	NameAttribute string `toml:"name_attribute"`
}

// Validate says what is wrong with the configuration. It does no I/O.
func (c *Config) Validate(path []string, report problem.Report) {
	at := append(append([]string(nil), path...), "path")
	switch {
	case c.Path == "":
		report.At(at, "the path of the file is missing", `write for example: path = "/var/lib/rosterd/accounts.jsonl"`)
	case !filepath.IsAbs(c.Path):
		report.At(at, "the path is not absolute", "begin it with a slash, so that it does not depend on where a command is started")
	}
}
