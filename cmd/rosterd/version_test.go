package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/company"
)

// formed is how the form of the state stands in its file, with its checksum.
func formed(form byte) []byte {
	table := crc32.MakeTable(crc32.Castagnoli)
	key := []byte("schema")
	sum := crc32.Update(crc32.Checksum([]byte("meta"), table)^uint32(len(key)), table, key)
	return binary.LittleEndian.AppendUint32(append(key, form), crc32.Update(sum, table, []byte{form}))
}

// A state that another version wrote is refused by every verb, and stays as it is.
func TestAStateOfAnotherVersion(t *testing.T) {
	s := newSite(t, company.Company{People: 8, Units: 1, Groups: 10, Big: 2}, guardOff)
	s.want(0, "sync")
	path := filepath.Join(s.folder, "state", "state.db")
	ours, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	witness, err := os.ReadFile(path + ".last")
	if err != nil {
		t.Fatal(err)
	}
	now := byte(0)
	for form := byte(1); form < 100 && now == 0; form++ {
		if bytes.Contains(ours, formed(form)) {
			now = form
		}
	}
	if now == 0 {
		t.Fatal("the form of the file is not found in it")
	}
	for form, says := range map[byte]string{now + 1: "written by a newer rosterd", now - 1: "from before its first release"} {
		theirs := bytes.ReplaceAll(ours, formed(now), formed(form))
		for _, unclean := range []bool{false, true} {
			if err := os.WriteFile(path, theirs, 0o600); err != nil {
				t.Fatal(err)
			}
			if unclean {
				_ = os.Remove(path + ".last")
			}
			for _, verb := range []string{"status", "sync", "plan", "run", "state check", "state backup " + filepath.Join(s.folder, "b.tar")} {
				if _, stderr := s.want(1, strings.Fields(verb)...); !strings.Contains(stderr, says) || !strings.Contains(stderr, "hint:") {
					t.Errorf("%s: %s", verb, stderr)
				}
			}
			if _, stderr := s.want(1, "state", "restore", path, "--yes"); !strings.Contains(stderr, says) {
				t.Errorf("it would be restored: %s", stderr)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, theirs) {
				t.Fatalf("it was changed (%v)", err)
			}
		}
	}
	for name, text := range map[string][]byte{path: ours, path + ".last": witness} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.want(0, "sync")
}
