package load

// effective gives the settings with defaults and implied effects, computed on
// first use.
func (u *Unit) effective() map[string]map[string][]string {
	if u.typed == nil {
		u.typed = u.Settings
	}
	return u.typed
}
