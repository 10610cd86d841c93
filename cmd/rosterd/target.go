package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/state"
)

func (a *app) targetCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "target", GroupID: groupDecide, Short: "try what a target does, forget one that is gone from the configuration", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var yes bool
	forget := &cobra.Command{
		Use: "forget TARGET", Short: "forget whose accounts those in a target are", Args: cobra.ExactArgs(1),
		Long: `forget drops every link to the accounts of a target that is not in the configuration
any more. The accounts stay as they are: nobody closes them when their owners leave.`,
		RunE: func(c *cobra.Command, args []string) error { return a.forgetTarget(c.Context(), args[0], yes) },
	}
	forget.Flags().BoolVarP(&yes, "yes", "y", false, "do it")
	cmd.AddCommand(a.probeCommand(), forget)
	return cmd
}

// inTheFile refuses to forget a target that is in use.
func inTheFile(name string) error {
	return usage(fmt.Errorf("forget target %s: it is in the configuration", name), "take [target."+name+"] out of the file first")
}

func (a *app) forgetTarget(ctx context.Context, name string, yes bool) error {
	if a.service != nil {
		return a.forgetServed(ctx, name, yes)
	}
	place, err := a.home()
	if err != nil {
		return err
	}
	// A service takes the changed file with it.
	if err := a.elsewhere(ctx, place.Control.Socket, ""); err != nil {
		return err
	}
	c, err := a.load()
	if err != nil && !isMistaken(err) {
		return err
	}
	store, kerr := a.openState(place, waitForCycle, true)
	if kerr != nil {
		return kerr
	}
	defer store.Close()
	if err != nil {
		// What is broken may be a file that the main one names, and that has governed.
		good, instead, kerr := lastGood(a.config, store)
		if kerr != nil {
			return kerr
		}
		if good == nil {
			return err
		}
		c, a.instead = good, instead
	}
	if c.Targets[name] != nil {
		return inTheFile(name)
	}
	all, err := forgettable(store, name, yes)
	if err != nil {
		return err
	}
	if err := store.ForgetTarget(name, a.caller()); err != nil {
		return failed(err)
	}
	fmt.Fprintf(a.stdout, "forgot %s in %s\n", count(all, "account"), name)
	return nil
}

// forgetServed forgets a target in a service, which takes the file that is
// without it in the same moment.
func (a *app) forgetServed(ctx context.Context, name string, yes bool) error {
	if a.service.reload == nil {
		return usage(fmt.Errorf("forget target %s: another command has the state", name), "try again when it has ended")
	}
	all, err := forgettable(a.service.current().store, name, yes)
	if err != nil {
		return err
	}
	return a.reloadService(ctx, name, fmt.Sprintf("forgot %s in %s", count(all, "account"), name))
}

// forgettable is how many accounts would be left to themselves.
func forgettable(store *state.Store, name string, yes bool) (int, error) {
	_, all, err := store.LinkCount(name)
	switch {
	case err != nil:
		return 0, failed(err)
	case all == 0:
		return 0, usage(fmt.Errorf("forget target %s: no account there is known", name), "")
	case !yes:
		return 0, usage(fmt.Errorf("forget target %s: %s would stay as they are, and nobody closes them any more", name, count(all, "account")),
			"if that is meant: rosterd target forget "+name+" --yes")
	}
	return all, nil
}
