// Package plan draws what a cycle would do and judges it: situations and
// changes for every person in every target, the guard that holds what goes
// beyond its limits, the order of work, and how all of it is shown. It is pure:
// the same input gives the same plan, byte for byte.
//
// Make draws the plan, Judge splits it into what may go and what is held. What
// may go is a Cleared, which nothing else makes and which is all that may be
// applied.
package plan
