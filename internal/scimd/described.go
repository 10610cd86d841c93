package scimd

// Description says what a mode does, and where it was seen.
type Description struct {
	Mode   Mode
	Does   string
	Source string
}

// The words for where a mode was seen.
const (
	seenSCIMMY  = "SCIMMY 1.3.5 with scimmy-routers 1.3.2, observed"
	seenExpress = "scimmy-routers 1.3.2 on express 5, observed"
	seenOthers  = "other servers, observed"
	slip        = "not observed; easily got wrong"
	imagined    = "no server is known for it; what a broken proxy or a hostile server could do"
)

// Modes are all of them, by what they concern.
func Modes() []Description {
	var out []Description
	for _, part := range [][]Description{findingModes, listingModes, activeModes, patchModes, memberModes, storingModes, answerModes, limitModes, brokenModes} {
		out = append(out, part...)
	}
	return out
}

// Finding one resource.
const (
	FilterIgnored   Mode = "filter-ignored"
	FilterRefused   Mode = "filter-refused"
	FilterCaseful   Mode = "filter-caseful"
	FilterBlind     Mode = "filter-blind"
	TwinGroups      Mode = "twin-groups"
	CaselessIDs     Mode = "caseless-ids"
	OddIDs          Mode = "odd-ids"
	NamesAreIDs     Mode = "names-are-ids"
	NumbersAreIDs   Mode = "numbers-are-ids"
	InactiveHidden  Mode = "inactive-hidden"
	WrongUser       Mode = "wrong-user"
	MissingIsError  Mode = "missing-is-500"
	SearchIsMissing Mode = "search-is-404"
)

var findingModes = []Description{
	{FilterIgnored, "answers a filter with everybody", "a SCIMMY storage handler that forgets to filter, observed"},
	{FilterRefused, "refuses every filter with 400 invalidFilter", slip},
	{FilterCaseful, "compares userName with case", "SCIMMY 1.3.5, observed; RFC 7643 says without"},
	{FilterBlind, "finds nothing by a filter, whoever is there", "Metatavu keycloak-scim-server #74"},
	{TwinGroups, "has every group twice under one displayName", "RFC 7643, 4.2 does not ask that the name is unique; Entra's documentation does"},
	{CaselessIDs, "takes an ID in any case, and writes it in capitals among members", slip},
	{OddIDs, "gives IDs with slashes, quotes, spaces and question marks", seenOthers},
	{NamesAreIDs, "uses the userName as the ID, which a rename changes", seenOthers},
	{NumbersAreIDs, "writes IDs as numbers of JSON", slip},
	{InactiveHidden, "leaves users that are not active out of listings and filters, and has them under their ID", "RFC 7644, 3.4.2 lets a server choose what it lists"},
	{WrongUser, "answers a look by ID with another user", imagined},
	{MissingIsError, "answers 500 for an ID that it does not know", seenOthers},
	{SearchIsMissing, "answers 404 where a filter finds nothing", "Okta's documentation, which takes it"},
}

// Reading everything.
const (
	FirstPageOnly    Mode = "first-page-only"
	Express5Paging   Mode = "express5-paging"
	PageCap          Mode = "page-cap-50"
	PageCapQuiet     Mode = "page-cap-quiet"
	UnstableOrder    Mode = "unstable-order"
	PastEndFirst     Mode = "past-end-first"
	TotalText        Mode = "total-as-text"
	TotalMore        Mode = "total-more"
	TotalLess        Mode = "total-less"
	TotalOfPage      Mode = "total-of-page"
	TotalMoving      Mode = "total-moving"
	TotalMissing     Mode = "total-missing"
	NullResources    Mode = "null-resources"
	OverlappingPages Mode = "overlapping-pages"
	SparsePages      Mode = "sparse-pages"
	CursorCircle     Mode = "cursor-circle"
	CursorLost       Mode = "cursor-lost"
)

