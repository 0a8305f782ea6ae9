#!/bin/sh
# First step of a throw-away machine, in new mount, PID, UTS, IPC and network
# namespaces: joins the machine's cgroups, then makes them the root of a cgroup
# namespace and goes on with boot.sh.
#
#   enter.sh SCRATCH BOOT SYSTEMD CGROUP…
set -eu
scratch=$1 boot=$2 systemd=$3
shift 3
for c; do
	echo 0 >"$c/cgroup.procs"
done
exec unshare --cgroup sh "$boot" "$scratch" "$systemd"
