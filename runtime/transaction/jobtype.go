package transaction

import us "github.com/unitgen/unitgen/runtime/unitstate"

// Merge gives the job that does what both jobs would do to one unit; false
// when there is none, because one stops what the other starts.
func Merge(a, b us.JobType) (us.JobType, bool) {
	if a == b {
		return a, true
	}
	if rank(a) > rank(b) {
		a, b = b, a
	}
	switch b {
	case us.VerifyActive: // with start
		return us.Start, true
	case us.Reload:
		switch a {
		case us.Start:
			return us.ReloadOrStart, true
		case us.VerifyActive:
			return us.Reload, true
		}
	case us.ReloadOrStart:
		switch a {
		case us.Start, us.VerifyActive, us.Reload:
			return us.ReloadOrStart, true
		}
	case us.Restart:
		switch a {
		case us.Start, us.VerifyActive, us.Reload, us.ReloadOrStart:
			return us.Restart, true
		}
	}
	return "", false
}

// rank orders the types that a transaction's jobs can have.
func rank(t us.JobType) int {
	switch t {
	case us.Start:
		return 0
	case us.VerifyActive:
		return 1
	case us.Stop:
		return 2
	case us.Reload:
		return 3
	case us.ReloadOrStart:
		return 4
	case us.Restart:
		return 5
	}
	return 6
}

// Conflicting reports whether two jobs of one unit cannot both be carried out.
func Conflicting(a, b us.JobType) bool {
	_, ok := Merge(a, b)
	return !ok
}

// Superset reports whether job a does all that job b does.
func Superset(a, b us.JobType) bool {
	m, ok := Merge(a, b)
	return ok && m == a
}

// Collapse replaces a type that depends on the unit's state by the one it
// comes to now.
func Collapse(t us.JobType, a us.ActiveState) us.JobType {
	down := a == us.Inactive || a == us.Failed || a == us.Deactivating
	switch t {
	case us.TryRestart:
		if down {
			return us.Nop
		}
		return us.Restart
	case us.TryReload:
		if down {
			return us.Nop
		}
		return us.Reload
	case us.ReloadOrStart:
		if a == us.Inactive || a == us.Failed {
			return us.Start
		}
		return us.Reload
	}
	return t
}

// Redundant reports whether a unit in a state has no need of the job.
func Redundant(t us.JobType, a us.ActiveState) bool {
	switch t {
	case us.Start, us.VerifyActive:
		return a.IsActiveOrReloading()
	case us.Stop:
		return a.IsInactiveOrFailed()
	case us.Reload:
		return a == us.Reloading
	case us.Nop:
		return true
	}
	return false // a restart is always worth doing
}

// RunsBefore compares the jobs of two units of which `first` is ordered before
// `second`: true when first's job is carried out first. What stops, goes down
// in the reverse order; a restart begins with a stop.
func RunsBefore(first, second us.JobType) bool {
	if first == us.Nop || second == us.Nop {
		return false
	}
	return second != us.Stop && second != us.Restart
}

// RunsAfter is the other case: second's job is carried out first.
func RunsAfter(first, second us.JobType) bool {
	if first == us.Nop || second == us.Nop {
		return false
	}
	return second == us.Stop || second == us.Restart
}
