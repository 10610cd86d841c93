package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/rosterd/rosterd/target"
)

const (
	// listings is how often a listing is begun anew where its number changes while
	// it is read.
	listings = 3
	// emptyPages is how many pages of a cursor may bring nothing.
	emptyPages = 100
	resources  = "Resources"
	// maxListing bounds a listing, in bytes: a million accounts fit.
	maxListing = 4 << 30
)

// errMoved: accounts came or went while the listing was read.
var errMoved = errors.New("the number of results changed while they were read")

// page is one answer to a query.
type page struct {
	resources []resource
	total     int // -1: not said
	start     int // 0: not said
	next      string
	size      int64 // in bytes
}

// readPage understands one answer.
func readPage(r resource) (page, error) {
	p := page{total: -1}
	number := func(name string, to *int) error {
		v := r.get(name)
		if v == nil {
			return nil
		}
		n, err := strconv.ParseInt(scalar(v), 10, 32)
		if _, number := v.(json.Number); err != nil || n < 0 || !number && !isText(v) {
			return fmt.Errorf("%s is no number", name)
		}
		*to = int(n)
		return nil
	}
	if err := errors.Join(number("totalResults", &p.total), number("startIndex", &p.start)); err != nil {
		return page{}, err
	}
	list := r.get(resources)
	if list == nil && p.total < 0 {
		return page{}, errors.New("it is no list")
	}
	if _, is := list.([]any); list != nil && !is {
		return page{}, fmt.Errorf("%s is no list", resources)
	}
	for _, x := range entries(list) {
		o := object(x)
		if o == nil || o.id() == "" {
			return page{}, errors.New("a resource without an id came")
		}
		p.resources = append(p.resources, o)
	}
	next := r.get("nextCursor")
	if p.next = scalar(next); next != nil && !isText(next) && p.next == "" {
		return page{}, errors.New("nextCursor is no text")
	}
	return p, nil
}

func isText(v any) bool { _, is := v.(string); return is }

// pages reads all resources of a query, or none: what came is held against what
// the server counted.
func (t *Target) pages(ctx context.Context, doing, path string, query url.Values) ([]resource, error) {
	s, err := t.discover(ctx)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		var list []resource
		if t.dialect.Paging == pagingCursor || t.dialect.Paging == auto && s.cursor {
			list, err = t.byCursor(ctx, doing, path, query)
		} else {
			list, err = t.byIndex(ctx, doing, path, query)
		}
		if err == nil || !errors.Is(err, errMoved) || try == listings {
			return list, err
		}
	}
}

func (t *Target) page(ctx context.Context, doing, path string, query url.Values, more ...string) (page, error) {
	q := url.Values{"count": {strconv.Itoa(t.dialect.PageSize)}}
	for k, v := range query {
		q[k] = v
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	r, a, err := t.get(ctx, doing, path, q)
	if err != nil {
		return page{}, err
	}
	p, err := readPage(r)
	if err != nil {
		return page{}, denied("check url", "%s: the answer is no page of a listing: %w", doing, err)
	}
	p.size = int64(len(a.body))
	return p, nil
}

// byIndex reads pages as RFC 7644, 3.4.2.4 has them. The next page begins after
// what came, however much was asked for.
func (t *Target) byIndex(ctx context.Context, doing, path string, query url.Values) ([]resource, error) {
	short := func(format string, args ...any) ([]resource, error) {
		return nil, incomplete(doing, format, args...)
	}
	var out []resource
	seen := map[string]bool{}
	total, size := -1, int64(0)
	for start := 1; ; {
		p, err := t.page(ctx, doing, path, query, "startIndex", strconv.Itoa(start))
		if err != nil {
			return nil, err
		}
		switch size += p.size; {
		case size > t.most:
			return short("it is longer than %d MiB", t.most>>20)
		case p.total < 0:
			return short("the server does not say how many there are")
		case total >= 0 && p.total != total:
			return nil, &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w: %d, then %d", doing, errMoved, total, p.total)}
		case p.start != 0 && p.start != start && len(p.resources) > 0:
			return short("asked for a page from number %d, the server answered with one from %d", start, p.start)
		}
		total = p.total
		fresh := 0
		for _, r := range p.resources {
			if !seen[r.id()] {
				seen[r.id()] = true
				out = append(out, r)
				fresh++
			}
		}
		switch {
		case len(out) > total:
			return short("%d came, and the server counts %d", len(out), total)
		case len(out) == total && total > 0 && query.Get("filter") == "":
			if err := t.nothingMore(ctx, doing, path, query, seen, start+len(p.resources)); err != nil {
				return nil, err
			}
			return out, nil
		case len(out) == total:
			return out, nil
		case fresh == 0:
			return short("%d of %d came, and the page from number %d brought nothing new", len(out), total, start)
		}
		start += len(p.resources)
	}
}

// nothingMore asks for what comes after the end: there are servers that count what
// is on a page, and not what there is. An error says nothing; so does a page that
// was there before.
func (t *Target) nothingMore(ctx context.Context, doing, path string, query url.Values, seen map[string]bool, start int) error {
	p, err := t.page(ctx, doing, path, query, "startIndex", strconv.Itoa(start))
	if class := target.ClassOf(err); err != nil && (class == target.Transient || statusOf(err) == http.StatusUnauthorized) {
		return err
	}
	for _, r := range p.resources {
		if !seen[r.id()] {
			return incomplete(doing, "%d came, as the server counts them, and there are more", len(seen))
		}
	}
	return nil
}

// byCursor reads pages as RFC 9865 has them, up to the one without a next.
func (t *Target) byCursor(ctx context.Context, doing, path string, query url.Values) ([]resource, error) {
	short := func(format string, args ...any) ([]resource, error) {
		return nil, incomplete(doing, format, args...)
	}
	var out []resource
	seen, cursors := map[string]bool{}, map[string]bool{}
	total, idle, size := -1, 0, int64(0)
	for cursor := ""; ; {
		p, err := t.page(ctx, doing, path, query, "cursor", cursor)
		if err != nil {
			return nil, err
		}
		if p.total >= 0 {
			if total >= 0 && p.total != total {
				return nil, &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w: %d, then %d", doing, errMoved, total, p.total)}
			}
			total = p.total
		}
		idle++
		for _, r := range p.resources {
			if !seen[r.id()] {
				seen[r.id()] = true
				out = append(out, r)
				idle = 0
			}
		}
		switch size += p.size; {
		case size > t.most:
			return short("it is longer than %d MiB", t.most>>20)
		case p.next == "" && total >= 0 && len(out) != total:
			return short("%d came, and the server counts %d", len(out), total)
		case p.next == "":
			return out, nil
		case cursors[p.next]:
			return short("the cursor of a page came a second time")
		case idle > emptyPages:
			return short("%d pages in a row brought nothing new", idle)
		}
		cursors[p.next] = true
		cursor = p.next
	}
}

// incomplete is a listing that is not one.
func incomplete(doing, format string, args ...any) error {
	return &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: the listing is not complete: %w", doing, fmt.Errorf(format, args...)),
		Tip: "nothing was taken from it; page_size or paging in the dialect may help"}
}
