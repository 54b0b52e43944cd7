# PostgreSQL's own statistics are true, and ours say what happened.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = dynamo_node(
	'statistics',
	'autovacuum_naptime' => '1s',
	'autovacuum_vacuum_threshold' => 50,
	'autovacuum_vacuum_scale_factor' => 0,
	'autovacuum_analyze_threshold' => 50,
	'autovacuum_analyze_scale_factor' => 0);
my $started = start_time($node);

create_table($node, 'fruit');
# A table has parameters of its own, made for larger ones.
$node->safe_psql('postgres', 'ALTER TABLE dynamo_data.fruit RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,
	autovacuum_analyze_threshold, autovacuum_analyze_scale_factor)');
my $socket = connect_endpoint($node);
for my $i (1 .. 200)
{
	send_operation($socket, 'PutItem',
		{ TableName => 'fruit', Item => { id => { S => 'k' . $i % 10 }, v => { S => "v$i" } } });
	my ($status) = read_answer($socket);
	die "no answer" unless $status == 200;
}

my $table = q{FROM pg_stat_user_tables WHERE schemaname = 'dynamo_data'};
ok(eventually(2, sub { $node->safe_psql('postgres', "SELECT coalesce(sum(n_tup_ins + n_tup_upd), 0) $table") >= 200 }), 'pg_stat_user_tables counts every write within moments');
ok(eventually(30, sub { $node->safe_psql('postgres', "SELECT coalesce(sum(autovacuum_count), 0) $table") > 0 }), 'autovacuum comes unprompted');
ok(eventually(30, sub { $node->safe_psql('postgres', "SELECT coalesce(sum(autoanalyze_count), 0) $table") > 0 }), 'and analyzes');
cmp_ok(
	$node->safe_psql('postgres', q{SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'}),
	'>=', 200, 'pg_stat_database counts the transactions');

# pg_stat_activity
is( $node->safe_psql('postgres',
		q{SELECT string_agg(DISTINCT backend_type, ', ' ORDER BY backend_type)
		  FROM pg_stat_activity WHERE backend_type LIKE 'dynamo%'}),
	'dynamo flusher, dynamo http worker, dynamo launcher, dynamo scheduler', 'the processes are to be seen');
is( $node->safe_psql('postgres',
		q{SELECT count(*) FROM pg_stat_activity
		  WHERE application_name ~ '^dynamo http worker [0-9]+$' AND state = 'idle'
		  AND datname = 'postgres' AND query = 'PutItem fruit'}),
	1, 'with what the worker did last');

# Our views.
is( $node->safe_psql('postgres',
		q{SELECT calls, errors FROM dynamo.stat_operations
		  WHERE operation = 'PutItem' AND table_name = 'fruit'}),
	'200|0', 'stat_operations counts by operation and table');
is( $node->safe_psql('postgres',
		q{SELECT p50_ms > 0 AND p50_ms <= p90_ms AND p90_ms <= p99_ms AND total_ms >= mean_ms
		  FROM dynamo.stat_operations WHERE operation = 'PutItem'}),
	't', 'with latencies in order');
operation($node, 'GetItem', { TableName => 'absent', Key => { id => { S => 'x' } } });
is( $node->safe_psql('postgres',
		q{SELECT answers FROM dynamo.stat_exceptions WHERE exception = 'ResourceNotFoundException'}),
	1, 'stat_exceptions counts by exception');
is( $node->safe_psql('postgres',
		q{SELECT count(*) FROM dynamo.stat_operations WHERE table_name = 'absent'}),
	0, 'a name that is no table takes no place');
is( $node->safe_psql('postgres',
		q{SELECT sum(writes), sum(requests) >= 202, sum(connections) >= 1 FROM dynamo.stat_workers}),
	'200|t|t', 'stat_workers');
cmp_ok($node->safe_psql('postgres', 'SELECT flushes FROM dynamo.stat_flush'),
	'>', 0, 'stat_flush');

my ($status, $page) = get_page($node, '/metrics');
is($status, 200, 'the metrics page');
like($page, qr/^dynamo_request_duration_seconds_count\{operation="PutItem",table="fruit"\} 200$/m,
	'has the histogram of an operation on a table');
like($page, qr/^dynamo_request_duration_seconds_bucket\{operation="PutItem",table="fruit",le="\+Inf"\} 200$/m,
	'whose last bucket is its count');
like($page, qr/^dynamo_exceptions_total\{exception="ResourceNotFoundException"\} 1$/m,
	'and the exceptions');
my %types;
$types{$_}++ for $page =~ /^# TYPE (\S+)/mg;
is_deeply([ grep { $types{$_} > 1 } keys %types ], [], 'no family is declared twice');
my @bad = grep { !/\A(# (HELP|TYPE) \S+ .+|[a-z_]+(\{[^{}]*\})? [0-9.e+-]+)\z/ } split /\n/, $page;
is_deeply(\@bad, [], 'every line is Prometheus text');

$node->safe_psql('postgres', 'CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher; CREATE ROLE stranger LOGIN');
is(scalar $node->psql('postgres', 'SET ROLE watcher; SELECT * FROM dynamo.stat_operations, dynamo.stat_workers, dynamo.stat_flush, dynamo.stat_exceptions'),
	0, 'pg_monitor may look');
isnt(scalar $node->psql('postgres', 'SET ROLE stranger; SELECT * FROM dynamo.stat_operations'),
	0, 'others may not: it names tables');

$node->safe_psql('postgres', 'SELECT dynamo.stat_reset()');
is($node->safe_psql('postgres', 'SELECT count(*) FROM dynamo.stat_operations'),
	0, 'stat_reset');

is(start_time($node), $started, 'the server has not restarted');
$node->stop;
done_testing();
