package identity

import "time"

// Person is one identity as the snapshot holds it.
type Person struct {
	Ordinal Ordinal
	Key     Key
	DN      DN
	// Login, Mail and Name are the values of the attributes that the
	// configuration names for them; Login and Mail find the person again.
	Login, Mail, Name string
	// RehireKey tells a rehire from a new person; empty where none is set.
	RehireKey  string
	Attributes Attributes
	Standing   Standing
	// Why says in a few words what the standing rests on.
	Why string
	// Doubt is set while the standing is Unknown for a reason that only a
	// person can settle.
	Doubt Doubt
	// Since is when the standing began.
	Since time.Time
	// Validity is what the source says of when the account may be used. What
	// that means for the standing hangs on the moment.
	Validity Validity
}

// Doubt says why an Unknown standing waits for a decision.
type Doubt uint8

const (
	// NoDoubt: nothing waits.
	NoDoubt Doubt = iota
	// SecondLook: absent from one complete listing; the next one decides.
	SecondLook
	// Blackout: everybody under their container vanished at once.
	Blackout
	// Rekeyed: their key or DN came back under another ID, among many.
	Rekeyed
	// SharedKey: two present entries carry the same rehire key.
	SharedKey
)

var doubtNames = [...]string{"", "second-look", "blackout", "rekeyed", "shared-key"}

func (d Doubt) String() string {
	if int(d) < len(doubtNames) {
		return doubtNames[d]
	}
	return "?"
}

// GroupStep is one group on the way from a person up to a group that the
// policy names.
type GroupStep struct {
	Group Ordinal
	Name  string
	DN    string
}

// Membership says that a person is in a group that the policy names, and by
// which path: the first step holds the person directly, the last one is the
// named group. One shortest path is given, and it is the same for the same
// snapshot.
type Membership struct {
	Group Ordinal
	Path  []GroupStep
}
