// Package archtest holds the tests that keep the house in order: the import
// rules of ARCHITECTURE.md, the size of files, and what may stand in the tree
// at all. It has no code of its own and needs nothing but the go command.
package archtest
