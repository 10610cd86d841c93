package target

import "context"

// Cut is a change that left and of which nobody knows how far it came: whoever made it
// was stopped, or did not hear the answer.
type Cut struct {
	Change Change
	// Account has the name that it had before the change.
	Account Ref
	// Reference is by what it was referred to before; empty: it is not known.
	Reference string
	// Holds are the entitlements that rosterd gave it.
	Holds []string
}

// Resumer is a target in which some changes are several writes, so that one that was cut
// off can be half done where no look at the account shows it: the entry has another name,
// and its groups the old one. It is part of the writing half.
type Resumer interface {
	// Resumes says whether a change of that kind can be left half done.
	Resumes(ch Change) bool
	// Resume ends those that were begun, and begins none: one that never arrived stays
	// undone. Those of one account come in the order in which they left. It returns an
	// error for each by position, or nil; what is wrong with an account is said of its
	// first. Refused means that the rest is done, and what somebody has to look at.
	Resume(ctx context.Context, cut []Cut) []error
}
