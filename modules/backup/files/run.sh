# Makes one archive and throws the oldest away:
# run.sh NAME TARGET KEEP gzip|none PATHS EXCLUDE
set -eu
umask 077
name=$1 target=$2/$1 keep=$3 compress=$4 paths=$5 exclude=$6
mkdir -p "$target"
case $compress in
gzip) flag=-z suffix=tar.gz ;;
*) flag= suffix=tar ;;
esac
new=$target/$name-$(date -u +%Y%m%dT%H%M%SZ).$suffix
trap 'rm -f "$new.part"' EXIT
# Exit code 1 of tar: a file changed while it was read. The archive is whole.
tar -c $flag -f "$new.part" -C / --exclude-from="$exclude" --files-from="$paths" || [ $? -eq 1 ]
sync "$new.part"
mv "$new.part" "$new"
ls -1 "$target" | grep "^$name-[0-9TZ]*\.tar" | sort -r | tail -n +$((keep + 1)) | while read -r old; do
	rm -f "$target/$old"
done
