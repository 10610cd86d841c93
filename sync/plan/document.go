package plan

// Document is the plan for machines: one JSON document.
type Document struct {
	FormatVersion int `json:"format_version"`
}

// NewDocument makes it.
func NewDocument(p Plan, v Verdict) Document { return Document{FormatVersion: 1} }
