# The guest book, in HTTP on the socket that the manager passes
# (sd_listen_fds(3)). It needs nothing but perl and psql:
#
#   GET /    the entries, and how often that was asked
#   POST /   guest=...&message=... adds one
use strict;
use warnings;
use Socket;
$| = 1;
$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'DEFAULT';

die "guestbook.pl is started by its socket\n" unless ($ENV{LISTEN_FDS} // 0) == 1 && ($ENV{LISTEN_PID} // 0) == $$;
my $title = $ENV{GUESTBOOK_TITLE} // 'Guest book';
my @psql  = split ' ', $ENV{GUESTBOOK_PSQL};
my $redis = $ENV{GUESTBOOK_REDIS};
delete @ENV{qw(LISTEN_FDS LISTEN_PID LISTEN_FDNAMES)};

open(my $listener, '+<&=', 3) or die "descriptor 3: $!\n";
print "the guest book is open\n";
while (1) {
    accept(my $client, $listener) or next;
    eval { local $SIG{ALRM} = sub { die "too slow\n" }; alarm 10; serve($client); 1 } or do {
        print STDERR "a request failed: $@";
        reply($client, '500 Internal Server Error', "Something went wrong.\n");
    };
    alarm 0;
    close $client;
}

sub serve {
    my ($client) = @_;
    my $request = '';
    while ($request !~ /\r?\n\r?\n/) {
        sysread($client, $request, 4096, length $request) or return;
        return reply($client, '413 Too Large', "That is too long.\n") if length $request > 65_536;
    }
    my ($head, $body) = split /\r?\n\r?\n/, $request, 2;
    my ($method) = $head =~ /^([A-Z]+) / or return reply($client, '400 Bad Request', "That is not HTTP.\n");
    if ($method eq 'POST') {
        my ($length) = $head =~ /^content-length:\s*(\d+)/im;
        return reply($client, '413 Too Large', "That is too long.\n") if ($length // 0) > 65_536;
        while (length $body < ($length // 0)) {
            sysread($client, $body, 4096, length $body) or last;
        }
        my %form = map { my ($k, $v) = split /=/, $_, 2; ($k => unescape($v // '')) } split /&/, $body;
        sql(q{INSERT INTO entries (guest, message) VALUES (:'guest', :'message')},
            guest => $form{guest} // '', message => $form{message} // '');
        return reply($client, '303 See Other', "Thank you.\n", 'Location: /');
    }
    my $entries = sql(q{SELECT guest || ': ' || message FROM entries ORDER BY id});
    my $visits  = visits();
    reply($client, '200 OK', "$title\n\n$entries\nThis page was seen $visits times.\n");
}

sub unescape {
    my ($text) = @_;
    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}

sub reply {
    my ($client, $status, $body, @headers) = @_;
    syswrite($client, join("\r\n", "HTTP/1.0 $status", 'Content-Type: text/plain; charset=utf-8',
        'Content-Length: ' . length $body, 'Connection: close', @headers, '', $body));
    shutdown($client, 1);
}

# sql runs one statement; psql does the quoting of the values.
sub sql {
    my ($statement, %values) = @_;
    my @set = map { ('-v', "$_=$values{$_}") } sort keys %values;
    pipe(my $from, my $answer) or die "pipe: $!\n";
    pipe(my $question, my $to) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        open(STDIN, '<&', $question) and open(STDOUT, '>&', $answer) and close $to and close $from
            and exec @psql, @set;
        exit 127;
    }
    close $answer;
    close $question;
    print $to "$statement;\n";
    close $to;
    my $rows = do { local $/; <$from> } // '';
    waitpid $pid, 0;
    die "psql ended with status $?\n" if $?;
    return $rows;
}

# visits counts one more in redis.
sub visits {
    socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
    connect($s, pack_sockaddr_un($redis)) or die "redis: $!\n";
    syswrite($s, "INCR guestbook:visits\r\n");
    sysread($s, my $answer, 64);
    my ($n) = ($answer // '') =~ /^:(\d+)/ or die "redis said: " . ($answer // 'nothing') . "\n";
    return $n;
}
