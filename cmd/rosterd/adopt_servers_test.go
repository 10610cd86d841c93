//go:build servers

package main

import "testing"

// 10,000 people, 9,700 accounts beyond doubt.
func TestSlapdAdoptTenThousand(t *testing.T) { adopts(t, 10000, 50) }
