package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// leftOf says where the state and its folder still name people who are
// forgotten: what the directory says of others, the policy, files that are not
// rosterd's.
func (s *Store) leftOf(f forgetting) ([]string, error) {
	names := newNeedles(f.Names, false)
	var left []string
	people, meta, begun := 0, 0, 0
	err := s.EachPerson("", func(p identity.Person) error {
		for _, a := range p.Attributes.List() {
			if slices.ContainsFunc(a.Values, names.in) {
				people++
				break
			}
		}
		return nil
	})
	if err == nil {
		err = s.view(func(tx *txn) error {
			if err := tx.Bucket(bIntents).ForEach(func(_, v []byte) error {
				if mentioned(strings.ToLower(string(v)), names, f.Names) {
					begun++
				}
				return nil
			}); err != nil {
				return err
			}
			return tx.Bucket(bMeta).ForEach(func(k, v []byte) error {
				if !bytes.Equal(k, kForgetting) && names.blankJSON(v) != nil {
					meta++
				}
				return nil
			})
		})
	}
	if err != nil {
		return nil, err
	}
	if people > 0 {
		left = append(left, fmt.Sprintf("%d other people, in attributes that the directory has", people))
	}
	if meta > 0 {
		left = append(left, "the configuration")
	}
	if begun > 0 {
		left = append(left, fmt.Sprintf("%d changes of others that are under way: their outcome will say it", begun))
	}
	files, err := s.strangers(f)
	return append(left, files...), err
}

// strangers are the files beside the state that are not rosterd's and name them:
// a copy, a backup.
func (s *Store) strangers(f forgetting) ([]string, error) {
	var out []string
	// The months were gone through; a role or a group in them may be called as
	// somebody was.
	ours := map[string]bool{s.path: true}
	list, err := s.Months()
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		ours[s.monthPath(m.Name)] = true
	}
	for _, folder := range []string{filepath.Dir(s.path), JournalFolder(s.path)} {
		files, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
		for _, file := range files {
			path := filepath.Join(folder, file.Name())
			if !file.Type().IsRegular() || ours[path] {
				continue
			}
			found, err := mentions(path, f)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return out, err
			}
			if found {
				out = append(out, path)
			}
		}
	}
	return out, nil
}

// longName is how long a name must be to be looked for in what is no text.
const longName = 8

// mentions says whether a file has one of the names; it is read in pieces that
// overlap by more than the longest name.
func mentions(path string, f forgetting) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	words := newNeedles(f.Names, false)
	const piece, overlap = 1 << 20, 8 << 10
	buf := make([]byte, 0, piece+overlap)
	for {
		n, err := io.ReadFull(file, buf[len(buf):len(buf)+piece])
		buf = buf[:len(buf)+n]
		lower := strings.ToLower(string(buf))
		if mentioned(lower, words, f.Names) {
			return true, nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = nil
			}
			return false, err
		}
		keep := min(len(buf), overlap)
		buf = buf[:copy(buf[:keep], buf[len(buf)-keep:])]
	}
}

// mentioned says whether one of the names is in bytes that are no text; a short
// one counts only as a word.
func mentioned(lower string, words *needles, names []string) bool {
	return words.in(lower) || slices.ContainsFunc(names, func(name string) bool {
		return len(name) >= longName && strings.Contains(lower, strings.ToLower(name))
	})
}
