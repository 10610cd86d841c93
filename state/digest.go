package state

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
)

// digest is a truncated SHA-256.
type digest [16]byte

func digestOf(parts ...string) digest {
	var space [160]byte
	b := space[:0]
	for _, p := range parts {
		b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
	}
	return cut(b)
}

func cut(b []byte) digest {
	h := sha256.Sum256(b)
	return digest(h[:16])
}

// Kinds of names: an entry is found by each of its own. Members of groups are
// kept under the same hashes.
const (
	byDN    = "d"
	byLogin = "l" // in lower case
	byMail  = "m"
	byKey   = "k"
)

// nameHash is the key of a name in one source.
func nameHash(kind string, source uint64, name string) digest {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], source)
	return digestOf(kind, string(n[:]), name)
}

func foldLogin(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// refText is how a member is kept: "d" and the key of a DN, "l" and a login, as it is written.
func refText(m directory.Member) string {
	if m.Login != "" {
		return byLogin + m.Login
	}
	return byDN + m.DN.Key()
}

// entryDigest hashes what was read of an entry: values and members as sets. w
// is scratch space.
func entryDigest(w *writer, e *directory.Entry, coverage digest, members []string) digest {
	w.b = w.b[:0]
	w.byte(byte(e.Kind))
	w.raw(coverage[:])
	w.text(e.DN.String())
	w.text(e.Login)
	w.text(e.Mail)
	w.text(e.Name)
	w.text(e.RehireKey)
	w.validity(e.Validity)
	for _, a := range e.Attributes.List() {
		w.text(a.Name)
		values := a.Values
		if len(values) > 1 && !slices.IsSorted(values) {
			values = slices.Sorted(slices.Values(values))
		}
		w.texts(values)
	}
	w.texts(members)
	return cut(w.b)
}

func coverageDigest(c identity.Coverage) digest { return digestOf(c.Names()...) }
