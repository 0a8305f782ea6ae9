package load

import (
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/unitname"
)

// verifyUnit checks what makes systemd refuse a unit as a whole ("bad-setting")
// and tells why.
func (l *Loader) verifyUnit(u *Unit) bool {
	var why string
	switch u.Type {
	case "service":
		why = u.refuseService()
	case "socket":
		why = u.refuseSocket()
	case "timer":
		why = u.refuseTimer()
	case "path":
		if u.countOf("Path") == 0 {
			why = "A path unit needs one of PathExists=, PathExistsGlob=, PathChanged=, PathModified= and DirectoryNotEmpty="
		}
	case "mount":
		why = u.refuseMount()
	case "automount":
		why = u.refuseAutomount()
	case "swap":
		why = u.refuseSwap()
	case "scope":
		if u.Name != "init.scope" && !strings.Contains(u.Fragment, "/systemd/transient/") {
			why = "Scopes are made by programs; they cannot be loaded from files"
		}
	}
	if why == "" && u.pamWithoutKill() {
		why = "PAMName= needs KillMode=control-group or mixed, so that the PAM session is cleaned up"
	}
	if why == "" {
		return true
	}
	u.refuse(why)
	return false
}

// refuse makes the unit one that systemd does not load, and tells why.
func (u *Unit) refuse(why string) {
	u.State = BadSetting
	at := diag.Range{File: u.Fragment}
	if len(u.Files) > 0 && len(u.Files[0].Lines) > 0 {
		at = u.Files[0].Lines[0].Pos
	}
	u.Diags = append(u.Diags, diag.Errorf(CodeBadSetting, "Unit is refused", at, "%s: %s.", u.Name, why))
}

func (u *Unit) refuseService() string {
	typ := u.serviceType()
	starts, stops := len(u.Commands["ExecStart"]), len(u.Commands["ExecStop"])
	action := u.first("Unit", "SuccessAction")
	success := action != "" && action != "none"
	restart := u.own("Restart")
	switch {
	case starts == 0 && stops == 0 && !success:
		return "A service needs ExecStart=, ExecStop= or SuccessAction="
	case typ != "oneshot" && starts == 0:
		return "Only a service of Type=oneshot may be without ExecStart="
	case starts == 0 && !u.ownBool("RemainAfterExit", false) && !success:
		return "A service without ExecStart= and SuccessAction= needs RemainAfterExit=yes"
	case typ != "oneshot" && starts > 1:
		return "More than one ExecStart= is allowed only with Type=oneshot"
	case typ == "oneshot" && (restart == "always" || restart == "on-success"):
		return "Restart=" + restart + " is not allowed with Type=oneshot"
	case typ == "oneshot" && len(u.Settings["Service"]["RestartForceExitStatus"]) > 0 && !u.loader.version(254):
		return "RestartForceExitStatus= is not allowed with Type=oneshot"
	case typ == "oneshot" && u.own("ExitType") == "cgroup":
		return "ExitType=cgroup is not allowed with Type=oneshot"
	case typ == "dbus" && u.own("BusName") == "":
		return "Type=dbus needs BusName="
	}
	return ""
}

func (u *Unit) pamWithoutKill() bool {
	switch u.Type {
	case "service", "socket", "mount", "swap":
	default:
		return false
	}
	k := u.own("KillMode")
	return u.own("PAMName") != "" && k != "" && k != "control-group" && k != "mixed"
}

// countOf counts the entries of the directives that fill one list.
func (u *Unit) countOf(section string) int {
	n := 0
	for _, k := range groups[section] {
		n += len(u.Settings[section][k])
	}
	return n
}

func (u *Unit) refuseSocket() string {
	accept := u.ownBool("Accept", false)
	switch {
	case u.countOf("Socket") == 0:
		return "A socket unit needs one of the Listen…= settings"
	case len(u.Settings["Socket"]["Symlinks"]) > 0 && u.nodes() != 1:
		return "Symlinks= needs exactly one socket or FIFO in the file system to point at"
	case accept && u.acceptsItself():
		return "Accept=yes is only for ListenStream= and ListenSequentialPacket="
	case accept && u.own("MaxConnections") == "0":
		return "Accept=yes with MaxConnections=0 accepts nothing"
	case accept && u.own("Service") != "":
		return "Service= cannot be set with Accept=yes; the instances of the template of the socket's name are started"
	}
	return ""
}

// nodes counts the sockets and FIFOs that a socket unit makes in the file
// system.
func (u *Unit) nodes() int {
	n := 0
	for _, k := range []string{"ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO"} {
		for _, a := range u.Settings["Socket"][k] {
			if strings.HasPrefix(a, "/") {
				n++
			}
		}
	}
	return n
}

func (u *Unit) refuseTimer() string {
	if u.countOf("Timer") == 0 && !u.ownBool("OnClockChange", false) && !u.ownBool("OnTimezoneChange", false) {
		return "A timer needs one of OnActiveSec=, OnBootSec=, OnStartupSec=, OnUnitActiveSec=, OnUnitInactiveSec=, OnCalendar=, OnClockChange= and OnTimezoneChange="
	}
	return ""
}

// kernelMounts are mount points that systemd sets up or leaves to the kernel.
var kernelMounts = map[string]bool{
	"/proc": true, "/sys": true, "/dev": true, "/dev/pts": true, "/dev/shm": true, "/run": true, "/sys/kernel/security": true,
	"/sys/fs/smackfs": true, "/sys/fs/pstore": true, "/sys/firmware/efi/efivars": true, "/sys/fs/bpf": true, "/sys/fs/selinux": true,
	"/dev/console": true, "/proc/kmsg": true, "/proc/sys": true, "/proc/sys/kernel/random/boot_id": true, "/sys/fs/cgroup": true,
}

func (u *Unit) refuseMount() string {
	if len(u.Files) == 0 {
		return ""
	}
	w := u.where()
	n, err := unitname.FromPath(w, "mount")
	switch {
	case err != nil || n != u.Name:
		return "Where=" + w + " does not match the unit's name; the name must be " + n
	case kernelMounts[w] || strings.HasPrefix(w, "/sys/fs/cgroup/"):
		return w + " is set up by systemd itself and cannot have a mount unit"
	case u.own("What") == "":
		return "A mount unit needs What="
	}
	return ""
}

func (u *Unit) refuseAutomount() string {
	w := u.where()
	n, err := unitname.FromPath(w, "automount")
	switch {
	case w == "/":
		return "The root file system cannot be an automount"
	case err != nil || n != u.Name:
		return "Where=" + w + " does not match the unit's name; the name must be " + n
	}
	return ""
}

func (u *Unit) refuseSwap() string {
	what := u.own("What")
	if what == "" || len(u.Files) == 0 {
		return ""
	}
	if n, err := unitname.FromPath(what, "swap"); err != nil || n != u.Name {
		return "What=" + what + " does not match the unit's name; the name must be " + n
	}
	return ""
}