var listingModes = []Description{
	{FirstPageOnly, "gives the first page whatever startIndex says, and says startIndex is what was asked", slip},
	{Express5Paging, "gives resources 1 to 20 and startIndex 1 whatever is asked", seenExpress},
	{PageCap, "gives at most 50 a page", "AWS IAM Identity Center, its documentation"},
	{PageCapQuiet, "gives at most 50 a page, and says itemsPerPage is what was asked", seenSCIMMY + " (itemsPerPage)"},
	{UnstableOrder, "orders the resources anew for each request", "RFC 7644, 3.4.2.4 promises no order"},
	{PastEndFirst, "gives the first page for a startIndex past the end", seenSCIMMY},
	{TotalText, "writes totalResults, startIndex and itemsPerPage as texts", "issues of several servers"},
	{TotalMore, "says one more in totalResults than there are", imagined},
	{TotalLess, "says one fewer in totalResults than there are", imagined},
	{TotalOfPage, "says in totalResults how many the page has", slip},
	{TotalMoving, "says another totalResults with each page", "a directory that changes while it is read"},
	{TotalMissing, "leaves totalResults out", slip},
	{NullResources, "writes null for Resources where there are none, and leaves out startIndex and itemsPerPage", slip},
	{OverlappingPages, "begins each page with the last resource of the page before", "startIndex taken to count from 0; not observed"},
	{SparsePages, "leaves a resource out of each page after the first and counts it", "filtering after paging; not observed"},
	{CursorCircle, "gives the same next cursor for ever", imagined},
	{CursorLost, "forgets a cursor before it is used (400 expiredCursor)", "RFC 9865 allows it"},
}

// The flag active.
const (
	ActiveIgnored       Mode = "active-ignored"
	ActiveNeedsText     Mode = "active-needs-text"
	ActiveAsText        Mode = "active-as-text"
	ActiveNeedsNoPath   Mode = "active-needs-no-path"
	ActiveByPutOnly     Mode = "active-by-put-only"
	ActiveMissing       Mode = "active-missing"
	ActiveMissingIfOff  Mode = "active-missing-if-off"
	ActiveBlanks        Mode = "active-blanks"
	InactiveIsGone      Mode = "inactive-is-gone"
	CreatedInactive     Mode = "created-inactive"
	EnableNeedsNewUser  Mode = "enable-refused"
	ActiveSaysOtherwise Mode = "active-answer-lies"
)

var activeModes = []Description{
	{ActiveIgnored, "answers a PATCH of active with 200 and does nothing", "Cogtrix #122"},
	{ActiveNeedsText, "refuses active as a boolean, and takes \"True\" and \"False\"", "servers that were tuned for Entra's default"},
	{ActiveAsText, "writes active as \"True\" or \"False\"", "servers that were tuned for Entra's default"},
	{ActiveNeedsNoPath, "refuses the path active, and takes {\"active\":false} without a path", "servers that were tuned for Okta"},
	{ActiveByPutOnly, "ignores active in a PATCH and heeds it in a PUT", "servers that were tuned for Okta's own integrations"},
	{ActiveMissing, "never writes active", slip},
	{ActiveMissingIfOff, "writes active only where it is true", "servers in a language that leaves out what is false"},
	{ActiveBlanks, "empties every attribute that a PATCH of active does not name", "a real application, observed"},
	{InactiveIsGone, "removes a user whose active becomes false", "servers that do not know a disabled user"},
	{CreatedInactive, "creates every user inactive", "servers that wait for an invitation to be taken"},
	{EnableNeedsNewUser, "refuses to make a user active again", "servers whose seats are used up"},
	{ActiveSaysOtherwise, "answers a PATCH of active with the value that was sent and does nothing", "Cogtrix #122, and a body made from the request"},
}

// Changing.
const (
	PatchUnsupported Mode = "patch-unsupported"
	PatchNeedsNoPath Mode = "patch-needs-no-path"
	PatchNoFilter    Mode = "patch-no-filter-path"
	PatchNoURN       Mode = "patch-no-urn-path"
	PatchOneOp       Mode = "patch-first-op-only"
	PatchHalf        Mode = "patch-half"
	PatchCapitalOps  Mode = "patch-capital-ops"
	UnknownOpOK      Mode = "unknown-op-204"
	PatchDoesNothing Mode = "patch-does-nothing"
	PutDropsUnknown  Mode = "put-drops-extensions"
	PutMerges        Mode = "put-merges"
	PutUnsupported   Mode = "put-unsupported"
	ErrorAfterWork   Mode = "error-after-work"
	DeleteIgnored    Mode = "delete-ignored"
	DeleteIsDisable  Mode = "delete-is-disable"
	DeleteRefused    Mode = "delete-refused"
	RenameRefused    Mode = "rename-refused"
	RenameIgnored    Mode = "rename-ignored"
)

