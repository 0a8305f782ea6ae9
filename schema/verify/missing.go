package verify

import (
	"slices"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
)

// special are the units of systemd.special(7) and those that systemd makes by
// itself: they count as there.
var special = []string{
	"basic.target", "blockdev@.target", "bluetooth.target", "boot-complete.target", "cryptsetup-pre.target", "cryptsetup.target",
	"ctrl-alt-del.target", "dbus.service", "dbus.socket", "default.target", "display-manager.service", "emergency.target", "exit.target",
	"factory-reset.target", "final.target", "first-boot-complete.target", "getty-pre.target", "getty.target", "graphical.target",
	"graphical-session.target", "graphical-session-pre.target", "halt.target", "hibernate.target", "hybrid-sleep.target",
	"init.scope", "initrd-fs.target", "initrd-root-device.target", "initrd-root-fs.target", "initrd-usr-fs.target", "initrd.target",
	"integritysetup-pre.target", "integritysetup.target", "kbrequest.target", "kexec.target", "local-fs-pre.target", "local-fs.target",
	"machine.slice", "machines.target", "multi-user.target", "network-online.target", "network-pre.target", "network.target",
	"nss-lookup.target", "nss-user-lookup.target", "paths.target", "poweroff.target", "printer.target", "reboot.target",
	"remote-cryptsetup.target", "remote-fs-pre.target", "remote-fs.target", "remote-veritysetup.target", "rescue.target", "rpcbind.target",
	"runlevel0.target", "runlevel1.target", "runlevel2.target", "runlevel3.target", "runlevel4.target", "runlevel5.target", "runlevel6.target",
	"session.slice", "app.slice", "background.slice", "shutdown.target", "sigpwr.target", "sleep.target", "slices.target", "smartcard.target",
	"sockets.target", "soft-reboot.target", "sound.target", "ssh-access.target", "storage-target-mode.target", "suspend.target",
	"suspend-then-hibernate.target", "swap.target", "sysinit.target", "syslog.socket", "syslog.service", "system-update.target",
	"system-update-pre.target", "system-update-cleanup.service", "system.slice", "systemd-journald.service", "systemd-journald.socket",
	"systemd-journald-dev-log.socket", "systemd-journald@.service", "systemd-journald@.socket", "systemd-udevd.service",
	"systemd-tmpfiles-setup.service", "systemd-networkd.service", "systemd-networkd.socket", "systemd-resolved.service",
	"systemd-sysctl.service", "systemd-modules-load.service", "systemd-remount-fs.service",
	"systemd-user-sessions.service", "time-set.target", "time-sync.target", "timers.target", "tpm2.target", "umount.target",
	"usb-gadget.target", "user.slice", "user@.service", "user-runtime-dir@.service", "veritysetup-pre.target", "veritysetup.target",
	"xdg-desktop-autostart.target", "-.slice", "-.mount",
}

var isSpecial = func() map[string]bool {
	m := map[string]bool{}
	for _, s := range special {
		m[s] = true
	}
	return m
}()

// Special reports whether a unit is one of systemd.special(7) or one that
// systemd makes by itself.
func Special(name string) bool {
	return isSpecial[name] || isSpecial[unitname.Template(name)] || slices.Contains([]string{"device", "slice", "scope"}, unitname.Type(name))
}

// Specials gives the names of the units of systemd.special(7), and of those
// that systemd makes by itself.
func Specials() []string { return slices.Clone(special) }

// required are the dependencies without which a start fails.
var required = []string{"Requires", "Requisite", "BindsTo"}

// missing complains of required units that are not there or masked
// (systemd.unit(5), Requires=), also of those that a required unit requires:
// the start of the first fails as well.
func (c *checker) missing(named *load.Unit) {
	// What a checked unit requires was checked with it, so that all units
	// together cost one walk.
	todo := []*load.Unit{named}
	for len(todo) > 0 {
		u := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if u.State != load.Loaded || c.checked[u] {
			continue
		}
		c.checked[u] = true
		c.missingOf(u)
		for _, d := range u.Deps {
			if slices.Contains(required, d.Type) {
				if o := c.unit(d.Unit); o != nil && !c.checked[o] {
					todo = append(todo, o)
				}
			}
		}
	}
}

func (c *checker) missingOf(u *load.Unit) {
	for _, d := range u.Deps {
		if !slices.Contains(required, d.Type) || !fromFile(d) {
			continue
		}
		o := c.unit(d.Unit)
		if o == nil {
			o = c.opt.Loader.Load(d.Unit)
			c.byName[d.Unit] = o
		}
		switch {
		case c.provides[d.Unit] || c.provides[unitname.Template(d.Unit)]:
		case o.State == load.NotFound && !Special(d.Unit):
			if t := unitname.Type(d.Unit); t == "mount" || t == "automount" || t == "swap" {
				// fstab makes these on the machine itself.
				continue
			}
			c.add(diag.Errorf(CodeMissingUnit, "Missing required unit", depAt(u, d),
				"%s has %s=%s, but there is no such unit, so it can never start. Correct the name, add the unit, or name it in host.provides where the machine has it.", u.Name, d.Type, d.Unit))
		case o.State == load.Masked:
			c.add(diag.Errorf(CodeMaskedUnit, "Required unit is masked", depAt(u, d),
				"%s has %s=%s, which is masked, so it can never start. Unmask it, or use Wants=.", u.Name, d.Type, d.Unit))
		case o.State == load.BadSetting || o.State == load.Error:
			if !c.isNamed[o] {
				c.add(diag.Errorf(CodeMissingUnit, "Required unit cannot be loaded", depAt(u, d),
					"%s has %s=%s, which systemd refuses to load (%s). Mend that unit.", u.Name, d.Type, d.Unit, o.State))
			}
		}
	}
}

// order advises where a requirement has no order: both start at once
// (systemd.unit(5), Requires=).
func (c *checker) order(u *load.Unit) {
	for _, d := range u.Deps {
		if d.Type != "Requires" && d.Type != "BindsTo" || !slices.Equal(d.Origins, []string{"file"}) {
			continue
		}
		o := c.unit(d.Unit)
		if o == nil || o.State != load.Loaded || u.Has("After", o.Name) || u.Has("Before", o.Name) || o.Has("Before", u.Name) || o.Has("After", u.Name) {
			continue
		}
		c.add(&diag.Diagnostic{Severity: diag.Advice, Code: CodeNoOrder, Summary: "Requirement without an order", Subject: depAt(u, d),
			Detail: u.Name + " has " + d.Type + "=" + d.Unit + " but no After=" + d.Unit + ": both are started at the same time. Add After= if it needs the other to be up first."})
	}
}
