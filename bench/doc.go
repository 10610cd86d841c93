// Package bench measures rosterd against the tools of OpenLDAP on the same
// server in the same run: `make bench`. Seconds are of one machine at one time;
// the ratios are what can be compared.
package bench
