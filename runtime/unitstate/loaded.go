package unitstate

// Loaded is a unit as it was loaded: all directives with a value, defaults
// filled in, resets applied, specifiers expanded, spelled as in a unit file,
// lists one string an element. It does not change; it may be read by many.
type Loaded interface {
	// Values gives the values of a directive, nil where it has none.
	Values(section, directive string) []string
	// Sections gives the sections and their directives that have values.
	Sections() map[string]map[string][]string
}

// Value gives the last value of a directive, "" where it has none.
func Value(u Loaded, section, directive string) string {
	v := u.Values(section, directive)
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}
