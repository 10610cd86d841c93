package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNoOwnerHoldsUpTheRest (law 10): whatever becomes of one file of others, the main
// file and those of other owners are taken as they are, and that one as it governed.
func TestNoOwnerHoldsUpTheRest(t *testing.T) {
	const other = "conf.d/blog/blog.toml"
	folder := checkout(t, func(all map[string]string) {
		all["rosterd.toml"] += "\n[include.blog]\nfile = \"" + other + "\"\nmay = [\"role.blog-*\"]\n"
		all[other] = "[role.blog-reader]\nwhen = 'person.title == \"Reader\"'\n"
		all["rosterd.toml"] = strings.Replace(all["rosterd.toml"], `writer = ["Writers"]`, "writer = [\"Writers\"]\nblog-reader = [\"Blog\"]", 1)
	})
	file := filepath.Join(folder, "rosterd.toml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, problems, err := Load(file, testKinds(t))
	if kept == nil {
		t.Fatal(problems, err)
	}
	main, _ := os.ReadFile(file)
	wiki, _ := os.ReadFile(filepath.Join(folder, "conf.d/wiki.toml"))

	if c, instead := LastGood(file, testKinds(t), kept.Text); c == nil || c.Digest != kept.Digest || len(instead) > 0 {
		t.Fatalf("nothing is wrong: instead %v", instead)
	}
	write(other, "[role.blog-reader]\nwhen = 'person.title == \"Writer\"'\n") // a good edit
	for name, text := range map[string]string{
		"no TOML":                   "[role.wiki-admin",
		"it reaches further":        string(wiki) + "\n[role.employee-2]\nwhen = \"true\"\n",
		"a role of it is used here": "[role.wiki-other]\nwhen = \"true\"\n",
		"nothing":                   "",
		"another source":            string(wiki) + "\n[source.other]\nurls = [\"ldaps://elsewhere.example\"]\n",
	} {
		write("conf.d/wiki.toml", text)
		if c, _, _ := Load(file, testKinds(t)); c != nil {
			t.Fatalf("%s: it is taken", name)
		}
		c, instead := LastGood(file, testKinds(t), kept.Text)
		if c == nil || !slices.Equal(instead, []string{"conf.d/wiki.toml"}) {
			t.Fatalf("%s: instead %v", name, instead)
		}
		if !strings.Contains(string(c.Text), `"Writer"`) {
			t.Errorf("%s: the edit of another owner waits for it", name)
		}
		if !strings.Contains(string(c.Text), string(wiki)) {
			t.Errorf("%s: what governed does not go on", name)
		}
	}
	// The table goes with the file that names it.
	write("conf.d/wiki.toml", strings.Replace(string(wiki), "30d", "60d", 1))
	write("conf.d/rooms.csv", "key,value\nada,1\nADA,2\n")
	if c, instead := LastGood(file, testKinds(t), kept.Text); c == nil || !slices.Equal(instead, []string{"conf.d/rooms.csv", "conf.d/wiki.toml"}) || strings.Contains(string(c.Text), "60d") {
		t.Errorf("a table and its file: instead %v", instead)
	}
	if err := os.Remove(filepath.Join(folder, "conf.d/wiki.toml")); err != nil {
		t.Fatal(err)
	}
	if c, instead := LastGood(file, testKinds(t), kept.Text); c == nil || !slices.Contains(instead, "conf.d/wiki.toml") {
		t.Errorf("it is not there: instead %v", instead)
	}
	if p := Place(file); p == nil || p.Main != kept.Main || p.State.Path != kept.State.Path || p.Control.Socket != kept.Control.Socket {
		t.Errorf("the place of the state is not known: %+v", p)
	}
	// A mistake of the main file is nobody else's, and what never governed stands for nothing.
	if c, _ := LastGood(file, testKinds(t), main); c != nil {
		t.Error("taken without anything that governed")
	}
	write("rosterd.toml", string(main)+"\n[role.broken]\nwhenn = \"true\"\n")
	if c, _ := LastGood(file, testKinds(t), kept.Text); c != nil {
		t.Error("a mistake in the main file is passed over")
	}
	write("rosterd.toml", strings.Replace(string(main), `, "role.wiki-*"`, "", 1))
	if c, _ := LastGood(file, testKinds(t), kept.Text); c != nil {
		t.Error("what the file may not say any more goes on")
	}
}
