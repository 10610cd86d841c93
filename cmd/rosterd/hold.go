package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) approveCommand() *cobra.Command {
	var version string
	var people []string
	var limit int
	var yes bool
	cmd := &cobra.Command{
		Use: "approve HOLD", Short: "let the changes of a hold go", Args: cobra.ExactArgs(1),
		Long: `approve shows what a hold covers and asks; elsewhere than on a terminal it takes --yes
and the version that was shown. The approval covers the changes shown and no others,
and they are done at once. --person and --limit approve a part, for a pilot.`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.runApprove(c.Context(), args[0], version, people, limit, yes)
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "the `VERSION` of the hold that you have seen")
	cmd.Flags().StringArrayVar(&people, "person", nil, "approve only what concerns this `PERSON`; may be repeated")
	cmd.Flags().IntVar(&limit, "limit", 0, "approve only the first `N` people")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask; needs --version")
	return cmd
}

func (a *app) runApprove(ctx context.Context, id, version string, people []string, limit int, yes bool) error {
	if limit < 0 {
		return usage(fmt.Errorf("approve %s: --limit %d is less than nothing", id, limit), "")
	}
	s, err := a.open(waitForCycle, true)
	if err != nil {
		return err
	}
	defer s.close()
	hold, err := s.engine.Hold(id)
	if err != nil {
		return decided(err)
	}
	approval := rostersync.Approval{Hold: id, Version: version, By: a.caller(), Limit: limit}
	for _, text := range people {
		p, err := s.person(text)
		if err != nil {
			return err
		}
		approval.People = append(approval.People, p.Ordinal)
	}
	if !yes {
		a.printHold(a.stdout, hold)
		if !terminal(a.stdin) {
			fmt.Fprintf(a.stderr, "nothing was approved; to approve these %s: rosterd approve %s --version %s --yes\n",
				count(len(hold.Keys), "change"), id, hold.Version())
			return code(rostersync.ExitHeld)
		}
		fmt.Fprintf(a.stderr, "Approve these %s? [y/N] ", count(len(hold.Keys), "change"))
		answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
		if w := strings.ToLower(strings.TrimSpace(answer)); w != "y" && w != "yes" {
			fmt.Fprintln(a.stderr, "nothing was approved")
			return code(rostersync.ExitHeld)
		}
		approval.Version = hold.Version()
	} else if version == "" {
		return usage(fmt.Errorf("approve %s: --yes needs the version that you have seen", id),
			fmt.Sprintf("look at it first: rosterd approve %s", id))
	}
	ask := rostersync.Request{Verb: "approve", By: a.caller(), Stop: a.stop}
	return a.cycle(ctx, s, func(ctx context.Context) (*rostersync.Report, error) { return s.engine.Approve(ctx, approval, ask) })
}

func (a *app) rejectCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reject HOLD", Short: "silence the changes of a hold until they change", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.open(waitBriefly, true)
			if err != nil {
				return err
			}
			defer s.close()
			hold, err := s.engine.Reject(args[0], a.caller())
			if err != nil {
				return decided(err)
			}
			fmt.Fprintf(a.stdout, "rejected %s: %s stay undone until they change\n", hold.ID, count(len(hold.Keys), "change"))
			return nil
		},
	}
}

// printHold shows what a hold covers.
func (a *app) printHold(w io.Writer, h ledger.Hold) {
	fmt.Fprintf(w, "%s  %s%s  %s  version %s  since %s\n", a.paint(w, bold, h.ID), h.Target, role(h), h.Status, h.Version(), moment(h.Opened))
	if h.Text != "" {
		fmt.Fprintf(w, "  %s\n", h.Text)
	}
	var last identity.Ordinal
	for _, k := range h.Keys {
		mark := " "
		if k.Person != last {
			mark, last = "·", k.Person
		}
		fmt.Fprintf(w, "  %s %s\n", mark, k.Text)
	}
}

func role(h ledger.Hold) string {
	if h.Role == "" {
		return " " + h.Rule
	}
	return " " + h.Rule + " of role " + h.Role
}

// count says a number with its noun.
func count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun == "person":
		return grouped(n) + " people"
	case strings.HasSuffix(noun, "y"):
		return grouped(n) + " " + strings.TrimSuffix(noun, "y") + "ies"
	}
	return grouped(n) + " " + noun + "s"
}

// grouped writes a number as people do: 4,990.
func grouped(n int) string {
	out := strconv.Itoa(n)
	for at := len(out) - 3; at > 0; at -= 3 {
		out = out[:at] + "," + out[at:]
	}
	return out
}
