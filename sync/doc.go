// Package sync runs cycles: it reads the source, draws and judges a plan, does
// what may be done and reads back what was done. The order of the steps stands
// in Cycle; each step has a file of its name.
//
// It is imported as rostersync, since its folder carries the name that users
// know.
package sync
