package funcs

import "github.com/zclconf/go-cty/cty/function/stdlib"

func init() {
	const c = "Dates"
	add(c, "formatdate(format, timestamp)", "A timestamp of RFC 3339 after a pattern: YYYY MM DD hh mm ss, MMM, EEE and their kin.", stdlib.FormatDateFunc, `formatdate("DD MMM YYYY", "2024-02-29T12:00:00Z")`, `"29 Feb 2024"`)
	add(c, "timeadd(timestamp, duration)", "A timestamp of RFC 3339, moved by a duration such as \"1h30m\".", stdlib.TimeAddFunc, `timeadd("2024-02-28T23:30:00Z", "1h")`, `"2024-02-29T00:30:00Z"`)
}
