package handover

import (
	"bytes"
	"encoding/json"

	"github.com/rosterd/rosterd/internal/secret"
)

// Letter is what is handed over: a password, with whose it is and where.
type Letter struct {
	Target, Account string
	// Login, Mail and Name are of the person, as far as the directory has them.
	Login, Mail, Name string
	Password          secret.Text
	// MustChange: the target asks for another when it is first used.
	MustChange bool
}

// text is the letter as JSON, one line.
func (l Letter) text() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		FormatVersion int    `json:"format_version"`
		Target        string `json:"target"`
		Account       string `json:"account"`
		Login         string `json:"login"`
		Mail          string `json:"mail"`
		Name          string `json:"name"`
		Password      string `json:"password"`
		MustChange    bool   `json:"must_change"`
	}{1, l.Target, l.Account, l.Login, l.Mail, l.Name, l.Password.Reveal(), l.MustChange})
	return b.Bytes(), err
}
