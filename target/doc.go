// Package target says what a target is: a system with accounts that can be
// listed completely or not at all, looked at one by one, and changed in the
// smallest steps. The kinds live in folders below and pass the suite in
// targettest.
package target
