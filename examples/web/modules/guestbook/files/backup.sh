# Writes one backup, whole or not at all, and keeps the newest few.
#
#   backup.sh PG_DUMP DIRECTORY KEEP
set -eu
pg_dump=$1 directory=$2 keep=$3
umask 077

to=$directory/$(date -u +%Y%m%dT%H%M%SZ).sql
"$pg_dump" --no-password --file="$to.new"
mv "$to.new" "$to"
echo "backed up to $to"

ls -1r "$directory" | grep '\.sql$' | tail -n "+$((keep + 1))" | while read -r old; do
	rm -f "$directory/$old"
done
