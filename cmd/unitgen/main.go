// Command unitgen compiles service configuration in HCL into an immutable tree
// and runs, switches and rolls back the tree.
package main

import "os"

func main() {
	os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
