package ldap

import "github.com/rosterd/rosterd/internal/ldapwire"

func newSync389(s *Source, conn *ldapwire.Conn) engine { return newTimestamp(s, conn) }
