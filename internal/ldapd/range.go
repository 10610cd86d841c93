package ldapd

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// valueRange is which values of an attribute are asked for, both ends
// included ([MS-ADTS], section 3.1.1.3.1.3.3).
type valueRange struct{ low, high int }

// cutRange takes the range off a description that has one.
func (d desc) cutRange() (r valueRange, rest desc, ok bool) {
	i := slices.IndexFunc(d.options, func(o string) bool { return strings.HasPrefix(o, "range=") })
	if i < 0 {
		return valueRange{}, d, false
	}
	low, high, _ := strings.Cut(strings.TrimPrefix(d.options[i], "range="), "-")
	var err error
	if r.low, err = strconv.Atoi(low); err != nil || r.low < 0 {
		return valueRange{}, d, false
	}
	r.high = math.MaxInt
	if high != "*" {
		if r.high, err = strconv.Atoi(high); err != nil || r.high < r.low {
			return valueRange{}, d, false
		}
	}
	rest = desc{typ: d.typ, options: slices.Delete(slices.Clone(d.options), i, i+1)}
	return r, rest, true
}

func (d *Directory) maxValRange() int {
	if d.AD.MaxValRange > 0 {
		return d.AD.MaxValRange
	}
	return 1500
}

// encodeRange sends an attribute of an Active Directory, which shows no more
// values at once than its policy says: beside an empty one stand the first.
func (s selection) encodeRange(e *encoder, v view, a *attr) {
	r, asked := s.ranges[a.key()]
	if v.dir.domain == nil {
		if !asked {
			s.encodeAttr(e, a.String(), a.values)
		}
		return
	}
	max, n := v.dir.maxValRange(), len(a.values)
	if _, _, incremental := a.desc.cutRange(); incremental {
		max = n // values that were gained or lost come whole: a round of DirSync has an end of its own
	}
	if v.stuck && asked {
		r = valueRange{0, math.MaxInt}
	}
	switch {
	case !asked && n <= max:
		s.encodeAttr(e, a.String(), a.values)
		return
	case !asked:
		s.encodeAttr(e, a.String(), nil)
		r = valueRange{0, math.MaxInt}
	case r.low >= n:
		s.encodeAttr(e, fmt.Sprintf("%s;range=%d-*", a, r.low), nil)
		return
	}
	high := min(r.high, r.low+max-1, n-1)
	end := strconv.Itoa(high)
	if high == n-1 {
		end = "*"
	}
	s.encodeAttr(e, fmt.Sprintf("%s;range=%d-%s", a, r.low, end), a.values[r.low:high+1])
}
