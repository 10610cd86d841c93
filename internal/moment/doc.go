// Package moment reads the ways in which directories write moments and days: the
// generalizedTime of LDAP, the file times of Active Directory, days since 1970,
// and dates as people write them. It is pure. What is not understood is an
// error, never a guess: whether somebody still works here may hang on it.
package moment
