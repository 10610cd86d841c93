package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/internal/control"
	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) stateRestoreCommand() *cobra.Command {
	var empty, yes bool
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "put a backup in the place of the state", Args: cobra.MaximumNArgs(1),
		Long: `restore puts a backup, or a state file, in the place of the state. The service must not
run. The backup is checked first, and what it replaces stays beside it under a name
with the date. Without a backup, --empty begins anew.

What was done since the backup is not known afterwards. So the next sync reads and
compares everything, and what it plans for a target is one hold until you approve it.`,
		Example: `  systemctl stop rosterd && rosterd state restore /var/backups/rosterd-2026-11-28.tar`,
		RunE: func(c *cobra.Command, args []string) error {
			if empty == (len(args) == 1) {
				return usage(errors.New("restore state: name a backup, or say --empty"), "rosterd state restore FILE")
			}
			return a.restoreState(c.Context(), args, yes)
		},
	}
	cmd.Flags().BoolVar(&empty, "empty", false, "begin with an empty state: there is no backup")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do it")
	return cmd
}

func (a *app) restoreState(ctx context.Context, args []string, yes bool) error {
	c, err := a.home()
	if err != nil {
		return err
	}
	var from *os.File
	if len(args) == 1 {
		// Before the program becomes the owner of the state, who may not read it.
		if from, err = os.Open(args[0]); err != nil {
			return usage(fmt.Errorf("restore state: %w", err), "name the file that `rosterd state backup FILE` wrote")
		}
		defer from.Close()
	}
	if err := nobodyHas(ctx, c); err != nil {
		return err
	}
	if !yes {
		what := "rosterd state restore --empty"
		if from != nil {
			if err := state.VerifyBackup(from); err != nil {
				return failed(fmt.Errorf("restore state: %w", err))
			}
			what = "rosterd state restore " + args[0]
		}
		return usage(fmt.Errorf("restore state: %s would be replaced, and what was done since the backup forgotten", c.State.Path),
			"if that is meant: "+what+" --yes")
	}
	a.caller()
	if err := becomeOwner(c.State.Path); err != nil {
		return failed(err)
	}
	o := state.Options{Timeout: waitBriefly, Now: a.now}
	var placed state.Placed
	if from != nil {
		placed, err = state.Restore(c.State.Path, from, o)
	} else {
		placed, err = state.Renew(c.State.Path, o)
	}
	if err != nil {
		return failed(err)
	}
	// Opened once, it is known for what it is.
	store, err := a.openState(c, waitBriefly, false)
	if err != nil {
		return err
	}
	if from == nil {
		err = store.Suspect("it was begun anew")
	}
	r, old, rerr := store.Restored()
	if err := errors.Join(err, rerr, store.Close()); err != nil {
		return failed(err)
	}
	for _, k := range placed.Kept {
		fmt.Fprintln(a.stdout, "kept what was there: "+k)
	}
	if !old {
		fmt.Fprintf(a.stdout, "restored %s: it is the state that was used here last\n", c.State.Path)
		return nil
	}
	fmt.Fprintf(a.stdout, "restored %s: %s%s\n", c.State.Path, r.Why, missing(r))
	fmt.Fprintln(a.stdout, "next: rosterd sync reads and compares everything; what differs is held until you approve it")
	return nil
}

// nobodyHas refuses to restore under whoever holds the state.
func nobodyHas(ctx context.Context, c *config.Config) error {
	conn, err := control.Dial(ctx, c.Control.Socket)
	if err != nil {
		return nil // and if somebody has it without a socket, the lock says so
	}
	_ = conn.Close()
	return &exit{code: rostersync.ExitFailed, err: fmt.Errorf("restore state: a service or command has %s", c.State.Path),
		tip: "stop it first: systemctl stop rosterd"}
}
