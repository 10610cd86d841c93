package ldapwire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Code is a result code of RFC 4511, appendix A. Zero is success.
type Code uint16

// The result codes that mean something to rosterd.
const (
	CodeOperationsError      Code = 1
	CodeTimeLimit            Code = 3
	CodeSizeLimit            Code = 4
	CodeStrongAuthRequired   Code = 8
	CodeReferral             Code = 10
	CodeAdminLimit           Code = 11
	CodeCriticalExtension    Code = 12
	CodeConfidentiality      Code = 13
	CodeNoSuchAttribute      Code = 16
	CodeUndefinedType        Code = 17
	CodeConstraint           Code = 19
	CodeTypeOrValueExists    Code = 20
	CodeInvalidSyntax        Code = 21
	CodeNoSuchObject         Code = 32
	CodeInvalidDN            Code = 34
	CodeInappropriateAuth    Code = 48
	CodeInvalidCredentials   Code = 49
	CodeInsufficientAccess   Code = 50
	CodeBusy                 Code = 51
	CodeUnavailable          Code = 52
	CodeUnwilling            Code = 53
	CodeNamingViolation      Code = 64
	CodeObjectClassViolation Code = 65
	CodeNotAllowedOnNonLeaf  Code = 66
	CodeNotAllowedOnRDN      Code = 67
	CodeAlreadyExists        Code = 68
	CodeOther                Code = 80
	CodeAssertionFailed      Code = 122
	CodeRefreshRequired      Code = 4096
)

func (c Code) String() string {
	if name, ok := ldap.LDAPResultCodeMap[uint16(c)]; ok && c < 200 || c == 4096 {
		return fmt.Sprintf("%s (%d)", strings.ToLower(name), uint16(c))
	}
	return fmt.Sprintf("result code %d", uint16(c))
}

// What a caller may ask of an error with errors.Is.
var (
	ErrSizeLimit            error = codeError(CodeSizeLimit) // or the administrative limit
	ErrTimeLimit            error = codeError(CodeTimeLimit)
	ErrReferral             error = codeError(CodeReferral)
	ErrNoSuchAttribute      error = codeError(CodeNoSuchAttribute)
	ErrConstraint           error = codeError(CodeConstraint)
	ErrTypeOrValueExists    error = codeError(CodeTypeOrValueExists)
	ErrNoSuchObject         error = codeError(CodeNoSuchObject)
	ErrInvalidCredentials   error = codeError(CodeInvalidCredentials)
	ErrInsufficientAccess   error = codeError(CodeInsufficientAccess)
	ErrBusy                 error = codeError(CodeBusy) // or unavailable
	ErrUnwilling            error = codeError(CodeUnwilling)
	ErrObjectClassViolation error = codeError(CodeObjectClassViolation)
	ErrNamingViolation      error = codeError(CodeNamingViolation)
	ErrNotAllowedOnNonLeaf  error = codeError(CodeNotAllowedOnNonLeaf)
	ErrNotAllowedOnRDN      error = codeError(CodeNotAllowedOnRDN)
	ErrAlreadyExists        error = codeError(CodeAlreadyExists)
	ErrCriticalExtension    error = codeError(CodeCriticalExtension)
	// ErrRefreshRequired: the server cannot go on from the cookie (RFC 4533).
	ErrRefreshRequired error = codeError(CodeRefreshRequired)

	// ErrNoEntry: the server says that all is well and shows no entry: the
	// entry is hidden by its access rules, or does not match.
	ErrNoEntry = errors.New("the server shows no such entry")
	// ErrDead: the connection had an error, or was closed, and is not used
	// again.
	ErrDead = errors.New("the connection is closed")
	// ErrProtocol: the server does not keep to the protocol.
	ErrProtocol = errors.New("protocol error")
	// ErrIdle: nothing came for the idle time-out.
	ErrIdle = errors.New("the server was silent for too long")
	// ErrBusyConn: two operations at the same time on one connection.
	ErrBusyConn = errors.New("the connection is in use")
)

// codeError is the sentinel of a result code.
type codeError Code

func (c codeError) Error() string { return Code(c).String() }

