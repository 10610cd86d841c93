package ldap

import (
	"context"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rosterd/rosterd/directory"
	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/internal/ldapwire"
)

// controller is what a domain controller says of its own database.
type controller struct {
	conn *ldapwire.Conn
	// invocation is the ID of the database: a controller that was restored from a
	// backup, in the way that it should be, has another one.
	invocation identity.ID
	// usn is the number of the last change that it took or made.
	usn uint64
}

// usnWidth is how many digits the largest number has.
const usnWidth = 20

// place is where changes are made, as knowledge has it, and word how far.
func place(invocation identity.ID) string { return "domain controller " + string(invocation) }
func word(usn uint64) string              { return fmt.Sprintf("%0*d", usnWidth, usn) }

// seenByController is what a domain controller has seen: of itself by its own
// counter, of the others by what it remembers to have got from them. Known is what
// the caller compares it with: where that speaks of this database alone nothing of
// the others is asked. Fresh is right after the connection was made, when the root
// entry is as it was read then.
func (s *Source) seenByController(ctx context.Context, conn *ldapwire.Conn, known directory.Knowledge, fresh bool) (directory.Knowledge, error) {
	dc, err := readController(ctx, conn, fresh)
	if err != nil {
		return nil, err
	}
	s.last.met(dc)
	own := place(dc.invocation)
	out := directory.Knowledge{own: word(dc.usn)}
	if _, alone := known[own]; alone && len(known) == 1 {
		return out, nil
	}
	root, err := domainRoot(conn.Server())
	if err != nil {
		return nil, err
	}
	entry, err := conn.Base(ctx, root.String(), attrUpToDate, attrCursors)
	switch {
	case errors.Is(err, ldapwire.ErrNoSuchObject), errors.Is(err, ldapwire.ErrNoEntry), errors.Is(err, ldapwire.ErrInsufficientAccess):
	case err != nil:
		return nil, err
	}
	// Hidden is the same as not there, and so is what cannot be read: it is a help,
	// not a right.
	for _, v := range entry.Values(attrUpToDate) {
		readVector([]byte(v), out)
	}
	for _, v := range entry.Values(attrCursors) {
		readCursor(v, out)
	}
	out[own] = word(dc.usn)
	return out, nil
}

// met keeps what a controller said of itself, for the engines.
func (l *lastListing) met(dc controller) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dc = dc
}

// onController is what the controller at the other end said last: nothing that it
// shows after is older.
func (l *lastListing) onController(ctx context.Context, conn *ldapwire.Conn) (controller, error) {
	l.mu.Lock()
	dc := l.dc
	l.mu.Unlock()
	if dc.conn == conn {
		return dc, nil
	}
	return readController(ctx, conn, false)
}

// readController asks who answers, and how far it is.
func readController(ctx context.Context, conn *ldapwire.Conn, fresh bool) (controller, error) {
	root := conn.Server().RootDSE
	if !fresh {
		var err error
		if root, err = conn.Base(ctx, "", attrCommitted, attrServiceName, attrSynchronized); err != nil {
			return controller{}, err
		}
	}
	if root.Has(attrSynchronized, "FALSE") {
		return controller{}, fail(nil, "wait until it has, or name another controller in urls", "%s has not got all of the domain yet (%s is FALSE)", conn.Server().URL, attrSynchronized)
	}
	usn, err := strconv.ParseUint(root.First(attrCommitted), 10, 63)
	if err != nil {
		return controller{}, fail(nil, "", "%s of %s is %q, which is no number", attrCommitted, conn.Server().URL, root.First(attrCommitted))
	}
	service := root.First(attrServiceName)
	entry, err := conn.Base(ctx, service, attrInvocation)
	if err != nil {
		return controller{}, err
	}
	invocation, err := parseGUID([]byte(entry.First(attrInvocation)))
	if err != nil {
		return controller{}, fail(nil, "let the bind user read it", "%s of %q: %v", attrInvocation, service, err)
	}
	return controller{conn, invocation, usn}, nil
}

// readVector reads what a controller keeps of the others, as [MS-DRSR] has it
// (UPTODATE_VECTOR_V1_EXT and V2_EXT): version, reserved, count, reserved, and for
// each its invocation ID, a number and, in the second version, a time.
func readVector(b []byte, into directory.Knowledge) {
	if len(b) < 16 {
		return
	}
	size := map[uint32]int{1: 24, 2: 32}[binary.LittleEndian.Uint32(b)]
	if size == 0 || uint64(len(b)-16) != uint64(binary.LittleEndian.Uint32(b[8:]))*uint64(size) {
		return
	}
	for b = b[16:]; len(b) > 0; b = b[size:] {
		if invocation, err := parseGUID(b[:16]); err == nil {
			learn(into, invocation, binary.LittleEndian.Uint64(b[16:]))
		}
	}
}

// readCursor reads the same of one other, as XML ([MS-ADTS], msDS-NCReplCursors).
func readCursor(text string, into directory.Knowledge) {
	var c struct {
		Invocation string `xml:"uuidSourceDsaInvocationID"`
		USN        uint64 `xml:"usnAttributeFilter"`
	}
	if err := xml.Unmarshal([]byte(strings.TrimRight(text, "\x00")), &c); err != nil {
		return
	}
	id := normalID(strings.Trim(c.Invocation, "{} "))
	if _, ok := guidOctets(id); ok {
		learn(into, id, c.USN)
	}
}

func learn(into directory.Knowledge, invocation identity.ID, usn uint64) {
	p := place(invocation)
	into[p] = max(into[p], word(usn))
}
