package main

import (
	"net/http/httptest"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rosterd/rosterd/internal/scimd"
)

// scimVerb starts a SCIM server for a script, makes it err, and counts its accounts.
func scimVerb(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: scim NAME [turn MODE… | holds N]")
	}
	servers, name := ts.Value("scim").(map[string]*scimd.Server), args[0]
	switch {
	case len(args) == 1:
		s := scimd.New(scimd.Options{Base: "/scim/v2", Token: "let-me-in"})
		for _, login := range []string{"somebody", "writer1"} {
			s.Add(scimd.Users, scimd.Resource{"userName": login, "active": true})
		}
		s.Add(scimd.Groups, scimd.Resource{"displayName": "Writers"})
		web := httptest.NewServer(s)
		ts.Defer(web.Close)
		servers[name] = s
		ts.Setenv(strings.ToUpper(name), web.URL+"/scim/v2")
		ts.Setenv(strings.ToUpper(name)+"_TOKEN", ts.MkAbs(name+".token"))
		ts.Check(os.WriteFile(ts.MkAbs(name+".token"), []byte("let-me-in\n"), 0o600))
	case args[1] == "turn":
		servers[name].Forget()
		for _, mode := range args[2:] {
			servers[name].Turn(scimd.Mode(mode))
		}
	case args[1] == "holds":
		if got := len(servers[name].All(scimd.Users)); strconv.Itoa(got) != args[2] {
			ts.Fatalf("%s has %d accounts, want %s", name, got, args[2])
		}
	}
}
