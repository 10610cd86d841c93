package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rosterd/rosterd/internal/problem"
	"github.com/rosterd/rosterd/internal/span"
)

// Unique says how an account comes to a name that nobody else has. Which names are
// taken is not known here: whoever knows goes through Name(1), Name(2), ….
type Unique struct {
	// Otherwise is the text of the names after the first; Follow says that a name
	// that the person's attributes would not give any more is changed.
	otherwise string
	first     string
	Follow    bool
	// Reserve is how long a name is given to nobody else, once nobody has it.
	Reserve time.Duration
}

// Names is how many names are tried before a person must decide.
const Names = 99

// numberMark stands in a text where the number goes. It can be in no name.
const numberMark = "\x00"

// NewUnique is for names such as "writer", "writer2", "writer3".
func NewUnique(first, before, after string, follow bool, reserve time.Duration) *Unique {
	return &Unique{first: first, otherwise: before + numberMark + after, Follow: follow, Reserve: reserve}
}

// Name is the n-th name to try, from 1.
func (u *Unique) Name(n int) string {
	if n == 1 {
		return u.first
	}
	return strings.ReplaceAll(u.otherwise, numberMark, strconv.Itoa(n))
}

// Gives says whether the name is one of those to try.
func (u *Unique) Gives(name string, same func(a, b string) bool) bool {
	for n := 1; n <= Names; n++ {
		if same(u.Name(n), name) {
			return true
		}
	}
	return false
}

// uniqueRule is a compiled Unique.
type uniqueRule struct {
	otherwise *template
	follow    bool
	reserve   time.Duration
}

// defaultReserve is long enough for mail to a leaver to stop coming.
const defaultReserve = 365 * 24 * time.Hour

// unique reads what a rule says of names that are taken; nil: nothing.
func (m *compiler) unique(r AttributeRule, path func(...string) []string) *uniqueRule {
	if r.Otherwise == "" {
		if r.Reserve != "" {
			m.fail(path("reserve"), `add otherwise = "…${number}"`, "reserve says nothing where names are not made unique")
		}
		return nil
	}
	u := &uniqueRule{follow: r.Mode == string(Enforce), reserve: defaultReserve}
	if r.Reserve != "" {
		d, err := span.Parse(r.Reserve)
		if err != nil || d < 0 {
			m.fail(path("reserve"), `write for instance "1y", or "0d" for a name that may be given again at once`, "%q is no length of time", r.Reserve)
		}
		u.reserve = d
	}
	u.otherwise = compileNumbered(m.names, r.Otherwise, func(at int, message, hint string, warning bool) {
		m.tell(problem.Problem{Path: path("otherwise"), Offset: at, Message: message, Hint: hint, Warning: warning})
	})
	if u.otherwise != nil && !strings.Contains(u.otherwise.key, numberKey) {
		m.fail(path("otherwise"), `write for instance "${lower(person.uid)}${number}"`, "without ${number} there is one more name, and then none")
	}
	return u
}

// named checks that only the name of an account is made unique, and that accounts
// are not found by such a name: it says nothing of whose account it is.
func (m *compiler) named(t *targetPolicy, c Target) {
	for i := range t.attributes {
		a := &t.attributes[i]
		if a.unique == nil {
			continue
		}
		switch {
		case i != t.nameRule:
			m.fail(a.path, "put it to "+c.NameAttribute, "only the name of an account can be made unique")
		case a.mode == IfEmpty || a.mode == Merge || a.unique.otherwise == nil || !strings.Contains(a.unique.otherwise.key, numberKey):
			// told already
		case len(c.Account.Match) == 0 || slices.Contains(c.Account.Match, a.name):
			m.fail([]string{"target", t.name, "account", "match"}, `name an attribute that stays with a person, such as match = ["employeeNumber"]`,
				"a name that is made unique does not tell whose account it is")
		}
	}
}

// names is what the rule makes of a person.
func (u *uniqueRule) names(first string, sc *scope) (*Unique, *fault) {
	v, why := u.otherwise.values(sc, nil)
	switch {
	case why != nil:
		return nil, why
	case strings.Count(v[0], numberMark) != strings.Count(u.otherwise.key, numberKey) || strings.Contains(first, numberMark):
		return nil, &fault{faultValue, fmt.Sprintf("%q is not text that can be a name", v[0])}
	}
	return &Unique{first: first, otherwise: v[0], Follow: u.follow, Reserve: u.reserve}, nil
}
