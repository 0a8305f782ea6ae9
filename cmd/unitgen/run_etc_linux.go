package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// etcView shows the managed /etc files of the current tree at their places,
// as links into <state>/current/etc: in a private mount namespace by an
// overlay over /etc, or with --etc links in /etc itself. The links go through
// the pivot, so that only a change of the set of files needs work here.
type etcView struct {
	f      *runFlags
	note   func(string)
	shown  []string
	layer  int
	lower  *os.File // the machine's own /etc, below all overlays
	uppers []string // what was written to /etc under earlier layers
	subs   []string // mounts below /etc that must stay visible
}

func newEtc(f *runFlags, note func(string)) *etcView {
	if f.KeeperFD > 0 {
		unix.CloseOnExec(f.KeeperFD)
	}
	return &etcView{f: f, note: note}
}

// managedFiles lists the /etc files of the current tree, relative to /etc.
// Units are not among them: the manager reads those by itself.
func managedFiles(state string) ([]string, error) {
	root := filepath.Join(state, "current", "etc")
	real, err := filepath.EvalSymlinks(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	err = filepath.WalkDir(real, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(real, p)
		if d.IsDir() {
			if rel == "systemd/system" || rel == "systemd/user" {
				return filepath.SkipDir
			}
			return nil
		}
		out = append(out, rel)
		return nil
	})
	slices.Sort(out)
	return out, err
}

func (e *etcView) pivot(rel string) string { return filepath.Join(e.f.State, "current", "etc", rel) }

// update brings what is shown up to the current tree.
func (e *etcView) update() error {
	files, err := managedFiles(e.f.State)
	if err != nil {
		return err
	}
	if e.layer > 0 && slices.Equal(files, e.shown) {
		return nil
	}
	switch {
	case e.f.Etc == "none":
		if len(files) > 0 && e.layer == 0 {
			e.note(fmt.Sprintf("%d managed /etc files are seen below %s only", len(files), e.pivot("")))
		}
	case e.f.Etc == "links":
		err = e.link(files)
	default:
		err = e.overlay(files)
	}
	if err == nil {
		e.shown = files
		e.layer++
	}
	return err
}

