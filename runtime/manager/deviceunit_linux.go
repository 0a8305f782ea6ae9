package manager

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/transaction"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/unitname"
)

// deviceUnit is a device as far as it can be known without udev: it is plugged
// when its node in /dev, or its directory in /sys, is there (systemd.device(5)).
// A start job waits for it.
type deviceUnit struct {
	u     *unit
	path  string
	watch *alarm
}

// How often a device is looked for: while a job waits for it, and while others
// are bound to it.
const (
	deviceSoon = 100 * time.Millisecond
	deviceLate = 2 * time.Second
)

func newDevice(u *unit) *deviceUnit {
	d := &deviceUnit{u: u}
	if p, err := unitname.ToPath(u.name()); err == nil {
		d.path = p
	}
	return d
}

func (d *deviceUnit) configure() {
	if d.u.m.opt.Edge == nil {
		d.look()
	}
}

func (d *deviceUnit) coldplug() {}

func (d *deviceUnit) there() bool {
	return d.path != "" && (strings.HasPrefix(d.path, "/dev/") || strings.HasPrefix(d.path, "/sys/")) && exists(d.path)
}

// look brings the state up to what is there, and comes back as long as anybody
// cares.
func (d *deviceUnit) look() {
	m := d.u.m
	m.cancel(d.watch)
	d.watch = nil
	if d.there() {
		d.u.setState(us.Active, "plugged")
	} else {
		d.u.setState(us.Inactive, "dead")
	}
	switch {
	case m.down != nil:
	case d.u.job != nil && d.u.job.typ == us.Start:
		d.watch = m.after(deviceSoon, d.look)
	case len(d.u.node.Deps(transaction.BoundBy)) > 0:
		d.watch = m.after(deviceLate, d.look)
	}
}

func (d *deviceUnit) start() error {
	d.look()
	if d.watch == nil && d.u.active() != us.Active {
		d.watch = d.u.m.after(deviceSoon, d.look)
	}
	return nil
}

func (d *deviceUnit) stop() error   { return errInapplic }
func (d *deviceUnit) reload() error { return errInapplic }
func (d *deviceUnit) resetFailed()  {}

// release ends the looking.
func (d *deviceUnit) release() { d.u.m.cancel(d.watch) }

func (d *deviceUnit) status(st *us.Status) {
	st.Device = &us.Device{SysFSPath: d.sysfs()}
}

// sysfs gives the directory of the device in /sys, "" where it has none.
func (d *deviceUnit) sysfs() string {
	if strings.HasPrefix(d.path, "/sys/") {
		return d.path
	}
	var st unix.Stat_t
	if unix.Stat(d.path, &st) != nil {
		return ""
	}
	kind := ""
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK:
		kind = "block"
	case unix.S_IFCHR:
		kind = "char"
	default:
		return ""
	}
	p, err := filepath.EvalSymlinks("/sys/dev/" + kind + "/" + itoa(int(unix.Major(st.Rdev))) + ":" + itoa(int(unix.Minor(st.Rdev))))
	if err != nil && os.IsNotExist(err) {
		return ""
	}
	return p
}
