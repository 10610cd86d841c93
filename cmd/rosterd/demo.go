package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/internal/ldapd"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) demoCommand() *cobra.Command {
	var keep string
	cmd := &cobra.Command{
		Use: "demo", GroupID: groupBegin, Short: "see it work: no configuration, no server", Args: cobra.NoArgs,
		Long: `demo starts a small company directory and two applications inside this process and
tells a story with them: a first provisioning, a joiner, a promotion, a leaver, a
rehire, a mass change that is held. Every act goes through the real LDAP client, the
real engine and a real state file.`,
		Example: `  rosterd demo
  rosterd demo --keep /tmp/rosterd-demo     and look at the files afterwards`,
		RunE: func(c *cobra.Command, _ []string) error { return a.runDemo(c.Context(), keep) },
	}
	cmd.Flags().StringVar(&keep, "keep", "", "leave configuration, state and files in this new `FOLDER`")
	return cmd
}

// stage is where the demo plays.
type stage struct {
	*app
	folder string
	corp   *ldapd.Directory // the authoritative directory
	apps   *ldapd.Directory // a target: the directory of the intranet
}

func (a *app) runDemo(ctx context.Context, keep string) error {
	// So that the folder goes also when somebody has seen enough.
	ctx, abort := context.WithCancel(ctx)
	defer abort()
	defer a.listen(abort)()
	folder := keep
	if keep == "" {
		made, err := os.MkdirTemp("", "rosterd-demo-")
		if err != nil {
			return failed(fmt.Errorf("make a folder for the demo: %w", err))
		}
		defer os.RemoveAll(made)
		folder = made
	} else if err := os.Mkdir(keep, 0o700); err != nil {
		return failed(fmt.Errorf("make the folder to keep: %w", err))
	}
	s := &stage{app: a, folder: folder, corp: ldapd.New("dc=corp,dc=example"), apps: ldapd.New("dc=apps,dc=example")}
	if err := s.corp.Load(strings.NewReader(demoCorp())); err != nil {
		return failed(err)
	}
	if err := s.apps.Load(strings.NewReader(demoApps)); err != nil {
		return failed(err)
	}
	corp, err := s.serve(ctx, s.corp, "corp", "cn=reader,dc=corp,dc=example")
	if err != nil {
		return failed(err)
	}
	defer corp.Close()
	apps, err := s.serve(ctx, s.apps, "apps", "cn=rosterd,dc=apps,dc=example")
	if err != nil {
		return failed(err)
	}
	defer apps.Close()
	if err := s.configure(corp.TLSURL(), apps.TLSURL()); err != nil {
		return failed(err)
	}
	return s.play(ctx)
}

// serve starts a directory on loopback, over TLS with a certificate of its own.
func (s *stage) serve(ctx context.Context, d *ldapd.Directory, name, admin string) (*ldapd.Server, error) {
	const password = "demo"
	server, err := d.Serve(ctx, ldapd.Options{AdminDN: admin, AdminPassword: password, NoAnonymous: true})
	if err != nil {
		return nil, fmt.Errorf("start the directory %s: %w", name, err)
	}
	for file, text := range map[string][]byte{name + "-ca.pem": server.CAPEM(), name + ".password": []byte(password + "\n")} {
		if err := os.WriteFile(s.path(file), text, 0o600); err != nil {
			server.Close()
			return nil, err
		}
	}
	return server, nil
}

func (s *stage) path(name string) string { return filepath.Join(s.folder, name) }

// configure writes the configuration that an administrator would.
func (s *stage) configure(corp, apps string) error {
	if _, err := url.Parse(corp); err != nil {
		return err
	}
	text := strings.NewReplacer("@FOLDER@", s.folder, "@CORP@", corp, "@APPS@", apps).Replace(demoConfig)
	if err := os.WriteFile(s.path("wiki.jsonl"), nil, 0o600); err != nil {
		return err
	}
	s.config = s.path("rosterd.toml")
	return os.WriteFile(s.config, []byte(text), 0o600)
}

// act tells what happens and what rosterd makes of it.
func (s *stage) act(title, text string) {
	fmt.Fprintf(s.stdout, "\n%s\n%s\n\n", s.paint(s.stdout, bold, "── "+title+" "+strings.Repeat("─", max(3, 68-len([]rune(title))))), text)
}

// command runs a verb as it would be typed.
func (s *stage) command(ctx context.Context, want int, args ...string) error {
	fmt.Fprintf(s.stdout, "%s\n", s.paint(s.stdout, blue, "$ rosterd "+strings.Join(args, " ")))
	// Making the verbs anew sets the flags back to their defaults.
	given := append([]string{"-c", s.config, "--color", s.color}, args...)
	root := s.root()
	root.SetArgs(given)
	root.SetIn(s.stdin)
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	got := s.finish(root.ExecuteContext(ctx))
	if got != 0 {
		fmt.Fprintf(s.stdout, "%s\n", s.paint(s.stdout, dim, fmt.Sprintf("(exit code %d)", got)))
	}
	if got != want {
		return failed(fmt.Errorf("demo: rosterd %s ended with %d where the story wants %d", strings.Join(args, " "), got, want))
	}
	return nil
}

// approveHolds approves every open hold as somebody would who has looked at it.
func (s *stage) approveHolds(ctx context.Context) error {
	session, err := s.open(ctx, waitBriefly, true)
	if err != nil {
		return err
	}
	st, err := session.engine.Status(1)
	session.close()
	if err != nil {
		return failed(err)
	}
	for _, h := range waiting(st.Holds) {
		if err := s.command(ctx, s.after(st, h.ID), "approve", h.ID, "--version", h.Version(), "--yes"); err != nil {
			return err
		}
	}
	return nil
}

// after is the exit code of an approval: 4 while other holds wait.
func (s *stage) after(st *rostersync.Status, id string) int {
	open := waiting(st.Holds)
	if len(open) > 0 && open[len(open)-1].ID == id {
		return rostersync.ExitDone
	}
	return rostersync.ExitHeld
}
