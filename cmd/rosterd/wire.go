package main

import (
	"fmt"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/directory"
	sourceldap "github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/target"
	targetad "github.com/rosterd/rosterd/target/ad"
	targetfile "github.com/rosterd/rosterd/target/file"
	targetldap "github.com/rosterd/rosterd/target/ldap"
	targetmemory "github.com/rosterd/rosterd/target/memory"
	targetscim "github.com/rosterd/rosterd/target/scim"
)

// This file is the only one that imports the kinds: a new kind is added to the
// table and to the switch below it.

// kinds are all that the configuration may name.
func kinds() config.Kinds {
	return config.Kinds{
		Sources: map[string]config.Kind{
			"ldap": {New: func() config.Validator { return new(sourceldap.Config) }},
		},
		Targets: map[string]config.Kind{
			"active-directory": {
				New: func() config.Validator { return new(targetad.Config) },
				NameAttribute: func(o config.Validator) string {
					return described(targetad.New(*o.(*targetad.Config), "")).NameAttribute
				},
				Describe: func(o config.Validator) target.Description {
					return described(targetad.New(*o.(*targetad.Config), ""))
				},
			},
			"file": {
				New: func() config.Validator { return new(targetfile.Config) },
				NameAttribute: func(o config.Validator) string {
					return described(targetfile.New(*o.(*targetfile.Config), "")).NameAttribute
				},
				Describe: func(o config.Validator) target.Description {
					return described(targetfile.New(*o.(*targetfile.Config), ""))
				},
			},
			"ldap": {
				New: func() config.Validator { return new(targetldap.Config) },
				NameAttribute: func(o config.Validator) string {
					return described(targetldap.New(*o.(*targetldap.Config), "")).NameAttribute
				},
				Describe: func(o config.Validator) target.Description {
					return described(targetldap.New(*o.(*targetldap.Config), ""))
				},
			},
			"memory": {
				New: func() config.Validator { return new(targetmemory.Config) },
				NameAttribute: func(o config.Validator) string {
					return described(targetmemory.New(*o.(*targetmemory.Config), "")).NameAttribute
				},
				Describe: func(o config.Validator) target.Description {
					return described(targetmemory.New(*o.(*targetmemory.Config), ""))
				},
			},
			"scim": {
				New: func() config.Validator { return new(targetscim.Config) },
				NameAttribute: func(o config.Validator) string {
					return described(targetscim.New(*o.(*targetscim.Config), "")).NameAttribute
				},
				Describe: func(o config.Validator) target.Description {
					return described(targetscim.New(*o.(*targetscim.Config), ""))
				},
			},
		},
	}
}

// described asks a target that is not used for anything else what it is and can do;
// nothing is known of one that cannot be made.
func described[T target.Target](t T, err error) target.Description {
	if err != nil {
		return target.Description{}
	}
	return t.Describe()
}

func newTarget(name string, options config.Validator) (target.Target, error) {
	switch o := options.(type) {
	case *targetad.Config:
		return targetad.New(*o, name)
	case *targetfile.Config:
		return targetfile.New(*o, name)
	case *targetldap.Config:
		return targetldap.New(*o, name)
	case *targetmemory.Config:
		return targetmemory.New(*o, name)
	case *targetscim.Config:
		return targetscim.New(*o, name)
	}
	return nil, fmt.Errorf("make target %s: no such kind", name)
}

func (a *app) newSource(s *config.Source, attributes []string) (directory.Source, error) {
	switch o := s.Options.(type) {
	case *sourceldap.Config:
		c := *o
		c.Person = sourceldap.Person{Login: s.Person.Login, Mail: s.Person.Mail, Name: s.Person.Name, Key: s.Person.Key}
		c.Canaries, c.ClosedCanaries, c.Now = s.Guard.Canaries, s.Guard.ClosedCanaries, a.now
		return sourceldap.New(s.Name, c, attributes)
	}
	return nil, fmt.Errorf("make source %s: no such kind", s.Name)
}
