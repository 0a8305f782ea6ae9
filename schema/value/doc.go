// Package value is the syntax of every kind of value that unit files hold:
// systemd.syntax(7), systemd.time(7), and the directives' own man pages.
//
// It takes a string and gives a typed value or its canonical spelling, or an
// error that says what is wrong and what is accepted. It must not know which
// directive a value is for, beyond its kind (package directive), nor files,
// nor a running manager: only what a Context tells it.
//
// Every parser works in time linear in its input, allocates in proportion to
// it, and never panics.
package value
