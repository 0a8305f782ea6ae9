package activation

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// overlaySource begins the source of our overlays in the table of mounts.
const overlaySource = "unitgen-"

// mountBeneath is MOVE_MOUNT_BENEATH of Linux 6.5.
const mountBeneath = 0x200

// topMount gives the source of the topmost mount at a path, "" for none.
func topMount(path string) (string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	defer f.Close()
	source := ""
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		left, right, ok := strings.Cut(sc.Text(), " - ")
		fields, tail := strings.Fields(left), strings.Fields(right)
		if ok && len(fields) > 4 && len(tail) > 1 && unescapeMount(fields[4]) == path {
			source = unescapeMount(tail[1])
		}
	}
	return source, sc.Err()
}

func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// mountEtc brings the overlay over /etc to a tree ("" for none). A new one is
// mounted beneath the old one, which then goes: a reader of /etc sees one of
// the two at each instant.
func (p *Place) mountEtc(tree string) error {
	etc, base := p.under("/etc"), p.under(etcBase)
	top, err := topMount(etc)
	if err != nil {
		return err
	}
	ours := strings.HasPrefix(top, overlaySource)
	if tree == "" {
		if ours {
			if err := unix.Unmount(etc, unix.MNT_DETACH); err != nil {
				return fmt.Errorf("the overlay over %s cannot be taken away: %w", etc, err)
			}
		}
		if top, err := topMount(base); err != nil || top == "" {
			return err
		}
		return unix.Unmount(base, unix.MNT_DETACH)
	}
	source := overlaySource + filepath.Base(tree)
	if top == source {
		return nil
	}
	if err := keepBase(etc, base); err != nil {
		return err
	}
	m, err := overlay(source, filepath.Join(tree, "etc"), base)
	if err != nil {
		return fmt.Errorf("an overlay of %s cannot be made: %w", tree, err)
	}
	defer unix.Close(m)
	if !ours {
		return moveMount(m, etc, 0)
	}
	if err := moveMount(m, etc, mountBeneath); err != nil {
		return err
	}
	return unix.Unmount(etc, unix.MNT_DETACH)
}

func moveMount(fd int, to string, how int) error {
	if err := unix.MoveMount(fd, "", unix.AT_FDCWD, to, unix.MOVE_MOUNT_F_EMPTY_PATH|how); err != nil {
		return fmt.Errorf("the overlay cannot be mounted at %s: %w", to, err)
	}
	return nil
}

// keepBase keeps the host's own /etc within reach below its overlays.
func keepBase(etc, base string) error {
	if top, err := topMount(base); err != nil || top != "" {
		return err
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(etc, base, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("%s cannot be kept at %s: %w", etc, base, err)
	}
	// What is mounted over /etc must not show here.
	return unix.Mount("", base, "", unix.MS_PRIVATE, "")
}

// overlay makes a read-only overlay that is mounted nowhere yet.
func overlay(source, upper, lower string) (int, error) {
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	escape := strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace
	err = errors.Join(
		unix.FsconfigSetString(fs, "source", source),
		unix.FsconfigSetString(fs, "lowerdir", escape(upper)+":"+escape(lower)),
	)
	if err == nil {
		err = unix.FsconfigCreate(fs)
	}
	if err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY)
}

// baseMounted reports whether an overlay lies over /etc.
func (p *Place) baseMounted() bool {
	top, err := topMount(p.under(etcBase))
	return err == nil && top != ""
}
