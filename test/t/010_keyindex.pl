# An index of access method dynamo_key outlives SIGKILL, a standby serves it, and
# a dump brings it back.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use Time::HiRes qw(usleep);

my $indexes = 'VALUES (\'t_key\'), (\'t_partition\'), (\'t_sparse\')';

# Raises if an index disagrees with its table; how many tuples they saw is the same for the first two.
sub verified
{
	my ($node, $database) = @_;

	return $node->safe_psql($database // 'postgres',
		"SELECT string_agg(i || ' ' || CASE WHEN i = 't_sparse' THEN heap_tuples > 0 ELSE heap_tuples = (SELECT count(*) FROM t) END, ',' ORDER BY i)
		   FROM ($indexes) x(i), LATERAL dynamo.verify_index(i::regclass)");
}
# SIGKILL to the postmaster and, as a backend in a loop does not notice that, to all backends.
sub kill_all
{
	my ($node) = @_;
	my @backends = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity');

	$node->kill9;
	kill 'KILL', @backends;
}
my $all_well = 't_key true,t_partition true,t_sparse true';

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "autovacuum_naptime = 1\nwal_level = replica\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION dynamo;
	CREATE TABLE t (id bigint, hash int8 NOT NULL, partition bytea NOT NULL, sort bytea, filler text);
	CREATE UNIQUE INDEX t_key ON t USING dynamo_key (hash, partition dynamo.partition_ops, sort);
	CREATE INDEX t_partition ON t USING dynamo_key (partition DESC) WITH (deduplicate_items = off);
	CREATE INDEX t_sparse ON t USING dynamo_key (hash, sort) WHERE sort IS NOT NULL;
	CREATE SEQUENCE ids;
});

# PostgreSQL refuses ON CONFLICT for a foreign access method; the procedure does without.
my ($status, undef, $error) =
  $node->psql('postgres', "INSERT INTO t VALUES (0, 0, '', NULL, '') ON CONFLICT DO NOTHING");
isnt($status, 0, 'ON CONFLICT is refused');
like($error, qr/non-btree speculative unique index/, 'in PostgreSQL\'s words');
$node->safe_psql('postgres', q{
	CREATE PROCEDURE put_forever() LANGUAGE plpgsql AS $$
	DECLARE
		n bigint;
	BEGIN
		LOOP
			n := nextval('ids');
			INSERT INTO t VALUES (n, hashint8extended(n % 500, 0), ('p' || n % 500)::bytea,
				CASE WHEN n % 3 <> 0 THEN ('s' || n)::bytea END, repeat('x', n::int % 200));
			DELETE FROM t WHERE id = n - 777;
			COMMIT;
		END LOOP;
	END $$;
});

my $survivors = 0;
for my $round (1 .. 4)
{
	my @writers;
	for my $writer (1 .. 3)
	{
		push @writers, IPC::Run::start(
			[ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', 'CALL put_forever()' ],
			'2>', \my $ignored);
	}
	$node->poll_query_until('postgres', "SELECT last_value > $round * 3000 FROM ids")
	  or die 'the writers do not write';
	kill_all($node);
	$_->finish for @writers;
	# The dying hold the shared memory for a moment.
	my $started = 0;
	for (1 .. 100)
	{
		last if $started = $node->start(fail_ok => 1);
		usleep(100_000);
		$node->stop('fast', fail_ok => 1);	# forgets the failed one's process id
	}
	die 'the server does not start' unless $started;
	is(verified($node), $all_well, "round $round: the indexes agree with the table after a crash");
	$survivors = $node->safe_psql('postgres', 'SELECT count(*) FROM t');
}
cmp_ok($survivors, '>', 100, 'something was written');

# A backup taken while somebody writes, made a standby.
my $writer = IPC::Run::start(
	[ 'psql', '-XqAt', '-d', $node->connstr('postgres'), '-c', 'CALL put_forever()' ],
	'2>', \my $ignored_too);
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY t_key');
$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL%'");
$writer->finish;
$node->safe_psql('postgres', 'VACUUM t');
$node->wait_for_catchup($standby);
is(verified($standby), $all_well, 'the indexes agree with the table on a standby');
my $key = $node->safe_psql('postgres', 'SELECT id % 500 FROM t WHERE sort IS NOT NULL LIMIT 1');
my $query = qq{
	SET enable_seqscan = off;
	SET enable_bitmapscan = off;
	SELECT string_agg(convert_from(sort, 'UTF8'), ' ' ORDER BY sort DESC) FROM t
		WHERE hash = hashint8extended($key, 0) AND partition = 'p$key' AND sort OPERATOR(dynamo.^\@) 's'};
my $expected = $node->safe_psql('postgres', $query);
isnt($expected, '', 'the primary answers by index');
is($standby->safe_psql('postgres', $query), $expected, 'the standby gives the same answer');
like($standby->safe_psql('postgres', $query =~ s/SELECT/EXPLAIN (COSTS OFF) SELECT/r),
	qr/Index Scan using t_key/, 'by index');

# The standby takes over.
$node->stop;
$standby->promote;
$standby->safe_psql('postgres', "INSERT INTO t SELECT -n, n, 'promoted', 's' FROM generate_series(1, 2000) n");
is(verified($standby), $all_well, 'the indexes agree with the table after promotion');

# Dump and restore, with whatever the dump says of the indexes.
my $file = $standby->basedir . '/dump.sql';
$standby->command_ok([ 'pg_dump', '-f', $file, '-d', $standby->connstr('postgres') ], 'pg_dump');
my $dump = slurp_file($file);
like($dump, qr/CREATE UNIQUE INDEX t_key ON public\.t USING dynamo_key \(hash, partition dynamo\.partition_ops, sort\);/,
	'the dump has the index');
like($dump, qr/WITH \(deduplicate_items='?off'?\)/, 'and its options');
$standby->safe_psql('postgres', 'CREATE DATABASE restored');
$standby->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $standby->connstr('restored') ],
	'restore');
is(verified($standby, 'restored'), $all_well, 'the indexes agree with the table after a restore');
is($standby->safe_psql('restored', $query), $expected, 'and give the same answer');
$standby->stop;

done_testing();
