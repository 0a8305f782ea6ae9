#!/bin/sh
# First step of a throw-away machine, in new mount, PID, UTS, IPC and network
# namespaces: joins the machine's cgroups, then makes them the root of a cgroup
# namespace and goes on with boot.sh.
#
#   enter.sh SCRATCH COMMAND…
#
# SCRATCH/joins has a cgroup's directory a line.
set -eu
scratch=$1
while read -r c; do
	echo 0 >"$c/cgroup.procs"
done <"$scratch/joins"
exec unshare --cgroup sh "$scratch/boot.sh" "$@"
