package scim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// textual stands before a server and makes it take active as a text alone.
func textual(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if bytes.Contains(body, []byte(`"path":"active","value":false`)) || bytes.Contains(body, []byte(`"path":"active","value":true`)) {
			tell(w, 400, "invalidValue", "active is a text")
			return
		}
		body = bytes.ReplaceAll(body, []byte(`"False"`), []byte(`false`))
		body = bytes.ReplaceAll(body, []byte(`"True"`), []byte(`true`))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		next.ServeHTTP(w, r)
	})
}

// tell answers with an error as RFC 7644 has it.
func tell(w http.ResponseWriter, status int, kind, detail string) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "scimType": kind, "detail": detail})
}

// before stands before a server and answers what it wants to.
func before(next http.Handler, answer func(w http.ResponseWriter, r *http.Request, body string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || answer(w, r, string(body)) {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		next.ServeHTTP(w, r)
	})
}
