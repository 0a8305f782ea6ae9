// Package ctl is systemctl's command line on a bus.Client: the same verbs,
// options, words, columns and exit codes as systemctl(1) of systemd 252, for
// machines that have no systemctl.
//
// It takes arguments and gives output. How the manager works inside is not
// known here, nor are unit files on disk: what cat and list-unit-files show is
// what the manager says.
package ctl
