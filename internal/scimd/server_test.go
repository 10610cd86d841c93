package scimd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCreateReadReplaceDelete(t *testing.T) {
	c := start(t, Options{Base: "/scim/v2"})
	made := c.want(201, "POST", "/Users", `{"schemas":["`+CoreUser+`","`+EnterpriseUser+`"],"USERNAME":"Ada","externalId":"x1","password":"secret","id":"mine",
		"emails":[{"value":"a@content.example","type":"work","primary":true}],"nickName":null,"roles":[],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:user":{"department":"D"}}`)
	id := made.body.Text("id")
	if id == "mine" || made.body.Text("userName") != "Ada" || made.body["active"] != true || made.body["password"] != nil || made.body["roles"] != nil ||
		made.body.Text(EnterpriseUser+":department") != "D" || made.body.Text("meta.resourceType") != "User" {
		t.Fatal(made.text)
	}
	if want := "/scim/v2/Users/" + id; !strings.HasSuffix(made.header.Get("Location"), want) || !strings.HasSuffix(made.body.Text("meta.location"), want) {
		t.Fatal(made.header, made.text)
	}
	if got := made.header.Get("Content-Type"); got != "application/scim+json" {
		t.Error(got)
	}
	if got := c.want(409, "POST", "/Users", `{"schemas":["`+CoreUser+`"],"userName":"aDA"}`).body; got.Text("scimType") != "uniqueness" || got.Text("status") != "409" {
		t.Error(got)
	}
	c.want(200, "PUT", "/Users/"+id, `{"schemas":["`+CoreUser+`"],"userName":"ada","title":"T"}`)
	if r, _ := c.server.Get(Users, id); r.Text("title") != "T" || r["emails"] != nil || r.Text("userName") != "ada" {
		t.Error("a PUT replaces all:", r)
	}
	g := c.group("g", id)
	if got := c.want(200, "GET", "/Users/"+id, "").body["groups"]; !strings.Contains(fmt.Sprint(got), g) {
		t.Error(got)
	}
	c.want(204, "DELETE", "/Users/"+id, "")
	c.want(404, "DELETE", "/Users/"+id, "")
	c.want(404, "GET", "/Users/"+id, "")
	if r, _ := c.server.Get(Groups, g); r.Members() != nil {
		t.Error("who is deleted is in no group:", r)
	}
	if c.server.Count("DELETE", "/Users/"+id) != 2 || c.server.Requests()[0].Status != 201 || c.server.Count("", "/Groups") != 1 {
		t.Error(c.server.Requests())
	}
}

