package plan

import "io"

// TextOptions say how a plan is shown.
type TextOptions struct {
	// Color: the terminal understands it.
	Color bool
	// Width of the terminal in columns; 0: unlimited.
	Width int
	// Verbose shows every reason, and who is in sync.
	Verbose bool
}

// Text writes the plan for people. Writing ends at the first error.
func Text(w io.Writer, p Plan, v Verdict, o TextOptions) error { return nil }
