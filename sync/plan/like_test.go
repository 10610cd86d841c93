package plan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/identity"
)

// Of many who come to the same a few are shown, and the others counted; who
// comes to something else is shown whatever the crowd.
func TestTextOfACrowd(t *testing.T) {
	r := newRig(t)
	r.staff(5)
	for i := 1000; i < 2500; i++ {
		r.hire(i, "Readers")
	}
	r.standing(3, identity.Disabled)
	p, v := r.plan(false)
	show := func(o TextOptions) string {
		var b bytes.Buffer
		if err := Text(&b, p, v, o); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	short := show(TextOptions{})
	for _, want := range []string{"… and 1,490 more like these: new: create, grant (-v shows all)", "  ! writer3  disabled", "      ! disable writer3\n"} {
		if strings.Count(short, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, short)
		}
	}
	if n := strings.Count(short, "because as writer1000"); n != few-1 || strings.Count(short, "because role-Readers") != 1 {
		t.Errorf("the reasons of all are said %d times anew\n%s", n, short)
	}
	if n := strings.Count(short, "create writer"); n != few {
		t.Errorf("%d of the crowd are shown, want %d", n, few)
	}
	if n := strings.Count(show(TextOptions{Verbose: true}), "create writer"); n != 1500 {
		t.Errorf("-v shows %d of 1500", n)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 4990: "4,990", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// The situation is not said twice, and presence needs no words.
func TestRests(t *testing.T) {
	for _, c := range []struct {
		s    Subject
		want string
	}{
		{Subject{Situation: New, Why: "in the directory"}, ""},
		{Subject{Situation: Disabled, Why: `disabled: person.x == "y"`}, `person.x == "y"`},
		{Subject{Situation: Gone, Why: "disabled: at the source"}, "disabled: at the source"},
	} {
		if got := Rests(&c.s); got != c.want {
			t.Errorf("%v: %q, want %q", c.s.Situation, got, c.want)
		}
	}
}
