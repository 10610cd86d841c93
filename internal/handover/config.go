package handover

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/span"
)

// Config is how passwords are handed over: by a command, or as files.
type Config struct {
	// Command is a program with its arguments; no shell sees it. It gets a Letter as
	// JSON on its standard input.
	Command []string `toml:"command"`
	// Age are public keys: of age, or of ssh. A file in Folder for each account has the
	// Letter, encrypted to all of them.
	Age    []string `toml:"age"`
	Folder string   `toml:"folder"`
	// Timeout is how long handing over one may take; 0: DefaultTimeout.
	Timeout span.Duration `toml:"timeout"`
}

// DefaultTimeout is how long handing over a password may take.
const DefaultTimeout = 30 * time.Second

const maxTimeout = 10 * time.Minute

// IsSet says whether the file says how passwords are handed over.
func (c Config) IsSet() bool { return len(c.Command) > 0 || len(c.Age) > 0 || c.Folder != "" }

// Validate reports every mistake, without I/O.
func (c Config) Validate(path []string, report problem.Report) {
	at := func(key string) []string { return append(slices.Clone(path), key) }
	const ways = `write command = ["/usr/local/bin/hand-over"], or age = ["age1…"] with folder = "/var/lib/rosterd/passwords"`
	switch {
	case !c.IsSet():
		report.At(path, "nobody would get the passwords", ways)
		return
	case len(c.Command) > 0 && (len(c.Age) > 0 || c.Folder != ""):
		report.At(at("command"), "a password is handed over in one way, not in two", "leave command out, or age and folder")
	case len(c.Command) == 0 && len(c.Age) == 0:
		report.At(at("folder"), "no key to encrypt the passwords to", `write age = ["age1…"]: what age-keygen calls the public key, or one of ssh`)
	case len(c.Command) == 0 && c.Folder == "":
		report.At(at("age"), "no folder for the passwords", `write folder = "/var/lib/rosterd/passwords"`)
	}
	if len(c.Command) > 0 && !filepath.IsAbs(c.Command[0]) {
		report.At(at("command"), "a program needs a whole path", "begin it with /; arguments are further texts in the list")
	}
	if slices.ContainsFunc(c.Command, func(s string) bool { return strings.ContainsRune(s, 0) }) {
		report.At(at("command"), "no argument can have a NUL in it", "")
	}
	if c.Folder != "" && !filepath.IsAbs(c.Folder) {
		report.At(at("folder"), "a folder needs a whole path", "begin it with /")
	}
	if _, err := recipients(c.Age); err != nil {
		report.At(at("age"), err.Error(), "write public keys: what age-keygen prints as one, or a line of ssh-ed25519 or ssh-rsa")
	}
	if t := time.Duration(c.Timeout); t != 0 && (t < time.Second || t > maxTimeout) {
		report.At(at("timeout"), "must be from 1s to 10m", "leave it out for 30s")
	}
}

// recipients reads public keys. No error holds a key, which may be a private one by
// mistake.
func recipients(keys []string) ([]age.Recipient, error) {
	var out []age.Recipient
	for i, k := range keys {
		var r age.Recipient
		var err error
		if strings.HasPrefix(k, "ssh-") {
			r, err = agessh.ParseRecipient(k)
		} else if list, failed := age.ParseRecipients(strings.NewReader(k)); failed == nil && len(list) == 1 {
			r = list[0]
		} else {
			err = fmt.Errorf("no public key")
		}
		switch {
		case strings.HasPrefix(strings.ToUpper(k), "AGE-SECRET-KEY"):
			return nil, fmt.Errorf("key %d is a private one, and this file is no place for it", i+1)
		case err != nil:
			return nil, fmt.Errorf("key %d cannot be read as a public key of age or ssh", i+1)
		}
		out = append(out, r)
	}
	if len(out) > 0 {
		if _, err := age.Encrypt(io.Discard, out...); err != nil {
			return nil, fmt.Errorf("nothing can be encrypted to all of these keys: %w", err)
		}
	}
	return out, nil
}
