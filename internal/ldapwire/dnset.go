package ldapwire

import "hash/maphash"

// dnSet remembers the names of a listing by their hashes, 8 to 16 octets each:
// a page that comes twice, or two answers in one, show up as names that do.
type dnSet struct {
	slots []uint64
	n     int
}

var dnSeed = maphash.MakeSeed()

// add says whether the name is new.
func (s *dnSet) add(dn []byte) bool {
	if 2*s.n >= len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, max(64, 2*len(old)))
		for _, h := range old {
			if h != 0 {
				s.put(h)
			}
		}
	}
	h := maphash.Bytes(dnSeed, dn)
	if h == 0 {
		h = 1
	}
	if !s.put(h) {
		return false
	}
	s.n++
	return true
}

func (s *dnSet) put(h uint64) bool {
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return false
		case 0:
			s.slots[i] = h
			return true
		}
	}
}
