package state

import (
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

// intentForm 2 had attributes that replace what is there, and no others; 3 no password
// to come; 4 not what an account awaits.
const intentForm = 5

func (w *writer) texts(list []string) {
	w.uint(uint64(len(list)))
	for _, s := range list {
		w.text(s)
	}
}

func (r *reader) texts() []string {
	var out []string
	for range r.count() {
		out = append(out, r.text())
	}
	return out
}

// encodeIntent writes the whole payload; values may be any octets.
func encodeIntent(i Intent) []byte {
	w := writer{}
	w.byte(intentForm)
	w.text(i.cycle)
	w.time(i.at)
	o, c := i.order, i.order.Change
	w.text(c.Target)
	w.uint(uint64(c.Person))
	w.byte(byte(c.Verb))
	w.text(string(c.Account))
	w.text(c.Name)
	w.text(c.OldName)
	w.uint(uint64(len(c.Set)))
	for _, v := range c.Set {
		w.text(v.Name)
		w.texts(v.Values)
		w.byte(byte(v.How))
		w.texts(v.Without)
		w.texts(v.Kept)
	}
	w.texts(c.Before)
	w.text(c.Entitlement)
	w.text(o.Situation)
	w.texts(o.Because)
	w.texts(o.Roles)
	w.text(o.Approval)
	w.text(o.By)
	w.uint(uint64(len(o.Spends)))
	for _, s := range o.Spends {
		w.text(s.Target)
		w.text(s.Rule)
		w.text(s.Role)
		w.uint(uint64(s.Person))
		w.time(s.At)
	}
	w.text(o.Mark)
	w.bool(o.Nothing)
	w.bool(o.Owed)
	w.bool(o.Shut)
	w.texts(o.Awaits)
	return w.b
}

func decodeIntent(id uint64, b []byte) (Intent, error) {
	r := reader{b: b}
	form := r.forms(2, intentForm)
	i := Intent{id: id, cycle: r.text(), at: r.time()}
	o, c := &i.order, &i.order.Change
	c.Target, c.Person, c.Verb = r.text(), identity.Ordinal(r.uint()), target.Verb(r.byte())
	c.Account = target.NativeID(r.text())
	c.Name, c.OldName = r.text(), r.text()
	for range r.count() {
		v := target.Value{Name: r.text(), Values: r.texts()}
		if form > 2 {
			v.How, v.Without, v.Kept = target.How(r.byte()), r.texts(), r.texts()
		}
		c.Set = append(c.Set, v)
	}
	c.Before, c.Entitlement = r.texts(), r.text()
	o.Situation, o.Because, o.Roles, o.Approval, o.By = r.text(), r.texts(), r.texts(), r.text(), r.text()
	for range r.count() {
		o.Spends = append(o.Spends, ledger.Spend{Target: r.text(), Rule: r.text(), Role: r.text(),
			Person: identity.Ordinal(r.uint()), At: r.time()})
	}
	o.Mark, o.Nothing = r.text(), r.bool()
	if form > 3 {
		o.Owed, o.Shut = r.bool(), r.bool()
	}
	if form > 4 {
		o.Awaits = r.texts()
	}
	return i, r.end()
}
