// Package followtest is one story about a directory, as a suite: people and groups
// come, change, move and go, and after each step what real cycles know of them by
// following changes equals, entry by entry, what a fresh listing into an empty state
// shows. Run it from the tests of a kind, over each server and each engine that the
// server offers.
package followtest
