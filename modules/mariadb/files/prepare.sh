# Makes the data directory at the first start: prepare.sh DIRECTORY CONFIGURATION
set -eu
data=$1/data
if [ -d "$data/mysql" ]; then
	exit 0
fi
# A first attempt that was cut off left this behind.
rm -rf "$data.new"
mariadb-install-db --defaults-file="$2" --datadir="$data.new" --skip-test-db \
	--auth-root-authentication-method=socket --auth-root-socket-user="$(id -un)" >/dev/null
rm -rf "$data"
mv "$data.new" "$data"
