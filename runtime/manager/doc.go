// Package manager is the bundled service manager: it loads units, queues the
// jobs that package transaction computes, and supervises what they start.
//
// One goroutine, the loop, owns all state. What blocks happens elsewhere and
// comes back as a function posted to the loop: spawning (a few goroutines),
// reaping (one owner of wait), polling file descriptors (one epoll). Each unit
// type is a state machine that can be read in one go and is tested against a
// fake edge, without processes.
//
// It implements unitstate.Backend; it knows neither D-Bus nor HCL. It runs on
// Linux only.
package manager
