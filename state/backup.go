package state

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"
)

// A backup is a tar of a few members: what it is of, the state, the closed months
// of the journal, and the sums of all of them. tar unpacks it also where there is
// no rosterd.

const (
	manifestName = "rosterd-backup.json"
	stateName    = "state.db"
	monthFolder  = "journal/"
	sumsName     = "SHA256SUMS"
	backupFormat = 1
)

// Manifest says what a backup is of.
type Manifest struct {
	Format int       `json:"format_version"`
	Made   time.Time `json:"made"`
	// Serial, Generation and Commit say of which state it is, and how far it was.
	Serial     string `json:"serial"`
	Generation uint64 `json:"generation"`
	Commit     uint64 `json:"commit"`
	// Records and Head are those of the journal, Months its closed months.
	Records uint64   `json:"records"`
	Head    string   `json:"head"`
	Months  []string `json:"months,omitempty"`
	// Bytes is the size of the state.
	Bytes int64 `json:"bytes"`
}

// Backup writes the state as it is now, with the closed months of the journal.
// Others may use the Store meanwhile. What it writes was checked: every page and
// value, and the chain of the journal.
func (s *Store) Backup(ctx context.Context, to io.Writer) (Manifest, error) {
	m, err := s.backup(ctx, to)
	if err != nil {
		return m, fmt.Errorf("back up state: %w", err)
	}
	return m, nil
}

func (s *Store) backup(ctx context.Context, to io.Writer) (Manifest, error) {
	if _, _, err := s.VerifyJournal(); err != nil {
		return Manifest{}, err
	}
	var at position
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	out := Manifest{Format: backupFormat, Made: s.now().UTC()}
	// The months are opened before anybody can drop one: an open file stays.
	v, err := s.pin(func(tx *txn) error {
		at = positionOf(tx)
		list, err := months(tx)
		for _, m := range list {
			if err != nil {
				return err
			}
			var f *os.File
			if f, err = os.Open(s.monthPath(m.Name)); err == nil {
				files, out.Months = append(files, f), append(out.Months, m.Name)
			}
		}
		return err
	})
	if err != nil {
		return out, err
	}
	defer v.end()
	out.Serial, out.Generation, out.Commit = hex.EncodeToString(at.serial[:]), at.generation, at.commit
	out.Records, out.Head, out.Bytes = at.records, at.head.String(), v.tx.Size()
	if _, err := s.walkPinned(ctx, v, pages{}); err != nil {
		return out, err
	}
	w := &archive{ctx: ctx, tar: tar.NewWriter(to), made: out.Made, moves: s.committed}
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return out, err
	}
	if err := w.text(manifestName, append(text, '\n')); err != nil {
		return out, err
	}
	if err := w.add(stateName, v.tx.Size(), func(to io.Writer) error {
		_, err := v.tx.WriteTo(to)
		return err
	}); err != nil {
		return out, err
	}
	for i, f := range files {
		info, err := f.Stat()
		if err != nil {
			return out, err
		}
		if err := w.add(monthFolder+out.Months[i], info.Size(), func(to io.Writer) error {
			_, err := io.Copy(to, f)
			return err
		}); err != nil {
			return out, err
		}
	}
	return out, errors.Join(w.text(sumsName, []byte(w.sums.String())), w.tar.Close())
}

// archive writes members and their sums.
type archive struct {
	ctx   context.Context
	tar   *tar.Writer
	made  time.Time
	sums  strings.Builder
	moves func()
}

func (w *archive) text(name string, b []byte) error {
	return w.add(name, int64(len(b)), func(to io.Writer) error {
		_, err := to.Write(b)
		return err
	})
}

func (w *archive) add(name string, size int64, write func(io.Writer) error) error {
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: w.made, Format: tar.FormatPAX}); err != nil {
		return err
	}
	sum := sha256.New()
	if err := write(io.MultiWriter(&alive{w}, sum)); err != nil {
		return err
	}
	fmt.Fprintf(&w.sums, "%x  %s\n", sum.Sum(nil), name)
	return w.tar.Flush()
}

// alive ends the writing with the context, and tells that it moves.
type alive struct{ w *archive }

func (a *alive) Write(b []byte) (int, error) {
	if err := a.w.ctx.Err(); err != nil {
		return 0, err
	}
	a.w.moves()
	return a.w.tar.Write(b)
}

// VerifyBackup checks a backup whole: its sums, and every page and value of the
// state in it.
func VerifyBackup(f *os.File) error {
	_, _, err := readBackup(f)
	return err
}

// member is one file of a backup, where it stands in the archive.
type member struct {
	name string
	body *io.SectionReader
}

// readBackup checks a backup whole: its sums, and every page and value of the
// state in it. A plain state file is one too, without its months.
func readBackup(f *os.File) (Manifest, []member, error) {
	info, err := f.Stat()
	if err != nil {
		return Manifest{}, nil, err
	}
	if _, err := metaAt(f, 0); err == nil {
		whole := io.NewSectionReader(f, 0, info.Size())
		return Manifest{Bytes: info.Size()}, []member{{stateName, whole}}, checkWhole(whole)
	}
	members, err := unpack(f)
	if err != nil {
		return Manifest{}, nil, fmt.Errorf("%w: %w", ErrNoBackup, err)
	}
	var m Manifest
	var sums strings.Builder
	for i, file := range members {
		sum := sha256.New()
		if _, err := io.Copy(sum, file.body); err != nil {
			return m, nil, err
		}
		if _, err := file.body.Seek(0, io.SeekStart); err != nil {
			return m, nil, err
		}
		switch {
		case i == len(members)-1 && file.name == sumsName:
			text, err := io.ReadAll(file.body)
			if err != nil || string(text) != sums.String() {
				return m, nil, fmt.Errorf("%w: its sums are not those of what is in it", ErrNoBackup)
			}
		case i == 0 && file.name == manifestName:
			if err := json.NewDecoder(io.LimitReader(file.body, 1<<20)).Decode(&m); err != nil {
				return m, nil, fmt.Errorf("%w: %w", ErrNoBackup, err)
			}
			if m.Format > backupFormat {
				return m, nil, fmt.Errorf("%w: it is of format %d, made by a newer rosterd", ErrNoBackup, m.Format)
			}
		case i == 1 && file.name == stateName:
			if err := checkWhole(file.body); err != nil {
				return m, nil, err
			}
		case i >= 2 && strings.HasPrefix(file.name, monthFolder) && plainName(strings.TrimPrefix(file.name, monthFolder)):
		default:
			return m, nil, fmt.Errorf("%w: %q does not belong there", ErrNoBackup, file.name)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum.Sum(nil), file.name)
	}
	if len(members) < 3 || members[len(members)-1].name != sumsName {
		return m, nil, fmt.Errorf("%w: it is cut short", ErrNoBackup)
	}
	return m, members[1 : len(members)-1], nil
}

// unpack finds where the members stand.
func unpack(f *os.File) ([]member, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var out []member
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("%q is no file", h.Name)
		}
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		out = append(out, member{h.Name, io.NewSectionReader(f, at, h.Size)})
	}
}

// plainName says whether a name leads nowhere else.
func plainName(name string) bool {
	return name != "" && name == path.Base(name) && name != "." && name != ".." && !strings.ContainsAny(name, "\\\x00")
}

// checkWhole checks the pages and values of a state that nobody has open.
func checkWhole(r *io.SectionReader) error {
	m, err := readMetas(r, r.Size())
	if err != nil {
		return err
	}
	_, err = checkFile(r, m.newest)
	return err
}
