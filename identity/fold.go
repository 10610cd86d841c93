package identity

// Fold prepares a value for a comparison that ignores case, as RFC 4518 does
// for caseIgnoreMatch: what is invisible goes, every blank is a space, case is
// folded, compatibility forms are composed, outer blanks go and runs of inner
// ones become one. Two values match if their folded forms are equal. It is the
// preparation that DN keys use, so names and attributes agree.
func Fold(value string) string { return foldValue(value) }