var patchModes = []Description{
	{PatchUnsupported, "answers every PATCH with 501, and says so in ServiceProviderConfig", "RFC 7644, 3.5.2 leaves PATCH to the server"},
	{PatchNeedsNoPath, "refuses every path of a user with 400 invalidPath", slip},
	{PatchNoFilter, "refuses paths with a filter on a user", "scim-for-keycloak #73, keycloak-scim-server #35 and #40"},
	{PatchNoURN, "splits a path at its first dot, the one in \"2.0\", and stores the value under a wrong name", "scimgateway #124"},
	{PatchOneOp, "does the first operation of a PATCH and answers 200", "servers that were tuned for Okta"},
	{PatchHalf, "does operations until one is wrong, and keeps those before", "RFC 7644, 3.5.2 forbids it; common"},
	{PatchCapitalOps, "takes only Add, Replace and Remove with a capital", "servers that were tuned for Entra's default"},
	{UnknownOpOK, "answers an operation that it does not know with 204; remove is one", "older Logfire"},
	{PatchDoesNothing, "answers every PATCH of a user with 204 and does nothing", slip},
	{PutDropsUnknown, "drops extensions from a PUT", slip},
	{PutMerges, "keeps in a PUT what the client leaves out", "RFC 7644, 3.5.1 leaves it to the server"},
	{PutUnsupported, "answers every PUT with 501", slip},
	{ErrorAfterWork, "does what was asked and answers 500", slip},
	{DeleteIgnored, "answers DELETE with 204 and does nothing", imagined},
	{DeleteIsDisable, "answers DELETE with 204 and makes the user inactive", "RFC 7644, 3.6 asks that it is no longer found; common"},
	{DeleteRefused, "answers DELETE with 403", "servers that keep their users"},
	{RenameRefused, "refuses another userName with 400 mutability", slip},
	{RenameIgnored, "ignores another userName", slip},
}

// Members of groups.
const (
	FilteredRemoveWipes   Mode = "filtered-remove-wipes"
	FilteredRemoveNothing Mode = "filtered-remove-nothing"
	FilteredRemoveRefused Mode = "filtered-remove-refused"
	MultiRemoveShift      Mode = "multi-remove-shift"
	AddReplaces           Mode = "add-replaces"
	AddTwice              Mode = "add-twice"
	ConcurrentLoses       Mode = "concurrent-loses"
	NoPathEmpties         Mode = "no-path-empties"
	ReplaceRefused        Mode = "replace-refused"
	ChangesCap            Mode = "changes-cap-100"
	ChangesCapQuiet       Mode = "changes-cap-quiet"
	MembersOmitted        Mode = "members-omitted"
	MembersCut            Mode = "members-cut"
	MembersDangle         Mode = "members-dangle"
	MembersUnchecked      Mode = "members-unchecked"
	MembersIgnored        Mode = "members-ignored"
	GroupPatch204         Mode = "group-patch-204"
	GroupsUnsupported     Mode = "groups-unsupported"
	MembersAsTexts        Mode = "members-as-texts"
)

var memberModes = []Description{
	{FilteredRemoveWipes, "empties the group for a remove with a filter and no value", "Microsoft SCIMReferenceCode #10, agent-bom #3533"},
	{FilteredRemoveNothing, "ignores a remove with a filter, and heeds one with a list of values", "servers that were tuned for Entra's default"},
	{FilteredRemoveRefused, "refuses a remove with a filter, and heeds one with a list of values", "servers that were tuned for Entra's default"},
	{MultiRemoveShift, "finds the places of all removals of a PATCH first, so that each but the first is off by those before", "FusionAuth #2834"},
	{AddReplaces, "takes an add of members for the whole list", "agent-bom #3533"},
	{AddTwice, "stores a member twice that is added twice", seenSCIMMY},
	{ConcurrentLoses, "loses one of two changes of a group that come at once", "Fleet #50724"},
	{NoPathEmpties, "empties the group for a replace without path that does not name members", "langwatch #7131"},
	{ReplaceRefused, "refuses a replace of members, and a removal of all", "AWS IAM Identity Center, its documentation"},
	{ChangesCap, "refuses more than 100 changes of members in a PATCH", "AWS IAM Identity Center, its documentation"},
	{ChangesCapQuiet, "does the first 100 changes of members in a PATCH and answers 204", seenOthers},
	{MembersOmitted, "never writes members", "AWS IAM Identity Center, its documentation"},
	{MembersCut, "writes the first 20 members of a group", slip},
	{MembersDangle, "keeps a user that was deleted among the members", seenSCIMMY},
	{MembersUnchecked, "takes members that do not exist", seenSCIMMY},
	{MembersIgnored, "answers an add of members with 204 and does nothing", imagined},
	{GroupPatch204, "answers every PATCH of a group with 204 and no body", seenOthers},
	{GroupsUnsupported, "has no groups: 404 for each request", "Slack's free plans, and many small applications"},
	{MembersAsTexts, "writes members as plain IDs", slip},
}

