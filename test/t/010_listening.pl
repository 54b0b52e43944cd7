# The listening sockets: a port in use, names for one address, crash restarts.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
  or die "no socket: $!";
my $port = $taken->sockport;

# Somebody else has the port.
my $node = dynamo_node('listening', 'dynamo.listen_addresses' => '127.0.0.1',
	'restart_after_crash' => 'on');
$node->stop;
unlink $node->logfile;
$node->append_conf('postgresql.conf', "dynamo.port = $port");
$node->start;
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'PostgreSQL starts all the same');
my $log = slurp_file($node->logfile);
like($log, qr/could not bind the DynamoDB endpoint to "127.0.0.1", port $port: Address already in use/,
	'the log says what is wrong');
like($log, qr/the DynamoDB endpoint is off/, 'and what follows');

# Names that mean the same address are no conflict; bad ones are left out.
close $taken;
my $free = dynamo_port($node);
$node->stop;
unlink $node->logfile;
$node->append_conf('postgresql.conf', qq{
dynamo.port = $free
dynamo.listen_addresses = '127.0.0.1, localhost,127.0.0.1, no.such.name.invalid'});
$node->start;
ok(endpoint_serves($node), 'a list of addresses, some twice, is served');
$log = slurp_file($node->logfile);
unlike($log, qr/could not bind/, 'without a conflict with itself');
like($log, qr/entry "no.such.name.invalid"/, 'a wrong name is told');

# The sockets live in the postmaster: after a crash the port is still there.
my $worker = $node->safe_psql('postgres', 'SELECT min(pid) FROM dynamo.stat_workers');
kill 'ABRT', $worker;
my $crashed =
  eventually(10, sub { slurp_file($node->logfile) =~ /all server processes terminated; reinitializing/ });
ok($crashed, 'a worker has crashed');
ok(endpoint_serves($node), 'the endpoint is served again');
unlike(slurp_file($node->logfile), qr/could not bind/, 'on the same sockets');

# An empty list is no endpoint, and no complaint but one line.
$node->stop;
unlink $node->logfile;
$node->append_conf('postgresql.conf', "dynamo.listen_addresses = ''");
$node->start;
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'PostgreSQL runs without the endpoint');
$node->stop;
done_testing();
