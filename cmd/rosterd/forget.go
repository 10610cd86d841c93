package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) forgetCommand() *cobra.Command {
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use: "forget PERSON", GroupID: groupDecide, Short: "erase the data of a person who left", Args: cobra.ExactArgs(1),
		Long: `forget erases what the state knows of a person who is gone from the directory: the
entry, the names, which accounts were theirs, and what the journal says of them, in
closed months too. The chain of the journal still verifies. It is refused while they
are in the directory, or an account of theirs is not closed. It cannot be undone.

Their accounts in the targets stay as they are, closed: rosterd does not know any more
whose they were. Backups and the log of the system are not changed.`,
		Example: `  rosterd forget writer7 --reason "asked for it, ticket 4711"`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context(), waitForCycle, true)
			if err != nil {
				return err
			}
			defer s.close()
			p, err := s.person(args[0])
			if err != nil {
				return err
			}
			if !yes {
				if err := s.store.MayForget(p.Ordinal); err != nil {
					return s.refused(err)
				}
				if agreed, err := a.askForget(s, p, args[0]); err != nil || !agreed {
					return err
				}
			}
			f, err := s.engine.Forget(c.Context(), p.Ordinal, reason, rostersync.Request{Verb: "forget", By: a.caller(), Stop: a.stop})
			if err != nil {
				return s.refused(err)
			}
			return a.printForgotten(f)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the journal; it must not name them")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do it without asking")
	return cmd
}

// askForget says what would be erased, and asks on a terminal.
func (a *app) askForget(s *session, p identity.Person, text string) (bool, error) {
	links, err := s.store.Links(p.Ordinal)
	if err != nil {
		return false, failed(err)
	}
	closed := 0
	for _, l := range links[p.Ordinal] {
		if l.Phase == ledger.Closed {
			closed++
		}
	}
	fmt.Fprintln(a.stderr, printable(fmt.Sprintf("%s  %s, %s since %s", s.login(p.Ordinal), p.DN, p.Standing, minute(p.Since))))
	if closed > 0 {
		fmt.Fprintf(a.stderr, "%s in targets would stay, and nobody would delete it later\n", count(closed, "closed account"))
	}
	if !a.asks() {
		return false, usage(fmt.Errorf("forget %s: nothing was erased", text), "it cannot be undone; if that is meant: rosterd forget "+text+" --yes")
	}
	fmt.Fprint(a.stderr, "Erase what is known of them? It cannot be undone. [y/N] ")
	answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
	if w := strings.ToLower(strings.TrimSpace(answer)); w != "y" && w != "yes" {
		fmt.Fprintln(a.stderr, "nothing was erased")
		return false, code(rostersync.ExitDone)
	}
	return true, nil
}

// refused gives the errors of a forgetting their exit codes, and calls people as they
// are called.
func (s *session) refused(err error) error {
	var r *state.RefusedError
	if errors.As(err, &r) {
		return usage(errors.New(strings.ReplaceAll(err.Error(), r.Person.String(), s.login(r.Person))), r.Hint())
	}
	return failed(err)
}

func (a *app) printForgotten(f state.Forgotten) error {
	if a.json {
		left := f.Left
		if left == nil {
			left = []string{}
		}
		if err := a.printJSON(map[string]any{"format_version": 1, "person": f.People[0], "parts": f.Parts, "left": left}); err != nil {
			return failed(err)
		}
	} else {
		fmt.Fprintf(a.stdout, "forgot %s: the entry, the names, the links, and %s of the journal\n", f.People[0], count(f.Parts, "personal part"))
	}
	for _, where := range f.Left {
		a.warn("they are named still, and it is not rosterd's to change: " + where)
	}
	if len(f.Left) > 0 {
		return code(rostersync.ExitParked)
	}
	return nil
}
