// Package handover makes the passwords of new accounts and brings them on their way:
// to a command, or into files that only the holder of a key can read. It keeps none,
// and no error of it holds any.
package handover
