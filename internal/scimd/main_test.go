package scimd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client asks a server that a test started.
type client struct {
	t      *testing.T
	server *Server
	url    string
	header http.Header
}

func start(t *testing.T, o Options) *client {
	t.Helper()
	s := New(o)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return &client{t: t, server: s, url: web.URL + o.Base, header: http.Header{}}
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	text   string
	body   Resource
}

func (c *client) do(method, path, body string) reply {
	c.t.Helper()
	r, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// plain follows no redirect and keeps no connection.
var plain = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *client) try(method, path, body string) (reply, error) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header = c.header.Clone()
	res, err := plain.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{}, err
	}
	out := reply{status: res.StatusCode, header: res.Header, text: string(read)}
	_ = json.NewDecoder(bytes.NewReader(read)).Decode(&out.body)
	return out, nil
}

func (c *client) want(status int, method, path, body string) reply {
	c.t.Helper()
	r := c.do(method, path, body)
	if r.status != status {
		c.t.Fatalf("%s %s %s: %d %s; want %d", method, path, body, r.status, r.text, status)
	}
	return r
}

func (c *client) user(name string) string {
	c.t.Helper()
	return c.want(201, "POST", "/Users", fmt.Sprintf(`{"schemas":[%q],"userName":%q}`, CoreUser, name)).body.Text("id")
}

func (c *client) group(name string, members ...string) string {
	c.t.Helper()
	id := c.want(201, "POST", "/Groups", fmt.Sprintf(`{"schemas":[%q],"displayName":%q}`, CoreGroup, name)).body.Text("id")
	c.server.Change(Groups, id, func(r Resource) {
		var list []any
		for _, m := range members {
			list = append(list, map[string]any{"value": m})
		}
		if list != nil {
			r["members"] = list
		}
	})
	return id
}

func patchBody(operations string) string {
	return fmt.Sprintf(`{"schemas":[%q],"Operations":[%s]}`, patchOp, operations)
}

// pages reads a listing page by page as RFC 7644 means it: on by what came.
func (c *client) pages(kind Kind, count int) (ids []string, requests int) {
	c.t.Helper()
	for start := 1; requests < 50; requests++ {
		r := c.want(200, "GET", fmt.Sprintf("/%s?startIndex=%d&count=%d", kind, start, count), "")
		list, _ := r.body["Resources"].([]any)
		for _, e := range list {
			ids = append(ids, fmt.Sprint(e.(map[string]any)["id"]))
		}
		start += len(list)
		if len(list) == 0 || fmt.Sprint(r.body["totalResults"]) == fmt.Sprint(len(ids)) {
			return ids, requests + 1
		}
	}
	return ids, requests
}

func found(r reply) []string {
	var out []string
	list, _ := r.body["Resources"].([]any)
	for _, e := range list {
		e := Resource(e.(map[string]any))
		out = append(out, e.Text("userName")+e.Text("displayName"))
	}
	slices.Sort(out)
	return out
}

func filterURL(kind Kind, f string) string {
	return "/" + string(kind) + "?filter=" + url.QueryEscape(f)
}

func escaped(id string) string { return url.PathEscape(id) }
