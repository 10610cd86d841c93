package ldap

import (
	"testing"

	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/entries"
)

// TestLaw05GroupsOfNamesKnowOthers: groups that know accounts by their names may mean
// somebody whose entry is not ours to look after. Nobody else gets that name, and nothing
// is taken from it.
func TestLaw05GroupsOfNamesKnowOthers(t *testing.T) {
	e := embed(t, entries.StyleMemberUID, byAttribute, "Writers", "Readers")
	if err := e.dir.Add("ou=services,"+suffix, map[string][]string{"objectClass": {"organizationalUnit"}}); err != nil {
		t.Fatal(err)
	}
	tg, ctx := e.target(t), t.Context()
	gone := mustCreate(t, tg, "backup")
	if err := tg.Delete(ctx, gone); err != nil {
		t.Fatal(err)
	}
	e.put(t, "uid=backup,ou=services,"+suffix, map[string][]string{"uid": {"backup"}, "cn": {"x"}, "sn": {"x"}})
	e.setMembers(t, "Writers", "backup")
	if errs := tg.Revoke(ctx, "Writers", []target.Ref{gone}); errs != nil {
		t.Error(errs)
	}
	if err := tg.Delete(ctx, gone); err != nil {
		t.Error(err)
	}
	e.wantMembers(t, "Writers", "backup")
	if _, err := tg.Create(ctx, "backup", person("x"), ""); target.ClassOf(err) != target.Exists {
		t.Errorf("made: %v", err)
	}
	many := creations(20)
	many[7].Name = "backup"
	for i, c := range createAll(t, tg, many) {
		if want := map[bool]target.Class{true: target.Exists}[i == 7]; target.ClassOf(c.Err) != want {
			t.Errorf("%d: %v", i, c.Err)
		}
	}
	ref := mustCreate(t, tg, "ada")
	if _, err := tg.Rename(ctx, ref, "backup"); target.ClassOf(err) != target.Exists {
		t.Errorf("renamed: %v", err)
	}
	e.wantMembers(t, "Writers", "backup")
	// Where no group knows it, the name means nobody else.
	e.setMembers(t, "Writers")
	if _, err := tg.Rename(ctx, ref, "backup"); err != nil {
		t.Error(err)
	}
}
