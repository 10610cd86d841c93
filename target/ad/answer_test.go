package ad

import (
	"errors"
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapd"
	"github.com/rosterd/rosterd/target"
)

// TestAnswers: what a controller says between the look and the write, when somebody
// else was quicker, and what it refuses.
func TestAnswers(t *testing.T) {
	e, tg := random(t, "Writers")
	ctx := t.Context()
	one, two := mustCreate(t, tg, "writer1"), mustCreate(t, tg, "writer2")
	must(t, errors.Join(tg.Grant(ctx, "Writers", []target.Ref{two})...))
	answer := func(op ldapd.Op, code int, words string) {
		e.faults().Clear()
		e.faults().Add(ldapd.Fault{Op: op, Do: ldapd.Answer, Code: code, Diagnostic: words, Times: 1})
	}
	only := func(errs []error) error { return errors.Join(errs...) }
	for name, c := range map[string]struct {
		op    ldapd.Op
		code  int
		words string
		do    func() error
		want  target.Class
		tip   string
	}{
		"a member already": {ldapd.OpModify, ldapd.EntryAlreadyExists, "00000562: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0",
			func() error { return only(tg.Grant(ctx, "Writers", []target.Ref{one})) }, 0, ""},
		"no member any more": {ldapd.OpModify, ldapd.UnwillingToPerform, "00000561: SvcErr: DSID-031A1244, problem 5003 (WILL_NOT_PERFORM), data 0",
			func() error { return only(tg.Revoke(ctx, "Writers", []target.Ref{two})) }, 0, ""},
		"not for this scope": {ldapd.OpModify, ldapd.UnwillingToPerform, "00002147: SvcErr: DSID-031A1244, problem 5003 (WILL_NOT_PERFORM), data 0",
			func() error { return only(tg.Grant(ctx, "Writers", []target.Ref{one})) }, target.Refused, "universal"},
		"the name": {ldapd.OpAdd, ldapd.EntryAlreadyExists, "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0",
			func() error { _, err := tg.Create(ctx, "writer3", nil, ""); return err }, target.Exists, ""},
		"the userPrincipalName": {ldapd.OpAdd, ldapd.ConstraintViolation, "000021C8: AtrErr: DSID-03200BBA, #1:",
			func() error { _, err := tg.Create(ctx, "writer3", nil, ""); return err }, target.Refused, "userPrincipalName"},
		"the password": {ldapd.OpAdd, ldapd.UnwillingToPerform, "0000052D: SvcErr: DSID-031A120C, problem 5003 (WILL_NOT_PERFORM), data 0",
			func() error { _, err := tg.Create(ctx, "writer3", nil, ""); return err }, target.Refused, "policy"},
		"no right": {ldapd.OpDelete, ldapd.UnwillingToPerform, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0",
			func() error { return tg.Delete(ctx, one) }, target.Denied, "active-directory.md"},
		"busy": {ldapd.OpModify, ldapd.UnwillingToPerform, "0000200E: SvcErr: DSID-02090D5A, problem 5001 (BUSY), data 0",
			func() error { return tg.Disable(ctx, one) }, target.Transient, ""},
	} {
		answer(c.op, c.code, c.words)
		err := c.do()
		if target.ClassOf(err) != c.want || !strings.Contains(hint(err), c.tip) {
			t.Errorf("%s: class %v, want %v: %v, hint %q", name, target.ClassOf(err), c.want, err, hint(err))
		}
	}
	e.faults().Clear()
	if a := see(t, tg, target.Scope{Entitlements: three}, one.ID); !a.Enabled || len(a.Entitlements) > 0 {
		t.Errorf("something was done all the same: %+v", a)
	}
}
