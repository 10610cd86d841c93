// Package company makes a company of any size as LDIF, for tests, the benchmark
// and the fault runs. The same numbers make the same company.
package company

import (
	"fmt"
	"io"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldif"
)

// Company says how large it is. Suffix must have an entry already.
type Company struct {
	Suffix string
	// People are p00000 and on, spread over Units containers below ou=people.
	People, Units int
	// Groups are nested four deep, ten at the bottom of each; the last of each
	// ten contains the first, a cycle. The top of the first ten is cn=writers.
	Groups int
	// Big is the number of people in cn=big, all direct.
	Big int
}

// PeopleBase and GroupsBase are where entries are.
func (c Company) PeopleBase() string { return "ou=people," + c.Suffix }

// GroupsBase is where the groups are.
func (c Company) GroupsBase() string { return "ou=groups," + c.Suffix }

// Login of a person.
func (c Company) Login(i int) string { return fmt.Sprintf("p%05d", i) }

// Unit is the DN of the container of a person.
func (c Company) Unit(i int) string {
	if c.Units == 0 {
		return c.PeopleBase()
	}
	return fmt.Sprintf("ou=unit%02d,%s", i%c.Units, c.PeopleBase())
}

// Name is the common name of a person; among ten there are accents, a comma,
// quotes, a leading blank and everything that a DN must escape.
func (c Company) Name(i int) string {
	switch i % 10 {
	case 0:
		return fmt.Sprintf("Zoë Müller-Ørsted %d", i)
	case 1:
		return fmt.Sprintf("Writer, Content %d", i)
	case 2:
		return fmt.Sprintf(`The "quoted" writer %d`, i)
	case 3:
		return fmt.Sprintf(" Leading blank %d", i)
	case 4:
		return fmt.Sprintf(`Back\slash %d`, i)
	case 5:
		return fmt.Sprintf("Plus+Equals=%d", i)
	case 6:
		return fmt.Sprintf("<Angle>; %d", i)
	case 7:
		return fmt.Sprintf("#hash %d", i)
	}
	return fmt.Sprintf("Content Writer %d", i)
}

// DN of a person. Every other person is named by their common name.
func (c Company) DN(i int) string {
	if i%2 == 0 {
		return "uid=" + c.Login(i) + "," + c.Unit(i)
	}
	return "cn=" + identity.EscapeValue(c.Name(i)) + "," + c.Unit(i)
}

// Group is the DN of a group.
func (c Company) Group(name string) string { return "cn=" + name + "," + c.GroupsBase() }

// Person is the entry of a person.
func (c Company) Person(i int) ldif.Entry {
	e := ldif.Entry{DN: c.DN(i)}
	e.Add("objectClass", "inetOrgPerson")
	e.Add("uid", c.Login(i))
	e.Add("cn", c.Name(i))
	e.Add("sn", fmt.Sprintf("Writer %d", i))
	e.Add("givenName", "Content")
	e.Add("mail", c.Login(i)+"@corp.example")
	e.Add("title", fmt.Sprintf("Writer grade %d", i%7))
	e.Add("employeeType", "staff")
	e.Add("employeeNumber", fmt.Sprintf("%06d", 100000+i))
	e.Add("departmentNumber", fmt.Sprint(i%40))
	e.Add("telephoneNumber", fmt.Sprintf("+49 30 %06d", i))
	e.Add("l", "Berlin")
	e.Add("description", fmt.Sprintf("writes about subject %d", i%113))
	return e
}

// Write writes the company below its suffix.
func (c Company) Write(w io.Writer) error {
	base := []ldif.Entry{unit("people", c.PeopleBase()), unit("groups", c.GroupsBase())}
	for u := range c.Units {
		base = append(base, unit(fmt.Sprintf("unit%02d", u), c.Unit(u)))
	}
	if err := ldif.Write(w, base...); err != nil {
		return err
	}
	for i := range c.People {
		if err := ldif.Write(w, c.Person(i)); err != nil {
			return err
		}
	}
	return ldif.Write(w, c.groups()...)
}

func unit(name, dn string) ldif.Entry {
	e := ldif.Entry{DN: dn}
	e.Add("objectClass", "organizationalUnit")
	e.Add("ou", name)
	return e
}

// GroupName is the name of a group by number.
func (c Company) GroupName(g int) string {
	if g == 0 {
		return "writers"
	}
	return fmt.Sprintf("g%03d", g)
}

// Bottom are the people at the bottom of the ten that a group belongs to: who
// is in cn=writers by way of four groups.
func (c Company) Bottom(g int) []int {
	ten := g / 10
	var out []int
	for i := ten * 10; i < ten*10+10 && i < c.People; i++ {
		out = append(out, i)
	}
	return out
}

// groups makes chains of ten: n holds n+1 down to n+3, which holds people; the
// others of the ten hold people too, and the last one the first.
func (c Company) groups() []ldif.Entry {
	var out []ldif.Entry
	for g := range c.Groups {
		e := ldif.Entry{DN: c.Group(c.GroupName(g))}
		e.Add("objectClass", "groupOfNames")
		e.Add("cn", c.GroupName(g))
		switch k := g % 10; {
		case k < 3 && g+1 < c.Groups:
			e.Add("member", c.Group(c.GroupName(g+1)))
		case k == 3:
			for _, i := range c.Bottom(g) {
				e.Add("member", c.DN(i))
			}
			if g+1 < c.Groups {
				e.Add("member", c.Group(c.GroupName(g+1)))
			}
		default:
			e.Add("member", c.DN(g%max(1, c.People)))
			if k == 4 {
				e.Add("member", c.Group(c.GroupName(g-4))) // the cycle
			}
		}
		out = append(out, e)
	}
	if c.Big > 0 {
		e := ldif.Entry{DN: c.Group("big")}
		e.Add("objectClass", "groupOfNames")
		e.Add("cn", "big")
		for i := range min(c.Big, c.People) {
			e.Add("member", c.DN(i))
		}
		out = append(out, e)
	}
	return out
}