// Storing.
const (
	NotStored          Mode = "not-stored"
	ValueNormalised    Mode = "value-normalised"
	ExternalIDRefused  Mode = "external-id-refused"
	ExternalIDLost     Mode = "external-id-lost"
	ExternalIDUnique   Mode = "external-id-unique"
	UnknownRefused     Mode = "unknown-refused"
	EmailRequired      Mode = "email-required"
	ConflictInvisible  Mode = "conflict-invisible"
	NameKeptForEver    Mode = "name-kept-for-ever"
	CreateTwice        Mode = "create-twice"
	ReadsLag           Mode = "reads-lag"
	NameLowered        Mode = "name-lowered"
	AttributeReadOnly  Mode = "attribute-read-only"
	AttributesInAnyCap Mode = "names-in-capitals"
)

var storingModes = []Description{
	{NotStored, "takes title and department and does not store them", "servers that know a part of the schema; scimgateway #124 shows what follows"},
	{ValueNormalised, "stores displayName and department in capitals", slip},
	{ExternalIDRefused, "refuses a body with externalId", "Microsoft SCIMReferenceCode, PR #156"},
	{ExternalIDLost, "does not store externalId", slip},
	{ExternalIDUnique, "refuses an externalId that another user has with 409", "Okta's life cycle"},
	{UnknownRefused, "refuses a body with the enterprise extension", slip},
	{EmailRequired, "refuses a user without an e-mail address", seenOthers},
	{ConflictInvisible, "answers a create with 409 for somebody whom no look-up shows", "Metatavu keycloak-scim-server #74"},
	{NameKeptForEver, "keeps the userName of a deleted user from others", slip},
	{CreateTwice, "makes a second user of the same userName", "servers without a constraint"},
	{ReadsLag, "shows a change two reads later", "servers with replicas; Fleet #50724"},
	{NameLowered, "stores userName in small letters", slip},
	{AttributeReadOnly, "refuses another title with 400 mutability", "servers whose profile is owned by somebody else"},
	{AttributesInAnyCap, "writes the names of attributes with a capital", "servers of .NET that forget the naming policy"},
}

// Answers.
const (
	NeedsUserAgent     Mode = "needs-user-agent"
	NoBody             Mode = "no-body-204"
	CreateNoBody       Mode = "create-no-body"
	CreateNoID         Mode = "create-no-id"
	CreateBare         Mode = "create-bare"
	CreateOK           Mode = "create-200"
	LocationRelative   Mode = "location-relative"
	LocationUndefined  Mode = "location-undefined"
	LocationElsewhere  Mode = "location-elsewhere"
	HTMLErrors         Mode = "html-errors"
	PlainErrors        Mode = "plain-errors"
	EmptyErrors        Mode = "empty-errors"
	PlainJSON          Mode = "plain-json"
	ETagIsHash         Mode = "etag-is-hash"
	NeedsIfMatch       Mode = "needs-if-match"
	RedirectElsewhere  Mode = "redirect-elsewhere"
	NoDiscovery        Mode = "no-discovery"
	DiscoveryLies      Mode = "discovery-lies"
	ErrorEchoesHeaders Mode = "error-echoes"
)

