package target

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/rosterd/rosterd/identity"
)

// Verb is what a change does.
type Verb uint8

const (
	// Link records that an existing account belongs to a person. It writes
	// nothing but the mark.
	Link Verb = iota + 1
	// Create makes an account with its name and attributes, enabled, without
	// entitlements.
	Create
	// Enable lets the account be used again.
	Enable
	// Rename gives the account another name.
	Rename
	// Update gives one attribute other values.
	Update
	// Grant gives the account one entitlement.
	Grant
	// Revoke takes one entitlement away.
	Revoke
	// Disable closes the account and keeps it.
	Disable
	// Delete removes the account.
	Delete
	// SetPassword gives the account a password, which is made when it is written, handed
	// over and forgotten: it is no part of the change.
	SetPassword
)

var verbNames = [...]string{"?", "link", "create", "enable", "rename", "update", "grant", "revoke", "disable", "delete", "password"}

func (v Verb) String() string {
	if int(v) < len(verbNames) {
		return verbNames[v]
	}
	return "?"
}

// Change is the smallest thing that is shown, approved, intended and done.
type Change struct {
	Target string
	Person identity.Ordinal
	Verb   Verb
	// Account is empty for Create.
	Account NativeID
	// Name is the name of the account; for Create and Rename the new one.
	Name string
	// OldName is of Rename.
	OldName string
	// Set are the attributes: of Create all, sorted by name; of Update one.
	Set []Value
	// Before is what Update replaces, as far as it is known. It is not part
	// of the key.
	Before []string
	// Entitlement is of Grant and Revoke.
	Entitlement string
}

// Key is the hash of what a change is: target, whom, verb and payload. Two
// changes with the same key do the same thing to the same account.
type Key [16]byte

func (k Key) String() string { return hex.EncodeToString(k[:]) }

// MarshalText writes the key in hex.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the key in hex.
func (k *Key) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(k[:], b); err != nil || n != len(k) {
		return fmt.Errorf("read change key %q: not 32 hexadecimal digits", b)
	}
	return nil
}

// Key hashes the change. The account is part of it only where the change is
// about which account: a person has one account in a target, and what was
// approved for them before it was made stays approved after.
func (c Change) Key() Key {
	h := sha256.New()
	text(h, "1", c.Target, c.Verb.String())
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(c.Person))
	h.Write(n[:])
	switch c.Verb {
	case Create, Rename:
		text(h, c.Name)
	case Link:
		text(h, string(c.Account))
	}
	text(h, c.Entitlement)
	for _, v := range c.Set {
		text(h, v.Name)
		binary.BigEndian.PutUint64(n[:], uint64(len(v.Values)))
		h.Write(n[:])
		text(h, v.Values...)
		if v.How != Replace {
			text(h, v.How.String())
			binary.BigEndian.PutUint64(n[:], uint64(len(v.Without)))
			h.Write(n[:])
			text(h, v.Without...)
		}
	}
	var k Key
	copy(k[:], h.Sum(nil))
	return k
}

// text writes length-prefixed strings, so that no two lists hash alike.
func text(h hash.Hash, list ...string) {
	var n [8]byte
	for _, s := range list {
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
}
