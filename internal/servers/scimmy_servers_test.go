//go:build servers

package servers

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func ask(t *testing.T, s *Scimmy, method, path, body string) (int, http.Header, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+ScimmyToken)
	req.Header.Set("Content-Type", "application/scim+json")
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	_ = json.Unmarshal(text, &out)
	return res.StatusCode, res.Header, out
}

// TestScimmyIsAsTheModesSay holds what the modes of the hostile server claim of
// SCIMMY to the real one.
func TestScimmyIsAsTheModesSay(t *testing.T) {
	for _, express := range []int{4, 5} {
		t.Run(fmt.Sprintf("express%d", express), func(t *testing.T) {
			s := StartScimmy(t, express)
			for i := range 25 {
				id := fmt.Sprintf("m%d", i)
				if err := s.Put("Users", id, map[string]any{"userName": id, "active": true}); err != nil {
					t.Fatal(err)
				}
			}
			status, header, made := ask(t, s, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ada","active":true}`)
			id, _ := made["id"].(string)
			meta, _ := made["meta"].(map[string]any)
			if status != 201 || header.Get("Location") != "" || meta["location"] != "/scim/Users/"+id || header.Get("ETag") == "" || meta["version"] != nil {
				t.Errorf("a create: %d %v %v", status, header, made)
			}
			if status, _, found := ask(t, s, "GET", `/Users?filter=userName%20eq%20%22ADA%22`, ""); status != 200 || found["totalResults"] != 0.0 {
				t.Errorf("a filter compares with case: %d %v", status, found)
			}
			patch := func(path, operation string) int {
				status, _, _ := ask(t, s, "PATCH", path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+operation+`]}`)
				return status
			}
			if got := patch("/Users/"+id, `{"op":"replace","path":"active","value":"False"}`); got != 400 {
				t.Errorf("active as a text: %d", got)
			}
			if got := patch("/Users/"+id, `{"op":"replace","path":"active","value":true}`); got != 204 {
				t.Errorf("a change of nothing: %d", got)
			}
			if got := patch("/Users/"+id, `{"op":"replace","path":"emails[type eq \"home\"].value","value":"x@content.example"}`); got != 400 {
				t.Errorf("a path that matches nothing: %d", got)
			}
			_, _, group := ask(t, s, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"}`)
			at := fmt.Sprint("/Groups/", group["id"])
			for _, member := range []string{id, id, "nobody"} {
				if got := patch(at, `{"op":"add","path":"members","value":[{"value":"`+member+`"}]}`); got >= 300 {
					t.Errorf("add %s: %d", member, got)
				}
			}
			if status, _, _ := ask(t, s, "DELETE", "/Users/"+id, ""); status != 204 {
				t.Error(status)
			}
			store, err := s.Store()
			if err != nil {
				t.Fatal(err)
			}
			members, _ := json.Marshal(store.Groups[0]["members"])
			if strings.Count(string(members), id) != 2 || !strings.Contains(string(members), "nobody") {
				t.Errorf("doubles, members that are nobody, and deleted ones stay: %s", members)
			}
			if !slices.Contains(store.Requests, "DELETE /scim/Users/"+id) {
				t.Error(store.Requests)
			}
			if err := s.Drop("Users", "m24"); err != nil {
				t.Fatal(err)
			}
			_, _, page := ask(t, s, "GET", "/Users?startIndex=21&count=10", "")
			resources, _ := page["Resources"].([]any)
			got := fmt.Sprint(len(resources), page["startIndex"], page["itemsPerPage"], page["totalResults"])
			if want := map[int]string{4: "4 21 10 24", 5: "20 1 20 24"}[express]; got != want {
				t.Errorf("a second page: %s, want %s", got, want)
			}
			_, _, past := ask(t, s, "GET", "/Users?startIndex=100&count=3", "")
			resources, _ = past["Resources"].([]any)
			if len(resources) == 0 {
				t.Errorf("a page past the end is the first: %v", past)
			}
		})
	}
}
