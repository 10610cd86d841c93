package ldapwire

import (
	"context"
	"fmt"
)

// Scope is how far below the base a search reaches.
type Scope uint8

const (
	ScopeBase Scope = iota
	ScopeOne
	ScopeSubtree
)

// DefaultPageSize fits the limits of all known servers.
const DefaultPageSize = 500

// maxEmptyPages in a row: some are legal, when access rules hide all of a page.
// Tests lower it.
var maxEmptyPages = 10000

// Request is what to list.
type Request struct {
	// Base is the name from which on to search.
	Base  string
	Scope Scope
	// Filter is that of RFC 4515; empty means every entry.
	Filter string
	// Attributes to read, by name; empty means none. "*" is all user
	// attributes, "+" all operational ones.
	Attributes []string
	// Controls go with every request of the listing, beside that for the pages.
	Controls []RequestControl
	// ReadLong reads an attribute of which the server sends a part (";range=",
	// Active Directory) to its end. Without it a part is a RangeError.
	ReadLong bool
	// PageSize is the number of entries in a page; DefaultPageSize if zero.
	PageSize int
	// IgnoreReferrals names the parts of the tree on other servers that do not
	// belong to what is listed, by the beginning of their URLs, in any case.
	IgnoreReferrals []string
}

// Done proves that a listing is complete. There is none without that.
type Done struct {
	Pages   int
	Entries int
	// Referrals are those that were ignored because the request said so.
	Referrals []string
	// Bytes is what came from the server.
	Bytes int64
	// Controls came with the last page.
	Controls []Control
	// Server is where it was read, and as whom.
	Server Server
}

// Search lists entries and gives each to the sink, one after the other, in a
// goroutine of its own choice; the entry dies when the sink returns. The sink
// must not use the connection.
//
// Only with a nil error was everything listed: any limit, lost connection,
// unfollowed referral, partial attribute, entry that comes twice, error of the
// sink or cancelled context is an error and no Done.
func (c *Conn) Search(ctx context.Context, req Request, sink func(*Entry) error) (Done, error) {
	return c.list(ctx, req, c.server.paged(), sink)
}

// Collect is Search into memory, for few entries.
func (c *Conn) Collect(ctx context.Context, req Request) ([]Record, Done, error) {
	var out []Record
	done, err := c.Search(ctx, req, func(e *Entry) error {
		out = append(out, e.Record())
		return nil
	})
	if err != nil {
		return nil, Done{}, err
	}
	return out, done, nil
}

// Base reads one entry by its name. It is an ErrNoSuchObject if the server says
// that it is not there, and an ErrNoEntry if it does not show it.
func (c *Conn) Base(ctx context.Context, dn string, attributes ...string) (Record, error) {
	return c.BaseWhere(ctx, dn, "", attributes...)
}

// BaseWhere is Base for an entry that the filter admits. It asks for no pages: one
// entry needs none, and 389 DS does not answer the control where it shows nothing.
func (c *Conn) BaseWhere(ctx context.Context, dn, filter string, attributes ...string) (Record, error) {
	var out []Record
	req := Request{Base: dn, Scope: ScopeBase, Filter: filter, Attributes: attributes}
	_, err := c.list(ctx, req, false, func(e *Entry) error {
		if len(out) > 0 {
			return fmt.Errorf("%w: two entries for one name", ErrProtocol)
		}
		out = append(out, e.Record())
		return nil
	})
	if err != nil {
		return Record{}, err
	}
	if len(out) == 0 {
		return Record{}, c.fault(opNameSearch, dn, ErrNoEntry)
	}
	return out[0], nil
}
