// Package secret holds the passwords and tokens of the configuration without
// ever holding their text: a Secret names where the text stands, and is read
// when somebody dials.
package secret

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/rosterd/rosterd/internal/problem"
)

// Folder is where a credential is looked for when systemd names no folder, so
// that commands typed by hand find what the service has.
const Folder = "/etc/rosterd/credentials"

// limit is the longest secret that is read, in bytes.
const limit = 64 << 10

// shown is what every way of printing a Secret prints.
const shown = "[secret]"

// Secret is one of { file = … }, { credential = … } or { env = … }. The zero
// value is not set. It prints as [secret] in every format.
type Secret struct {
	file, credential, env string
	// mistaken: something stands there that names no place. It was told, and is not
	// missing.
	mistaken bool
}

// File is a secret that stands in a file.
func File(path string) Secret { return Secret{file: path} }

// Credential is a secret that systemd hands over, see systemd.exec(5),
// LoadCredential=.
func Credential(name string) Secret { return Secret{credential: name} }

// Env is a secret in an environment variable.
func Env(name string) Secret { return Secret{env: name} }

// IsSet says whether the configuration names a secret.
func (s Secret) IsSet() bool { return s != Secret{} }

// Value reads the secret: the text without the newline at its end. It is read
// anew at each call, so a changed password needs no restart. Errors never hold
// any of the text. It is safe for concurrent use.
func (s Secret) Value() (string, error) {
	switch {
	case s.file != "":
		return read(s.file)
	case s.credential != "":
		return credential(s.credential, read)
	case s.env != "":
		text, ok := os.LookupEnv(s.env)
		if !ok || text == "" {
			return "", &Error{
				Err:   fmt.Errorf("read secret: the environment variable %s is not set", s.env),
				Fixes: "set it for the service, or name a file or a systemd credential instead",
			}
		}
		return trim(text), nil
	}
	return "", &Error{
		Err:   errors.New("read secret: none is named"),
		Fixes: `write { file = "…" }, { credential = "…" } or { env = "…" }`,
	}
}

// Bytes reads a secret that is no text, such as a keytab: all of it, as it is. One
// in an environment variable cannot be.
func (s Secret) Bytes() ([]byte, error) {
	switch {
	case s.file != "":
		text, err := whole(s.file)
		return []byte(text), err
	case s.credential != "":
		text, err := credential(s.credential, whole)
		return []byte(text), err
	case s.env != "":
		return nil, &Error{Err: errors.New("read secret: an environment variable holds text alone"), Fixes: `write { file = "…" } or { credential = "…" }`}
	}
	_, err := s.Value() // says that none is named
	return nil, err
}

// credential looks in the folder that systemd names, then in Folder.
func credential(name string, read func(string) (string, error)) (string, error) {
	folders := make([]string, 0, 2)
	if folder := os.Getenv("CREDENTIALS_DIRECTORY"); folder != "" {
		folders = append(folders, folder)
	}
	folders = append(folders, Folder)
	for _, folder := range folders {
		text, err := read(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		return text, err
	}
	return "", &Error{
		Err: fmt.Errorf("read secret: no credential %s in %s: %w", name, strings.Join(folders, " or "), os.ErrNotExist),
		Fixes: fmt.Sprintf("put it into %s with mode 0600, or give the service LoadCredential=%s:PATH",
			filepath.Join(Folder, name), name),
	}
}

// read is whole for a text: without the line end, and not empty.
func read(path string) (string, error) {
	text, err := whole(path)
	if err != nil {
		return "", err
	}
	value := trim(text)
	if value == "" {
		return "", &Error{Err: fmt.Errorf("read secret: %s is empty", path), Fixes: "an empty password would bind as nobody; write the password into the file"}
	}
	return value, nil
}

// whole reads a file that few may read.
func whole(path string) (string, error) {
	const fixes = "it must be a file that the account that rosterd runs as may read"
	// Opening a named pipe would wait for its writer, for ever.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", &Error{Err: fmt.Errorf("read secret: %s is not a regular file", path), Fixes: fixes}
	}
	file, err := os.Open(path)
	if err != nil {
		return "", &Error{Err: fmt.Errorf("read secret: %w", err), Fixes: fixes}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return "", &Error{
			Err:   fmt.Errorf("read secret: %s may be used by everyone (mode %04o)", path, mode),
			Fixes: "chmod o= " + path,
		}
	}
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if len(text) > limit {
		return "", fmt.Errorf("read secret: %s is longer than %d bytes", path, limit)
	}
	return string(text), nil
}

// trim cuts one line end, which every editor adds and no password has.
func trim(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return strings.TrimSuffix(text, "\r")
}

// UnmarshalTOML takes the table of the configuration. A plain text is refused:
// the file is kept in git.
func (s *Secret) UnmarshalTOML(value any) error {
	err := s.take(value)
	if err != nil {
		*s = Secret{mistaken: true}
	}
	return err
}

func (s *Secret) take(value any) error {
	const forms = `{ file = "…" }, { credential = "…" } or { env = "…" }`
	table, ok := value.(map[string]any)
	if !ok {
		return &Error{
			Err:   errors.New("a secret does not stand in this file"),
			Fixes: "name where it stands: " + forms,
		}
	}
	if len(table) != 1 {
		return &Error{Err: fmt.Errorf("a secret has one place, not %d", len(table)), Fixes: "write one of " + forms}
	}
	for key, value := range table {
		text, ok := value.(string)
		if !ok || text == "" {
			return &Error{Err: fmt.Errorf("%s must be a text that is not empty", key), Fixes: "write one of " + forms}
		}
		switch key {
		case "file":
			if !filepath.IsAbs(text) {
				return &Error{Err: errors.New("the file of a secret needs a whole path"), Fixes: "begin it with /"}
			}
			*s = File(text)
		case "credential":
			if strings.ContainsAny(text, `/\`) || text == "." || text == ".." {
				return &Error{Err: errors.New("a credential is a name, not a path"), Fixes: `for a path write { file = "…" }`}
			}
			*s = Credential(text)
		case "env":
			if strings.ContainsAny(text, "=$ {}") {
				return &Error{Err: errors.New("not the name of an environment variable"), Fixes: "write the name alone, without $"}
			}
			*s = Env(text)
		default:
			return &Error{Err: fmt.Errorf("unknown key %q in a secret", key), Fixes: "write one of " + forms}
		}
	}
	return nil
}

// Require reports a secret that is not named.
func (s Secret) Require(path []string, report problem.Report) {
	if !s.IsSet() {
		report.At(path, "missing", `write { file = "…" }, { credential = "…" } or { env = "…" }`)
	}
}

// String prints [secret].
func (Secret) String() string { return shown }

// GoString prints [secret].
func (Secret) GoString() string { return shown }

// Format prints [secret] for every verb.
func (Secret) Format(w fmt.State, _ rune) { io.WriteString(w, shown) }

// LogValue logs [secret].
func (Secret) LogValue() slog.Value { return slog.StringValue(shown) }

// MarshalText writes [secret].
func (Secret) MarshalText() ([]byte, error) { return []byte(shown), nil }

// MarshalJSON writes "[secret]".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + shown + `"`), nil }

// Error is a secret that cannot be had; it never holds any of its text.
type Error struct {
	Err   error
	Fixes string
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives what the operating system said.
func (e *Error) Unwrap() error { return e.Err }

// Hint is what to do about it.
func (e *Error) Hint() string { return e.Fixes }
