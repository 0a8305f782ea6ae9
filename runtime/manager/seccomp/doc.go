// Package seccomp makes the filter programs of the directives of
// systemd.exec(5) that restrict system calls: SystemCallFilter=,
// RestrictNamespaces= and their like.
//
// It takes settings and gives programs for seccomp(2); it installs nothing and
// knows no unit.
package seccomp

//go:generate go run ./gen
