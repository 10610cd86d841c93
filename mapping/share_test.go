package mapping

import (
	"fmt"
	"sync"
	"testing"

	"github.com/rosterd/rosterd/identity"
)

// One policy serves any number of goroutines, and one person's values never
// show up at another.
func TestPolicyIsShared(t *testing.T) {
	p := policy(t, site)
	lead := []identity.Membership{in(t, p, leads)}
	all := pins(p)
	subject := func(i int) Subject {
		return Subject{Pins: all, Memberships: lead[:i%2],
			Person: staff(map[string][]string{"mail": {fmt.Sprintf("W%d@corp.example", i)}, "employeeType": {[]string{"staff", "guest", "FORMER"}[i%3]}})}
	}
	var want [12]string
	for i := range want {
		want[i] = fmt.Sprintf("%+v", p.Resolve(subject(i)))
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 10 {
				for i := range want {
					if got := fmt.Sprintf("%+v", p.Resolve(subject(i))); got != want[i] {
						t.Errorf("person %d: %s", i, got)
						return
					}
				}
			}
		})
	}
	group.Wait()
}
