# Serves what was mapped: answers one datagram on UDP 7000, one on UDP 7001 and one line on TCP 7003, then ends.
# Tells the host outside (argument 1) by a datagram to port 6000 that the ports are mapped and served.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
my ($outside) = @ARGV;
my @udp = map { IO::Socket::INET->new(Proto => "udp", LocalPort => $_) or die "UDP $_: $!" } 7000, 7001;
my $tcp = IO::Socket::INET->new(Proto => "tcp", LocalPort => 7003, Listen => 1) or die "TCP 7003: $!";
IO::Socket::INET->new(Proto => "udp", PeerAddr => $outside, PeerPort => 6000)->send("mapped");
my $waiting = IO::Select->new(@udp, $tcp);
while ($waiting->count) {
  for my $ready ($waiting->can_read) {
    if ($ready == $tcp) {
      my $connection = $tcp->accept;
      my $line = <$connection>;
      print $connection "inside: $line";
      close $connection;
    } else {
      $ready->recv(my $text, 100);
      $ready->send("inside: $text");
    }
    $waiting->remove($ready);
  }
}
