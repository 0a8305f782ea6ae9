// Package e2e goes the whole way as a user does, with the built binary: from
// the examples' HCL to running services, to a switched generation and back,
// under the bundled manager (as root and as an ordinary user) and under a real
// systemd. It uses none of the project's packages but those for tests.
package e2e
