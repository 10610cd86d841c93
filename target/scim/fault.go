package scim

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rosterd/rosterd/target"
)

// errorMessage is the schema of an error (RFC 7644, 3.12).
const errorMessage = "urn:ietf:params:scim:api:messages:2.0:Error"

// maxWords bounds what is repeated of an error that a server told, in bytes.
const maxWords = 200

// refusal is an answer that says no.
type refusal struct {
	status int
	// kind is the scimType (RFC 7644, 3.12), detail the words.
	kind, detail string
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("the server answered %d", r.status)
	if name := http.StatusText(r.status); name != "" {
		text += " " + name
	}
	if r.kind != "" {
		text += " (" + r.kind + ")"
	}
	if r.detail != "" {
		text += ": " + r.detail
	}
	return text
}

// honest is the answer with the status that its body tells, where the body is an
// error and the status says yes: some servers and gateways answer everything with 200.
func (a answer) honest() answer {
	if !a.ok() || !bytes.Contains(a.body, []byte(errorMessage)) {
		return a
	}
	r, err := decode(a.body)
	if err != nil || !slices.ContainsFunc(entries(r.get("schemas")), func(x any) bool { return strings.EqualFold(scalar(x), errorMessage) }) {
		return a
	}
	a.status = http.StatusBadRequest
	if n, err := strconv.Atoi(r.text("status")); err == nil && n >= 400 && n <= 599 {
		a.status = n
	}
	return a
}

// statusOf is the status that an error was answered with; 0 if there was no answer.
func statusOf(err error) int {
	var r *refusal
	if errors.As(err, &r) {
		return r.status
	}
	return 0
}

func kindOf(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.kind
	}
	return ""
}

// refuse reads an answer that says no, in the form of SCIM or any other.
func (c *client) refuse(a answer) *refusal {
	r := &refusal{status: a.status}
	if o, err := decode(a.body); err == nil {
		r.kind = o.text("scimType")
		for _, name := range []string{"detail", "message", "error_description", "error", "title"} {
			if r.detail = o.text(name); r.detail != "" {
				break
			}
			if inner := object(o.get(name)); inner != nil && inner.text("message") != "" {
				r.detail = inner.text("message")
				break
			}
		}
		if list := entries(o.get("Errors")); r.detail == "" && len(list) > 0 { // SCIM 1.1
			r.detail = object(list[0]).text("description")
		}
	} else if !looksLikeHTML(a) {
		r.detail = string(a.body)
	}
	// Secrets are looked for in what would be shown, before it is cut.
	r.kind, r.detail = short(c.key.hidden(line(r.kind))), short(c.key.hidden(line(r.detail)))
	return r
}

// ofOperation says whether it may be the word for an operation that is refused.
func (r *refusal) ofOperation() bool {
	words := strings.FieldsFunc(strings.ToLower(r.detail), func(c rune) bool { return !unicode.IsLetter(c) })
	return slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"op", "ops", "operation", "operations", opAdd, opReplace, opRemove}, w)
	})
}

func looksLikeHTML(a answer) bool {
	return strings.Contains(strings.ToLower(a.header.Get("Content-Type")), "html") || strings.HasPrefix(strings.TrimSpace(string(a.body[:min(len(a.body), 64)])), "<")
}

// clean makes text that others wrote fit for a terminal and a log: one line, of
// bounded length, without what controls a terminal.
func clean(s string) string { return short(line(s)) }

// line is a text in one line, without what controls a terminal.
func line(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func short(s string) string {
	if len(s) > maxWords {
		cut := maxWords
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}

// fault is the error of an answer that says no, or nil for one that says yes.
func (c *client) fault(k call, a answer) error {
	if a.ok() {
		return nil
	}
	r := c.refuse(a)
	e := &target.Error{Class: target.Refused, Err: fmt.Errorf("%s: %w", k.doing, r)}
	switch {
	case a.status == http.StatusUnauthorized:
		e.Class, e.Tip = target.Denied, "the token is not taken: make a new one there, and put it where the configuration says"
	case a.status == http.StatusForbidden:
		e.Class, e.Tip = target.Denied, "give the token the right to read and write users and groups"
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		e.Class = target.Missing
	case a.status == http.StatusConflict:
		e.Class = target.Exists
	case a.status == http.StatusTooManyRequests:
		e.Class, e.Tip = target.Transient, "it takes fewer requests than it was sent: lower rate"
	case a.status == http.StatusNotImplemented:
	case a.status >= 500, a.status == http.StatusRequestTimeout:
		if e.Class = target.Transient; k.write() {
			e.Class = target.InDoubt
		}
	}
	return e
}

// lost is the error of a call without an answer.
func lost(k call, sent bool, err error) error {
	e := &target.Error{Class: target.Transient, Err: fmt.Errorf("%s: %w", k.doing, err)}
	if sent && k.write() {
		e.Class = target.InDoubt
	}
	if !sent && hopeless(err) {
		e.Class, e.Tip = target.Denied, "check url and ca_file"
	}
	return e
}

// hopeless says whether time will not mend it: a certificate that is not trusted.
func hopeless(err error) bool {
	var (
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		record  tls.RecordHeaderError
	)
	return errors.As(err, &verify) || errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &record)
}

func refused(tip, format string, args ...any) error {
	return &target.Error{Class: target.Refused, Err: fmt.Errorf(format, args...), Tip: tip}
}

func missing(tip, format string, args ...any) error {
	return &target.Error{Class: target.Missing, Err: fmt.Errorf(format, args...), Tip: tip}
}

func denied(tip, format string, args ...any) error {
	return &target.Error{Class: target.Denied, Err: fmt.Errorf(format, args...), Tip: tip}
}

// get reads one resource.
func (t *Target) get(ctx context.Context, doing, path string, query map[string][]string) (resource, answer, error) {
	k := call{doing: doing, method: http.MethodGet, path: path, query: query}
	a, err := t.http.do(ctx, k)
	if err != nil {
		return nil, a, err
	}
	if err := t.http.fault(k, a); err != nil {
		return nil, a, err
	}
	r, err := decode(a.body)
	if err != nil {
		tip := ""
		if looksLikeHTML(a) {
			tip = "a page for people came: check url"
		}
		return nil, a, denied(tip, "%s: the answer cannot be read: %w", doing, err)
	}
	return r, a, nil
}
