package manager

import (
	"os"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// standardSettings hand descriptors of the requester to a transient service
// (systemd-run --pipe); they are no directives of unit files.
var standardSettings = [3]string{"StandardInputFileDescriptor", "StandardOutputFileDescriptor", "StandardErrorFileDescriptor"}

// standardFiles takes the descriptors out of a transient unit's settings. What
// it gives is its caller's to close.
func standardFiles(props []us.Property) (files [3]*os.File, rest []us.Property, err error) {
	for _, p := range props {
		at := -1
		for i, n := range standardSettings {
			if p.Name == n {
				at = i
			}
		}
		if at < 0 {
			rest = append(rest, p)
			continue
		}
		fd := -1
		if len(p.Values) > 0 {
			fd = atoi(p.Values[0], -1)
		}
		f, e := dup(fd)
		if e != nil {
			closeStandard(files)
			return [3]*os.File{}, nil, us.Errorf(us.ErrInvalidArgs, "%s= is no open descriptor.", p.Name)
		}
		if files[at] != nil {
			files[at].Close()
		}
		files[at] = f
	}
	return files, rest, nil
}

func closeStandard(files [3]*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// releaseStandard gives the requester's descriptors back.
func (s *service) releaseStandard() {
	closeStandard(s.std)
	s.std = [3]*os.File{}
}
