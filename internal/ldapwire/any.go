package ldapwire

import "context"

// Any says whether the search finds an entry at all. It asks for a page of one
// and for no other. An empty page says nothing if more may come, and is taken for
// no.
func (c *Conn) Any(ctx context.Context, req Request) (bool, error) {
	l, cancel, err := c.open(&ctx, req)
	if err != nil {
		return false, err
	}
	defer cancel()
	found := false
	l.entry = func(*Entry) error {
		found = true
		return nil
	}
	if c.server.paged() {
		l.controls = append(l.controls, pagingControl(1, nil))
	}
	page := c.fastPage
	if c.cfg.Reader == Reference {
		page = c.referencePage
	}
	if _, err := page(ctx, l); err != nil {
		return false, err
	}
	return found, nil
}
