package main

import (
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/identity"
	"github.com/rosterd/rosterd/target"
)

// line writes a record for people: what, who, why.
func (v *auditView) line() string {
	what, why := v.words()
	var b strings.Builder
	fmt.Fprintf(&b, "%6d  %s  %s", v.Seq, moment(v.Time), what)
	if who := v.whom(); who != "" {
		b.WriteString("  [" + who + "]")
	}
	if v.By != "" {
		why = append([]string{"by " + v.By}, why...)
	}
	for i, w := range why {
		if i == 0 {
			b.WriteString("  ")
		} else {
			b.WriteString("; ")
		}
		b.WriteString(w)
	}
	return b.String()
}

// whom is how people call whoever the record is about, with the situation.
func (v *auditView) whom() string {
	if v.Person == 0 {
		return ""
	}
	who := first(v.Login, v.DN)
	if who == "" {
		who = identity.Ordinal(v.Person).String()
		if v.Forgotten {
			who += ", forgotten"
		}
	}
	if v.Situation != "" {
		who += ", " + v.Situation
	}
	return who
}

// words are what the record says, and why.
func (v *auditView) words() (what string, why []string) {
	p := &v.Public
	switch v.Kind {
	case "intent", "outcome":
		return v.write()
	case "hold", "hold-closed":
		return v.hold()
	case "approve", "reject", "reopen":
		what = fmt.Sprintf("%s %s: %s of %s", v.Kind, p.Hold, amount(max(p.Approved, p.Refused)), count(p.Changes, "change"))
		return what + inTarget(v.Target), v.holdReasons()
	case "deny":
		if p.Until != "" {
			return "offboard until " + p.Until, v.reasons()
		}
		return "offboard", v.reasons()
	case "allow":
		return "release" + inTarget(v.Target), v.reasons()
	case "except", "unexcept":
		what = v.exception()
		if v.Kind == "unexcept" {
			what = "end of the " + what
		}
		if p.Until != "" && v.Kind == "except" {
			what += " until " + p.Until
		}
		return what, v.reasons()
	case "pause", "resume":
		what = v.Kind + " " + first(v.Target, "every target")
		if p.Until != "" {
			what += " until " + p.Until
		}
		return what, v.reasons()
	case "retry":
		return "retry " + count(p.Changes, "parked change") + inTarget(v.Target), v.reasons()
	case "retry-target":
		return "retry " + v.Target, v.reasons()
	case "target-broken":
		return fmt.Sprintf("left %s alone until %s after %s: %s", v.Target, p.Next, count(p.Failures, "failure"), p.Class), nil
	case "target-mended":
		return fmt.Sprintf("%s works again, after %s", v.Target, count(p.Failures, "failure")), nil
	case "verify":
		return fmt.Sprintf("read back %s%s: as written", count(len(p.People), "account"), inTarget(v.Target)), nil
	case "unverified":
		return fmt.Sprintf("read back %s%s: not as written", count(p.Changes, "change"), inTarget(v.Target)), v.Errors
	case "cycle":
		what = fmt.Sprintf("%s ended with %d", p.Verb, p.Exit)
		for _, k := range sortedKeys(p.Counts) {
			what += fmt.Sprintf(", %s %d", k, p.Counts[k])
		}
		return what, v.Errors
	case "policy":
		return fmt.Sprintf("took policy %.12s, number %d", p.Hash, p.Epoch), v.reasons()
	case "forget-target":
		return fmt.Sprintf("forgot %s%s", count(p.Links, "account"), inTarget(v.Target)), v.reasons()
	}
	return v.anything()
}

func inTarget(name string) string {
	if name == "" {
		return ""
	}
	return " in " + name
}

func amount(n int) string { return fmt.Sprintf("%d", n) }

// write is an intent or an outcome.
func (v *auditView) write() (string, []string) {
	p, w := &v.Public, &v.Write
	name := first(w.Name, w.Account, "an account")
	what := v.Action
	switch v.Action {
	case "grant", "revoke":
		what += " " + p.Entitlement + " of " + name
	case "rename":
		what += " " + first(w.OldName, "?") + " to " + name
	case "update":
		what += " " + strings.Join(p.Attributes, ", ") + " of " + name
		for _, s := range w.Set {
			after := s.On(w.Before, target.Description{})
			what += fmt.Sprintf(" from %q to %q", strings.Join(w.Before, " | "), strings.Join(after, " | "))
		}
	case "create":
		what += " " + name
		if len(p.Attributes) > 0 {
			what += " with " + strings.Join(p.Attributes, ", ")
		}
	case "password":
		what = "set an initial password for " + name
	default:
		what += " " + name
	}
	what += inTarget(v.Target)
	var why []string
	switch {
	case v.Kind == "intent":
		what += ": about to"
	case p.Done != nil && *p.Done:
		what += fmt.Sprintf(": done in %d ms", p.TookMS)
		if p.Way != "" {
			what += ", handed over " + p.Way
		}
	default:
		what += ": not done"
		why = append(why, fmt.Sprintf("attempt %d, %s: %s", p.Attempts, first(p.Class, "failed"), first(w.Error, "the reason was forgotten")))
	}
	if p.Approval != "" {
		why = append(why, "approved as "+p.Approval)
	}
	for _, b := range w.Because {
		why = append(why, "because "+b)
	}
	return what, why
}

func (v *auditView) hold() (string, []string) {
	p := &v.Public
	what := p.Hold + inTarget(v.Target) + " holds " + count(p.Changes, "change")
	switch {
	case v.Kind == "hold-closed":
		what = p.Hold + inTarget(v.Target) + " is closed"
	case p.Added != p.Changes || p.Dropped > 0:
		what += fmt.Sprintf(", %d came and %d went", p.Added, p.Dropped)
	}
	return what, v.holdReasons()
}

// shownChanges is how many changes of a hold a line names.
const shownChanges = 3

func (v *auditView) holdReasons() []string {
	var why []string
	if v.Text != "" {
		why = append(why, v.Text)
	}
	for i, c := range v.Changes {
		if i == shownChanges {
			why = append(why, fmt.Sprintf("and %d more", len(v.Changes)-i))
			break
		}
		why = append(why, c)
	}
	if v.Version != "" {
		why = append(why, "version "+v.Version)
	}
	return why
}

func (v *auditView) reasons() []string {
	if v.Reason == "" {
		return nil
	}
	return []string{v.Reason}
}

// anything is for kinds that need no words of their own.
func (v *auditView) anything() (string, []string) {
	why := v.reasons()
	if s := string(v.Record.Public); s != "" && s != "null" {
		why = append(why, s)
	}
	for _, p := range v.Parts {
		if e := string(p.Event()); e != "" && p.Person != v.Person && v.By == "" {
			why = append(why, e)
		}
	}
	return v.Kind + inTarget(v.Target), append(why, v.Errors...)
}

// exception is what somebody decided by hand of one person: of which role, where.
func (v *auditView) exception() string {
	what := v.Public.What
	if v.Public.Role != "" {
		what += " of role " + v.Public.Role
	}
	return what + inTarget(v.Target)
}