// Error is an operation that failed: by what the server answered (Code is not
// zero) or without an answer (Err says why).
type Error struct {
	// Op is the operation: "search", "modify", "bind", "connect to" ….
	Op string
	// DN is what it was about; it may be empty.
	DN string
	// Server is the URL of the server.
	Server string
	// BindDN is the name that was bound as; it may be empty.
	BindDN string
	// Code is the answer of the server; zero if there was none.
	Code Code
	// Matched and Diagnostic are the server's words.
	Matched, Diagnostic string
	// Referrals are where the server says that it should be asked instead.
	Referrals []string
	// Err is the cause when the server did not answer.
	Err error

	inDoubt bool // a write left, or part of it, and no answer came
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.DN != "" {
		fmt.Fprintf(&b, " %q", e.DN)
	}
	if e.Server != "" {
		b.WriteString(" at " + e.Server)
	}
	if e.Code != 0 {
		b.WriteString(": " + e.Code.String())
	}
	if e.Diagnostic != "" {
		fmt.Fprintf(&b, ": %q", e.Diagnostic)
	}
	if len(e.Referrals) > 0 {
		fmt.Fprintf(&b, ": see %q", e.Referrals)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes the sentinels work.
func (e *Error) Is(target error) bool {
	c, ok := target.(codeError)
	if !ok || e.Code == 0 {
		return false
	}
	switch Code(c) {
	case CodeSizeLimit:
		return e.Code == CodeSizeLimit || e.Code == CodeAdminLimit
	case CodeBusy:
		return e.Code == CodeBusy || e.Code == CodeUnavailable
	}
	return e.Code == Code(c)
}

// Transient says that the cause may pass without anybody doing anything: a
// busy server, a broken connection, silence. A refused certificate, wrong
// credentials or a limit do not pass.
func (e *Error) Transient() bool {
	switch e.Code {
	case CodeBusy, CodeUnavailable, CodeOther:
		return true
	case 0:
	default:
		return false
	}
	var (
		inner  *Error
		all    *allFailed
		ticket *kerberosError
	)
	switch {
	case isTLSFailure(e.Err):
		return false // also where the alert came after the handshake (RFC 8446)
	case errors.Is(e.Err, ErrDead):
		return true // whatever else it died of, a new one may live
	case errors.Is(e.Err, ErrMoved):
		return true
	case errors.As(e.Err, &ticket):
		return ticket.transient
	case errors.As(e.Err, &all):
		return slices.ContainsFunc(all.errs, IsTransient)
	case e.Err == nil,
		errors.Is(e.Err, context.Canceled),
		errors.Is(e.Err, ErrProtocol), errors.Is(e.Err, ErrBusyConn), errors.Is(e.Err, ErrNoEntry),
		isSetting(e.Err):
		return false
	case errors.As(e.Err, &inner):
		return inner.Transient()
	}
	return isNetwork(e.Err)
}

// InDoubt says that a write may have been done: it left, and no answer came.
// What it was about must be looked at before it is tried again.
func (e *Error) InDoubt() bool { return e.inDoubt }

// Retryable says that the very same operation may be tried again, on a new
// connection, without looking: the cause may pass, and the server has not done
// it.
func (e *Error) Retryable() bool { return e.Transient() && !e.InDoubt() }

// IsTransient is Transient for any error; that of an error that is not from
// here is false.
func IsTransient(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Transient()
}

// IsInDoubt is InDoubt for any error.
func IsInDoubt(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.InDoubt()
}

// ReferralError is a search that met parts of the tree that live elsewhere.
// They were not followed, so the listing is not complete.
type ReferralError struct {
	// URLs of all of them, in the order in which they came; the alternatives
	// of one reference are separated by a space.
	URLs []string
}

func (e *ReferralError) Error() string {
	shown := e.URLs[:min(len(e.URLs), 10)]
	return fmt.Sprintf("%d referrals were not followed, so the listing is not complete: %q", len(e.URLs), shown)
}

// Is makes it an ErrReferral.
func (e *ReferralError) Is(target error) bool { return target == ErrReferral }

// Hint says what to type.
func (e *ReferralError) Hint() string {
	return "part of the tree lives on another server: narrow the base, or list the referrals under ignore_referrals"
}
