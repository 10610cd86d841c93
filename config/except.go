package config

import "github.com/rosterd/rosterd/internal/problem"

// exceptions binds [grant.NAME], [deny.NAME] and [retain.NAME].
func (l *loader) exceptions(report problem.Report) {
	for _, table := range []string{"grant", "deny", "retain"} {
		l.names(table, report)
	}
	l.d.Bind([]string{"grant"}, &l.policy.Grants)
	l.d.Bind([]string{"deny"}, &l.policy.Denies)
	l.d.Bind([]string{"retain"}, &l.policy.Retains)
}
