package activation

import (
	"fmt"
	"path"
	"strings"
)

const (
	bootGenerator = "/etc/systemd/system-generators/unitgen-boot"
	bootedMarker  = "/run/unitgen/booted"
)

// bootScript gives the generator that makes the machine boot what `boot` says.
// Before the root file system is writable it can only lay that generation's
// units over the current one's; a service then moves the pivot. Once the
// machine is up (the marker says so) it does nothing. It is shell, so that a
// host never needs unitgen to boot; where unitgen is there, it puts the files
// in order that are copied and not linked. In overlay mode the units always
// come by the generator, and the service lays the tree over /etc.
func bootScript(pivot, unitgen string, overlay bool) string {
	var b strings.Builder
	b.WriteString(`#!/bin/sh
# Written by unitgen: the machine boots the generation that "boot" leads to.
`)
	fmt.Fprintf(&b, "state=%s\nunitgen=%s\nbooted=%s\n", shellQuote(path.Dir(pivot)), shellQuote(unitgen), bootedMarker)
	b.WriteString(`want=$(readlink "$state/boot" 2>/dev/null)
have=$(readlink "$state/current" 2>/dev/null)
if [ "$1" = settle ]; then
	mkdir -p "${booted%/*}" && : >"$booted"
	if [ -n "$want" ] && [ "$want" != "$have" ]; then
		ln -sfn "$want" "$state/.unitgen-tmp-current" && mv -T "$state/.unitgen-tmp-current" "$state/current" || exit 1
	fi
`)
	if overlay {
		fmt.Fprintf(&b, `	base=%s tree=$(readlink -f "$state/current")
	if ! grep -q ' /etc .* unitgen-' /proc/self/mountinfo; then
		mkdir -p "$base" && mount --bind /etc "$base" && mount --make-private "$base" || exit 1
		mount -t overlay -o "ro,lowerdir=$tree/etc:$base" "unitgen-${tree##*/}" /etc || exit 1
	fi
`, etcBase)
	}
	b.WriteString(`	[ ! -x "$unitgen" ] || exec "$unitgen" recover --boot --state "$state"
	exit 0
fi
[ ! -e "$booted" ] || exit 0
early=$2
mkdir -p "$early/sysinit.target.wants"
cat >"$early/unitgen-boot.service" <<'UNIT'
[Unit]
Description=Make the generation that boots the current one
DefaultDependencies=no
After=systemd-remount-fs.service
Before=sysinit.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
`)
	fmt.Fprintf(&b, "ExecStart=/bin/sh %s settle\nUNIT\n", bootGenerator)
	b.WriteString("ln -s ../unitgen-boot.service \"$early/sysinit.target.wants/unitgen-boot.service\"\n")
	if overlay {
		b.WriteString("want=${want:-$have} have=\n")
	}
	b.WriteString(`[ -n "$want" ] && [ "$want" != "$have" ] || exit 0
new=$state/$want/etc/systemd/system
old=$state/$have/etc/systemd/system
[ ! -d "$new" ] || { cp -R -P "$new/." "$early/" && chmod -R u+w "$early"; }
[ -n "$have" ] && cd "$old/." 2>/dev/null || exit 0
find . ! -type d | while IFS= read -r f; do
	[ -e "$new/$f" ] || [ -L "$new/$f" ] || { mkdir -p "$early/${f%/*}" && ln -s /dev/null "$early/$f"; }
done
`)
	return b.String()
}

// markBooted says that the machine is up, so that the boot generator keeps
// still from now on.
func (p *Place) markBooted() error {
	at := p.host(bootedMarker)
	return writeMarker(at)
}
