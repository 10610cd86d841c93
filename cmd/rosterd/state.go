package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rosterd/rosterd/state"
	rostersync "github.com/rosterd/rosterd/sync"
)

func (a *app) stateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "state", GroupID: groupKnow, Short: "check, back up, restore and compact what rosterd remembers", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	cmd.AddCommand(a.stateCheckCommand(), a.stateCompactCommand(), a.stateBackupCommand(), a.stateRestoreCommand())
	return cmd
}

func (a *app) stateCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "read every page, value and record, and whether they fit together", Args: cobra.NoArgs,
		Long: `check reads the whole state: every page of the file, every value with its checksum,
what refers to one another, and the chain of the journal with its closed months. It
changes nothing, and others may work meanwhile. It ends with 1 if something is wrong.`,
		Example: `  rosterd state check`,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.openForCare(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			found, err := s.store.Check(c.Context())
			if err != nil {
				return failed(err)
			}
			if a.json {
				if err := a.printJSON(checkedDocument{1, len(found.Problems) == 0, found.Bytes, found.Pages, found.Values, found.Records, found.Head,
					append([]string{}, found.Problems...), found.More}); err != nil {
					return failed(err)
				}
			} else {
				fmt.Fprintf(a.stdout, "%s, %s, every checksum is right\n", count(found.Pages, "page"), count(found.Values, "value"))
				fmt.Fprintf(a.stdout, "the journal has %s, head %s\n", count(found.Records, "record"), found.Head)
				for _, p := range found.Problems {
					fmt.Fprintln(a.stdout, "! "+p)
				}
			}
			if n := len(found.Problems) + found.More; n > 0 {
				return &exit{code: rostersync.ExitFailed, err: fmt.Errorf("check state: %s", count(n, "thing")+" that do not fit together"),
					tip: "nothing is damaged, but this should not be: keep a backup (rosterd state backup FILE), and report it"}
			}
			return nil
		},
	}
}

// checkedDocument is what a check found, for machines.
type checkedDocument struct {
	FormatVersion int      `json:"format_version"`
	Sound         bool     `json:"sound"`
	Bytes         int64    `json:"bytes"`
	Pages         int      `json:"pages"`
	Values        int      `json:"values"`
	Records       int      `json:"records"`
	Head          string   `json:"head"`
	Problems      []string `json:"problems"`
	More          int      `json:"more,omitempty"`
}

func (a *app) stateCompactCommand() *cobra.Command {
	return &cobra.Command{
		Use: "compact", Short: "write the file anew, without its free pages", Args: cobra.NoArgs,
		Long: `compact writes the state into a new file, which takes the place of the old one: it is
smaller, and nothing is left in it of what was deleted. Who writes meanwhile waits.`,
		Example: `  rosterd state compact`,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.openForCare(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			before := sizeOf(s.store.Path())
			if err := s.store.Compact(c.Context()); err != nil {
				return failed(err)
			}
			fmt.Fprintf(a.stdout, "compacted: %s, before %s\n", size(sizeOf(s.store.Path())), size(before))
			return nil
		},
	}
}

func sizeOf(path string) int64 {
	if info, err := os.Stat(path); err == nil {
		return info.Size()
	}
	return 0
}

func size(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func (a *app) stateBackupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "write the state and its journal to one file", Args: cobra.ExactArgs(1),
		Long: `backup writes the state as it is now, with the closed months of the journal, to a file
that only its owner may read: it names people. It can be made at any time, also while
the service applies. It is checked before it gets its name; one that was there under
the name is replaced then.`,
		Example: `  rosterd state backup /var/backups/rosterd-$(date +%F).tar`,
		RunE:    func(c *cobra.Command, args []string) error { return a.backUp(c.Context(), args[0]) },
	}
}

func (a *app) backUp(ctx context.Context, name string) (err error) {
	if a.service != nil {
		return a.serveBackup(ctx, name)
	}
	// Before the program becomes the owner of the state, who may not write here.
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return usage(fmt.Errorf("write backup: %w", err), "name a file in a folder that is there, and in which you may write")
	}
	placed := false
	defer func() {
		if !placed {
			_ = os.Remove(f.Name())
		}
		_ = f.Close()
	}()
	a.output = f
	if err := a.writeBackup(ctx, name, f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), state.VerifyBackup(f)); err != nil {
		return failed(fmt.Errorf("verify backup: %w", err))
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return failed(fmt.Errorf("write backup: %w", err))
	}
	placed = true
	return nil
}

// serveBackup writes the backup beside the state before it is sent: whoever asked
// may be slow, or be stopped, and while the state is copied its file cannot grow.
func (a *app) serveBackup(ctx context.Context, name string) error {
	store := a.service.current().store
	f, err := os.CreateTemp(filepath.Dir(store.Path()), ".backup-*")
	if err != nil {
		return failed(fmt.Errorf("write backup: %w", err))
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return failed(fmt.Errorf("write backup: %w", err))
	}
	m, err := store.Backup(ctx, f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.Copy(a.service.streams.File, f)
	}
	if err != nil {
		return failed(err)
	}
	a.sayBackup(name, m)
	return nil
}

// writeBackup has the backup written here or by whoever holds the state.
func (a *app) writeBackup(ctx context.Context, name string, to io.Writer) error {
	s, err := a.openForCare(ctx)
	var there *exit
	if errors.As(err, &there) && there.code == rostersync.ExitDone {
		return nil // somebody else has written it
	}
	if err != nil {
		return err
	}
	defer s.close()
	m, err := s.store.Backup(ctx, to)
	if err != nil {
		return failed(err)
	}
	a.sayBackup(name, m)
	return nil
}

func (a *app) sayBackup(name string, m state.Manifest) {
	fmt.Fprintf(a.stdout, "%s: the state, %s, and %s of the journal, head %s\n", name, size(m.Bytes), count(int(m.Records), "record"), m.Head)
}
