package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// Hold is a set of changes that wait for a person to decide. It is not a
// stored plan: each cycle rebuilds it from the changes it plans.
type Hold struct {
	// ID is short and typed by people: "h3".
	ID     string
	Target string
	Rule   string
	// Role is set where the rule is judged per role.
	Role string
	// Text says why, in a sentence.
	Text   string
	Opened time.Time
	// Keys are the held changes, sorted by key.
	Keys   []Held
	Status HoldStatus
	// History has the versions that the hold had, oldest first.
	History []Version
	// Refused are the keys that were rejected: silent until they change.
	Refused []target.Key
	// Expires is when an approval that is not used ends; zero if not approved.
	Expires time.Time
	// Decided is when the last part of it was approved.
	Decided    time.Time
	ApprovedBy string
	// Approved are the keys that an approval covers and that were not yet
	// used, sorted.
	Approved []target.Key
	// Untold: it was approved whole, and what that says about the world (the group is
	// gone, the target is not new) is not taken yet.
	Untold bool `json:",omitempty"`
}

// Version is one that a hold had from a moment on.
type Version struct {
	Version string
	At      time.Time
}

// Held is one change in a hold.
type Held struct {
	Key    target.Key
	Person identity.Ordinal
	// Text is the change in words: "disable writer7".
	Text  string
	Since time.Time
}

// RulePolicy is the rule of the hold that keeps a changed policy from governing.
const RulePolicy = "policy"

// HoldStatus is where a hold stands.
type HoldStatus uint8

const (
	// Waiting for a decision.
	Waiting HoldStatus = iota + 1
	// Approved: its keys are done at the next opportunity.
	Approved
	// Rejected: its keys are silent until they change.
	Rejected
)

var holdNames = [...]string{"?", "waiting", "approved", "rejected"}

func (s HoldStatus) String() string {
	if int(s) < len(holdNames) {
		return holdNames[s]
	}
	return "?"
}

// Version is the hash of the sorted keys, short enough to be typed. An
// approval names it, so that a hold that has grown is not approved unseen.
func (h Hold) Version() string {
	keys := make([]target.Key, len(h.Keys))
	for i, k := range h.Keys {
		keys[i] = k.Key
	}
	slices.SortFunc(keys, func(a, b target.Key) int { return slices.Compare(a[:], b[:]) })
	d := sha256.New()
	for _, k := range keys {
		d.Write(k[:])
	}
	return hex.EncodeToString(d.Sum(nil))[:12]
}

// Spend is one change that counts against a limit inside the window.
type Spend struct {
	Target string
	Rule   string
	Role   string
	Person identity.Ordinal
	At     time.Time
}
