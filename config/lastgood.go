package config

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// LastGood is the Config of a file that cannot be taken for what stands in files that it
// names: of these, as few as do are taken as they are in kept, the Text of a Config that
// governed. Whoever keeps a file of their own can then keep nothing waiting but that
// file. It is nil where the mistake is in the main file; instead are the files that
// were not taken.
func LastGood(file string, kinds Kinds, kept []byte) (c *Config, instead []string) {
	main, err := readMain(file)
	if err != nil {
		return nil, nil
	}
	_, old, err := unbundle(kept)
	if err != nil || len(old) == 0 {
		return nil, nil
	}
	fresh := cached(folder(file))
	with := func(last map[string]bool) *Config {
		c, _ := parse(file, main, func(name string) ([]byte, error) {
			if text, is := old[name]; is && last[part(name, old)] {
				return text, nil
			}
			return fresh(name)
		}, kinds)
		return c
	}
	// Everything as it was; then one owner's part after the other as it is now, if that does.
	last := map[string]bool{}
	for name := range old {
		last[part(name, old)] = true
	}
	if c = with(last); c == nil {
		return nil, nil
	}
	for _, p := range slices.Sorted(maps.Keys(last)) {
		last[p] = false
		if now := with(last); now != nil {
			c = now
		} else {
			last[p] = true
		}
	}
	for name := range old {
		if last[part(name, old)] && !same(fresh, name, old[name]) {
			instead = append(instead, name)
		}
	}
	slices.Sort(instead)
	return c, instead
}

// part is what is taken together, because one owner keeps it: the folder of an included
// file, or a file by itself.
func part(name string, all map[string][]byte) string {
	longest := name
	for other := range all {
		in := path.Dir(other)
		if path.Ext(other) == ".toml" && in != "." && strings.HasPrefix(name, in+"/") && (longest == name || len(in) > len(longest)) {
			longest = in
		}
	}
	return longest
}

func same(fresh files, name string, text []byte) bool {
	now, err := fresh(name)
	return err == nil && string(now) == string(text)
}

// cached reads each file once: what is judged is what is taken.
func cached(from files) files {
	type answer struct {
		text []byte
		err  error
	}
	known := map[string]answer{}
	return func(name string) ([]byte, error) {
		a, is := known[name]
		if !is {
			a.text, a.err = from(name)
			known[name] = a
		}
		return a.text, a.err
	}
}
