// Package output keeps what services write: one log a unit, each line with the
// time it came, bounded in size by one rotation.
package output
