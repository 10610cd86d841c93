package journal

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func segment(t testing.TB, n int) ([]byte, Hash) {
	t.Helper()
	var out bytes.Buffer
	last := Hash{7}
	w, err := NewWriter(&out, 5, last)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		var b []byte
		if b, last, err = Seal(last, record(uint64(5+i))); err != nil {
			t.Fatal(err)
		}
		if err := w.Add(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Add(b); !errors.Is(err, ErrChain) {
			t.Fatal("a record was taken twice", err)
		}
	}
	to, head, err := w.End()
	if err != nil || to != uint64(4+n) || head != last {
		t.Fatal(to, head, err)
	}
	return out.Bytes(), last
}

// whole reads a segment and checks its chain.
func whole(b []byte) (n int, head Hash, err error) {
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		return 0, head, err
	}
	last := r.After
	for {
		seq, rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			if r.Head != last {
				return n, last, ErrChain
			}
			return n, last, nil
		}
		if err != nil {
			return n, last, err
		}
		if last, err = Check(last, seq, rec); err != nil {
			return n, last, err
		}
		n++
	}
}

func TestSegment(t *testing.T) {
	b, head := segment(t, 3)
	if n, h, err := whole(b); n != 3 || h != head || err != nil {
		t.Fatal(n, err)
	}
	for i := range b {
		if _, _, err := whole(b[:i]); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", i, len(b))
		}
		changed := bytes.Clone(b)
		changed[i] ^= 2
		n, h, err := whole(changed)
		// What it says that it follows is for whoever knows what came before.
		if err == nil && (n != 3 || h != head || !bytes.HasPrefix(changed, b[:len(segmentWord)])) {
			t.Errorf("byte %d was changed: %d %v", i, n, err)
		}
		if err == nil {
			t.Errorf("byte %d was changed unnoticed: %q", i, changed[max(0, i-10):i+1])
		}
	}
	for _, more := range []string{"x", "\n", "end 7 \n"} {
		if _, _, err := whole(append(bytes.Clone(b), more...)); err == nil {
			t.Errorf("%q after the end: no error", more)
		}
	}
}

func FuzzSegment(f *testing.F) {
	b, _ := segment(f, 2)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte("rosterd journal 1 from 1 after \nend 0 \n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		var out bytes.Buffer
		w, err := NewWriter(&out, r.From, r.After)
		if err != nil {
			t.Fatal(err)
		}
		for {
			_, rec, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || w.Add(rec) != nil {
				return
			}
		}
		// Whatever is whole and verifies is written again as it was.
		to, head, err := w.End()
		if err == nil && head == r.Head && (to != r.To || !bytes.Equal(out.Bytes(), b)) {
			t.Fatalf("%d %d\n%q\n%q", to, r.To, out.Bytes(), b)
		}
	})
}
