// Command rosterd keeps the accounts in an organisation's applications in step
// with its directory.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
