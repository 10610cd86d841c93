// Package scimd is a SCIM 2.0 server (RFC 7643, 7644 and the cursors of RFC
// 9865) inside the process, over a store in memory: the hostile server of the
// tests, which misbehaves on demand (Mode).
//
// Without a mode it does what the RFCs say: Users with the enterprise extension
// and Groups, ServiceProviderConfig, Schemas, ResourceTypes, filters, PATCH with
// paths, PUT, pages by index and by cursor, and ETags where Options ask for
// them. Bulk, /Me and .search are left out, since no client worth the name
// depends on them. Where the RFCs leave a choice, the choice stands in a comment.
//
// A test reads and sets the store past the protocol, so that the client is not
// its own witness, and has the log of what was asked.
package scimd
