package ldap

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// stamps are the times that one look showed.
type stamps struct {
	of   map[identity.ID]stamp
	now  string // by our clock, in seconds
	last string // the latest, in seconds
	past string // the latest that is not in the future
	odd  string // one that is no time
}

type stamp struct {
	text   string
	inside bool // below a base
}

// add takes an entry by the names of its stamp and ID; every says that each entry
// has an ID.
func (s *stamps) add(e *ldapwire.Entry, name, id string, every bool, bases []identity.DN) error {
	dn, err := identity.ParseDN(string(e.DN))
	if err != nil {
		return fmt.Errorf("read the name of an entry: %w", err)
	}
	inside := slices.ContainsFunc(bases, dn.Within)
	ids := e.Values(id)
	if len(ids) != 1 {
		// Where only people have an ID, other entries have none. Where the server
		// gives one to everything, a container without it could be renamed unseen.
		if inside && every {
			s.odd = fmt.Sprintf("%q shows no %s", e.DN, id)
		}
		return nil
	}
	key, err := idOf(id, ids[0])
	if err != nil {
		return err
	}
	text := string(e.First(name))
	if len(text) <= len(stampSeconds) || !strings.Contains(text, "Z") || strings.Trim(text[:len(stampSeconds)], "0123456789") != "" {
		s.odd = fmt.Sprintf("%s of %q is %q, which is no time in UTC", name, e.DN, text)
		return nil
	}
	if _, twice := s.of[key]; twice {
		s.odd = fmt.Sprintf("two entries show the %s %s, one of them is %q", id, key, e.DN)
	}
	s.of[key] = stamp{text, inside}
	seconds := text[:len(stampSeconds)]
	s.last = max(s.last, seconds)
	if seconds <= s.now {
		s.past = max(s.past, seconds)
	}
	return nil
}

// latest is what to look back from. One in the future, of a clock that was wrong once,
// says nothing of how late it is on the server.
func (s *stamps) latest() string { return cmp.Or(s.past, s.last) }

// set is what they are told by later.
func (s *stamps) set() stampSet {
	sums := make([]uint64, 0, len(s.of))
	for id, st := range s.of {
		sums = append(sums, stampSum(id, st.text))
	}
	slices.Sort(sums)
	out := stampSet{Count: len(sums)}
	if len(sums) <= maxStamps {
		raw := make([]byte, 0, 8*len(sums))
		for _, sum := range sums {
			raw = binary.BigEndian.AppendUint64(raw, sum)
		}
		out.Sums = base64.RawStdEncoding.EncodeToString(raw)
	}
	for _, sum := range sums {
		out.All += sum
	}
	return out
}

// maxStamps a set tells one by one; of more it knows only whether they are the
// same.
const maxStamps = 5000

// stampSet is a set of entries and their times. The zero value is empty.
type stampSet struct {
	Count int    `json:"count"`
	All   uint64 `json:"all,string"`
	Sums  string `json:"sums,omitempty"` // base64 of 8 bytes each, sorted
	sums  []uint64
}

func (s stampSet) equal(o stampSet) bool {
	return s.Count == o.Count && s.All == o.All && s.Sums == o.Sums
}

// has says whether the entry is in it with that time.
func (s *stampSet) has(id identity.ID, text string) bool {
	if s.sums == nil {
		raw, err := base64.RawStdEncoding.DecodeString(s.Sums)
		if err != nil {
			return false
		}
		s.sums = make([]uint64, 0, len(raw)/8)
		for ; len(raw) >= 8; raw = raw[8:] {
			s.sums = append(s.sums, binary.BigEndian.Uint64(raw))
		}
	}
	_, found := slices.BinarySearch(s.sums, stampSum(id, text))
	return found
}

func stampSum(id identity.ID, text string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %s", string(id), text) //nolint:errcheck // a hash takes everything
	return h.Sum64()
}
