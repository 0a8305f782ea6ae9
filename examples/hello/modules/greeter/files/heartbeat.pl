# Tells the manager when it is ready, what it does and that it is alive, as
# sd_notify(3) has it.
use strict;
use warnings;
use Socket;
$| = 1;

my $path = $ENV{NOTIFY_SOCKET} or die "heartbeat.pl needs a manager that is notified\n";
$path =~ s/^@/\0/;
socket(my $manager, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!\n";
my $address = pack_sockaddr_un($path);
sub tell_manager { send($manager, join("\n", @_), 0, $address) or warn "notify: $!\n" }

my $every = ($ENV{WATCHDOG_USEC} // 10_000_000) / 2_000_000;
$SIG{TERM} = sub {
    tell_manager('STOPPING=1', 'STATUS=Coming to rest');
    print "the heart stops\n";
    exit 0;
};

my $beats = 0;
print "the heart beats\n";
tell_manager('READY=1', 'STATUS=Beating', "MAINPID=$$");
while (1) {
    select(undef, undef, undef, $every);
    $beats++;
    tell_manager('WATCHDOG=1', "STATUS=$beats beats");
}
