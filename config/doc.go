// Package config reads the configuration: strict TOML in which every mistake
// has its place. It composes the parts that other packages own (the policy, the
// rules of a target, the options of a kind) and knows the kinds only as a table
// that it is handed.
package config