func TestWrongBodiesAreRefused(t *testing.T) {
	c := start(t, Options{})
	user := `{"schemas":["` + CoreUser + `"],`
	for body, want := range map[string]string{
		`{"userName":"a"}`:                             "invalidValue",
		user + `"title":"a"}`:                          "invalidValue",
		user + `"userName":" "}`:                       "invalidValue",
		user + `"userName":"a","active":"False"}`:      "invalidValue",
		user + `"userName":"a","title":1}`:             "invalidValue",
		user + `"userName":"a","name":"n"}`:            "invalidValue",
		user + `"userName":"a","emails":[{"value":1}]`: "invalidSyntax",
		user + `"userName":"a","emails":[{"value":"x","primary":true},{"value":"y","primary":true}]}`: "invalidValue",
		`[]`: "invalidSyntax",
		`{"schemas":["` + CoreGroup + `"],"displayName":"g","members":[{"value":"nobody"}]}`: "invalidValue",
	} {
		path := "/Users"
		if strings.Contains(body, CoreGroup) {
			path = "/Groups"
		}
		if got := c.want(400, "POST", path, body).body.Text("scimType"); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	if c.server.All(Users) != nil || c.server.All(Groups) != nil {
		t.Error("something was made")
	}
}

func TestFilter(t *testing.T) {
	c := start(t, Options{})
	ada := c.server.Add(Users, Resource{"userName": "Ada", "externalId": "X", "active": true, "title": `a "b" \ ]`,
		"emails":       []any{map[string]any{"value": "ada@content.example", "type": "work"}, map[string]any{"value": "ada@home.example", "type": "home"}},
		EnterpriseUser: map[string]any{"department": "Text", "manager": map[string]any{"value": "m1"}}})
	c.server.Add(Users, Resource{"userName": "bo", "externalId": "x", "active": false, "name": map[string]any{"familyName": "Ada"}})
	c.server.Add(Groups, Resource{"displayName": "g", "members": []any{map[string]any{"value": ada}}})
	for f, want := range map[string]string{
		`userName eq "ADA"`:                                          "Ada",
		`username EQ "ada"`:                                          "Ada",
		`externalId eq "X"`:                                          "Ada",
		`id eq "` + ada + `"`:                                        "Ada",
		`active eq true`:                                             "Ada",
		`active eq false`:                                            "bo",
		`name.familyName eq "ada"`:                                   "bo",
		`title eq "a \"b\" \\ ]"`:                                    "Ada",
		`userName eq "nobody"`:                                       "",
		`userName ne "ada"`:                                          "bo",
		`userName sw "b" or title pr`:                                "Ada bo",
		`not (title pr)`:                                             "bo",
		`emails eq "ADA@home.example"`:                               "Ada",
		`emails[type eq "work" and value co "content"]`:              "Ada",
		`emails[type eq "work" and value co "home"]`:                 "",
		`emails.type eq "home"`:                                      "Ada",
		EnterpriseUser + `:department eq "text"`:                     "Ada",
		EnterpriseUser + `:manager.value eq "m1"`:                    "Ada",
		EnterpriseUser + `:manager eq "M1"`:                          "",
		CoreUser + `:userName eq "bo"`:                               "bo",
		`(userName eq "bo" or userName eq "ada") and active eq true`: "Ada",
		`userName gt "b"`:                                            "bo",
		`title eq null`:                                              "bo",
		`groups.display eq "g"`:                                      "Ada",
	} {
		if got := strings.Join(found(c.want(200, "GET", filterURL(Users, f), "")), " "); got != want {
			t.Errorf("%s: %q, want %q", f, got, want)
		}
	}
	if got := found(c.want(200, "GET", filterURL(Groups, `members.value eq "`+ada+`"`), "")); !slices.Equal(got, []string{"g"}) {
		t.Error(got)
	}
	for _, f := range []string{`userName`, `userName eq`, `userName eq ada`, `userName is "a"`, `shoe eq "1"`, `(userName eq "a"`, `userName eq "a" and`,
		`userName eq "a" x`, `emails[type eq "work"`, `not userName pr`, strings.Repeat("(", 30), `urn:x:userName eq "a"`, `userName eq {}`} {
		if got := c.want(400, "GET", filterURL(Users, f), "").body.Text("scimType"); got != "invalidFilter" {
			t.Errorf("%s: %s", f, got)
		}
	}
}

func TestPages(t *testing.T) {
	c := start(t, Options{PageSize: 10})
	var want []string
	for i := range 25 {
		want = append(want, c.server.Add(Users, Resource{"userName": fmt.Sprintf("u%d", i)}))
	}
	for count, requests := range map[int]int{3: 9, 10: 3, 100: 3} {
		if got, n := c.pages(Users, count); !slices.Equal(got, want) || n != requests {
			t.Errorf("count %d: %d IDs in %d requests", count, len(got), n)
		}
	}
	past := c.want(200, "GET", "/Users?startIndex=26", "").body
	if past.Text("totalResults") != "25" || past.Text("itemsPerPage") != "0" || past.Text("startIndex") != "26" {
		t.Error(past)
	}
	if none := c.want(200, "GET", "/Users?count=0", "").body; none.Text("totalResults") != "25" || len(none["Resources"].([]any)) != 0 {
		t.Error(none)
	}
	c.want(400, "GET", "/Users?count=x", "")
	if one := c.want(200, "GET", "/Users?startIndex=-3&count=1", "").body; one.Text("startIndex") != "1" {
		t.Error("RFC 7644, 3.4.2.4: less than 1 is 1:", one)
	}
}

func TestCursors(t *testing.T) {
	for _, paging := range []string{"cursor", "both"} {
		c := start(t, Options{PageSize: 10, Paging: paging})
		var want, got []string
		for i := range 25 {
			want = append(want, c.server.Add(Users, Resource{"userName": fmt.Sprintf("u%d", i)}))
		}
		next, pages := "", 0
		for {
			r := c.want(200, "GET", "/Users?cursor="+next, "")
			for _, e := range r.body["Resources"].([]any) {
				got = append(got, Resource(e.(map[string]any)).Text("id"))
			}
			pages++
			if next = r.body.Text("nextCursor"); next == "" {
				break
			}
			if r.body["startIndex"] != nil {
				t.Error("a page by cursor has no index:", r.text)
			}
		}
		if !slices.Equal(got, want) || pages != 3 {
			t.Errorf("%s: %d IDs in %d pages", paging, len(got), pages)
		}
		if e := c.want(400, "GET", "/Users?cursor=nonsense", "").body; e.Text("scimType") != "invalidCursor" {
			t.Error(e)
		}
		c.want(400, "GET", "/Groups?cursor=c1", "")
		if r := c.want(200, "GET", "/Users?startIndex=1", "").body; (r["startIndex"] != nil) != (paging == "both") {
			t.Errorf("%s: %v", paging, r)
		}
		if said := fmt.Sprint(c.want(200, "GET", "/ServiceProviderConfig", "").body["pagination"]); !strings.Contains(said, "cursor:true") {
			t.Error(said)
		}
	}
	// Who does not know cursors ignores them.
	c := start(t, Options{})
	c.user("a")
	if r := c.want(200, "GET", "/Users?cursor=", "").body; r["startIndex"] == nil || r["nextCursor"] != nil {
		t.Error(r)
	}
}

func TestETags(t *testing.T) {
	c := start(t, Options{ETags: true})
	id := c.user("a")
	first := c.want(200, "GET", "/Users/"+id, "")
	tag := first.header.Get("ETag")
	if tag == "" || first.body.Text("meta.version") != tag {
		t.Fatal(first.header, first.text)
	}
	c.header.Set("If-Match", tag)
	c.want(200, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"title","value":"x"}`))
	c.want(412, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"title","value":"y"}`))
	c.want(412, "DELETE", "/Users/"+id, "")
	c.header.Set("If-Match", "*")
	c.want(200, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"title","value":"y"}`))
	before := c.want(200, "GET", "/Users/"+id, "").header.Get("ETag")
	c.want(200, "PATCH", "/Users/"+id, patchBody(`{"op":"add","path":"title","value":"y"}`))
	if after := c.want(200, "GET", "/Users/"+id, "").header.Get("ETag"); after != before {
		t.Error("what changes nothing has no new version:", before, after)
	}
	if start(t, Options{}).want(200, "GET", "/Users", "").header.Get("ETag") != "" {
		t.Error("an ETag that nobody asked for")
	}
}

func TestWhoMayAsk(t *testing.T) {
	c := start(t, Options{Token: "t1"})
	c.want(401, "GET", "/Users", "")
	c.header.Set("Authorization", "Bearer t2")
	c.want(401, "GET", "/Users", "")
	c.header.Set("Authorization", "Bearer t1")
	c.want(200, "GET", "/Users", "")

	c = start(t, Options{Client: "id:a+b", Lifetime: 2})
	c.want(401, "GET", "/Users", "")
	c.want(401, "POST", "/token", "grant_type=client_credentials&client_id=id&client_secret=wrong")
	c.want(400, "POST", "/token", "grant_type=password&client_id=id&client_secret=a%2Bb")
	token := c.want(200, "POST", "/token", "grant_type=client_credentials&client_id=id&client_secret=a%2Bb").body.Text("access_token")
	c.header.Set("Authorization", "Bearer "+token)
	c.want(200, "GET", "/Users", "")
	c.want(200, "GET", "/Users", "")
	c.want(401, "GET", "/Users", "")

	c = start(t, Options{Basic: "u:p"})
	c.want(401, "GET", "/Users", "")
	c.header.Set("Authorization", "Basic dTpw")
	c.want(200, "GET", "/Users", "")
}

func TestWhatItSaysOfItself(t *testing.T) {
	c := start(t, Options{})
	types := c.want(200, "GET", "/ResourceTypes", "").text
	if !strings.Contains(types, `"endpoint":"/Users"`) || !strings.Contains(types, EnterpriseUser) {
		t.Error(types)
	}
	schemas := c.want(200, "GET", "/Schemas", "").text
	one := c.want(200, "GET", "/Schemas/"+EnterpriseUser, "").text
	if !strings.Contains(schemas, CoreGroup) || !strings.Contains(one, "department") || strings.Contains(one, "userName") {
		t.Error(schemas, one)
	}
	c.want(404, "GET", "/Schemas/urn:x", "")
	c.want(404, "GET", "/Bulk", "")
	c.want(405, "POST", "/Schemas", "{}")
	c.want(405, "DELETE", "/Users", "")
}

func TestAttributesOfAnAnswer(t *testing.T) {
	c := start(t, Options{})
	u := c.user("a")
	g := c.group("g", u)
	if r := c.want(200, "GET", "/Groups/"+g+"?excludedAttributes=Members,id", "").body; r["members"] != nil || r.Text("id") != g {
		t.Error(r)
	}
	if r := c.want(200, "GET", "/Groups?attributes=members", "").text; strings.Contains(r, "displayName") || !strings.Contains(r, u) {
		t.Error(r)
	}
	if r := c.want(200, "GET", "/Users?attributes=userName,name.familyName", "").text; !strings.Contains(r, "userName") || strings.Contains(r, "active") {
		t.Error(r)
	}
}
