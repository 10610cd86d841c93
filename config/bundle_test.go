package config

import (
	"bytes"
	"maps"
	"testing"
)

// A bundle gives back what was put into it, whatever the files say, and no other text
// is taken for one.
func FuzzBundle(f *testing.F) {
	f.Add([]byte("[state]\n"), "conf.d/wiki.toml", []byte("# \"x\" 3\nabc\n"), []byte(bundleMark))
	f.Add([]byte(bundleMark), "a.csv", []byte(""), []byte(bundleMark+"# \"\" 99\n"))
	f.Fuzz(func(t *testing.T, main []byte, name string, text, any []byte) {
		if name != "" {
			for _, others := range []map[string][]byte{nil, {name: text}, {name: text, name + "2": main}} {
				got, files, err := unbundle(bundle(main, others))
				if err != nil || !bytes.Equal(got, main) || !maps.EqualFunc(files, others, bytes.Equal) {
					t.Fatalf("%q, %q: %q, %q, %v", main, others, got, files, err)
				}
			}
		}
		if got, files, err := unbundle(any); err == nil && files == nil && !bytes.Equal(got, any) {
			t.Fatalf("%q is %q", any, got)
		}
	})
}
