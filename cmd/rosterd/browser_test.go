//go:build servers

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rosterd/rosterd/config"
)

// browser runs a headless Chromium that reaches nothing but a page that the test
// serves: it is the proxy for every address there is, and remembers what was asked.
type browser struct {
	t    *testing.T
	url  string
	mu   sync.Mutex
	page string
	got  []string
}

// housekeeping are the hosts that this browser asks for itself, whatever it shows: the
// time, updates, accounts. No page of ours names one.
var housekeeping = regexp.MustCompile(`(^|\.)(google|googleapis|gvt1)\.com(:\d+)?$`)

func newBrowser(t *testing.T) *browser {
	b := &browser{t: t}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve the page: %v", err)
		}
	}()
	t.Cleanup(func() { _ = server.Close() })
	b.url = "http://" + l.Addr().String()
	return b
}

func (b *browser) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !housekeeping.MatchString(r.Host) {
		b.got = append(b.got, r.Method+" "+r.RequestURI)
	}
	if r.Host != "policy.example" || r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, b.page)
}

// show opens a page, and returns what the browser wrote and what it asked for.
func (b *browser) show(page string, args ...string) (string, []string) {
	b.t.Helper()
	b.mu.Lock()
	b.page, b.got = page, nil
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	all := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--user-data-dir=" + b.t.TempDir(),
		"--proxy-server=" + b.url, "--proxy-bypass-list=<-loopback>"}, args...)
	cmd := exec.CommandContext(ctx, "chromium", append(all, "http://policy.example/")...)
	cmd.Env = append(os.Environ(), "HOME="+b.t.TempDir(), "DBUS_SESSION_BUS_ADDRESS=disabled:")
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("chromium: %v", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(out), slices.Clone(b.got)
}

// The page of the example in a browser: everything is there, nothing is loaded, and
// it prints to sheets that can be read.
func TestChromiumShowsThePolicy(t *testing.T) {
	c, problems, err := config.Load(exampleFile, kinds())
	if err != nil || c == nil {
		t.Fatal(err, problems)
	}
	page := ran(t, "policy", "--file", "--html", "-c", exampleFile)
	if strings.Contains(page, "google") || strings.Contains(page, "gvt1") {
		t.Fatal("the page names a host that is left out of the count")
	}
	b := newBrowser(t)

	dom, got := b.show(page, "--dump-dom")
	if len(got) != 1 {
		t.Errorf("the browser asked for %q", got)
	}
	// The same browser tells of a page that does load something.
	loads := `<img src="/there.png"><link rel="stylesheet" href="http://elsewhere.example/x.css">`
	free := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`).ReplaceAllString(page, "")
	if _, got := b.show(strings.Replace(free, "<main>", "<main>"+loads, 1), "--dump-dom"); len(got) < 3 {
		t.Errorf("a page that loads two things asked for %q", got)
	}
	// And the page's own policy forbids it, though somebody should write it in.
	if _, got := b.show(strings.Replace(page, "<main>", "<main>"+loads, 1), "--dump-dom"); len(got) != 1 {
		t.Errorf("the policy of the page let %q through", got)
	}

	pdf := filepath.Join(t.TempDir(), "policy.pdf")
	if _, got := b.show(page, "--no-pdf-header-footer", "--print-to-pdf="+pdf); len(got) != 1 {
		t.Errorf("printing asked for %q", got)
	}
	printed := tool(t, "pdftotext", "-raw", pdf, "-")
	flat := strings.Join(strings.Fields(printed), "")
	for name, r := range c.Policy.Config().Roles {
		if !strings.Contains(dom, `id="role-`+name+`"`) {
			t.Errorf("the browser shows no %s", name)
		}
		for _, text := range append([]string{name, r.Owner, r.Description}, r.Groups...) {
			if !strings.Contains(flat, strings.Join(strings.Fields(text), "")) {
				t.Errorf("%q is not printed", text)
			}
		}
	}
	for _, name := range c.Policy.Targets() {
		for _, e := range c.Policy.Entitlements(name) {
			if !strings.Contains(flat, e) {
				t.Errorf("%s of %s is not printed", e, name)
			}
		}
	}
	for _, rule := range []string{"When somebody leaves", "the account is disabled and loses every right", "employeeType is former", "from the day after employmentEnd",
		"Presumed gone", "never", "emergency-*", "5 or 5 %, whichever is more; at most 30 % and 200"} {
		if !strings.Contains(flat, strings.Join(strings.Fields(rule), "")) {
			t.Errorf("%q is not printed", rule)
		}
	}
	legible(t, pdf)
}

// legible looks at each word on each sheet: inside of it, and not too small.
func legible(t *testing.T, pdf string) {
	t.Helper()
	box := tool(t, "pdftotext", "-bbox", pdf, "-")
	size := regexp.MustCompile(`<page width="([0-9.]+)" height="([0-9.]+)">`)
	word := regexp.MustCompile(`<word xMin="([-0-9.]+)" yMin="([-0-9.]+)" xMax="([-0-9.]+)" yMax="([-0-9.]+)">(.*?)</word>`)
	pages := size.FindAllStringSubmatchIndex(box, -1)
	if len(pages) < 3 || len(pages) > 12 {
		t.Errorf("%d sheets", len(pages))
	}
	for i, p := range pages {
		end := len(box)
		if i+1 < len(pages) {
			end = pages[i+1][0]
		}
		width, height := number(box[p[2]:p[3]]), number(box[p[4]:p[5]])
		words := word.FindAllStringSubmatch(box[p[1]:end], -1)
		if len(words) < 20 {
			t.Errorf("sheet %d has %d words", i+1, len(words))
		}
		for _, w := range words {
			x, y, right, low := number(w[1]), number(w[2]), number(w[3]), number(w[4])
			if x < 20 || y < 20 || right > width-20 || low > height-20 {
				t.Errorf("%q on sheet %d is cut off: %v to %v of %v, %v to %v of %v", w[5], i+1, x, right, width, y, low, height)
			}
			if low-y < 7 { // of a line, in points: letters of 6
				t.Errorf("%q on sheet %d is %.1f points high", w[5], i+1, low-y)
			}
		}
	}
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return -1
	}
	return f
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}
