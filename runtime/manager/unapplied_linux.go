package manager

import (
	"os"
	"sort"
	"strings"
)

// neverApplied are directives that this manager never carries out, whoever
// runs it.
var neverApplied = []string{
	"RestrictFileSystems", "RestrictNetworkInterfaces",
	"SELinuxContext", "AppArmorProfile", "SmackProcessLabel", "KeyringMode", "PAMName",
	"PrivatePIDs", "RootImage", "RootHash", "RootVerity", "RootImageOptions", "RootEphemeral",
	"MountImages", "ExtensionImages", "ExtensionDirectories", "BindLogSockets",
	"NUMAPolicy", "NUMAMask",
	"LoadCredentialEncrypted", "SetCredentialEncrypted", "ImportCredential",
	"IPAccounting", "IPAddressAllow", "IPAddressDeny", "IPIngressFilterPath", "IPEgressFilterPath", "BPFProgram",
	"SocketBindAllow", "SocketBindDeny", "DeviceAllow", "DevicePolicy", "DisableControllers", "ManagedOOMSwap", "ManagedOOMMemoryPressure",
	"ManagedOOMMemoryPressureLimit", "ManagedOOMPreference", "IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax", "IOWriteIOPSMax",
	"IODeviceWeight", "IODeviceLatencyTargetSec", "BlockIOWeight", "CPUShares", "MemoryLimit", "StartupCPUWeight", "StartupIOWeight",
	"USBFunctionDescriptors", "USBFunctionStrings", "UtmpIdentifier", "UtmpMode", "TTYReset", "TTYVHangup", "TTYVTDisallocate",
	"LogFilterPatterns", "LogNamespace", "OpenFile", "RootDirectoryStartOnly", "MemoryKSM", "CoredumpFilter", "SetLoginEnvironment",
	"PassFileDescriptorsToExec", "SELinuxContextFromNet", "SmackLabel", "SmackLabelIPIn", "SmackLabelIPOut", "WakeSystem", "OOMPolicy",
}

// rootOnly are directives that need privileges to be carried out.
var rootOnly = []string{
	"User", "Group", "SupplementaryGroups", "DynamicUser", "RootDirectory", "CapabilityBoundingSet", "AmbientCapabilities", "SecureBits",
	"ProtectSystem", "ProtectHome", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups",
	"ProtectHostname", "PrivateTmp", "PrivateDevices", "PrivateNetwork", "PrivateIPC", "PrivateMounts", "MountFlags",
	"ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem",
	"ProtectProc", "ProcSubset", "PrivateUsers", "MountAPIVFS", "NetworkNamespacePath", "IPCNamespacePath", "JoinsNamespaceOf",
	"SocketUser", "SocketGroup", "IOSchedulingClass", "CPUSchedulingPolicy",
}

// callDirectives need filters of system calls; they do not need root.
var callDirectives = []string{
	"SystemCallFilter", "SystemCallArchitectures", "SystemCallErrorNumber", "SystemCallLog", "RestrictAddressFamilies",
	"RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "MemoryDenyWriteExecute", "LockPersonality", "ProtectClock",
}

// limitDirectives need a cgroup v2 controller.
var limitDirectives = func() map[string]string {
	out := map[string]string{}
	for _, l := range groupLimits {
		out[l.directive] = l.controller
	}
	return out
}()

// unapplied lists the directives of a unit that are written in its files and
// have no effect here, and says so once.
func (m *Manager) unapplied(u *unit) []string {
	if u.m.opt.Edge != nil || u.file.Fragment == "" && len(u.file.DropIns) == 0 {
		return nil
	}
	root := os.Geteuid() == 0
	seen := map[string]bool{}
	for _, a := range u.file.Assigned {
		if a.Value == "" || a.Value == "no" || a.Value == "false" || seen[a.Key] {
			continue
		}
		switch {
		case contains(neverApplied, a.Key), !haveSeccomp() && contains(callDirectives, a.Key):
			seen[a.Key] = true
		case !root && contains(rootOnly, a.Key):
			if a.Key == "User" && isUser(a.Value) || a.Key == "Group" && isGroup(a.Value) {
				continue
			}
			seen[a.Key] = true
		default:
			if c, ok := limitDirectives[a.Key]; ok && !m.fsRoot.has(c) {
				seen[a.Key] = true
			}
		}
	}
	var out []string
	for d := range seen {
		out = append(out, d)
	}
	sort.Strings(out)
	return out
}

// sayUnapplied says once for each set of directives what is not applied.
func (u *unit) sayUnapplied() {
	if len(u.notApplied) == 0 {
		return
	}
	key := u.name() + " " + strings.Join(u.notApplied, " ")
	if u.m.warned[key] {
		return
	}
	u.m.warned[key] = true
	u.notice("%s: not applied here: %s.", u.name(), strings.Join(u.notApplied, ", "))
}
