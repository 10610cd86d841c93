package scimd

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
)

// TestPatchUser: operations of RFC 7644, 3.5.2 on a user, and what is stored after.
func TestPatchUser(t *testing.T) {
	const before = `{"userName":"a","active":true,"title":"T","name":{"familyName":"F","givenName":"G"},
		"emails":[{"value":"w","type":"work","primary":true},{"value":"h","type":"home"}],"` + EnterpriseUser + `":{"department":"D"}}`
	const ent = EnterpriseUser
	for operations, want := range map[string]string{
		`{"op":"replace","path":"title","value":"N"}`:                            `{"title":"N"}`,
		`{"op":"Replace","path":"TITLE","value":"N"}`:                            `{"title":"N"}`,
		`{"op":"add","path":"nickName","value":"N"}`:                             `{"nickName":"N"}`,
		`{"op":"remove","path":"title"}`:                                         `{"title":null}`,
		`{"op":"remove","path":"nickName"}`:                                      `{}`,
		`{"op":"replace","path":"active","value":false}`:                         `{"active":false}`,
		`{"op":"replace","value":{"active":false,"title":"N"}}`:                  `{"active":false,"title":"N"}`,
		`{"op":"replace","path":"name.familyName","value":"N"}`:                  `{"name":{"familyName":"N","givenName":"G"}}`,
		`{"op":"replace","path":"name","value":{"familyName":"N"}}`:              `{"name":{"familyName":"N","givenName":"G"}}`,
		`{"op":"remove","path":"name.familyName"}`:                               `{"name":{"givenName":"G"}}`,
		`{"op":"remove","path":"name"}`:                                          `{"name":null}`,
		`{"op":"replace","path":"` + ent + `:department","value":"N"}`:           `{"` + ent + `":{"department":"N"}}`,
		`{"op":"add","path":"` + ent + `:manager","value":{"value":"m"}}`:        `{"` + ent + `":{"department":"D","manager":{"value":"m"}}}`,
		`{"op":"remove","path":"` + ent + `:department"}`:                        `{"` + ent + `":null}`,
		`{"op":"add","path":"` + ent + `","value":{"division":"V"}}`:             `{"` + ent + `":{"department":"D","division":"V"}}`,
		`{"op":"remove","path":"` + ent + `"}`:                                   `{"` + ent + `":null}`,
		`{"op":"replace","value":{"` + ent + `":{"department":"N"}}}`:            `{"` + ent + `":{"department":"N"}}`,
		`{"op":"replace","path":"` + CoreUser + `:title","value":"N"}`:           `{"title":"N"}`,
		`{"op":"replace","path":"emails[type eq \"work\"].value","value":"N"}`:   `{"emails":[{"value":"N","type":"work","primary":true},{"value":"h","type":"home"}]}`,
		`{"op":"remove","path":"emails[type eq \"home\"]"}`:                      `{"emails":[{"value":"w","type":"work","primary":true}]}`,
		`{"op":"remove","path":"emails[value eq \"x\"]"}`:                        `{}`,
		`{"op":"remove","path":"emails"}`:                                        `{"emails":null}`,
		`{"op":"replace","path":"emails","value":[{"value":"N"}]}`:               `{"emails":[{"value":"N"}]}`,
		`{"op":"add","path":"emails","value":[{"value":"h","type":"home"}]}`:     `{}`,
		`{"op":"add","path":"emails","value":{"value":"n","primary":true}}`:      `{"emails":[{"value":"w","type":"work","primary":false},{"value":"h","type":"home"},{"value":"n","primary":true}]}`,
		`{"op":"add","path":"title","value":"N"},{"op":"remove","path":"title"}`: `{"title":null}`,
	} {
		c := start(t, Options{})
		var r, diff map[string]any
		decode(t, before, &r)
		decode(t, want, &diff)
		id := c.server.Add(Users, r)
		c.want(200, "PATCH", "/Users/"+id, patchBody(operations))
		for k, v := range diff {
			if r[k] = v; v == nil {
				delete(r, k)
			}
		}
		got, _ := c.server.Get(Users, id)
		delete(got, "id")
		if !reflect.DeepEqual(map[string]any(got), r) {
			t.Errorf("%s:\n got %v\nwant %v", operations, got, r)
		}
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(text, err)
	}
}

