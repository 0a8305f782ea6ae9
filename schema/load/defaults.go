package load

// The values that systemd 252 has for directives that no file assigns
// (systemd-system.conf(5) untouched). Directives that are unset without an
// assignment are not listed.

var unitDefaults = map[string]string{
	"StopWhenUnneeded": "no", "RefuseManualStart": "no", "RefuseManualStop": "no", "AllowIsolate": "no", "DefaultDependencies": "yes",
	"OnSuccessJobMode": "fail", "OnFailureJobMode": "replace", "IgnoreOnIsolate": "no", "CollectMode": "inactive",
	"JobTimeoutSec": "infinity", "JobRunningTimeoutSec": "infinity", "JobTimeoutAction": "none",
	"StartLimitIntervalSec": "10s", "StartLimitBurst": "5", "StartLimitAction": "none", "FailureAction": "none", "SuccessAction": "none",
}

// typeDefaults are those of the section of a type's own.
var typeDefaults = map[string]map[string]string{
	"service": {
		"Restart": "no", "RestartSec": "100ms", "TimeoutStopSec": "1min 30s", "RuntimeMaxSec": "infinity", "RuntimeRandomizedExtraSec": "0",
		"WatchdogSec": "0", "PermissionsStartOnly": "no", "RootDirectoryStartOnly": "no", "RemainAfterExit": "no", "GuessMainPID": "yes",
		"NotifyAccess": "none", "OOMPolicy": "stop", "TimeoutStartFailureMode": "terminate", "TimeoutStopFailureMode": "terminate",
		"ExitType": "main", "FileDescriptorStoreMax": "0",
	},
	"socket": {
		"Accept": "no", "SocketMode": "0666", "DirectoryMode": "0755", "Backlog": "2147483647", "KeepAlive": "no", "NoDelay": "no",
		"FreeBind": "no", "Transparent": "no", "Broadcast": "no", "PassCredentials": "no", "PassSecurity": "no", "PassPacketInfo": "no",
		"RemoveOnStop": "no", "Writable": "no", "SELinuxContextFromNet": "no", "FlushPending": "no", "TriggerLimitIntervalSec": "2s",
		"TimeoutSec": "1min 30s", "BindIPv6Only": "default", "ReusePort": "no", "MaxConnections": "64", "MaxConnectionsPerSource": "0",
		"Timestamping": "off",
	},
	"timer": {
		"Persistent": "no", "WakeSystem": "no", "AccuracySec": "1min", "RandomizedDelaySec": "0", "RemainAfterElapse": "yes",
		"FixedRandomDelay": "no", "OnClockChange": "no", "OnTimezoneChange": "no",
	},
	"path":      {"MakeDirectory": "no", "DirectoryMode": "0755", "TriggerLimitIntervalSec": "2s", "TriggerLimitBurst": "200"},
	"mount":     {"SloppyOptions": "no", "LazyUnmount": "no", "ForceUnmount": "no", "ReadWriteOnly": "no", "DirectoryMode": "0755", "TimeoutSec": "1min 30s"},
	"automount": {"DirectoryMode": "0755", "TimeoutIdleSec": "0"},
	"swap":      {"TimeoutSec": "1min 30s"},
	"scope":     {"RuntimeMaxSec": "infinity", "RuntimeRandomizedExtraSec": "0", "OOMPolicy": "continue", "TimeoutStopSec": "1min 30s"},
}

// groupDefaults are those of directives that several types share, by the group
// of the directive table.
var groupDefaults = map[string]map[string]string{
	"exec": {
		"UMask": "0022", "IgnoreSIGPIPE": "yes", "NonBlocking": "no", "PrivateTmp": "no", "PrivateDevices": "no", "ProtectKernelTunables": "no",
		"ProtectKernelModules": "no", "ProtectKernelLogs": "no", "ProtectClock": "no", "ProtectControlGroups": "no", "PrivateNetwork": "no",
		"PrivateUsers": "no", "PrivateMounts": "no", "PrivateIPC": "no", "ProtectHome": "no", "ProtectSystem": "no", "MountAPIVFS": "no",
		"MemoryDenyWriteExecute": "no", "RestrictRealtime": "no", "RestrictSUIDSGID": "no", "KeyringMode": "shared", "ProtectHostname": "no",
		"ProtectProc": "default", "ProcSubset": "all", "RuntimeDirectoryPreserve": "no", "RuntimeDirectoryMode": "0755",
		"StateDirectoryMode": "0755", "CacheDirectoryMode": "0755", "LogsDirectoryMode": "0755", "ConfigurationDirectoryMode": "0755",
		"TimeoutCleanSec": "infinity", "StandardInput": "null", "SyslogFacility": "daemon", "SyslogLevel": "info", "SyslogLevelPrefix": "yes",
		"DynamicUser": "no", "LockPersonality": "no", "NoNewPrivileges": "no", "RemoveIPC": "no", "TTYReset": "no", "TTYVHangup": "no",
		"TTYVTDisallocate": "no", "SystemCallErrorNumber": "kill", "UtmpMode": "init", "CPUSchedulingPolicy": "other", "CPUSchedulingPriority": "0",
		"CPUSchedulingResetOnFork": "no", "Nice": "0", "LogRateLimitIntervalSec": "0", "LogRateLimitBurst": "0",
	},
	"kill": {
		"KillMode": "control-group", "KillSignal": "SIGTERM", "FinalKillSignal": "SIGKILL", "SendSIGKILL": "yes", "SendSIGHUP": "no",
		"WatchdogSignal": "SIGABRT",
	},
	"cgroup": {
		"CPUAccounting": "no", "IOAccounting": "no", "BlockIOAccounting": "no", "MemoryAccounting": "yes", "TasksAccounting": "yes",
		"IPAccounting": "no", "DevicePolicy": "auto", "Delegate": "no", "ManagedOOMSwap": "auto", "ManagedOOMMemoryPressure": "auto",
		"ManagedOOMMemoryPressureLimit": "0%", "ManagedOOMPreference": "none", "DefaultMemoryMin": "0", "DefaultMemoryLow": "0", "MemoryMin": "0",
		"MemoryLow": "0", "MemoryHigh": "infinity", "MemoryMax": "infinity", "MemorySwapMax": "infinity", "MemoryLimit": "infinity", "TasksMax": "15%", "CPUQuotaPeriodSec": "infinity",
	},
}

// ignoresIsolate are the types whose units isolation leaves alone unless they
// say otherwise.
var ignoresIsolate = map[string]bool{"device": true, "mount": true, "slice": true, "scope": true, "automount": true, "swap": true}
