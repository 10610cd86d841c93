package config

import _ "embed"

// Schema is the JSON Schema (draft 7) of the configuration, for editors. It is made
// from the types that the file is read into and from the comments of the example, by
// the tests: go test ./config -run Schema -update.
//
//go:embed schema.json
var Schema []byte
