# Reaches mapped ports of the NAT (argument 1) from outside, each from a socket that nothing was sent to from inside, and
# says what was answered. A port that nobody mapped must stay silent.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
my ($nat) = @ARGV;
my $told = IO::Socket::INET->new(Proto => "udp", LocalPort => 6000) or die "UDP 6000: $!";
$told->recv(my $word, 100);
sub answer {
  my ($port, $wait) = @_;
  my $socket = IO::Socket::INET->new(Proto => "udp", PeerAddr => $nat, PeerPort => $port) or die "UDP $port: $!";
  $socket->send("hello $port");
  return "silence" unless IO::Select->new($socket)->can_read($wait);
  $socket->recv(my $text, 100);
  return defined $text ? $text : "refused";
}
print "UDP 9000: ", answer(9000, 10), "\n";
print "UDP 9001: ", answer(9001, 10), "\n";
print "UDP 9002: ", answer(9002, 0.5), "\n";
my $tcp = IO::Socket::INET->new(Proto => "tcp", PeerAddr => $nat, PeerPort => 9003, Timeout => 10) or die "TCP 9003: $!";
print $tcp "hello 9003\n";
print "TCP 9003: ", scalar <$tcp>;
