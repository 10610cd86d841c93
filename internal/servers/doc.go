// Package servers starts real servers (directories, SCIMMY) on loopback, each in a folder
// of its own, for tests, the benchmark and the fault runs. The core takes a
// plain struct and returns errors; Start… wraps it for tests. Nothing here
// runs in the daemon.
package servers
