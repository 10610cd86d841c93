package mapping

import (
	"maps"
	"slices"
	"strings"
)

// aliases are what functions are called elsewhere, and what there is not, with
// what to write.
var aliases = map[string]string{
	"uppercase": usage["upper"], "toupper": usage["upper"], "ucase": usage["upper"],
	"lowercase": usage["lower"], "tolower": usage["lower"], "lcase": usage["lower"],
	"strip": usage["trim"], "concat": `person.NAME + "x", or in a value "${person.A}${person.B}"`, "coalesce": `person.NAME ?? "x"`, "default": `person.NAME ?? "x"`,
	"substring": `first(split(person.NAME, "@"))`, "substr": `first(split(person.NAME, "@"))`, "regex": "contains, startsWith or endsWith",
	"hasgroup": usage["inGroup"], "memberof": usage["inGroup"], "ingroups": usage["inGroup"], "isempty": `person.NAME == ""`, "exists": `person.NAME != ""`,
	"has": `person.NAME != ""`, "ascii": usage["translit"], "normalize": usage["translit"],
}

// clocks are names by which other languages ask for the time.
var clocks = []string{"now", "today", "date", "time", "datetime", "timestamp", "duration", "year"}

// loops are functions of the parser that go through a list.
var loops = []string{"all", "any", "none", "one", "filter", "map", "count", "find", "len", "some"}

// unknownFunction is what to write instead.
func unknownFunction(name string) string {
	lower := strings.ToLower(name)
	switch {
	case slices.Contains(clocks, lower):
		return "there is no clock; whether a date has come is asked with " + usage["before"] + ", after(…) and within(…)"
	case slices.Contains(loops, lower):
		return `one of several values is found with "x" in values(person.NAME)`
	case aliases[lower] != "":
		return "write " + aliases[lower]
	}
	return oneOf(name, slices.Sorted(maps.Keys(usage)))
}
