// Package poller watches file descriptors for a manager with one epoll
// instance and one thread, whatever their number. It runs on Linux only.
package poller
