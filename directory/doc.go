// Package directory says what a source is: something that can list its people
// and groups completely or not at all, and that can look an entry up by its
// immutable ID. The kinds of source live in folders below.
package directory
