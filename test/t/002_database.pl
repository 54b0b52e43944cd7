# The workers let go of a database that somebody needs alone, and come back.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = dynamo_node('database', 'dynamo.database' => 'app');
my $started = start_time($node);

ok(eventually(10, sub { slurp_file($node->logfile) =~ /waits for database "app"/ }),
	'a missing database is told to the log');

sub make_database
{
	$node->safe_psql('postgres', 'CREATE DATABASE app');
	$node->safe_psql('app', 'CREATE EXTENSION dynamo');
	my $begin = time;
	ok(endpoint_serves($node, 10), 'the new database is served');
	cmp_ok(time - $begin, '<', 5, 'in less than 5 seconds');
	create_table($node, 'fruit');
	is((put_item($node, 'fruit', 'apple', 'red'))[0], 200, 'an item is stored');
	return;
}

# A client that never stops, on one connection as long as it lasts.
sub with_load
{
	my ($command, $label) = @_;
	my $pid = in_background(sub {
		my $end = time + 1.5;
		while (time < $end)
		{
			my $socket = connect_endpoint($node) or next;
			do
			{
				send_operation($socket, 'GetItem',
					{ TableName => 'fruit', Key => { id => { S => 'apple' } } });
			} while (read_answer($socket, 1) && time < $end);
		}
		return 0;
	});
	sleep 0.3;
	my $begin = time;
	my ($result, undef, $stderr) = $node->psql('postgres', $command);
	is($result, 0, "$label succeeds while serving") or diag($stderr);
	cmp_ok(time - $begin, '<', 4, "$label does not wait for a timeout");
	waitpid($pid, 0);
	return;
}

for my $option ('', ' WITH (FORCE)')
{
	make_database();
	with_load("DROP DATABASE app$option", "DROP DATABASE$option");
}

make_database();
with_load('ALTER DATABASE app RENAME TO app2', 'RENAME');
with_load('ALTER DATABASE app2 RENAME TO app', 'RENAME back');
ok(endpoint_serves($node, 5), 'the renamed database is served again');
is(get_item($node, 'fruit', 'apple'), 'red', 'with its items');
with_load('CREATE DATABASE copy TEMPLATE app', 'CREATE DATABASE TEMPLATE');
ok(endpoint_serves($node, 5), 'the copied database is served again');

# A DROP that fails for another reason, and one by somebody who may not.
my $other = $node->background_psql('app');
$other->query_safe('SELECT 1');
isnt(scalar $node->psql('postgres', 'DROP DATABASE app'), 0,
	'another session still keeps a database');
$other->quit;
ok(endpoint_serves($node, 5), 'served again after the DROP that failed');
my $pids = q{SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM dynamo.stat_workers};
my $before = $node->safe_psql('app', $pids);
$node->safe_psql('postgres', 'CREATE ROLE nobody LOGIN');
isnt(scalar $node->psql('postgres', 'SET ROLE nobody; DROP DATABASE app'), 0,
	'only the owner may drop a database');
is($node->safe_psql('app', $pids), $before, 'and only the owner disturbs the workers');

# Killed politely, any of them comes back.
$node->safe_psql('postgres',
	q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'dynamo%'});
ok(endpoint_serves($node, 5), 'served again after pg_terminate_backend() of all');
ok(eventually(10, sub { $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type IN ('dynamo launcher', 'dynamo flusher')} ) == 2 }), 'launcher and flusher, too');

my $log = slurp_file($node->logfile);
unlike($log, qr/dynamo (http worker|flusher)\b.*exited with exit code [^0]/,
	'no exit of a worker looks like a failure');
# RENAME ends the autovacuum workers of its database.
unlike($log, qr/FATAL:(?!  terminating autovacuum process)/, 'nothing fatal happened');
my @waits = $log =~ /waits for database/g;
cmp_ok(scalar @waits, '<=', 6, 'the log tells once each time the database is missing');
is(start_time($node), $started, 'the server has not restarted');

my $begin = time;
$node->stop('fast');
cmp_ok(time - $begin, '<', 3, 'a fast shutdown is fast');
done_testing();
