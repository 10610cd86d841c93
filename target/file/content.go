package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/rosterd/rosterd/target"
	"github.com/rosterd/rosterd/target/internal/book"
)

// content is what one version of the file says.
type content struct {
	info  os.FileInfo // of the version; nil: not to be trusted any more
	book  *book.Book
	other map[target.NativeID]map[string]json.RawMessage
	// text is the file, list are its accounts and ends says where the line of
	// each ends, so that a rewrite encodes only those that changed.
	text []byte
	list []*target.Account
	ends []int
}

// current says whether the file is still the version that was read.
func (c *content) current(now os.FileInfo) bool {
	return c != nil && c.info != nil && os.SameFile(c.info, now) && c.info.Size() == now.Size() && c.info.ModTime().Equal(now.ModTime())
}

// read reads the whole file, or says at which line it is broken.
func read(path, nameAttribute string) (*content, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault("open the file of accounts", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fault("read the file of accounts", path, err)
	}
	all, err := io.ReadAll(f)
	if err != nil {
		return nil, fault("read the file of accounts", path, err)
	}
	c := &content{info: info, book: book.New(nameAttribute), other: map[target.NativeID]map[string]json.RawMessage{}}
	for n := 1; len(all) > 0; n++ {
		end := bytes.IndexByte(all, '\n')
		if end < 0 {
			end = len(all) - 1
		}
		text := all[: end+1 : end+1]
		all = all[end+1:]
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		a, other, err := parseLine(bytes.TrimSpace(text))
		if err == nil && c.book.Get(a.ID) != nil {
			err = fmt.Errorf("the id %q occurs a second time", a.ID)
		}
		if err != nil {
			return nil, &target.Error{Class: target.Refused, Err: fmt.Errorf("%s:%d: %w", path, n, err),
				Tip: "mend or remove that line; nothing was read or changed"}
		}
		c.book.Put(a)
		if len(other) > 0 {
			c.other[a.ID] = other
		}
		if c.text = append(c.text, text...); text[len(text)-1] != '\n' {
			c.text = append(c.text, '\n')
		}
		c.list, c.ends = append(c.list, c.book.Get(a.ID)), append(c.ends, len(c.text))
	}
	return c, nil
}

// render brings text up to date with the book. A book keeps its order: accounts
// are changed in place, removed, or added at the end.
func (c *content) render() error {
	list := c.book.Accounts()
	text, ends := make([]byte, 0, len(c.text)+4096), make([]int, 0, len(list))
	from, to, old := 0, 0, 0 // text[from:to] is to be copied; c.list[old] comes next
	for _, a := range list {
		for old < len(c.list) && c.list[old].ID != a.ID { // removed, or changed and written
			text = append(text, c.text[from:to]...)
			from, to = c.ends[old], c.ends[old]
			old++
		}
		if old < len(c.list) && c.list[old] == a {
			to = c.ends[old]
			ends = append(ends, len(text)+to-from)
			old++
			continue
		}
		line, err := formatLine(a, c.other[a.ID])
		if err != nil {
			return err
		}
		text = append(append(text, c.text[from:to]...), line...)
		ends = append(ends, len(text))
		from = to
	}
	c.text = append(text, c.text[from:to]...)
	c.list, c.ends = list, ends
	return nil
}
