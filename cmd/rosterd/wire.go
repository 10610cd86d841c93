package main

import (
	"fmt"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/directory"
	sourceldap "github.com/rosterd/rosterd/directory/ldap"
	"github.com/rosterd/rosterd/target"
	targetfile "github.com/rosterd/rosterd/target/file"
	targetldap "github.com/rosterd/rosterd/target/ldap"
	targetmemory "github.com/rosterd/rosterd/target/memory"
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
			"file": {
				New:           func() config.Validator { return new(targetfile.Config) },
				NameAttribute: func(o config.Validator) string { return nameAttribute(targetfile.New(*o.(*targetfile.Config), "")) },
			},
			"ldap": {
				New:           func() config.Validator { return new(targetldap.Config) },
				NameAttribute: func(o config.Validator) string { return nameAttribute(targetldap.New(*o.(*targetldap.Config), "")) },
			},
			"memory": {
				New:           func() config.Validator { return new(targetmemory.Config) },
				NameAttribute: func(o config.Validator) string { return nameAttribute(targetmemory.New(*o.(*targetmemory.Config), "")) },
			},
		},
	}
}

// nameAttribute asks a target that is not used for anything else.
func nameAttribute[T target.Target](t T, err error) string {
	if err != nil {
		return ""
	}
	return t.Describe().NameAttribute
}

func newTarget(name string, options config.Validator) (target.Target, error) {
	switch o := options.(type) {
	case *targetfile.Config:
		return targetfile.New(*o, name)
	case *targetldap.Config:
		return targetldap.New(*o, name)
	case *targetmemory.Config:
		return targetmemory.New(*o, name)
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
