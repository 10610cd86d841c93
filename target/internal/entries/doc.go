// Package entries is what the kinds of target have in common whose accounts are
// entries of a directory: connections, finding an account again, looking,
// listing, members of groups, and what an answer of the server means. What
// differs between the kinds is handed in as [Settings].
//
// An account is known by its ID, such as entryUUID. Before each write its entry is
// found again by that ID, so a write meets the account that was meant, wherever
// it was moved, and never another that has taken its name.
//
// A directory does not always keep memberships in step with names. Where it
// does not, this package does: a rename or a move is followed in the groups
// below the base of groups, a deletion empties them of the account, and what is
// left there of somebody who had the name before is not inherited.
package entries
