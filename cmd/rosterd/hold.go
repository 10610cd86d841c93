package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	rostersync "github.com/rosterd/rosterd/sync"
	"github.com/rosterd/rosterd/sync/plan"
)

func (a *app) approveCommand() *cobra.Command {
	var version string
	var people []string
	var limit int
	var yes, noWait bool
	cmd := &cobra.Command{
		Use: "approve HOLD", GroupID: groupDecide, Short: "let the changes of a hold go", Args: cobra.ExactArgs(1),
		Long: `approve shows what a hold covers and asks; elsewhere than on a terminal it takes --yes
and the version that was shown. The approval covers the changes shown and no others,
and they are done at once. --person and --limit approve a part, for a pilot. If the hold has
changed since the version that you give, nothing is approved, and what came is shown.`,
		Example: `  rosterd approve h3
  rosterd approve h3 --version e974327341b6 --yes
  rosterd approve h3 --person writer7`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.runApprove(c.Context(), args[0], version, people, limit, yes, noWait)
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "the `VERSION` of the hold that you have seen")
	cmd.Flags().StringArrayVar(&people, "person", nil, "approve only what concerns this `PERSON`; may be repeated")
	cmd.Flags().IntVar(&limit, "limit", 0, "approve only the first `N` people")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask; needs --version")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "end when the decision is on disk; the service does the changes")
	a.verboseFlag(cmd)
	return cmd
}

func (a *app) runApprove(ctx context.Context, id, version string, people []string, limit int, yes, noWait bool) error {
	if limit < 0 {
		return usage(fmt.Errorf("approve %s: --limit %d is less than nothing", id, limit), "")
	}
	s, err := a.open(ctx, waitForCycle, true)
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
		approval.Version = hold.Version()
		part, err := rostersync.Choose(hold, approval)
		if err != nil {
			return decided(err)
		}
		if a.json {
			if err := a.printJSON(struct {
				FormatVersion int `json:"format_version"`
				holdDocument
			}{1, toHoldDocument(hold)}); err != nil {
				return failed(err)
			}
			return code(rostersync.ExitHeld)
		}
		a.printHold(s, hold, part)
		if !a.asks() {
			fmt.Fprintf(a.stderr, "nothing was approved; to approve these %s:\n  rosterd approve %s%s --version %s --yes\n",
				count(len(part), "change"), id, partly(people, limit), hold.Version())
			return code(rostersync.ExitHeld)
		}
		fmt.Fprintf(a.stderr, "Approve these %s? [y/N] ", count(len(part), "change"))
		answer, _ := bufio.NewReader(a.stdin).ReadString('\n')
		if w := strings.ToLower(strings.TrimSpace(answer)); w != "y" && w != "yes" {
			fmt.Fprintln(a.stderr, "nothing was approved")
			return code(rostersync.ExitHeld)
		}
	} else if version == "" {
		return usage(fmt.Errorf("approve %s: --yes needs the version that you have seen", id),
			fmt.Sprintf("look at it first: rosterd approve %s", id))
	}
	ask := rostersync.Request{Verb: "approve", By: a.caller(), Stop: a.stop}
	if noWait {
		return a.approveAndGo(s, approval, ask)
	}
	return a.cycle(ctx, s, func(ctx context.Context, show func(rostersync.Progress)) (*rostersync.Report, error) {
		ask.Progress = show
		return s.engine.Approve(ctx, approval, ask)
	})
}

// approveAndGo records the decision and leaves the changes to the service, or to
// the next cycle where there is none.
func (a *app) approveAndGo(s *session, approval rostersync.Approval, ask rostersync.Request) error {
	d, err := s.engine.Decide(approval)
	if err != nil {
		return decided(err)
	}
	when := "the next cycle does them: rosterd sync"
	if a.service != nil && a.service.later != nil {
		when = "the service does them"
		ask.Stop = nil
		a.service.later(func(ctx context.Context, log func(*rostersync.Report, error)) {
			log(s.engine.Carry(ctx, d, ask))
		})
	}
	fmt.Fprintf(a.stdout, "approved %s: %s; %s\n", approval.Hold, count(d.Count(), "change"), when)
	return nil
}

func (a *app) rejectCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reject HOLD", GroupID: groupDecide, Short: "silence the changes of a hold until they change", Args: cobra.ExactArgs(1),
		Long: `reject closes a hold without doing its changes. They stay undone and are not held
again until they change: somebody who should lose something keeps it, and somebody
who should get something does not. status shows it, and approve takes it back.`,
		Example: `  rosterd reject h3`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.open(c.Context(), waitBriefly, true)
			if err != nil {
				return err
			}
			defer s.close()
			hold, err := s.engine.Reject(args[0], a.caller())
			if err != nil {
				return decided(err)
			}
			if a.json {
				return failed(a.printJSON(struct {
					FormatVersion int `json:"format_version"`
					holdDocument
				}{1, toHoldDocument(hold)}))
			}
			fmt.Fprintf(a.stdout, "rejected %s: %s stay undone until they change; to let it go all the same: rosterd approve %s\n", hold.ID, count(len(hold.Keys), "change"), hold.ID)
			return nil
		},
	}
}

// partly repeats the flags that restrict an approval.
func partly(people []string, limit int) string {
	out := ""
	for _, p := range people {
		out += fmt.Sprintf(" --person '%s'", p)
	}
	if limit > 0 {
		out += fmt.Sprintf(" --limit %d", limit)
	}
	return out
}

// printHold shows a hold, and of what it covers the part that is asked for, verb
// by verb.
func (a *app) printHold(s *session, h ledger.Hold, part []ledger.Held) {
	w := a.stdout
	fmt.Fprintf(w, "%s  %s: %s\n", a.paint(w, bold, h.ID), h.Target, printable(h.Text))
	fmt.Fprintf(w, "    rule %s, %s, since %s, version %s\n", role(h), h.Status, minute(h.Opened), h.Version())
	verbs := map[string][]ledger.Held{}
	who := map[identity.Ordinal]bool{}
	for _, k := range part {
		if k.Person.Valid() {
			who[k.Person] = true
		}
		verbs[word(k.Text)] = append(verbs[word(k.Text)], k)
	}
	for _, v := range sortedKeys(verbs) {
		list := verbs[v]
		slices.SortFunc(list, func(a, b ledger.Held) int {
			return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.Person, b.Person))
		})
		for i, k := range list {
			if i == 2*few && !a.verbose {
				fmt.Fprintf(w, "    %s\n", a.paint(w, dim, fmt.Sprintf("… and %s more like these: %s (-v shows all)", grouped(len(list)-2*few), v)))
				break
			}
			text := k.Text
			if login := s.login(k.Person); k.Person.Valid() && !tells(text, login) {
				text += "  [" + login + "]"
			}
			fmt.Fprintf(w, "    %s\n", printable(text))
		}
	}
	of := ""
	if len(part) < len(h.Keys) {
		of = ", of " + grouped(len(h.Keys)) + " that are held"
	}
	fmt.Fprintf(w, "%s of %s%s\n", count(len(part), "change"), count(len(who), "person"), of)
}

// tells says whether a text names the person: an account may be called otherwise than
// whoever decides knows them.
func tells(text, login string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(w string) bool {
		local, _, _ := strings.Cut(w, "@")
		return strings.EqualFold(local, login)
	})
}

// role is the rule of a hold, with the role or attribute that it is judged for.
func role(h ledger.Hold) string {
	switch {
	case h.Role == "":
		return h.Rule
	case h.Rule == plan.RuleUpdate.String():
		return h.Rule + " of " + h.Role
	}
	return h.Rule + " of role " + h.Role
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
