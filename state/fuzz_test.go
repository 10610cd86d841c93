package state

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/ledger"
	"github.com/rosterd/rosterd/target"
)

func sampleEntry() entry {
	return entry{kind: directory.Person, source: 3, id: "x-1", dn: dn("writer1"), standing: identity.Unknown, doubt: identity.SecondLook,
		why: "absent", since: at(), absent: absence{at: at(), listing: digest{1}}, digest: digest{2}, login: "writer1", mail: "m", name: "n",
		rehireKey: "7", validity: identity.Validity{ClosedBy: "x", From: identity.Bound{At: at(), By: "start"},
			Until: identity.Bound{At: at().AddDate(7000, 0, 0), By: "end", Day: "9026-01-02"}, Unread: []string{"y: ?"}}, members: 2, coverage: 4, attributes: []attribute{{0, []string{"a", "\xff"}}, {5, []string{""}}}}
}

// rounds says that what was decoded is encoded and decoded to the same.
func rounds[T any](t *testing.T, v T, encode func(T) []byte, decode func([]byte) (T, error)) {
	t.Helper()
	b := encode(v)
	again, err := decode(b)
	if err != nil || !reflect.DeepEqual(v, again) || !bytes.Equal(b, encode(again)) {
		t.Fatalf("%+v\nbecame %+v (%v)", v, again, err)
	}
}

func FuzzEntry(f *testing.F) {
	e := sampleEntry()
	rounds(&testing.T{}, e, func(e entry) []byte { return e.encode() }, decodeEntry)
	f.Add(e.encode())
	f.Add([]byte{1})
	e.validity = identity.Validity{}
	f.Add(e.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		n, nerr := entryNames(b)
		if e, err := decodeEntry(b); err == nil {
			rounds(t, e, func(e entry) []byte { return e.encode() }, decodeEntry)
			lean, err := decodeLean(b)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := decodeEntry(lean.encode()); err != nil || !reflect.DeepEqual(again, e) {
				t.Fatalf("%+v\nbecame %+v (%v)", e, again, err)
			}
			if nerr != nil || n.dn != e.dn || n.login != e.login || n.mail != e.mail || n.source != e.source || entrySource(b) != e.source {
				t.Fatalf("%+v and %+v (%v)", e, n, nerr)
			}
		}
	})
}

func FuzzStage(f *testing.F) {
	s := staged{ordinal: 5, differs: true, whole: true, key: digest{9}, e: sampleEntry()}
	f.Add(s.encode(&writer{}))
	u := ruling{absent: true, kind: directory.Group, ordinal: 7, id: "x", standing: identity.PresumedGone, why: "y", first: absence{at: at()}, relink: 4}
	f.Add(u.encode())
	f.Add(encodeRefs(stMembers, []string{"da", "lb"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, id, ordinal, whole, herr := stagedHead(b)
		if s, err := decodeStaged(b); err == nil {
			if herr != nil || s.e.kind != kind || s.e.id != id || s.ordinal != ordinal || s.whole != whole {
				t.Fatalf("%+v and %v %v %v %v %v", s, kind, id, ordinal, whole, herr)
			}
			s.e.encode()
		}
		if u, err := decodeRuling(b); err == nil {
			rounds(t, u, func(u ruling) []byte { return u.encode() }, decodeRuling)
		}
		if refs, err := decodeRefs(stDiff, b); err == nil {
			rounds(t, refs, func(r []string) []byte { return encodeRefs(stDiff, r) }, func(b []byte) ([]string, error) { return decodeRefs(stDiff, b) })
		}
	})
}

func FuzzLedger(f *testing.F) {
	l := ledger.Link{Person: 1, Target: "wiki", Account: "a", Name: "n", Owner: ledger.Adopted, By: "x", Phase: ledger.Open, Cause: "c",
		PhaseSince: at(), Written: map[string]ledger.Digest{"a": {1}}, Granted: []ledger.Granted{{Entitlement: "e", Roles: []string{"r"}, Since: at()}},
		Added: map[string][]string{"a": {"v"}}}
	f.Add(encodeLink(l))
	f.Add(encodeIntent(Intent{id: 3, cycle: "c", at: at(), order: order(4, target.Create, "a")}))
	f.Add(encodeMark(ledger.Mark{Sequence: 4, Reasons: []string{"a"}}))
	f.Add(idValue{ordinal: 4, standing: identity.Active, digest: digest{1}, key: digest{2}}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := decodeLink(1, "wiki", b); err == nil {
			rounds(t, l, encodeLink, func(b []byte) (ledger.Link, error) { return decodeLink(1, "wiki", b) })
		}
		if i, err := decodeIntent(3, b); err == nil {
			rounds(t, i, encodeIntent, func(b []byte) (Intent, error) { return decodeIntent(3, b) })
		}
		if m, err := decodeMark(1, b); err == nil {
			rounds(t, m, encodeMark, func(b []byte) (ledger.Mark, error) { return decodeMark(1, b) })
		}
		if v, err := decodeIDValue(b); err == nil {
			rounds(t, v, idValue.encode, decodeIDValue)
		}
	})
}
