package ldapd

import "github.com/rosterd/rosterd/identity"

// notify is the search of Active Directory that never ends: it tells of every
// change in its scope ([MS-ADTS], section 3.1.1.3.4.1.9).
func (a *answer) notify() error {
	if a.req.filter.kind != filterPresent || a.req.filter.attr.typ.key != "objectclass" {
		return a.reply(a.w.msg, refuse(UnwillingToPerform, "000020EE: SvcErr: the filter of a notification is (objectClass=*)"), nil, nil)
	}
	dir := a.srv.dir
	dir.mu.Lock()
	f := dir.subscribe()
	dir.mu.Unlock()
	defer dir.unsubscribe(f)
	return a.watch(f, func(c change) error {
		dir.mu.RLock()
		r, ok := result{}, false
		if c.node.rec != nil && a.inScope(c.node.rec.dn) {
			r, ok = a.consider(a.view(), c.node)
		}
		dir.mu.RUnlock()
		if !ok {
			return nil
		}
		return a.send(r)
	})
}

// watch hands on what changes until the client has enough.
func (a *answer) watch(f *feed, on func(change) error) error {
	for {
		if err := a.out.Flush(); err != nil {
			return err
		}
		select {
		case <-a.w.ctx.Done():
			return a.conclude(a.interrupted())
		case <-f.wake:
		}
		for _, c := range f.take() {
			if err := on(c); err != nil {
				return a.conclude(err)
			}
		}
	}
}

// inScope says whether a name lies in the scope of the search.
func (a *answer) inScope(dn identity.DN) bool {
	switch a.req.scope {
	case scopeBase:
		return dn.Equal(a.base)
	case scopeOne:
		return !dn.IsZero() && dn.Parent().Equal(a.base)
	}
	return dn.Within(a.base)
}