var answerModes = []Description{
	{NeedsUserAgent, "refuses requests without a User-Agent with 403", "AWS IAM Identity Center for PATCH, GitHub for all; their documentation"},
	{NoBody, "answers PATCH and PUT with 204 and no body", "Okta's and Entra's documentation take it; common"},
	{CreateNoBody, "answers a create with 201 and no body, with a Location", seenOthers},
	{CreateNoID, "answers a create with a body without id, with a Location", slip},
	{CreateBare, "answers a create with 201 alone", slip},
	{CreateOK, "answers a create with 200", slip},
	{LocationRelative, "writes Location and meta.location relative", seenSCIMMY},
	{LocationUndefined, "writes a Location that ends with undefined, and no id", "servers written in JavaScript, observed"},
	{LocationElsewhere, "writes a Location at another host, and no id", "servers behind a proxy"},
	{HTMLErrors, "writes errors as pages of HTML", "proxies"},
	{PlainErrors, "writes errors as plain text", seenOthers},
	{EmptyErrors, "writes errors without a body", seenOthers},
	{PlainJSON, "says application/json", slip},
	{ETagIsHash, "sends an ETag that is a hash of the body, which is not meta.version, and ignores If-Match", seenSCIMMY},
	{NeedsIfMatch, "refuses changes without If-Match with 428", "RFC 6585, 3"},
	{RedirectElsewhere, "redirects every request to another host", imagined},
	{NoDiscovery, "has no ServiceProviderConfig, Schemas or ResourceTypes (404)", slip},
	{DiscoveryLies, "says in ServiceProviderConfig that it does not know PATCH and filters, and knows both", slip},
	{ErrorEchoesHeaders, "writes the headers of the request, the token among them, and control characters into its errors", imagined},
}

// Limits of rate.
const (
	RateSeconds  Mode = "rate-seconds"
	RateDate     Mode = "rate-date"
	RateXRetry   Mode = "rate-x-retry-after"
	RateXReset   Mode = "rate-x-ratelimit-reset"
	RateAbsurd   Mode = "rate-absurd"
	RateNegative Mode = "rate-negative"
	RateGarbage  Mode = "rate-garbage"
	RateSilent   Mode = "rate-silent"
	RateForever  Mode = "rate-for-ever"
	Rate503      Mode = "rate-503"
)

var limitModes = []Description{
	{RateSeconds, "answers every third request with 429 and Retry-After in seconds", "RFC 6585, 4"},
	{RateDate, "answers every third request with 429 and Retry-After as a date", "RFC 9110, 10.2.3"},
	{RateXRetry, "answers every third request with 429 and x-retry-after", seenOthers},
	{RateXReset, "answers every third request with 429 and x-ratelimit-reset", seenOthers},
	{RateAbsurd, "answers every third request with 429 and a Retry-After of three years", imagined},
	{RateNegative, "answers every third request with 429 and a Retry-After of -1", imagined},
	{RateGarbage, "answers every third request with 429 and a Retry-After that is a sentence", imagined},
	{RateSilent, "answers every third request with 429 and nothing else", slip},
	{RateForever, "answers every request with 429 and a Retry-After of a second", imagined},
	{Rate503, "answers every third request with 503 and Retry-After in seconds", "RFC 9110, 15.6.4"},
}

// Broken connections and bodies.
const (
	Slow            Mode = "slow"
	Stall           Mode = "stall-mid-body"
	CutBody         Mode = "cut-body"
	CutAfterWork    Mode = "cut-after-work"
	HugeBody        Mode = "huge-body"
	DeepJSON        Mode = "deep-json"
	HTMLAnswer      Mode = "html-answer"
	NotJSON         Mode = "not-json"
	WrongTypes      Mode = "wrong-types"
	UnauthorisedMid Mode = "401-mid-run"
	ForbiddenWrites Mode = "403-writes"
	ErrorsAll       Mode = "500-always"
)

var brokenModes = []Description{
	{Slow, "answers each request late", "issues of many; clients wait 60 s"},
	{Stall, "sends half of a body and then nothing", imagined},
	{CutBody, "closes the connection in the middle of a body", "proxies"},
	{CutAfterWork, "does what was asked and closes the connection without an answer", "proxies"},
	{HugeBody, "answers with a body without end", imagined},
	{DeepJSON, "answers with JSON that is nested 100,000 deep", imagined},
	{HTMLAnswer, "answers everything with 200 and a page of HTML", "login pages of proxies"},
	{NotJSON, "answers with 200 and half of a JSON object", "proxies"},
	{WrongTypes, "writes a list where an object should be, and numbers for texts", imagined},
	{UnauthorisedMid, "answers 401 from the tenth request on", "tokens that are revoked"},
	{ForbiddenWrites, "answers 403 to every write", "tokens that may only read"},
	{ErrorsAll, "answers 500 to every request", "outages"},
}
