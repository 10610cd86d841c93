package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/internal/clock"
	rostersync "github.com/rosterd/rosterd/sync"
)

// The groups of verbs in the help.
const (
	groupBegin  = "begin"
	groupDaily  = "daily"
	groupDecide = "decide"
	groupKnow   = "know"
)

// defaultConfig is where the service looks for its configuration.
const defaultConfig = "/etc/rosterd/rosterd.toml"

// app is what every verb works with.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time

	getenv func(string) string

	config        string
	json, verbose bool
	color         string
	// columns is the width of a terminal that is not stdout itself.
	columns int
	// by is who typed the command.
	by string
	// args are as they were typed, verb the word among them.
	args []string
	verb string
	// input is the file that the verb reads, output the one that it writes.
	input  []byte
	output io.Writer
	// clock is the service's, beat its sign of progress.
	clock clock.Clock
	beat  func()
	// journal is where journald listens; empty for where it always does.
	journal string
	// service is set where this runs inside the process that holds the state,
	// for somebody at the control socket.
	service *service

	// pending is a changed file that does not govern; told: the verb said so.
	pending *rostersync.Pending
	told    bool
	// instead are files that cannot be taken, and in place of which what governed
	// before goes on.
	instead []string

	// stop is closed by the first signal, while somebody is listening.
	stop      chan struct{}
	listening bool
}

// run is the whole program but for the exit. Results go to stdout, everything
// else to stderr.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now, getenv: os.Getenv, stop: make(chan struct{})}
	return a.run(args)
}

func (a *app) run(args []string) int { return a.runContext(context.Background(), args) }

func (a *app) runContext(ctx context.Context, args []string) int {
	a.args = args
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	return a.settleInstead(a.settlePending(a.finish(root.ExecuteContext(ctx))))
}

// The verbs stand in the help as they are added below.
func init() { cobra.EnableCommandSorting = false }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "rosterd",
		Short: "keep the accounts of your applications in step with your directory",
		Long: `rosterd reads your directory, works out who joined, moved or left, and creates,
changes and disables accounts in your applications. It shows the plan before it
acts, refuses to act on a read that it cannot prove complete, and can say for
every right of every person why they have it.

It ends with 0 when it is done or there was nothing to do, 1 when it failed (a
source was not read, the state cannot be used), 2 for a mistake in the
configuration or the command, 3 when a plan has changes pending, 4 when something
is held for a person to decide, 5 when something is parked or was skipped, 6 when
only the directory could tell. PERSON is a login, a mail address, a DN or an ID.`,
		Example: `  rosterd demo                 see it work, no server needed
  rosterd check                is the configuration right, can everything be reached
  rosterd plan                 what would be done
  rosterd sync                 do it
  rosterd explain writer7      why does this person have what they have`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownVerb,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		a.verb = verbOf(c)
		if err := a.admit(a.verb); err != nil {
			return err
		}
		switch a.color {
		case "auto", "always", "never":
			return nil
		}
		return usage(fmt.Errorf("read --color %q: it is auto, always or never", a.color), "")
	}
	root.PersistentFlags().StringVarP(&a.config, "config", "c", defaultConfig, "the configuration `FILE`")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print one JSON document")
	root.PersistentFlags().StringVar(&a.color, "color", "auto", "color the text: auto, always or never")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(err, "see the flags: "+c.CommandPath()+" --help")
	})
	root.AddGroup(&cobra.Group{ID: groupBegin, Title: "To begin:"}, &cobra.Group{ID: groupDaily, Title: "Every day:"},
		&cobra.Group{ID: groupDecide, Title: "To decide:"}, &cobra.Group{ID: groupKnow, Title: "To know:"})
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	if err := root.MarkPersistentFlagFilename("config", "toml"); err != nil {
		panic(err) // the flag is defined above
	}
	root.AddCommand(a.demoCommand(), a.checkCommand(), a.planCommand(), a.applyCommand(), a.syncCommand(), a.runCommand(), a.reloadCommand(), a.statusCommand(),
		a.whatIfCommand(), a.explainCommand(), a.policyCommand(), a.approveCommand(), a.rejectCommand(), a.adoptCommand(), a.grantCommand(), a.ungrantCommand(), a.offboardCommand(), a.releaseCommand(), a.retainCommand(), a.unretainCommand(), a.exceptionsCommand(), a.pauseCommand(), a.resumeCommand(), a.retryCommand(), a.auditCommand(), a.forgetCommand(),
		a.targetCommand(), a.stateCommand(), a.versionCommand())
	for _, c := range root.Commands() {
		plainArgs(c)
	}
	root.SetHelpCommandGroupID(groupKnow)
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Short = "say more of a verb, as VERB --help does"
		}
	}
	return root
}

// verbOf are the words that name a verb: "target forget" is not "forget".
func verbOf(c *cobra.Command) string { return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ") }

// knownVerb refuses what is no verb, with those that look like it.
func knownVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	tip := "see the verbs: rosterd --help"
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		tip = "did you mean: rosterd " + strings.Join(like, ", rosterd ")
	}
	return usage(fmt.Errorf("unknown verb %q", args[0]), tip)
}

// plainArgs has a verb, and those below it, say what it wants where it got something else.
func plainArgs(c *cobra.Command) {
	for _, below := range c.Commands() {
		plainArgs(below)
	}
	admits := c.Args
	if admits == nil {
		return
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if admits(c, args) == nil {
			return nil
		}
		_, wants, _ := strings.Cut(c.Use, " ")
		verb, got := verbOf(c), strings.Join(args, " ")
		switch {
		case c.HasAvailableSubCommands():
			return usage(fmt.Errorf("%s: unknown verb %q", verb, got), "see them: "+c.CommandPath()+" --help")
		case wants == "":
			return usage(fmt.Errorf("%s takes no argument, and got %q", verb, got), "see the flags: "+c.CommandPath()+" --help")
		case len(args) == 0:
			return usage(fmt.Errorf("%s wants %s, and got nothing", verb, wants), "see: "+c.CommandPath()+" --help")
		}
		tip := "see: " + c.CommandPath() + " --help"
		if len(args) > len(strings.Fields(wants)) {
			tip = "a name with blanks goes into quotes; " + tip
		}
		return usage(fmt.Errorf("%s wants %s, and got %q", verb, wants, got), tip)
	}
}

// finish prints the error, if there is one, and gives the exit code.
func (a *app) finish(err error) int {
	if err == nil {
		return rostersync.ExitDone
	}
	var x *exit
	if !errors.As(err, &x) {
		// What cobra itself refuses is a matter of usage.
		x = &exit{code: rostersync.ExitUsage, err: err, tip: "see: rosterd --help"}
	}
	if x.err != nil {
		a.complain(x.err, x.tip)
	}
	return x.code
}
