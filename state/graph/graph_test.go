package graph

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rosterd/rosterd/identity"
)

type edges map[identity.Ordinal][]identity.Ordinal

func (e edges) parents(o identity.Ordinal) ([]identity.Ordinal, error) { return e[o], nil }

// all lists every way without a repetition, in the slowest manner.
func (e edges) all(way Way, named []identity.Ordinal, found map[identity.Ordinal][]Way) {
	end := way[len(way)-1]
	if slices.Contains(named, end) {
		found[end] = append(found[end], slices.Clone(way))
	}
	for _, p := range e[end] {
		if !slices.Contains(way, p) {
			e.all(append(slices.Clone(way), p), named, found)
		}
	}
}

func TestShortestAndSmallestWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := edges{}
		node := rapid.Map(rapid.IntRange(1, 7), func(n int) identity.Ordinal { return identity.Ordinal(n) })
		for range rapid.IntRange(0, 16).Draw(t, "edges") {
			from := node.Draw(t, "from")
			e[from] = append(e[from], node.Draw(t, "to"))
		}
		named := rapid.SliceOfNDistinct(node, 0, 4, rapid.ID).Draw(t, "named")
		w := New(e.parents, named)
		for range 3 { // one walk for several people
			direct := rapid.SliceOfN(node, 0, 4).Draw(t, "direct")
			found := map[identity.Ordinal][]Way{}
			for _, d := range direct {
				e.all(Way{d}, named, found)
			}
			var want []Way
			for _, ways := range found {
				want = append(want, slices.MinFunc(ways, func(a, b Way) int {
					if len(a) != len(b) {
						return len(a) - len(b)
					}
					return slices.Compare(a, b)
				}))
			}
			slices.SortFunc(want, func(a, b Way) int { return int(a[len(a)-1]) - int(b[len(b)-1]) })
			got, err := w.From(direct)
			if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("from %v to %v: %v %v, want %v", direct, named, got, err, want)
			}
		}
	})
}

func TestErrorOfParentsIsReturned(t *testing.T) {
	broken := errors.New("broken")
	w := New(func(o identity.Ordinal) ([]identity.Ordinal, error) { return nil, broken }, []identity.Ordinal{2})
	for range 2 {
		if _, err := w.From([]identity.Ordinal{1}); !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
}

func TestDeepChainAndWideGroup(t *testing.T) {
	e := edges{}
	const n = 20000
	for i := identity.Ordinal(1); i < n; i++ {
		e[i] = []identity.Ordinal{i + 1, 1}
	}
	ways, err := New(e.parents, []identity.Ordinal{n}).From([]identity.Ordinal{1})
	if err != nil || len(ways) != 1 || len(ways[0]) != n {
		t.Fatal(len(ways), err)
	}
}
