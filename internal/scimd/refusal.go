package scimd

import (
	"fmt"
	"strconv"
)

// refusal is an error of SCIM (RFC 7644, 3.12).
type refusal struct {
	status   int
	scimType string
	detail   string
}

func refuse(status int, scimType, format string, args ...any) *refusal {
	return &refusal{status, scimType, fmt.Sprintf(format, args...)}
}

func (r *refusal) answer() answer {
	body := map[string]any{"schemas": []any{errorURN}, "status": strconv.Itoa(r.status), "detail": r.detail}
	if r.scimType != "" {
		body["scimType"] = r.scimType
	}
	return answer{status: r.status, body: body}
}
