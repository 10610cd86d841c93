// Package mapping is the policy: roles from groups and conditions, the accounts
// and entitlements that roles give in each target, the attributes of those
// accounts, and the reasons for all of it.
//
// Compile reads a configuration once and reports everything that is wrong with
// it. The Policy it makes is immutable and may be used by any number of
// goroutines. Resolve is pure: the same subject gives the same Desired, byte
// for byte.
//
// What is not known stays apart from what is not so. A condition is true, false
// or unknown (Kleene's strong logic): an attribute that was not read, a value
// that is not one value, a pinned group that went missing make it unknown, and
// an unknown role is a doubt that takes nothing away.
//
// The syntax of expressions is that of expr-lang/expr, whose parser reads them.
// They are checked and evaluated here, because unknown must not become false on
// the way, and because the list of what may stand in a rule is short: there is
// no clock, no randomness, no loop.
package mapping
