package tomltext

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Digest tells what the document says: comments, layout and the order of keys do
// not count.
func (d *Document) Digest() (string, error) {
	text, err := json.Marshal(d.tree)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
