// Package stage is the second stage of a service's start: a fresh process that
// takes on what its unit asks for – user, limits, namespaces, mounts,
// capabilities – and then becomes the service. Go cannot run code between fork
// and exec, so what the kernel's spawn call cannot express is done here.
//
// It takes a Spec from a descriptor and knows no units.
package stage
