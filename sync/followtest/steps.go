package followtest

import (
	"fmt"
	"slices"

	"github.com/rosterd/rosterd/identity"
)

// steps are the story. Each builds on those before.
func steps(s *story) []step {
	w := s.world
	elsewhere := func(login string) string { return w.PersonRDN(login) + "," + w.Elsewhere() }
	var team []string // of the container that is renamed
	list := []step{
		{name: "NothingChanged", do: func(*story) {}},
		{name: "Added", do: func(s *story) {
			for _, login := range logins("writer", 12) {
				s.join(login)
			}
		}},
		{name: "Modified", do: func(s *story) {
			s.must(w.Set(s.person("writer0"), w.Title(), "Editor"))
			s.must(w.Set(s.person("writer1"), w.Many(), "one", "two", "three"))
			s.must(w.Set(s.person("writer2"), w.Title(), "Editor"))
			s.must(w.Set(s.person("writer2"), w.Title(), "Editor in chief"))
		}},
		{name: "AttributeTakenAway", do: func(s *story) {
			s.must(w.Set(s.person("writer0"), w.Title()))
			s.must(w.Set(s.person("writer1"), w.Many(), "two"))
		}},
		{name: "GroupAdded", do: func(s *story) {
			s.addGroup("writers", s.person("writer0"), s.person("writer1"), s.person("writer2"), s.person("writer3"))
			s.addGroup("editors", s.person("writer4"), s.person("writer5"))
		}},
		{name: "GroupMembers", do: func(s *story) {
			s.must(w.Members(s.group("writers"), []string{s.person("writer6"), s.person("writer7")}, []string{s.person("writer0")}))
			s.must(w.Members(s.group("editors"), nil, []string{s.person("writer4")}))
		}},
		{name: "Renamed", do: func(s *story) {
			s.must(w.Move(s.person("writer1"), s.person("author1")))
		}},
		{name: "MovedOutOfScope", do: func(s *story) {
			s.must(w.Move(s.person("writer2"), elsewhere("writer2")))
		}, then: func(s *story) {
			if got := s.standing("writer2"); got != identity.OutOfScope {
				s.t.Errorf("who was moved out of scope is %s", got)
			}
		}},
		{name: "MovedIntoScope", do: func(s *story) {
			s.must(w.Move(elsewhere("writer2"), s.person("writer2")))
			s.must(w.AddPerson(elsewhere("stranger"), "stranger"))
			s.must(w.Move(elsewhere("stranger"), s.person("stranger")))
		}},
		{name: "GroupOfAStranger", do: func(s *story) {
			s.must(w.AddPerson(elsewhere("outsider"), "outsider"))
			s.addGroup("outsiders", elsewhere("outsider"), s.person("writer0"))
		}},
		{name: "StrangerMovedIntoScope", do: func(s *story) {
			s.must(w.Move(elsewhere("outsider"), s.person("outsider")))
		}},
		{name: "Disabled", do: func(s *story) {
			s.must(w.Close(s.person("writer3"), true))
		}},
		{name: "EnabledAgain", do: func(s *story) {
			s.must(w.Close(s.person("writer3"), false))
			s.must(w.Close(s.person("writer5"), true))
		}},
		{name: "Deleted", deletes: true, do: func(s *story) {
			s.must(w.Delete(s.person("writer6")))
			s.must(w.Delete(s.person("writer8")))
		}, then: is("writer8", identity.Gone, identity.PresumedGone)},
		{name: "CreatedAgainUnderTheSameName", everything: true, do: func(s *story) {
			s.must(w.Delete(s.person("writer9")))
			s.join("writer9")
			s.join("writer8") // who is known to be gone
		}},
		{name: "GroupRenamed", do: func(s *story) {
			s.must(w.Move(s.group("editors"), s.group("redaction")))
		}},
		{name: "FourLevels", do: func(s *story) {
			inner := s.addGroup("level1", s.person("writer10"))
			for level := 2; level <= 5; level++ {
				inner = s.addGroup(fmt.Sprintf("level%d", level), inner)
			}
		}},
		{name: "NestedChangeFourLevelsBelow", do: func(s *story) {
			s.must(w.Members(s.group("level1"), []string{s.person("writer11")}, nil))
			s.must(w.Members(s.group("level3"), []string{s.group("redaction")}, nil))
		}},
		{name: "GroupDeleted", deletes: true, do: func(s *story) {
			s.must(w.Delete(s.group("level2")))
			s.must(w.Delete(s.group("writers")))
		}},
		{name: "ContainerAdded", do: func(s *story) {
			s.must(w.AddContainer(w.ContainerRDN("team")+","+w.Base(), "team"))
			s.must(w.AddContainer(w.ContainerRDN("inner")+","+w.ContainerRDN("team")+","+w.Base(), "inner"))
			for i, login := range logins("teamster", 6) {
				in := w.ContainerRDN("team") + "," + w.Base()
				if i%2 == 1 {
					in = w.ContainerRDN("inner") + "," + in
				}
				team = append(team, w.PersonRDN(login)+","+in)
				s.must(w.AddPerson(team[i], login))
			}
			s.addGroup("teamsters", team...)
		}},
		{name: "ContainerRenamed", do: func(s *story) {
			s.must(w.Move(w.ContainerRDN("team")+","+w.Base(), w.ContainerRDN("crew")+","+w.Base()))
		}},
		{name: "ContainerMovedOutOfScope", do: func(s *story) {
			s.must(w.Move(w.ContainerRDN("crew")+","+w.Base(), w.ContainerRDN("crew")+","+w.Elsewhere()))
		}, then: func(s *story) {
			for _, login := range logins("teamster", 6) {
				if got := s.standing(login); got != identity.OutOfScope {
					s.t.Errorf("%s, whose container was moved away, is %s", login, got)
				}
			}
		}},
		{name: "ContainerMovedBack", do: func(s *story) {
			s.must(w.Move(w.ContainerRDN("crew")+","+w.Elsewhere(), w.ContainerRDN("crew")+","+w.Base()))
		}},
		{name: "RestartedServer", restarts: true, do: func(s *story) {
			s.must(w.Restart())
		}},
		{name: "DeletedBeforeARestart", everything: true, do: func(s *story) {
			s.must(w.Delete(s.person("writer7")))
			s.must(w.Restart())
			s.must(w.Set(s.person("writer0"), w.Title(), "Restarted"))
		}},
		{name: "RosterdRestarted", do: func(s *story) {
			s.kill()
			s.must(w.Set(s.person("writer0"), w.Title(), "Killed"))
			s.start()
		}},
	}
	if p, has := w.(PrimaryGroups); has {
		at := slices.IndexFunc(list, func(st step) bool { return st.name == "GroupRenamed" })
		list = slices.Insert(list, at, step{name: "PrimaryGroupChanged", do: func(s *story) {
			s.addGroup("primary", s.person("writer10"))
			s.must(p.SetPrimary(s.person("writer10"), s.group("primary")))
		}})
	}
	return list
}

// bigSteps are of many at once.
func bigSteps(s *story) []step {
	w := s.world
	crowd := w.Crowd()
	return []step{
		{name: "NothingChanged", do: func(*story) {}},
		{name: "BigGroup", do: func(s *story) {
			s.addGroup("big", crowd...)
		}},
		{name: "BigGroupMembers", do: func(s *story) {
			s.join("writer0")
			s.must(w.Members(s.group("big"), []string{s.person("writer0")}, crowd[len(crowd)-3:]))
		}},
		{name: "ManyChangesAtOnce", do: func(s *story) {
			s.must(w.SetAll(crowd[:len(crowd)*2/5], w.Title(), "Reader"))
		}},
		{name: "BigGroupDeleted", deletes: true, do: func(s *story) {
			s.must(w.Delete(s.group("big")))
		}},
	}
}
