# max_worker_processes too small: serve with what is left, and say so once.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# One slot is the logical replication launcher's.
my $node = dynamo_node('slots', 'max_worker_processes' => 3, 'dynamo.workers' => 2,
	'autovacuum' => 'off');
ok(endpoint_serves($node), 'one worker without a flusher serves');
is($node->safe_psql('postgres', 'SELECT count(*) FROM dynamo.stat_workers'),
	1, 'one worker runs');
is( $node->safe_psql('postgres', 'SELECT flusher_pid IS NULL FROM dynamo.stat_flush'),
	't', 'no flusher runs');
create_table($node, 'fruit');
is((put_item($node, 'fruit', 'apple', 'red'))[0], 200, 'and it acknowledges writes');
cmp_ok(
	$node->safe_psql('postgres', 'SELECT inline_flushes FROM dynamo.stat_flush'),
	'>', 0, 'which it has flushed itself');

sub slot_lines
{
	my @lines = slurp_file($node->logfile) =~ /LOG:  (the DynamoDB endpoint is .*)/g;
	return @lines;
}
is_deeply(
	[ slot_lines() ],
	['the DynamoDB endpoint is served by 1 of 2 HTTP workers without a flusher and background jobs: no more background worker slots are left'],
	'one line in the log says so');

sub restart_with
{
	my ($slots) = @_;
	$node->stop;
	unlink $node->logfile;
	$node->append_conf('postgresql.conf', "max_worker_processes = $slots");
	$node->start;
	return;
}

restart_with(4);
ok(endpoint_serves($node), 'one worker with a flusher serves');
ok(eventually(5, sub { $node->safe_psql('postgres', 'SELECT flusher_pid > 0 FROM dynamo.stat_flush') eq 't' }), 'the flusher runs');
is_deeply(
	[ slot_lines() ],
	['the DynamoDB endpoint is served by 1 of 2 HTTP workers without background jobs: no more background worker slots are left'],
	'one line in the log');

restart_with(2);
ok(eventually(10, sub { scalar slot_lines() }), 'no slot for a worker is told');
like((slot_lines())[0], qr/not served: no background worker slot/, 'in clear words');
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'the server starts all the same');

restart_with(1);
like((slot_lines())[0], qr/not served: no background worker slot/, 'nor for a launcher');
is($node->safe_psql('postgres', q{SELECT '{"a": {"S": "x"}}'::dynamo.item IS NOT NULL}),
	't', 'types work without the endpoint');

restart_with(5);
ok(endpoint_serves($node), 'one worker with a flusher and background jobs serves');
ok(eventually(5, sub { scalar slot_lines() }), 'which is told');
like((slot_lines())[0], qr/ by 1 of 2 HTTP workers: no more/, 'in one line');

# There is no slot for the process that makes indexes.
$node->safe_psql('postgres', q{
	INSERT INTO dynamo.indexes (table_name, name, kind, slot, partition_keys, partition_types, sort_keys, sort_types,
		projection, non_key_attributes, status, read_units, write_units)
	VALUES ('fruit', 'by-v', 'GLOBAL', 1, '{v}', '{S}', '{}', '{}', 'ALL', '{}', 'CREATING', 0, 0)});
ok(eventually(10, sub { $node->safe_psql('postgres', 'SELECT status FROM dynamo.indexes') eq 'ACTIVE' }),
	'the scheduler makes an index itself');

restart_with(6);
ok(endpoint_serves($node), 'with slots enough all is served');
ok(eventually(5, sub { $node->safe_psql('postgres', 'SELECT count(*) FROM dynamo.stat_workers') == 2 }), 'by all workers');
is_deeply([ slot_lines() ], [], 'without a word');

$node->stop;
done_testing();
