# Makes the host's keys where they are missing: keys.sh DIRECTORY
set -eu
umask 077
mkdir -p "$1"
for type in ed25519 rsa; do
	key=$1/ssh_host_${type}_key
	if ! [ -s "$key" ]; then
		rm -f "$key.new" "$key.new.pub"
		ssh-keygen -q -t "$type" -N '' -C "$(uname -n)" -f "$key.new"
		mv "$key.new.pub" "$key.pub"
		mv "$key.new" "$key"
	fi
done
