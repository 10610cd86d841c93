package ldapd

import (
	"fmt"
	"strings"

	"github.com/rosterd/rosterd/identity"
)

// Result codes of RFC 4511, appendix A, that the server gives or that faults
// are made of.
const (
	Success                      = 0
	OperationsError              = 1
	ProtocolError                = 2
	TimeLimitExceeded            = 3
	SizeLimitExceeded            = 4
	CompareFalse                 = 5
	CompareTrue                  = 6
	AuthMethodNotSupported       = 7
	StrongerAuthRequired         = 8
	ConfidentialityRequired      = 13
	Referral                     = 10
	AdminLimitExceeded           = 11
	UnavailableCriticalExtension = 12
	NoSuchAttribute              = 16
	UndefinedAttributeType       = 17
	InappropriateMatching        = 18
	ConstraintViolation          = 19
	AttributeOrValueExists       = 20
	InvalidAttributeSyntax       = 21
	NoSuchObject                 = 32
	InvalidDNSyntax              = 34
	InappropriateAuthentication  = 48
	InvalidCredentials           = 49
	InsufficientAccessRights     = 50
	Busy                         = 51
	Unavailable                  = 52
	UnwillingToPerform           = 53
	NamingViolation              = 64
	ObjectClassViolation         = 65
	NotAllowedOnNonLeaf          = 66
	NotAllowedOnRDN              = 67
	EntryAlreadyExists           = 68
	AffectsMultipleDSAs          = 71
	Other                        = 80
)

// Error is an operation that was refused, with the LDAP result code.
type Error struct {
	Code       int
	Diagnostic string
	Matched    identity.DN // the closest entry above that exists, with NoSuchObject
	Referrals  []string    // with Referral
}

func (e *Error) Error() string {
	s := fmt.Sprintf("result %d: %s", e.Code, e.Diagnostic)
	if len(e.Referrals) > 0 {
		s += ": " + strings.Join(e.Referrals, " ")
	}
	return s
}

func refuse(code int, format string, args ...any) *Error {
	return &Error{Code: code, Diagnostic: fmt.Sprintf(format, args...)}
}
