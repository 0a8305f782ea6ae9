package manager

import "github.com/unitgen/unitgen/schema/tree"

// StandardUnits are the standard targets and slices of systemd.special(7), as
// far as they mean something under this manager. A tree's own file of the same
// name wins.
func StandardUnits(scope tree.Scope) map[string][]byte {
	out := map[string][]byte{}
	add := func(name, text string) { out[name] = []byte(text) }
	target := func(name, description, more string) {
		add(name, "[Unit]\nDescription="+description+"\nDocumentation=man:systemd.special(7)\n"+more)
	}
	add("-.slice", "[Unit]\nDescription=Root Slice\nDefaultDependencies=no\n")
	add("init.scope", "[Unit]\nDescription=Service Manager\nDefaultDependencies=no\n")
	target("basic.target", "Basic System", "Requires=sysinit.target\nWants=sockets.target timers.target paths.target slices.target\nAfter=sysinit.target sockets.target paths.target slices.target\n")
	target("sockets.target", "Socket Units", "")
	target("timers.target", "Timer Units", "DefaultDependencies=no\nConflicts=shutdown.target\nBefore=shutdown.target\n")
	target("paths.target", "Path Units", "")
	target("slices.target", "Slice Units", "DefaultDependencies=no\n")
	target("shutdown.target", "System Shutdown", "DefaultDependencies=no\nRefuseManualStart=yes\n")
	target("graphical-session.target", "Current graphical user session", "StopWhenUnneeded=yes\nRefuseManualStart=yes\n")
	if scope == tree.User {
		add("app.slice", "[Unit]\nDescription=User Application Slice\n")
		add("session.slice", "[Unit]\nDescription=User Core Session Slice\n")
		add("background.slice", "[Unit]\nDescription=User Background Tasks Slice\n")
		target("default.target", "Main User Target", "Requires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n")
		target("sysinit.target", "User Manager Set-up", "DefaultDependencies=no\n")
		target("exit.target", "Exit the Session", "DefaultDependencies=no\nRequires=systemd-exit.service\nAfter=systemd-exit.service\nAllowIsolate=yes\n")
		add("systemd-exit.service", "[Unit]\nDescription=Exit the Session\nDefaultDependencies=no\nRequires=shutdown.target\nAfter=shutdown.target\nSuccessAction=exit-force\n[Service]\nType=oneshot\n")
		return out
	}
	add("system.slice", "[Unit]\nDescription=System Slice\nDefaultDependencies=no\nBefore=slices.target\n")
	add("user.slice", "[Unit]\nDescription=User and Session Slice\nBefore=slices.target\n")
	add("machine.slice", "[Unit]\nDescription=Virtual Machine and Container Slice\nBefore=slices.target\n")
	add("-.mount", "[Unit]\nDescription=Root Mount\nDefaultDependencies=no\n[Mount]\nWhat=/\nWhere=/\n")
	target("sysinit.target", "System Initialization", "Conflicts=emergency.service emergency.target\nWants=local-fs.target swap.target\nAfter=local-fs.target swap.target emergency.service emergency.target\n")
	target("local-fs-pre.target", "Preparation for Local File Systems", "RefuseManualStart=yes\n")
	target("local-fs.target", "Local File Systems", "DefaultDependencies=no\nConflicts=shutdown.target\nAfter=local-fs-pre.target\n")
	target("remote-fs-pre.target", "Preparation for Remote File Systems", "RefuseManualStart=yes\n")
	target("remote-fs.target", "Remote File Systems", "DefaultDependencies=no\nConflicts=shutdown.target\nAfter=remote-fs-pre.target\n")
	target("swap.target", "Swaps", "")
	target("network-pre.target", "Preparation for Network", "RefuseManualStart=yes\n")
	target("network.target", "Network", "After=network-pre.target\nRefuseManualStart=yes\n")
	target("network-online.target", "Network is Online", "After=network.target\n")
	target("nss-lookup.target", "Host and Network Name Lookups", "RefuseManualStart=yes\n")
	target("nss-user-lookup.target", "User and Group Name Lookups", "RefuseManualStart=yes\n")
	target("rpcbind.target", "RPC Port Mapper", "RefuseManualStart=yes\n")
	target("remote-cryptsetup.target", "Remote Encrypted Volumes", "DefaultDependencies=no\n")
	target("cryptsetup.target", "Local Encrypted Volumes", "DefaultDependencies=no\n")
	target("cryptsetup-pre.target", "Local Encrypted Volumes (Pre)", "RefuseManualStart=yes\n")
	target("getty.target", "Login Prompts", "")
	target("time-set.target", "System Time Set", "RefuseManualStart=yes\n")
	target("time-sync.target", "System Time Synchronized", "RefuseManualStart=yes\n")
	target("first-boot-complete.target", "First Boot Complete", "RefuseManualStart=yes\n")
	target("multi-user.target", "Multi-User System", "Requires=basic.target\nConflicts=rescue.service rescue.target\nAfter=basic.target rescue.service rescue.target\nAllowIsolate=yes\n")
	target("graphical.target", "Graphical Interface", "Requires=multi-user.target\nWants=display-manager.service\nConflicts=rescue.service rescue.target\nAfter=multi-user.target rescue.service rescue.target display-manager.service\nAllowIsolate=yes\n")
	target("rescue.target", "Rescue Mode", "Requires=sysinit.target\nAfter=sysinit.target\nAllowIsolate=yes\n")
	target("emergency.target", "Emergency Mode", "DefaultDependencies=no\nAllowIsolate=yes\n")
	for _, e := range []struct{ verb, description, action string }{
		{"halt", "System Halt", "halt-force"}, {"poweroff", "System Power Off", "poweroff-force"},
		{"reboot", "System Reboot", "reboot-force"}, {"exit", "Exit the Manager", "exit-force"},
	} {
		service := "systemd-" + e.verb + ".service"
		target(e.verb+".target", e.description, "DefaultDependencies=no\nRequires="+service+"\nAfter="+service+"\nAllowIsolate=yes\n")
		add(service, "[Unit]\nDescription="+e.description+"\nDefaultDependencies=no\nRequires=shutdown.target\nAfter=shutdown.target\nSuccessAction="+e.action+"\n[Service]\nType=oneshot\n")
	}
	target("umount.target", "Unmount All Filesystems", "DefaultDependencies=no\nRefuseManualStart=yes\n")
	target("final.target", "Late Shutdown Services", "DefaultDependencies=no\nRefuseManualStart=yes\n")
	return out
}
