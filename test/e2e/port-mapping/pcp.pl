# Asks the router (argument 1) by PCP, for which Debian has no client, to map outside UDP port 9001 to this host's port
# 7001 (argument 2: its address): RFC 6887 section 7.1 and section 11.1. Says the result code and the outside port.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
my ($router, $own) = @ARGV;
my $socket = IO::Socket::INET->new(Proto => "udp", PeerAddr => $router, PeerPort => 5351) or die "UDP 5351: $!";
my $nowhere = ("\0" x 10) . "\xff\xff";
my $request = pack("C C n N a16 a12 C x3 n n a16",
  2, 1, 0, 600, $nowhere . inet_aton($own), "nonce-twelve", 17, 7001, 9001, $nowhere . ("\0" x 4));
$socket->send($request);
if (IO::Select->new($socket)->can_read($ARGV[2] // 10)) {
  $socket->recv(my $answer, 1100);
  print "PCP result ", unpack("C", substr($answer, 3, 1)), ", port ", unpack("n", substr($answer, 42, 2)), "\n";
} else { print "PCP unanswered\n"; }
