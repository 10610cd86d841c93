package mapping

import "time"

// Config is the part of the configuration that is policy.
type Config struct {
	// Roles by name: [role.NAME].
	Roles map[string]Role `toml:"role"`
	// Tables by name: [table.NAME], what lookup finds under a word.
	Tables map[string]map[string]string `toml:"table"`
	// Conflicts by name: [conflict.NAME].
	Conflicts map[string]Conflict `toml:"conflict"`
	// Grants, Denies and Retains by name: [grant.NAME], [deny.NAME], [retain.NAME].
	Grants  map[string]Grant  `toml:"grant"`
	Denies  map[string]Deny   `toml:"deny"`
	Retains map[string]Retain `toml:"retain"`
	// Tests by name: [test.NAME].
	Tests map[string]Test `toml:"test"`
	// Sources by name: what [source.NAME.person] says.
	Sources map[string]SourcePerson `toml:"-"`
	// Targets by name: the parts of [target.NAME] that are policy.
	Targets map[string]Target `toml:"-"`
	// Within gives the bounds of what stands at a key; nil: it has none. It may be nil.
	Within func(path ...string) *Bounds `toml:"-"`
	// Zone is where a date without a time begins and ends; UTC if nil.
	Zone *time.Location `toml:"-"`
}

// Role is our name for what a person does; it binds people to entitlements. It
// is held by who is in one of the groups and meets the condition, where both
// are given, or by who holds a role that includes it; in any case only by who
// holds all that it requires and nothing that excludes it, and only in its time.
type Role struct {
	Description string `toml:"description"`
	// When is a condition: an expression that is true or false.
	When string `toml:"when"`
	// Owner is who answers for the role: a role name, a login, a mailbox.
	Owner string `toml:"owner"`
	// Owners are they, where there is more than one.
	Owners []string `toml:"owners"`
	// Birthright: everybody in the source holds it, without groups or condition.
	Birthright bool `toml:"birthright"`
	// From and Until are the days, or moments, outside of which nobody holds it.
	From  Date `toml:"from"`
	Until Date `toml:"until"`
	// Groups are DNs. Members of any of them, nested ones too.
	Groups []string `toml:"groups"`
	// Requires are roles that must be held too.
	Requires []string `toml:"requires"`
	// Includes are roles that this one gives.
	Includes []string `toml:"includes"`
	// Excludes are roles that nobody has who has this one.
	Excludes []string `toml:"excludes"`
}

// Conflict names roles that one person should not hold together.
type Conflict struct {
	Roles []string `toml:"roles"`
	// Action is "report" (the default) or "hold".
	Action string `toml:"action"`
	// Except are the people who may hold them together for a time, by a name.
	Except map[string]ConflictExcept `toml:"except"`
}

// ConflictExcept is [conflict.NAME.except.WHO].
type ConflictExcept struct {
	// Person is a login, a mail address, a DN, a rehire key or an ID.
	Person string `toml:"person"`
	// Reason is why, Ticket where that was decided.
	Reason string `toml:"reason"`
	Ticket string `toml:"ticket"`
	// Until is the last day, or "never".
	Until Date `toml:"until"`
}

// SourcePerson says what a person is in a source.
type SourcePerson struct {
	// Login, Mail, Name and Key are names of attributes; Key tells a rehire.
	Login string `toml:"login"`
	Mail  string `toml:"mail"`
	Name  string `toml:"name"`
	Key   string `toml:"key"`
	// Required are attributes without which a person is invalid.
	Required []string `toml:"required"`
	// Disabled is a condition that makes an active person a disabled one.
	Disabled string `toml:"disabled"`
	// Start and End are attributes that hold a person's first and last day, or
	// the moments between which they may have accounts; moment.Parse says in
	// which forms.
	Start string `toml:"start"`
	End   string `toml:"end"`
}

// Target is what the policy gives in one target.
type Target struct {
	Account    TargetAccount `toml:"account"`
	Attributes Attributes    `toml:"attributes"`
	// Entitlements by role.
	Entitlements map[string][]string `toml:"entitlements"`
	// Exclusive are lists of entitlements, by a name, of which an account holds
	// one: the first that its roles give.
	Exclusive map[string][]string `toml:"exclusive"`
	// NameAttribute is the attribute that is the account's name. The kind of
	// the target decides it.
	NameAttribute string `toml:"-"`
	// Path is the attribute that is a DN: what ${…} gives in the middle of it is one
	// value there, whatever signs are in it. The kind decides it too; empty: none is.
	Path string `toml:"-"`
	// Admits says why an attribute cannot be written there; nil: every name will
	// do. The kind of the target decides it, and it is pure.
	Admits func(attribute string) error `toml:"-"`
}

// TargetAccount says who has an account, and which account is whose.
type TargetAccount struct {
	// For are the roles that have an account; nil: all under Entitlements.
	For []string `toml:"for"`
	// Match are attributes to correlate by, in this order; nil: the name.
	Match []string `toml:"match"`
	// Adopt says for each attribute in Match what to do with an account that
	// it finds: "link" or "report" (the default).
	Adopt map[string]string `toml:"adopt"`
}

// Attributes are the rules for an account's attributes by the name of the
// attribute in the target; nested tables are flattened with dots.
type Attributes map[string]AttributeRule

// AttributeRule is how one attribute is computed.
type AttributeRule struct {
	// From is a text with ${…} expressions in it.
	From string
	// Mode is "enforce" (the default), "on-create", "if-empty" or "merge".
	Mode string
	// Empty says what an empty value means: "clear" (the default) the
	// attribute, "keep" what is there, or "park" the account. Under "merge" only
	// our own values are cleared, under "if-empty" none.
	Empty string
	// Otherwise is what the name of the account is where From is taken: a text
	// with ${number} in it, which is 2, 3 and so on. Such a name is given once and
	// kept, unless Mode is "enforce".
	Otherwise string
	// Reserve is how long a name is given to nobody else, once nobody has it; "":
	// a year.
	Reserve string

	// path is the key in the file below "attributes"; nil: the name.
	path []string
	// table: From, Mode and Empty are keys of their own.
	table bool
	// wrong are mistakes in the form of the rule, told by Compile.
	wrong []malformed
}

type malformed struct {
	path          []string
	message, hint string
}
