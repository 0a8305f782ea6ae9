# A worker that says what it does and ends when it is told to.
#
#   work.sh NAME
echo "$1 begins to work"
trap 'echo "$1 goes home"; exit 0' TERM
while :; do
	sleep 30 &
	wait $!
	echo "$1 is still at work"
done
