package servers

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// SlapdSync says whether a server tells changes by RFC 4533, and how long it
// remembers what was deleted.
type SlapdSync string

const (
	// NoSync is a server that tells nothing and has no contextCSN.
	NoSync SlapdSync = ""
	// SyncPlain remembers no deletion: it names what is still there.
	SyncPlain SlapdSync = "plain"
	// SyncSessionLog remembers the last changes, until it is restarted.
	SyncSessionLog SlapdSync = "session log"
	// SyncAccessLog remembers them over restarts, in a database of its own.
	SyncAccessLog SlapdSync = "access log"
)

func (m SlapdSync) overlays() []string {
	switch m {
	case NoSync:
		return nil
	case SyncAccessLog:
		return []string{"syncprov", "accesslog"}
	}
	return []string{"syncprov"}
}

// before are the lines of the database of the log, which comes first.
func (m SlapdSync) before(s *Slapd) []string {
	if m != SyncAccessLog {
		return nil
	}
	lines := []string{"database mdb", "suffix cn=accesslog", "directory " + s.logDB(), fmt.Sprintf("rootdn %q", s.AdminDN), "maxsize 8589934592"}
	if !s.cfg.Durable {
		lines = append(lines, "dbnosync")
	}
	return append(lines, "index default eq", "index entryCSN,objectClass,reqEnd,reqResult,reqStart,reqDN eq",
		"overlay syncprov", "syncprov-nopresent TRUE", "syncprov-reloadhint TRUE")
}

// within are the lines in the main database.
func (m SlapdSync) within(s *Slapd) []string {
	lines := []string{"overlay syncprov", "syncprov-checkpoint 100 5"}
	switch m {
	case SyncPlain:
		return lines
	case SyncSessionLog:
		return append(lines, fmt.Sprintf("syncprov-sessionlog %d", s.cfg.SessionLog))
	case SyncAccessLog:
		return append(lines, "syncprov-sessionlog-source cn=accesslog",
			"overlay accesslog", "logdb cn=accesslog", "logops writes", "logsuccess TRUE", "logpurge 07+00:00 01+00:00")
	}
	return nil
}

func (s *Slapd) logDB() string { return filepath.Join(s.Dir, "alog") }

// databases are the folders of all data.
func (s *Slapd) databases() []string {
	dirs := []string{filepath.Join(s.Dir, "db")}
	if s.cfg.Sync == SyncAccessLog {
		dirs = append(dirs, s.logDB())
	}
	return dirs
}

// database is the name of the main database in cn=config.
func (s *Slapd) database() string {
	return fmt.Sprintf("olcDatabase={%d}mdb,cn=config", len(s.databases()))
}

// FollowChanges makes this server a replica of the other, which has the same
// suffix and tells changes. Two that follow each other are a mirror; each then
// needs a ServerID of its own. It may be called again after StopFollowing.
func (s *Slapd) FollowChanges(provider *Slapd) error {
	return s.Configure(fmt.Sprintf("dn: %s\nchangetype: modify\nadd: olcSyncrepl\nolcSyncrepl: rid=001 provider=%s bindmethod=simple "+
		"binddn=%q credentials=%q searchbase=%q type=refreshAndPersist retry=\"1 +\" keepalive=60:5:5\n-\nreplace: olcMultiProvider\nolcMultiProvider: TRUE\n",
		s.database(), provider.URL(), provider.AdminDN, provider.AdminPassword, provider.Suffix))
}

// StopFollowing leaves this server as it is now: a replica that is behind as
// soon as the other changes.
func (s *Slapd) StopFollowing() error {
	return s.Configure(fmt.Sprintf("dn: %s\nchangetype: modify\ndelete: olcSyncrepl\n", s.database()))
}

// ContextCSN returns what this server has seen, one value for each server that
// was written to.
func (s *Slapd) ContextCSN() ([]string, error) {
	found, err := s.Search(s.Suffix, "base", "(objectClass=*)", "contextCSN")
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].Get("contextCSN"), nil
}

// CaughtUp waits until this server has seen all that the other has seen by now.
func (s *Slapd) CaughtUp(with *Slapd) error {
	want, err := with.ContextCSN()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(readyWithin)
	for {
		have, err := s.ContextCSN()
		if err == nil && covers(have, want) {
			return nil
		}
		// No such object is the answer of a replica that is still empty.
		if time.Now().After(deadline) {
			return fmt.Errorf("wait for a replica: it has seen %q of %q: %w", have, want, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// covers compares by server: a CSN is time#count#server#modification.
func covers(have, want []string) bool {
	newest := map[string]string{}
	for _, csn := range have {
		if f := strings.Split(csn, "#"); len(f) == 4 {
			newest[f[2]] = csn
		}
	}
	for _, csn := range want {
		if f := strings.Split(csn, "#"); len(f) != 4 || newest[f[2]] < csn {
			return false
		}
	}
	return true
}
