package ad

import (
	"strings"
	"testing"

	"github.com/rosterd/rosterd/internal/ldapwire"
	"github.com/rosterd/rosterd/target"
)

func recordOf(name string, values ...string) ldapwire.Record {
	return ldapwire.Record{Attributes: []ldapwire.RecordAttribute{{Name: strings.ToLower(name), Values: values}}}
}

// TestCodes: the words of a controller and what they mean. Those that begin with 0000
// and have a DSID are Microsoft's, as documented; the others were seen on Samba 4.17.
func TestCodes(t *testing.T) {
	for words, want := range map[string]target.Class{
		"0000052D: AtrErr: DSID-03191083, #1:\n\t0: 0000052D: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)": target.Refused,
		"0000052D: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0":                                                               target.Refused,
		"0000001F: SvcErr: DSID-031A126C, problem 5003 (WILL_NOT_PERFORM), data 0":                                                               target.Refused,
		"00000005: SecErr: DSID-031A1190, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0":                                                           target.Denied,
		"00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0":                                                           target.Denied,
		"00002071: UpdErr: DSID-030503F5, problem 6005 (ENTRY_EXISTS), data 0":                                                                   target.Exists,
		"00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0":                                                                   target.Exists,
		"000021C8: AtrErr: DSID-03200BBA, #1:\n\t0: 000021C8: DSID-03200BBA, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 90290":              target.Refused,
		"00002147: SvcErr: DSID-031A11E5, problem 5003 (WILL_NOT_PERFORM), data 0":                                                               target.Refused,
		"0000200E: SvcErr: DSID-02090D5A, problem 5001 (BUSY), data 0":                                                                           target.Transient,
		"0000202F: samldb: userPrincipalName 'NINE@lab.example' is already in use ":                                                              target.Refused,
		"0000203D: LdapErr": 0, "": 0, "no number": 0, "0000052d": 0, "000005ZZ: x": 0,
	} {
		class, tip := explain(&ldapwire.Error{Code: ldapwire.CodeOther, Diagnostic: words})
		if class != want {
			t.Errorf("%.40q: class %v, want %v", words, class, want)
		}
		if class == target.Refused && tip == "" {
			t.Errorf("%.40q: nothing to do about it", words)
		}
	}
}

// TestNoRightWithoutNumber: Samba says of a right that is missing only that it is.
func TestNoRightWithoutNumber(t *testing.T) {
	class, tip := explain(&ldapwire.Error{Code: ldapwire.CodeInsufficientAccess, Diagnostic: "acl: unable to get access to CN=writer1,OU=accounts,DC=lab,DC=example"})
	if class != target.Denied || tip != noRight {
		t.Errorf("class %v, tip %q", class, tip)
	}
}

// TestAlready: what is so already is told by numbers that say which way.
func TestAlready(t *testing.T) {
	for words, add := range map[string]bool{
		"00000562: UpdErr: DSID-031A11C0, problem 6005 (ENTRY_EXISTS), data 0":     true,
		"00000528: UpdErr: DSID-031A11C0, problem 6005 (ENTRY_EXISTS), data 0":     true,
		"00000561: SvcErr: DSID-031A1244, problem 5003 (WILL_NOT_PERFORM), data 0": false,
		"00000529: SvcErr: DSID-031A1244, problem 5003 (WILL_NOT_PERFORM), data 0": false,
	} {
		err := &ldapwire.Error{Code: ldapwire.CodeUnwilling, Diagnostic: words}
		if !already(err, add) || already(err, !add) {
			t.Errorf("%.40q", words)
		}
	}
	if already(&ldapwire.Error{Code: ldapwire.CodeUnwilling, Diagnostic: "0000055E: x"}, false) || already(nil, true) {
		t.Error("what is not so is taken for done")
	}
}
