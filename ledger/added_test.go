package ledger

import (
	"reflect"
	"testing"

	"github.com/rosterd/rosterd/target"
)

// What a merge gave is remembered value by value, and what a target does not show
// of it is still ours to take.
func TestAddedValues(t *testing.T) {
	var l Link
	do := func(v target.Value) Order {
		o := Order{Change: target.Change{Verb: target.Update, Set: []target.Value{v}}}
		before := l
		l = l.After(o, Outcome{Done: true}, then)
		if len(before.Added) > 0 && reflect.ValueOf(before.Added).Pointer() == reflect.ValueOf(l.Added).Pointer() {
			t.Error("the link it was given was changed")
		}
		return o
	}
	want := func(values ...string) {
		t.Helper()
		if got := l.Added["mail"]; !reflect.DeepEqual(got, values) {
			t.Errorf("added %q, want %q", got, values)
		}
	}
	merge := func(values, without, kept []string) target.Value {
		return target.Value{Name: "mail", How: target.Merge, Values: values, Without: without, Kept: kept}
	}
	do(merge([]string{"c", "a", "b"}, nil, []string{"b"}))
	want("a", "c")
	do(merge([]string{"a", "d"}, []string{"c"}, nil))
	want("a", "d")
	o := do(merge([]string{"e"}, []string{"a", "d"}, nil))
	want("e")
	l = l.Without(o)
	if _, known := l.Written["mail"]; known {
		t.Error("what was not seen counts as written")
	}
	want("a", "d", "e")
	do(target.Value{Name: "mail", Values: []string{"x"}})
	want()
	do(merge([]string{"a"}, nil, nil))
	l = l.After(Order{Change: target.Change{Verb: target.Delete}}, Outcome{Done: true}, then)
	want()
	l = Link{}.After(Order{Change: target.Change{Verb: target.Create, Set: []target.Value{merge([]string{"a"}, nil, nil)}}}, Outcome{Done: true}, then)
	want("a")
}
