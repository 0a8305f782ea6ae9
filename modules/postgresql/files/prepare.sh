# Makes the data directory where there is none, and says who may log in as
# which role: each role's own user, and the user that the server runs as.
#
#   prepare.sh BIN_DIR DATA ROLES
set -eu
bin=$1 data=$2 roles=$3
ident=${data%/*}/pg_ident.conf

if [ ! -e "$data/PG_VERSION" ]; then
	rm -rf "$data.new"
	"$bin/initdb" --pgdata="$data.new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
		--auth=peer --no-instructions >/dev/null
	mv "$data.new" "$data"
fi

me=$(id -un)
while read -r user role; do
	[ -n "$role" ] || continue
	printf 'unitgen "%s" "%s"\n' "$user" "$role"
	[ "$user" = "$me" ] || printf 'unitgen "%s" "%s"\n' "$me" "$role"
done <"$roles" >"$ident.new"
mv "$ident.new" "$ident"
