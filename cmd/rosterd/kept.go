package main

import (
	"fmt"

	"github.com/rosterd/rosterd/identity"
	rostersync "github.com/rosterd/rosterd/sync"
)

// keptTexts say of each reason for which nothing is done, and which no hold tells, what
// it is; %s is how many people.
var keptTexts = map[string]string{
	rostersync.LeaverKept: "%s who left, with an account that is protected: it stays open",
	"protected":           "%s with an account that is protected: it is not changed",
	"ambiguous":           "%s with several accounts that match, or one that matches others too: none is linked",
	"taken":               "%s with an account that matches and is somebody else's",
	"marked":              "%s with an account that matches and carries another mark",
	"exclusive":           "%s with a right that stays beside one that excludes it",
	"shared-key":          "%s with a key that others have too",
}

// keptText says who gets nothing done in a target, and what to type.
func (a *app) keptText(target string, k rostersync.Kept, login func(identity.Ordinal) string) (text, hint string) {
	format, known := keptTexts[k.Why]
	if !known {
		format = "%s: " + k.Why
	}
	text = fmt.Sprintf("%s: "+format+" (%s)", target, count(len(k.People), "person"), a.names(k.People, login))
	return text, keptHint(target, k.Why, login(k.People[0]))
}

// keptHint is what to type about one of them.
func keptHint(target, why, login string) string {
	switch why {
	case rostersync.LeaverKept:
		return "rosterd offboard " + login + " --protected"
	case "ambiguous", "taken", "marked", "protected":
		return "rosterd adopt " + target
	}
	return "rosterd explain " + login
}
