package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/config"
	"github.com/rosterd/rosterd/mapping/words"
	"github.com/rosterd/rosterd/state"
	"github.com/rosterd/rosterd/sync/plan"
)

func (a *app) policyCommand() *cobra.Command {
	var asHTML, asMarkdown, ofFile bool
	c := &cobra.Command{
		Use: "policy", GroupID: groupKnow, Short: "say the policy in words, for people who do not read TOML", Args: cobra.NoArgs,
		Long: `policy writes a page that an auditor or a head of department can read: who has an
account where, which role gives what and why, who answers for it and how to ask, what
happens when somebody leaves, and which limits guard it. It speaks of the policy in
force; of the file, where there is no state yet or with --file.

Without a flag the page is Markdown. With --html it is one file with diagrams of
groups, roles and rights. It loads nothing from anywhere, and prints.`,
		Example: `  rosterd policy
  rosterd policy --html > policy.html
  rosterd policy --file -c rosterd.toml --markdown > POLICY.md      in the repository of the file`,
		RunE: func(c *cobra.Command, _ []string) error {
			in, err := a.policyWords(c.Context(), ofFile)
			if err != nil {
				return err
			}
			switch {
			case a.json:
				return failed(a.printJSON(newPolicyDocument(in)))
			case asHTML:
				_, err = io.WriteString(a.stdout, words.New(in).HTML())
			default:
				_, err = io.WriteString(a.stdout, words.New(in).Markdown())
			}
			return failed(err)
		},
	}
	c.Flags().BoolVar(&asHTML, "html", false, "one file of HTML, with diagrams")
	c.Flags().BoolVar(&asMarkdown, "markdown", false, "Markdown, which is the default")
	c.Flags().BoolVar(&ofFile, "file", false, "of the file at hand, not of the policy in force; needs no state")
	c.MarkFlagsMutuallyExclusive("html", "markdown")
	return c
}

// policyWords is what the page speaks of: the policy in force, or the file.
func (a *app) policyWords(ctx context.Context, ofFile bool) (words.Input, error) {
	if ofFile && a.service == nil {
		c, err := a.load()
		if err != nil {
			return words.Input{}, err
		}
		return newWords(c, time.Time{}), nil
	}
	s, err := a.open(ctx, waitBriefly, true)
	if errors.Is(err, state.ErrMissing) {
		c, err := a.load()
		if err != nil {
			return words.Input{}, err
		}
		return newWords(c, time.Time{}), nil
	}
	if err != nil {
		return words.Input{}, err
	}
	defer s.close()
	kept, known, err := s.store.Policy()
	switch {
	case err != nil:
		return words.Input{}, failed(err)
	case !known:
		return newWords(s.config, time.Time{}), nil
	}
	force, problems := config.Parse(s.config.File, []byte(kept.Text), kinds())
	if force == nil {
		return words.Input{}, failed(fmt.Errorf("read the policy in force: this rosterd cannot read it: %s", count(len(problems), "mistake")))
	}
	return newWords(force, kept.At.UTC()), nil
}

// newWords hands over what a configuration says that is policy.
func newWords(c *config.Config, since time.Time) words.Input {
	in := words.Input{Policy: c.Policy, File: filepath.Base(c.File), Since: since, Version: c.Hash[:12]}
	for _, name := range sortedKeys(c.Sources) {
		s := c.Sources[name]
		in.Sources = append(in.Sources, words.Source{
			Name: name, Kind: s.Kind, Canaries: s.Guard.Canaries, ClosedCanaries: s.Guard.ClosedCanaries,
			MinPeople: s.Guard.MinPeople.String(), VanishAfter: s.Guard.VanishAfter.String(), MaxRename: s.Guard.MaxRename.Count,
		})
	}
	for _, name := range sortedKeys(c.Targets) {
		t := c.Targets[name]
		g := t.Rules.Guard
		x := words.Target{
			Name: name, Kind: t.Kind, Protect: t.Rules.Protect, BreakGlass: t.Rules.BreakGlass, Delete: t.Rules.Leaver.Delete,
			Drift: words.Drift(t.Rules.Drift), Window: g.Window.String(), First: g.First,
		}
		for what, l := range map[string]*plan.Limit{"max_remove": g.MaxRemove, "max_revoke": g.MaxRevoke, "max_create": g.MaxCreate,
			"max_enable": g.MaxEnable, "max_rename": g.MaxRename, "max_update": g.MaxUpdate} {
			if l != nil {
				x.Limits = append(x.Limits, words.Limit{What: what, Count: l.Count, Percent: l.Percent, CapPercent: l.CapPercent, Ceiling: l.Ceiling})
			}
		}
		slices.SortFunc(x.Limits, func(a, b words.Limit) int { return strings.Compare(a.What, b.What) })
		in.Targets = append(in.Targets, x)
	}
	return in
}
