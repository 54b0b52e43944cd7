# The store under the endpoint: what it does where it must not wait, on
# relations that users have changed, and beside plain SQL.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = dynamo_node('store', 'dynamo.workers' => 2, 'dynamo.lock_timeout' => '3s');
my $started = start_time($node);
create_table($node, 'fruit');
my $relation = 'dynamo_data.fruit';
my $session = $node->background_psql('postgres');
my $client = connect_endpoint($node);

sub put
{
	my ($key, $value) = @_;
	return { TableName => 'fruit', Item => { id => { S => $key }, v => { S => $value } } };
}

# A request that meets the session's transaction waits until it has ended,
# whichever way the session holds the key.
sub waits_for_session
{
	my ($what, $sql, $request, $end, $expected) = @_;
	$session->query_safe('BEGIN');
	$session->query_safe($sql);
	send_operation($client, 'PutItem', $request);
	is_deeply([ read_answer($client, 0.3) ], [], "$what: the request waits");
	$session->query_safe($end);
	is((read_answer($client, 5))[0], 200, "$what: and is done after $end");
	is(get_item($node, 'fruit', $request->{Item}{id}{S}), $expected, "$what: the later one stays");
}

sub item
{
	my ($key) = @_;
	return qq{'{"id": {"S": "$key"}, "v": {"S": "session"}}'};
}
my $n = 0;
for my $end ('COMMIT', 'ROLLBACK')
{
	$n++;
	waits_for_session('put of a missing key',
		"SELECT dynamo.put_item('fruit', " . item("put$n") . ')', put("put$n", 'client'), $end, 'client');
	waits_for_session('INSERT of a missing key',
		"INSERT INTO $relation (item) VALUES (" . item("insert$n") . ')', put("insert$n", 'client'), $end, 'client');
	put_item($node, 'fruit', "held$n", 'old');
	waits_for_session('UPDATE', "UPDATE $relation SET item = " . item("held$n") . " WHERE partition_key = 'held$n'",
		put("held$n", 'client'), $end, 'client');
	waits_for_session('DELETE', "DELETE FROM $relation WHERE partition_key = 'held$n'",
		put("held$n", 'client'), $end, 'client');
	waits_for_session('a row lock', "SELECT FROM $relation WHERE partition_key = 'held$n' FOR SHARE",
		put("held$n", 'last'), $end, 'last');
}

# The same where a trigger of the user's makes the executor do the write.
$node->safe_psql('postgres', q{
	CREATE TABLE public.log (what text);
	CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO public.log VALUES (TG_OP); RETURN NEW; END $$;
	CREATE TRIGGER log_it BEFORE INSERT OR UPDATE ON dynamo_data.fruit FOR EACH ROW EXECUTE FUNCTION log_it();
	ALTER TABLE dynamo_data.fruit ADD COLUMN note text DEFAULT 'none'});
waits_for_session('with a trigger', "SELECT FROM $relation WHERE partition_key = 'held1' FOR UPDATE",
	put('held1', 'triggered'), 'COMMIT', 'triggered');
waits_for_session('with a trigger, missing key', "INSERT INTO $relation (item) VALUES (" . item('new') . ')',
	put('new', 'triggered'), 'COMMIT', 'triggered');
is($node->safe_psql('postgres', q{SELECT string_agg(what, ' ') FROM public.log}), 'UPDATE INSERT UPDATE',
	'the trigger fired once a write');
$node->safe_psql('postgres', 'DROP FUNCTION log_it() CASCADE; ALTER TABLE dynamo_data.fruit DROP COLUMN note');

# Replacements are HOT, and counted.
put_item($node, 'fruit', 'hot', 0);
my $counters = sub {
	$node->safe_psql('postgres', 'SELECT n_tup_ins, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = \'fruit\'');
};
$node->safe_psql('postgres', 'VACUUM dynamo_data.fruit');
sleep 1.5;
my @before = split /\|/, $counters->();
put_item($node, 'fruit', 'hot', $_) for 1 .. 200;
my @after;
ok(eventually(5, sub { @after = split /\|/, $counters->(); $after[1] - $before[1] == 200 }), 'all updates are counted');
is($after[0] - $before[0], 0, 'and no insert');
cmp_ok($after[2] - $before[2], '>=', 199, 'all but perhaps one HOT');

# Clients and plain SQL race for the same missing keys: one item each, no
# error at a client, and the index right; meanwhile the index is replaced.
my $script = $node->basedir . '/race.sql';
append_to_file($script, q{
\set k random(1, 300)
INSERT INTO dynamo_data.fruit (item) SELECT json_build_object('id', json_build_object('S', 'race' || :k),
	'v', '{"S": "sql"}'::json)::dynamo.item WHERE NOT EXISTS (SELECT FROM dynamo_data.fruit WHERE partition_key = convert_to('race' || :k, 'UTF8'));
DELETE FROM dynamo_data.fruit WHERE partition_key = convert_to('race' || :k, 'UTF8') AND random() < 0.5;
});
my $racer = in_background(sub {
	my $end = time + 4;
	while (time < $end)
	{
		# A unique violation is SQL's own risk, and ends pgbench's client.
		$node->run_log([ 'pgbench', '-n', '-c', '2', '-T', '1', '-f', $script, '-p', $node->port, '-h', $node->host, 'postgres' ],
			'>', '/dev/null', '2>', '/dev/null');
	}
});
my $reindexer = in_background(sub {
	my $end = time + 4;
	while (time < $end)
	{
		$node->psql('postgres', 'REINDEX TABLE CONCURRENTLY dynamo_data.fruit');
	}
});
my %statuses;
my @clients = map { connect_endpoint($node) } 1 .. 8;
my $end = time + 4;
while (time < $end)
{
	send_operation($_, 'PutItem', put('race' . (1 + int(rand(300))), 'client')) for @clients;
	for my $one (@clients)
	{
		my ($status, $body) = read_answer($one, 10);
		$statuses{ $status // 'none' }++;
		diag(explain($body)) if ($status // 0) != 200;
	}
}
waitpid($_, 0) for $racer, $reindexer;
is_deeply([ keys %statuses ], ['200'], 'every put is done');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT 1 FROM dynamo_data.fruit GROUP BY partition_key HAVING count(*) > 1) t'),
	0, 'no key has two items');
my $index = $node->safe_psql('postgres', q{SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'dynamo_data.fruit'::regclass AND indisvalid});
is($node->psql('postgres', "SELECT dynamo.verify_index('$index')"), 0, 'the index agrees with the heap');

is(start_time($node), $started, 'the server has not restarted');
$session->quit;
$node->stop;
done_testing();
