// Package scim is a target that is a service with SCIM 2.0 (RFC 7643, 7644):
// accounts are its users, entitlements are its groups by their display name.
// Groups are never made or removed.
//
// An account is known by its id. Servers differ from the RFC and from each other
// in nearly everything, so nothing is believed because it was answered with 200:
// what comes back is held against what was asked, a listing against its own
// count, and a change of members against who was there before.
package scim
