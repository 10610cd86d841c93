package ldapwire

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	poison, maxEmptyPages = true, 100
	if code := m.Run(); code != 0 {
		os.Exit(code)
	}
	if err := goleak.Find(); err != nil {
		println(err.Error())
		os.Exit(1)
	}
}

// readers are both ways to read; every test of a listing runs with each.
var readers = []struct {
	name string
	kind Reader
}{{"fast", Fast}, {"reference", Reference}}
