#!/bin/sh
# Makes the root of a throw-away machine out of the host's own root and becomes
# its PID 1. Runs as PID 1 of fresh mount, PID, UTS, IPC, network and cgroup
# namespaces; everything mounted here ends with them.
#
#   boot.sh SCRATCH COMMAND…
#
# SCRATCH  a directory of the host. SCRATCH/seed is copied over the root;
#          SCRATCH/binds has "host path<TAB>path inside" a line;
#          SCRATCH/cgroups has "type<TAB>mount point<TAB>options" a line
# COMMAND  what to become
set -eu
scratch=$1
shift
cgroups=$scratch/cgroups
root=$scratch/root

mount --make-rprivate /
mount -t tmpfs -o mode=755 layers "$scratch/layers"
mkdir "$scratch/layers/upper" "$scratch/layers/work"
# The upper layer's root becomes the machine's root directory.
chmod 755 "$scratch/layers/upper"
mount -t overlay -o "lowerdir=/,upperdir=$scratch/layers/upper,workdir=$scratch/layers/work" machine "$root"

mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o mode=755,nosuid,nodev run "$root/run"
mkdir -p "$root/run/lock" "$root/tmp" "$root/dev"
mount -t tmpfs -o mode=1777,nosuid,nodev tmp "$root/tmp"
mount -t tmpfs -o mode=755,nosuid dev "$root/dev"
device() { mknod -m "$4" "$root/dev/$1" c "$2" "$3"; }
device null 1 3 666
device zero 1 5 666
device full 1 7 666
device random 1 8 666
device urandom 1 9 666
device tty 5 0 666
device autofs 10 235 600
device kmsg 1 3 600
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev shm "$root/dev/shm"
mount -t mqueue mqueue "$root/dev/mqueue"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

# The cgroup hierarchies that the host mounts; the cgroup namespace shows only
# the machine's own part of each.
tab=$(printf '\t')
mount -t tmpfs -o mode=755,nosuid,nodev,noexec cgroup "$root/sys/fs/cgroup"
while IFS="$tab" read -r type where options; do
	mkdir -p "$root$where"
	mount -t "$type" ${options:+-o "$options"} cgroup "$root$where"
done <"$cgroups"

# What would start by itself on the host must not start here.
rm -rf "$root/etc/systemd/system" "$root/etc/systemd/user" "$root/usr/local/lib/systemd" \
	"$root/etc/systemd/system-generators" "$root/etc/unitgen" "$root/var/lib/systemd"
mkdir -p "$root/etc/systemd/system" "$root/etc/systemd/user" "$root/etc/systemd/system-generators" \
	"$root/var/lib/systemd"
for g in systemd-sysv-generator systemd-fstab-generator systemd-gpt-auto-generator \
	systemd-cryptsetup-generator systemd-veritysetup-generator systemd-integritysetup-generator \
	systemd-getty-generator systemd-hibernate-resume-generator; do
	ln -s /dev/null "$root/etc/systemd/system-generators/$g"
done
for u in systemd-firstboot.service systemd-machine-id-commit.service getty.target \
	systemd-ask-password-wall.path systemd-ask-password-console.path systemd-update-utmp.service \
	systemd-update-utmp-runlevel.service systemd-networkd.service systemd-resolved.service \
	systemd-timesyncd.service dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount \
	sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-binfmt.service \
	kmod-static-nodes.service systemd-modules-load.service systemd-pcrphase.service \
	systemd-pcrphase-sysinit.service proc-sys-fs-binfmt_misc.automount systemd-repart.service \
	systemd-sysctl.service systemd-journald-audit.socket systemd-random-seed.service; do
	ln -s /dev/null "$root/etc/systemd/system/$u"
done
ln -s /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
rm -f "$root/etc/fstab" "$root/etc/machine-id"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
rm -rf "$root/var/log/journal"

[ ! -d "$scratch/seed" ] || cp -a "$scratch/seed/." "$root/"
if [ -f "$scratch/binds" ]; then
	while IFS="$tab" read -r from to; do
		if [ -d "$from" ]; then
			mkdir -p "$root$to"
		else
			mkdir -p "$root${to%/*}"
			: >>"$root$to"
		fi
		mount --rbind "$from" "$root$to"
	done <"$scratch/binds"
fi

mkdir "$root/run/host-root"
cd "$root"
pivot_root . run/host-root
umount -l /run/host-root
rmdir /run/host-root
# LoadCredential= and the like need mounts that propagate.
mount --make-rshared /
hostname machine
echo machine >/etc/hostname
exec env -i container=unitgen-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	LANG=C.UTF-8 "$@"
