package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A segment is a closed part of the journal as a file: a line that says with
// which record it begins and which head it follows, the records, and a line that
// says with which record and head it ends.
const (
	segmentWord = "rosterd journal 1 from "
	afterWord   = " after "
	endWord     = "end "
)

// ErrSegment says that a file is no whole segment.
var ErrSegment = errors.New("the file of the journal is cut short or damaged")

// Writer writes a segment. It takes only records that follow on one another.
type Writer struct {
	w    *bufio.Writer
	next uint64
	last Hash
}

// NewWriter begins a segment with record from, after the head before it.
func NewWriter(w io.Writer, from uint64, after Hash) (*Writer, error) {
	out := &Writer{w: bufio.NewWriterSize(w, 1<<16), next: from, last: after}
	_, err := fmt.Fprintf(out.w, "%s%d%s%s\n", segmentWord, from, afterWord, after)
	return out, err
}

// Add writes the next encoded record.
func (w *Writer) Add(b []byte) error {
	h, err := Check(w.last, w.next, b)
	if err != nil {
		return err
	}
	w.last, w.next = h, w.next+1
	_, err = w.w.Write(b)
	return err
}

// End ends the segment, and returns its last record and head. Nothing is synced.
func (w *Writer) End() (to uint64, head Hash, err error) {
	if _, err := fmt.Fprintf(w.w, "%s%d %s\n", endWord, w.next-1, w.last); err != nil {
		return 0, head, err
	}
	return w.next - 1, w.last, w.w.Flush()
}

// Reader reads a segment, record by record. It checks the form and that it is
// whole, not the chain.
type Reader struct {
	r *bufio.Reader
	// From is its first record, After the head that it follows.
	From  uint64
	After Hash
	// To and Head are its last record and head, once Next said io.EOF.
	To   uint64
	Head Hash

	next uint64
	line []byte // the first line of what comes next
	done bool
}

// maxLine is the longest line that is believed.
const maxLine = 256 << 20

// NewReader reads the beginning of a segment.
func NewReader(r io.Reader) (*Reader, error) {
	out := &Reader{r: bufio.NewReaderSize(r, 1<<16)}
	line, err := out.read()
	if err != nil {
		return nil, err
	}
	rest, is := strings.CutPrefix(string(bytes.TrimSuffix(line, []byte("\n"))), segmentWord)
	from, after, ok := strings.Cut(rest, afterWord)
	if out.From, err = number(from); !is || !ok || err != nil || out.From == 0 || !unhex(&out.After, []byte(after)) {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrSegment)
	}
	out.next = out.From
	out.line, err = out.read()
	return out, err
}

// number reads a number that is written in the one way.
func number(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return 0, ErrSegment
	}
	return n, nil
}

// read reads a whole line.
func (r *Reader) read() ([]byte, error) {
	var line []byte
	for {
		part, err := r.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, bufio.ErrBufferFull) && len(line) < maxLine:
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrSegment, maxLine)
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: it ends before its end", ErrSegment)
		default:
			return nil, err
		}
	}
}

// Next returns the number and the bytes of the next record, and io.EOF after the
// last one of a whole segment.
func (r *Reader) Next() (uint64, []byte, error) {
	if r.done {
		return 0, nil, io.EOF
	}
	if bytes.HasPrefix(r.line, []byte(endWord)) {
		return 0, nil, r.end()
	}
	if !bytes.HasPrefix(r.line, []byte(recordWord)) {
		return 0, nil, fmt.Errorf("%w: where record %d should be is none", ErrSegment, r.next)
	}
	out := r.line
	for {
		line, err := r.read()
		if err != nil {
			return 0, nil, err
		}
		if !bytes.HasPrefix(line, []byte(partWord)) {
			r.line = line
			break
		}
		out = append(out, line...)
	}
	r.next++
	return r.next - 1, out, nil
}

func (r *Reader) end() error {
	to, head, ok := strings.Cut(strings.TrimSuffix(string(r.line[len(endWord):]), "\n"), " ")
	n, err := number(to)
	if err != nil || !ok || n != r.next-1 || n < r.From || !unhex(&r.Head, []byte(head)) {
		return fmt.Errorf("%w: its end is not that of record %d", ErrSegment, r.next-1)
	}
	if _, err := r.r.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.Join(fmt.Errorf("%w: something follows its end", ErrSegment), err)
	}
	r.To, r.done = n, true
	return io.EOF
}