// link makes the links in /etc itself. What is there and not ours stays.
func (e *etcView) link(files []string) error {
	for _, old := range e.shown {
		if !slices.Contains(files, old) {
			p := filepath.Join("/etc", old)
			if to, err := os.Readlink(p); err == nil && to == e.pivot(old) {
				os.Remove(p)
			}
		}
	}
	for _, rel := range files {
		p := filepath.Join("/etc", rel)
		if to, err := os.Readlink(p); err == nil && to == e.pivot(rel) {
			continue
		}
		if _, err := os.Lstat(p); err == nil {
			e.note(fmt.Sprintf("%s is there already and is left as it is; the managed file is %s", p, e.pivot(rel)))
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(e.pivot(rel), p); err != nil {
			return err
		}
	}
	return nil
}

func (e *etcView) layerDir(n int) string {
	return filepath.Join(e.f.RuntimeDir, "systemd", "etc", strconv.Itoa(n))
}

// overlay lays a directory of links over /etc.
func (e *etcView) overlay(files []string) error {
	dir := e.layerDir(e.layer)
	_ = os.RemoveAll(dir)
	if err := os.MkdirAll(filepath.Join(dir, "links"), 0o755); err != nil {
		return err
	}
	for _, rel := range files {
		p := filepath.Join(dir, "links", rel)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(e.pivot(rel), p); err != nil {
			return err
		}
	}
	if e.f.KeeperFD > 0 {
		return askKeeper(e.f.KeeperFD, dir)
	}
	if e.lower == nil {
		if err := e.look(); err != nil {
			return err
		}
	}
	upper := ""
	if os.Geteuid() == 0 && e.f.KeeperFD == 0 {
		// root's services may write to /etc: into a directory of this layer,
		// which later layers have below theirs
		upper = dir
		for _, d := range []string{"upper", "work"} {
			if err := os.MkdirAll(filepath.Join(upper, d), 0o755); err != nil {
				return err
			}
		}
	}
	return e.mount(dir, upper)
}

// look remembers the machine's own /etc and what is mounted in it.
func (e *etcView) look() error {
	f, err := os.OpenFile("/etc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	e.lower = f
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		if w := strings.Fields(line); len(w) > 4 && strings.HasPrefix(w[4], "/etc/") {
			e.subs = append(e.subs, w[4])
		}
	}
	slices.Sort(e.subs)
	e.subs = slices.Compact(e.subs)
	return nil
}

// mount lays the overlay. A later one is put beneath the one that is there,
// which is then taken away: nobody ever sees /etc without either.
func (e *etcView) mount(dir, upper string) error {
	var kept []int
	for _, s := range e.subs {
		fd, err := unix.OpenTree(unix.AT_FDCWD, s, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err != nil {
			fd = -1
		}
		kept = append(kept, fd)
	}
	lower := filepath.Join(dir, "links")
	for _, u := range slices.Backward(e.uppers) {
		lower += ":" + u
	}
	lower += ":/proc/self/fd/" + strconv.Itoa(int(e.lower.Fd()))
	fsfd, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("an overlay over /etc cannot be made: %w", err)
	}
	defer unix.Close(fsfd)
	set := [][2]string{{"source", "unitgen"}, {"lowerdir", lower}}
	if upper != "" {
		set = append(set, [2]string{"upperdir", filepath.Join(upper, "upper")}, [2]string{"workdir", filepath.Join(upper, "work")})
	}
	for _, kv := range set {
		if err := unix.FsconfigSetString(fsfd, kv[0], kv[1]); err != nil {
			return fmt.Errorf("an overlay over /etc cannot be made (%s): %w", kv[0], err)
		}
	}
	if err := unix.FsconfigCreate(fsfd); err != nil {
		return fmt.Errorf("an overlay over /etc cannot be made: %w", err)
	}
	mfd, err := unix.Fsmount(fsfd, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("an overlay over /etc cannot be mounted: %w", err)
	}
	defer unix.Close(mfd)
	const beneath = 0x200 // MOVE_MOUNT_BENEATH
	if e.layer > 0 && unix.MoveMount(mfd, "", unix.AT_FDCWD, "/etc", unix.MOVE_MOUNT_F_EMPTY_PATH|beneath) == nil {
		if err := unix.Unmount("/etc", unix.MNT_DETACH); err != nil {
			return fmt.Errorf("the old overlay over /etc cannot be taken away: %w", err)
		}
	} else if err := unix.MoveMount(mfd, "", unix.AT_FDCWD, "/etc", unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("an overlay over /etc cannot be mounted: %w", err)
	}
	if upper != "" {
		e.uppers = append(e.uppers, filepath.Join(upper, "upper"))
	}
	for i, fd := range kept {
		if fd >= 0 {
			_ = unix.MoveMount(fd, "", unix.AT_FDCWD, e.subs[i], unix.MOVE_MOUNT_F_EMPTY_PATH)
			unix.Close(fd)
		}
	}
	return nil
}

// end takes links away that this run made.
func (e *etcView) end() {
	if e.f.Etc == "links" && os.Getpid() != 1 {
		_ = e.link(nil)
	}
	_ = os.RemoveAll(filepath.Join(e.f.RuntimeDir, "systemd", "etc"))
}

// askKeeper has the keeper of the namespace mount a layer.
func askKeeper(fd int, dir string) error {
	if keeperFile == nil {
		keeperFile = os.NewFile(uintptr(fd), "keeper")
	}
	if err := json.NewEncoder(keeperFile).Encode(dir); err != nil {
		return fmt.Errorf("the keeper of the mount namespace is gone: %w", err)
	}
	var answer string
	if err := json.NewDecoder(keeperFile).Decode(&answer); err != nil {
		return fmt.Errorf("the keeper of the mount namespace is gone: %w", err)
	}
	if answer != "" {
		return errors.New(answer)
	}
	return nil
}

// keeperFile is the manager's end of the socket to the keeper. There is one
// os.File for the descriptor, for as long as the process lives: a second one
// would close it when the first is collected, and whatever got the number next
// would be read in its place.
var keeperFile *os.File
