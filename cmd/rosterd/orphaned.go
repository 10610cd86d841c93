package main

import (
	"fmt"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/state"
)

// orphaned refuses a configuration that leaves accounts of ours to nobody: they
// would stay open when their owners leave. The target of that name is to be
// forgotten; "" is none.
func orphaned(c *config.Config, store *state.Store, forget string) error {
	if err := orphanedPeople(c, store); err != nil {
		return err
	}
	known, err := store.Targets()
	if err != nil {
		return failed(err)
	}
	for _, t := range known {
		if c.Targets[t.Name] != nil || t.Name == forget {
			continue
		}
		_, all, err := store.LinkCount(t.Name)
		if err != nil {
			return failed(err)
		}
		if all > 0 {
			return usage(fmt.Errorf("read %s: [target.%s] is not there, and %s in it are managed", c.File, t.Name, count(all, "account")),
				fmt.Sprintf("put the table back; or, to leave its accounts to themselves: rosterd target forget %s", t.Name))
		}
	}
	return nil
}

// orphanedPeople refuses one without the source of people who have accounts: the
// same people in a source of another name are others.
func orphanedPeople(c *config.Config, store *state.Store) error {
	sources, err := store.Sources()
	if err != nil {
		return failed(err)
	}
	for _, name := range sources {
		if c.Sources[name] != nil {
			continue
		}
		who, err := store.Ordinals(name)
		if err != nil {
			return failed(err)
		}
		if len(who) == 0 {
			continue // to the store, no person is everybody
		}
		links, err := store.Links(who...)
		if err != nil {
			return failed(err)
		}
		if len(links) > 0 {
			return usage(fmt.Errorf("read %s: [source.%s] is not there, and %s of it have accounts", c.File, name, count(len(links), "person")),
				"put the table back under its name; a source keeps the name that it was first read under")
		}
	}
	return nil
}
