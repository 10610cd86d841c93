package servers

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// Dump returns the main database as LDIF with all operational attributes.
func (s *Slapd) Dump() ([]byte, error) {
	return output(nil, nil, "slapcat", "-o", "ldif-wrap=no", "-F", filepath.Join(s.Dir, "slapd.d"), "-b", s.Suffix)
}

// Backup copies the data as they are now and returns a name for Restore. The
// server is down meanwhile.
func (s *Slapd) Backup() (string, error) {
	s.backups++
	to := filepath.Join(s.Dir, fmt.Sprintf("backup%d", s.backups))
	return to, whileStopped(s, func() error {
		if err := os.Mkdir(to, 0o700); err != nil {
			return fmt.Errorf("make a folder for the backup: %w", err)
		}
		for _, dir := range s.databases() {
			if err := copyTree(dir, filepath.Join(to, filepath.Base(dir))); err != nil {
				return err
			}
		}
		return nil
	})
}

// Restore puts the data of a Backup in the place of the present ones.
func (s *Slapd) Restore(backup string) error {
	return whileStopped(s, func() error {
		for _, dir := range s.databases() {
			if err := replaceTree(filepath.Join(backup, filepath.Base(dir)), dir); err != nil {
				return err
			}
		}
		return nil
	})
}

// identities are what makes an entry the one that it is, not another with the
// same content.
var identities = regexp.MustCompile(`(?m)^(entryUUID|entryCSN|contextCSN|createTimestamp|modifyTimestamp):.*\n`)

// Rebuild loads the present content into an empty database, as somebody does
// who upgrades or moves a server by LDIF: with new entryUUIDs, unless they are
// kept.
func (s *Slapd) Rebuild(keepIDs bool) error {
	text, err := s.Dump()
	if err != nil {
		return err
	}
	if !keepIDs {
		text = identities.ReplaceAll(text, nil)
	}
	return whileStopped(s, func() error {
		if err := s.empty(); err != nil {
			return err
		}
		_, err := output(nil, bytes.TrimLeft(text, "\n"), "slapadd", "-q", "-w", "-S", fmt.Sprint(s.cfg.ServerID),
			"-F", filepath.Join(s.Dir, "slapd.d"), "-b", s.Suffix)
		return err
	})
}

// empty makes all databases anew.
func (s *Slapd) empty() error {
	for _, dir := range s.databases() {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("empty the database: %w", err)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("make the database: %w", err)
		}
	}
	return nil
}
