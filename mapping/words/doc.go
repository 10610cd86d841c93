// Package words makes of a policy a page for people who do not read TOML: who has
// an account where, which role gives what, who answers for it and how to ask, what
// happens when somebody leaves, which limits guard it. The page is a value (Page),
// which Markdown and HTML write. The same policy gives the same page, byte for byte.
package words
