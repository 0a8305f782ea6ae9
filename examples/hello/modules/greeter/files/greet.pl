# Greets every visitor, in HTTP, on the sockets that the manager passes
# (sd_listen_fds(3)), and counts the visits in the state directory.
#
#   greet.pl CONFIGURATION
use strict;
use warnings;
use Socket;
$| = 1;

my ($conf) = @ARGV;
my $sockets = $ENV{LISTEN_FDS} // 0;
die "greet.pl is started by its socket\n" unless $sockets && ($ENV{LISTEN_PID} // 0) == $$;
my $visits_file = "$ENV{STATE_DIRECTORY}/visits";

open(my $c, '<', $conf) or die "$conf: $!\n";
my ($greeting) = map { /^greeting\s*=\s*(.*?)\s*$/ ? $1 : () } <$c>;
close $c;
$greeting =~ s/^"(.*)"$/$1/;

my %listener;
my $watched = '';
for my $fd (3 .. 2 + $sockets) {
    open($listener{$fd}, '+<&=', $fd) or die "descriptor $fd: $!\n";
    vec($watched, $fd, 1) = 1;
}
print "greeting visitors on $sockets socket(s)\n";
local $SIG{PIPE} = 'IGNORE';

while (1) {
    my $ready = $watched;
    next if select($ready, undef, undef, undef) <= 0;
    for my $fd (grep { vec($ready, $_, 1) } keys %listener) {
        accept(my $visitor, $listener{$fd}) or next;
        greet($visitor);
        close $visitor;
    }
}

sub greet {
    my ($visitor) = @_;
    # A visitor that says nothing is not waited for longer than a second.
    my $bits = '';
    vec($bits, fileno($visitor), 1) = 1;
    return if select($bits, undef, undef, 1) <= 0;
    sysread($visitor, my $request, 8192);
    my $body = sprintf("%s, visitor number %d.\n", $greeting, count());
    syswrite($visitor, join("\r\n", 'HTTP/1.0 200 OK', 'Content-Type: text/plain',
        'Content-Length: ' . length $body, 'Connection: close', '', $body));
    shutdown($visitor, 1);
}

sub count {
    open(my $in, '<', $visits_file) or return 0;
    my $n = (<$in> // 0) + 1;
    close $in;
    open(my $out, '>', "$visits_file.new") or return $n;
    print $out "$n\n";
    close $out;
    rename("$visits_file.new", $visits_file);
    return $n;
}