// TestPatchRefused: what is wrong in one operation leaves all undone.
func TestPatchRefused(t *testing.T) {
	c := start(t, Options{})
	id := c.server.Add(Users, Resource{"userName": "a", "title": "T", "emails": []any{map[string]any{"value": "w", "type": "work"}}})
	c.server.Add(Users, Resource{"userName": "b"})
	for operation, want := range map[string]string{
		`{"op":"replace","path":"active","value":"False"}`:                     "invalidValue",
		`{"op":"replace","path":"shoe","value":"x"}`:                           "invalidPath",
		`{"op":"replace","path":"name.shoe","value":"x"}`:                      "invalidPath",
		`{"op":"replace","path":"emails[type eq \"work\"","value":"x"}`:        "invalidPath",
		`{"op":"replace","path":"title[a eq \"b\"]","value":"x"}`:              "invalidPath",
		`{"op":"replace","path":"emails[type eq \"home\"].value","value":"x"}`: "noTarget",
		`{"op":"remove"}`:                                "noTarget",
		`{"op":"move","path":"title","value":"x"}`:       "invalidSyntax",
		`{"op":"replace","path":"title"}`:                "invalidValue",
		`{"op":"replace","value":"x"}`:                   "invalidValue",
		`{"op":"remove","path":"userName"}`:              "invalidValue",
		`{"op":"replace","path":"id","value":"x"}`:       "mutability",
		`{"op":"replace","path":"groups","value":[]}`:    "mutability",
		`{"op":"replace","path":"userName","value":"B"}`: "uniqueness",
		`{"op":"add","path":"emails","value":[{"value":"x","primary":true},{"value":"y","primary":true}]}`: "invalidValue",
	} {
		r := c.do("PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"half"},`+operation))
		if r.body.Text("scimType") != want || r.status < 400 {
			t.Errorf("%s: %s, want %s", operation, r.text, want)
		}
	}
	c.want(400, "PATCH", "/Users/"+id, `{"Operations":[{"op":"remove","path":"title"}]}`)
	c.want(400, "PATCH", "/Users/"+id, `{"schemas":["`+patchOp+`"]}`)
	if r, _ := c.server.Get(Users, id); r.Text("title") != "T" {
		t.Error("a part was done:", r)
	}
}

// TestPatchMembers: members by every form that clients send.
func TestPatchMembers(t *testing.T) {
	for operations, want := range map[string][]string{
		`{"op":"add","path":"members","value":[{"value":"u4"},{"value":"u1"}]}`:                               {"u1", "u2", "u3", "u4"},
		`{"op":"add","value":{"members":[{"value":"u4"}]}}`:                                                   {"u1", "u2", "u3", "u4"},
		`{"op":"remove","path":"members[value eq \"u2\"]"}`:                                                   {"u1", "u3"},
		`{"op":"remove","path":"members[value eq \"u1\"]"},{"op":"remove","path":"members[value eq \"u2\"]"}`: {"u3"},
		`{"op":"remove","path":"members[value eq \"u9\"]"}`:                                                   {"u1", "u2", "u3"},
		`{"op":"replace","path":"members","value":[{"value":"u4"}]}`:                                          {"u4"},
		`{"op":"replace","value":{"displayName":"n"}}`:                                                        {"u1", "u2", "u3"},
		`{"op":"remove","path":"members"}`:                                                                    nil,
		// What Entra sends by default: by the letter of the RFC all go.
		`{"op":"remove","path":"members","value":[{"value":"u2"}]}`: nil,
	} {
		c := start(t, Options{})
		var members []any
		for _, id := range []string{"u1", "u2", "u3", "u4"} {
			c.server.Add(Users, Resource{"id": id, "userName": id})
			if id != "u4" {
				members = append(members, map[string]any{"value": id})
			}
		}
		id := c.server.Add(Groups, Resource{"displayName": "g", "members": members})
		c.want(200, "PATCH", "/Groups/"+id, patchBody(operations))
		if r, _ := c.server.Get(Groups, id); !slices.Equal(r.Members(), want) {
			t.Errorf("%s: %v, want %v", operations, r.Members(), want)
		}
	}
	c := start(t, Options{})
	c.want(400, "PATCH", "/Groups/"+c.group("g"), patchBody(`{"op":"add","path":"members","value":[{"value":"nobody"}]}`))
}
