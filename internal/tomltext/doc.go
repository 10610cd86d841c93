// Package tomltext reads TOML so that every mistake has its place in the file.
//
// The TOML itself is read by BurntSushi/toml. What that package does not tell,
// the place of every key and value, a scan of the same text finds; and a strict
// binding of the tree to structs reports all unknown keys and wrong types at
// once, where a decoder stops at the first.
package tomltext
