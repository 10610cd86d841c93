package secret

import "testing"

func TestSecretsAreRedacted(t *testing.T) {
	for _, name := range []string{"userPassword", "unicodePwd", "password", "sambaNTPassword", "apiKey", "krbPrincipalKey", "sshPrivateKey", "client_secret", "PASSPHRASE", "credentials",
		"access_token", "userPassword;x-foo", "urn:ietf:params:scim:schemas:core:2.0:User:password", "ms-Mcs-AdmPwd", "emails.password", "password.value", "sshPublicKey"} {
		if got := Values(name, []string{"x", "y"}); len(got) != 1 || got[0] != Redacted {
			t.Errorf("%s is shown: %v", name, got)
		}
	}
	for _, name := range []string{"mail", "cn", "title", "keyboard", "userName", "name.familyName", "pinboard"} {
		if got := Values(name, []string{"x"}); got[0] != "x" {
			t.Errorf("%s is hidden", name)
		}
	}
	if got := Values("password", nil); got != nil {
		t.Error(got)
	}
}
