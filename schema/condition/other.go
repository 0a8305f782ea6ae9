//go:build !linux

package condition

import "errors"

// errNoLinux is the answer where the machine is no Linux: its facts are not the
// ones that conditions ask for.
var errNoLinux = errors.New("conditions are evaluated only on Linux")

func (s *System) none(string) (bool, error) { return false, errNoLinux }

func (s *System) pathExists(p string) (bool, error)         { return s.none(p) }
func (s *System) pathExistsGlob(p string) (bool, error)     { return s.none(p) }
func (s *System) pathIsDirectory(p string) (bool, error)    { return s.none(p) }
func (s *System) pathIsSymbolicLink(p string) (bool, error) { return s.none(p) }
func (s *System) pathIsMountPoint(p string) (bool, error)   { return s.none(p) }
func (s *System) pathIsReadWrite(p string) (bool, error)    { return s.none(p) }
func (s *System) pathIsEncrypted(p string) (bool, error)    { return s.none(p) }
func (s *System) directoryNotEmpty(p string) (bool, error)  { return s.none(p) }
func (s *System) fileNotEmpty(p string) (bool, error)       { return s.none(p) }
func (s *System) fileIsExecutable(p string) (bool, error)   { return s.none(p) }
func (s *System) needsUpdate(p string) (bool, error)        { return s.none(p) }
func (s *System) firstBoot(p string) (bool, error)          { return s.none(p) }
func (s *System) architecture(p string) (bool, error)       { return s.none(p) }
func (s *System) firmware(p string) (bool, error)           { return s.none(p) }
func (s *System) virtualization(p string) (bool, error)     { return s.none(p) }
func (s *System) host(p string) (bool, error)               { return s.none(p) }
func (s *System) kernelCommandLine(p string) (bool, error)  { return s.none(p) }
func (s *System) kernelVersion(p string) (bool, error)      { return s.none(p) }
func (s *System) version(p string) (bool, error)            { return s.none(p) }
func (s *System) credential(p string) (bool, error)         { return s.none(p) }
func (s *System) security(p string) (bool, error)           { return s.none(p) }
func (s *System) capability(p string) (bool, error)         { return s.none(p) }
func (s *System) acPower(p string) (bool, error)            { return s.none(p) }
func (s *System) memory(p string) (bool, error)             { return s.none(p) }
func (s *System) cpus(p string) (bool, error)               { return s.none(p) }
func (s *System) cpuFeature(p string) (bool, error)         { return s.none(p) }
func (s *System) environment(p string) (bool, error)        { return s.none(p) }
func (s *System) user(p string) (bool, error)               { return s.none(p) }
func (s *System) group(p string) (bool, error)              { return s.none(p) }
func (s *System) controller(p string) (bool, error)         { return s.none(p) }
func (s *System) osRelease(p string) (bool, error)          { return s.none(p) }
func (s *System) pressure(_, p string) (bool, error)        { return s.none(p) }
func (s *System) kernelModule(p string) (bool, error)       { return s.none(p) }
