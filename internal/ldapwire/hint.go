package ldapwire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// Hint says what to do about the error, or "".
func (e *Error) Hint() string {
	who := e.BindDN
	if who == "" {
		who = "BINDDN"
	}
	if e.Op == opStartTLS && e.Code != 0 {
		return "the server does not offer StartTLS: use an ldaps:// URL"
	}
	switch e.Code {
	case CodeSizeLimit, CodeAdminLimit, CodeTimeLimit:
		return fmt.Sprintf("the server limits how much %s may read; on slapd, in the database: "+
			"limits dn.exact=%q size=unlimited time=unlimited; on 389 DS: nsSizeLimit, nsLookThroughLimit and nsPagedSizeLimit on that entry", who, who)
	case CodeInvalidCredentials:
		if h := hintAD(e.Diagnostic); h != "" {
			return h
		}
		return "check bind_dn and password; the server does not say which of them is wrong"
	case CodeInappropriateAuth:
		return "the entry of bind_dn has no password, or may not bind with one"
	case CodeStrongAuthRequired, CodeConfidentiality:
		return "the server wants an encrypted connection: use an ldaps:// URL"
	case CodeNoSuchObject:
		h := fmt.Sprintf("check the base: %q is not there, or %s may not see it", e.DN, who)
		if e.Matched != "" {
			h += fmt.Sprintf("; the nearest entry that is there: %q", e.Matched)
		}
		return h
	case CodeConstraint:
		if strings.Contains(e.Diagnostic, "7-bit clean") {
			return "the 7-bit check plug-in of 389 DS takes no other than ASCII there: write ${translit(…)}, or take the attribute out of nsslapd-pluginarg of that plug-in"
		}
	case CodeInsufficientAccess:
		if strings.Contains(e.Diagnostic, "'moddn'") {
			return fmt.Sprintf("389 DS has a right of its own for a move to another container: give %s allow (moddn) with target_from and target_to", who)
		}
		return fmt.Sprintf("give %s the right in the access rules of the server", who)
	case CodeReferral:
		return "this server does not hold the entry: connect to the one that it names"
	case CodeCriticalExtension:
		return "the server does not know a control that is needed, or not for this bind DN"
	case CodeInvalidDN:
		return fmt.Sprintf("%q is not a name for this server", e.DN)
	case CodeUndefinedType, CodeObjectClassViolation:
		return "the schema of the server does not allow this entry: check object_classes and attributes"
	case 0:
		if e.Op == opNameConnect && errors.Is(e.Err, io.EOF) {
			return "the server hung up: check that this port speaks TLS"
		}
		return hintCause(e.Err)
	}
	return ""
}

// hintAD reads the sub-code that Active Directory puts into the message.
func hintAD(diagnostic string) string {
	_, rest, ok := strings.Cut(diagnostic, ", data ")
	if !ok {
		return ""
	}
	code, _, _ := strings.Cut(rest, ",")
	switch strings.TrimSpace(code) {
	case "525":
		return "the server knows no such user: check bind_dn"
	case "52e":
		return "wrong password, or no such user: check bind_dn and password"
	case "530", "531":
		return "the bind user may not log in at this time or from here"
	case "532":
		return "the password of the bind user has expired"
	case "533":
		return "the bind user is disabled"
	case "701":
		return "the account of the bind user has expired"
	case "773":
		return "the bind user must change its password first"
	case "57":
		return "the server wants the TLS channel to be bound, and TLS ends at another machine (a load balancer): name the domain controller itself in urls"
	case "775":
		return "the bind user is locked out"
	}
	return ""
}

func hintCause(err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		dns      *net.DNSError
		hinted   interface{ Hint() string }
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &hinted):
		return hinted.Hint()
	case errors.As(err, &unknown):
		return "the certificate of the server is from an authority that is not trusted here: set ca_file to the certificate of that authority"
	case errors.As(err, &hostname):
		return "the certificate is for another name: use that name in the URL, or set server_name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of the server, or the clock of this machine, is out of date"
	case isTLSFailure(err):
		return "check that this port speaks TLS, and ca_file"
	case errors.As(err, &dns):
		return "check the host name in urls"
	case errors.Is(err, os.ErrNotExist):
		return "nothing listens at that path"
	case errors.Is(err, ErrNoEntry):
		return "the bind DN may not see it: check the access rules of the server"
	case errors.Is(err, ErrPlaintext):
		return "a password is never sent so: use an ldaps:// URL, or leave out allow_plaintext"
	case errors.Is(err, ErrIdle):
		return "the server accepted the connection and does not answer; if it is only slow, raise idle_timeout"
	}
	return ""
}

// isTLSFailure says whether TLS did not come about, by certificate or protocol.
func isTLSFailure(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		op     *net.OpError
	)
	if errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") {
		return true // an alert; with TLS 1.3 it may come after the handshake
	}
	return errors.As(err, &verify) || errors.As(err, &record) || errors.Is(err, errTLS)
}

// isNetwork says whether the connection is at fault.
func isNetwork(err error) bool {
	var op net.Error
	return errors.As(err, &op) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, ErrIdle) || errors.Is(err, ErrDead)
}
