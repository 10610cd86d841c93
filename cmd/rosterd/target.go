package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) targetCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "target", GroupID: groupDecide, Short: "forget a target that is gone from the configuration", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var yes bool
	forget := &cobra.Command{
		Use: "forget TARGET", Short: "forget whose accounts those in a target are", Args: cobra.ExactArgs(1),
		Long: `forget drops every link to the accounts of a target that is not in the configuration
any more. The accounts stay as they are: nobody closes them when their owners leave.`,
		RunE: func(_ *cobra.Command, args []string) error { return a.forgetTarget(args[0], yes) },
	}
	forget.Flags().BoolVarP(&yes, "yes", "y", false, "do it")
	cmd.AddCommand(forget)
	return cmd
}

func (a *app) forgetTarget(name string, yes bool) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	if c.Targets[name] != nil {
		return usage(fmt.Errorf("forget target %s: it is in the configuration", name), "take [target."+name+"] out of the file first")
	}
	store, err := a.openState(c, waitForCycle, true)
	if err != nil {
		return err
	}
	defer store.Close()
	_, all, err := store.LinkCount(name)
	if err != nil {
		return failed(err)
	}
	if all == 0 {
		return usage(fmt.Errorf("forget target %s: no account there is known", name), "")
	}
	if !yes {
		return usage(fmt.Errorf("forget target %s: %s would stay as they are, and nobody closes them any more", name, count(all, "account")),
			"if that is meant: rosterd target forget "+name+" --yes")
	}
	if err := store.ForgetTarget(name, a.caller()); err != nil {
		return failed(err)
	}
	fmt.Fprintf(a.stdout, "forgot %s in %s\n", count(all, "account"), name)
	return nil
}
