package servers

import (
	"fmt"
	"strings"
	"time"
)

// replicationManager is who one 389 Directory Server writes to another as.
const replicationManager = "cn=replication manager,cn=config"

func (s *Dirsrv) replica() string {
	return "cn=replica,cn=" + strings.NewReplacer("=", `\3D`, ",", `\2C`).Replace(s.Suffix) + ",cn=mapping tree,cn=config"
}

// agreement is the entry by which this server feeds another.
func (s *Dirsrv) agreement(with *Dirsrv) string {
	return fmt.Sprintf("cn=to %d,%s", with.port, s.replica())
}

// Supply makes this server a supplier, by whose number its changes are told from
// those of others.
func (s *Dirsrv) Supply(number int) error {
	return s.Modify(fmt.Sprintf("dn: %s\nobjectClass: netscapeServer\ncn: replication manager\nuserPassword: %s\n\n", replicationManager, s.AdminPassword) +
		fmt.Sprintf("dn: %s\nobjectClass: nsds5Replica\nobjectClass: top\ncn: replica\nnsDS5ReplicaRoot: %s\nnsDS5ReplicaType: 3\nnsDS5ReplicaId: %d\nnsDS5Flags: 1\nnsDS5ReplicaBindDN: %s\n",
			s.replica(), s.Suffix, number, replicationManager))
}

// Feed lets this supplier bring all of its data to another one, in the place of
// what is there, and from then on each change. It returns when the other has it; a
// change that the server made of itself meanwhile may come half a minute later.
func (s *Dirsrv) Feed(to *Dirsrv) error {
	if err := s.agree(to, "nsds5BeginReplicaRefresh: start\n"); err != nil {
		return err
	}
	deadline := time.Now().Add(readyWithin)
	for {
		found, err := s.Search(s.agreement(to), "base", "(objectClass=*)", "nsds5BeginReplicaRefresh", "nsds5replicaLastInitStatus")
		if err != nil {
			return err
		}
		if len(found) == 1 && len(found[0].Get("nsds5BeginReplicaRefresh")) == 0 && strings.Contains(strings.Join(found[0].Get("nsds5replicaLastInitStatus"), ""), "succeeded") {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("fill a replica: %v", found)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// FeedBack lets this supplier, which was filled by the other, bring it each change
// that is made here.
func (s *Dirsrv) FeedBack(to *Dirsrv) error { return s.agree(to, "") }

func (s *Dirsrv) agree(with *Dirsrv, more string) error {
	return s.Modify(fmt.Sprintf("dn: %s\nobjectClass: top\nobjectClass: nsds5replicationagreement\nnsDS5ReplicaHost: 127.0.0.1\nnsDS5ReplicaPort: %d\n"+
		"nsDS5ReplicaBindDN: %s\nnsDS5ReplicaBindMethod: SIMPLE\nnsDS5ReplicaTransportInfo: LDAP\nnsDS5ReplicaCredentials: %s\nnsDS5ReplicaRoot: %s\n%s",
		s.agreement(with), with.port, replicationManager, with.AdminPassword, s.Suffix, more))
}

// Feeding says whether another server is fed: one that is not is behind as soon as
// something changes here.
func (s *Dirsrv) Feeding(to *Dirsrv, on bool) error {
	word := map[bool]string{true: "on", false: "off"}[on]
	return s.Modify(fmt.Sprintf("dn: %s\nchangetype: modify\nreplace: nsds5ReplicaEnabled\nnsds5ReplicaEnabled: %s\n", s.agreement(to), word))
}

// UpdateVector returns the last change that this server has seen of each supplier,
// by the number of that.
func (s *Dirsrv) UpdateVector() (map[string]string, error) {
	found, err := s.Search(s.Suffix, "sub", "(&(objectClass=nsTombstone)(nsUniqueId=ffffffff-ffffffff-ffffffff-ffffffff))", "nsds50ruv")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, e := range found {
		for _, line := range e.Get("nsds50ruv") {
			// {replica NUMBER ldap://host:port} FIRST LAST
			head, tail, _ := strings.Cut(line, "}")
			if f, last := strings.Fields(head), strings.Fields(tail); len(f) > 1 && f[0] == "{replica" && len(last) == 2 {
				out[f[1]] = last[1]
			}
		}
	}
	return out, nil
}

// CaughtUp waits until this server has seen all that the other has seen by now.
func (s *Dirsrv) CaughtUp(with *Dirsrv) error {
	want, err := with.UpdateVector()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(readyWithin)
	for {
		have, err := s.UpdateVector()
		behind := err != nil
		for number, last := range want {
			behind = behind || have[number] < last
		}
		if !behind {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait for a replica: it has seen %v of %v: %w", have, want, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
