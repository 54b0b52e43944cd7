# Background jobs by their processes: writes go on while an index is made, a crash in the middle, transactions that are in
# the way, deletion at any time, expired items.

use strict;
use warnings;

use DynamoTest;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $items = 6000;
my $node = dynamo_node(
	'jobs',
	'max_worker_processes' => 12,
	'dynamo.workers' => 2,
	'dynamo.time_to_live_interval' => 1,
	'restart_after_crash' => 'on');
endpoint_serves($node) or die;

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub make_table
{
	my ($name) = @_;
	create_table($node, $name);
	sql(qq{INSERT INTO dynamo_data.$name (item) SELECT format('{"id": {"S": "k%s"}, "g": {"S": "g%s"}, "v": {"S": "%s"}}',
		i, i % 100, repeat(md5(i::text), 25))::dynamo.item FROM generate_series(1, $items) i});
	sql("VACUUM ANALYZE dynamo_data.$name");
	return;
}

# Returns the number of the index's slot.
sub add_index
{
	my ($table, $name, $attribute) = @_;
	my ($status, $body) = operation(
		$node,
		'UpdateTable',
		{
			TableName => $table,
			AttributeDefinitions => [ { AttributeName => $attribute, AttributeType => 'S' } ],
			GlobalSecondaryIndexUpdates => [ { Create => {
				IndexName => $name,
				KeySchema => [ { AttributeName => $attribute, KeyType => 'HASH' } ],
				Projection => { ProjectionType => 'ALL' } } } ] });

	die explain $body if ($status // 0) != 200;
	return sql("SELECT slot FROM dynamo.indexes WHERE table_name = '$table' AND name = '$name'");
}

sub delete_index
{
	my ($table, $name) = @_;
	my ($status, $body) = operation($node, 'UpdateTable',
		{ TableName => $table, GlobalSecondaryIndexUpdates => [ { Delete => { IndexName => $name } } ] });

	die explain $body if ($status // 0) != 200;
	return;
}

sub status
{
	my ($name) = @_;
	return sql("SELECT status FROM dynamo.indexes WHERE name = '$name'") || 'gone';
}

sub becomes
{
	my ($name, $status, $seconds) = @_;
	return eventually($seconds // 60, sub { status($name) eq $status });
}

sub phase { return sql("SELECT phase FROM dynamo.stat_jobs WHERE index_name = '$_[0]'") }

# Items whose slot is not what the item says: a copy of the table computes it anew.
sub wrong
{
	my ($table, $slot) = @_;
	return sql(qq{
		BEGIN;
		CREATE TEMP TABLE was ON COMMIT DROP AS SELECT partition_key, index_key_$slot AS entry FROM dynamo_data.$table;
		UPDATE dynamo_data.$table SET item = item;
		SELECT count(*) FROM was JOIN dynamo_data.$table USING (partition_key) WHERE index_key_$slot IS DISTINCT FROM entry;
		ROLLBACK});
}

sub entries
{
	my ($table, $slot) = @_;
	return sql(qq{SELECT heap_tuples FROM dynamo.verify_index((SELECT indexrelid FROM pg_index
		WHERE indrelid = 'dynamo_data.$table'::regclass AND indkey[0] = 4 + $slot AND indisvalid))});
}

# Write until the file says stop: change keys, remove them, delete and make items.  Exit status: 1 if anything fails.
sub writer
{
	my ($table, $number, $stop) = @_;
	return in_background(
		sub {
			my $socket = connect_endpoint($node);
			srand $number;
			while (!-e $stop)
			{
				my %key = (id => { S => 'k' . (1 + int rand($items)) });
				my $kind = int rand 10;
				my ($operation, %more) =
				    $kind < 6
				  ? ('UpdateItem', Key => \%key, UpdateExpression => 'SET g = :g',
					ExpressionAttributeValues => { ':g' => { S => 'w' . int rand 100 } })
				  : $kind < 8 ? ('UpdateItem', Key => \%key, UpdateExpression => 'REMOVE g')
				  : $kind < 9 ? ('DeleteItem', Key => \%key)
				  : ('PutItem', Item => { %key, g => { S => 'new' }, v => { S => 'x' x rand 2000 } });
				send_operation($socket, $operation, { TableName => $table, %more });
				my ($status, $body) = read_answer($socket, 20);
				next if defined $status && $status == 200;
				diag('a write failed: ', explain $body // 'no answer');
				return 1;
			}
			return 0;
		});
}

# --- an index is made while others write, and somebody reads for long
make_table('busy');
my $stop = $node->basedir . '/stop';
my @writers = map { writer('busy', $_, $stop) } 1 .. 4;
my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM dynamo_data.busy');
my $slot = add_index('busy', 'by-g', 'g');
ok(eventually(20, sub { phase('by-g') =~ /backfilling|building/ }), 'the backfill has begun');
sleep 2;
is(status('by-g'), 'CREATING', 'no index before the snapshot that is older has ended');
$reader->quit;
ok(becomes('by-g', 'ACTIVE'), 'the index becomes active');
sleep 1;
append_to_file($stop, 'stop');
my $failed = 0;
for (@writers) { waitpid $_, 0; $failed++ if $? }
is($failed, 0, 'no write has failed');
is(wrong('busy', $slot), 0, 'every entry is right');
is(entries('busy', $slot), sql("SELECT count(index_key_$slot) FROM dynamo_data.busy"), 'and in the index');

# --- a crash in the middle
make_table('crashed');
my $items_crashed;
sql("ALTER SYSTEM SET dynamo.background_share = 5; SELECT pg_reload_conf()");
$slot = add_index('crashed', 'after', 'g');
ok(eventually(20, sub { sql("SELECT count(index_key_$slot) FROM dynamo_data.crashed") > 100 }), 'some entries are there');
is(phase('after'), 'backfilling', 'and not all');
$node->stop('immediate');
$node->start;
endpoint_serves($node);
is(status('after'), 'CREATING', 'after the crash it is still to be made');

# A rewrite of the heap takes items to where the backfill has been already.
sql("DELETE FROM dynamo_data.crashed WHERE ctid < '(100,1)'");
sql('VACUUM FULL dynamo_data.crashed');
is(status('after'), 'CREATING', 'and after a rewrite of the table');
$items_crashed = sql('SELECT count(*) FROM dynamo_data.crashed');
sql("ALTER SYSTEM RESET dynamo.background_share; SELECT pg_reload_conf()");
ok(becomes('after', 'ACTIVE'), 'the index is made');
is(entries('crashed', $slot), $items_crashed, 'with all entries');
is(wrong('crashed', $slot), 0, 'the right ones');

# --- transactions in the way: one that writes, one that has locked an item
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; DELETE FROM dynamo_data.crashed WHERE false');
add_index('crashed', 'waits', 'g');
sleep 1;
is(phase('waits'), 'waiting for writers', 'who may still write without the index is waited for');
$holder->query_safe('COMMIT');
ok(becomes('waits', 'ACTIVE'), 'and nobody else');

$holder->query_safe('BEGIN; SELECT partition_key FROM dynamo_data.crashed LIMIT 1 FOR UPDATE');
$slot = add_index('crashed', 'held', 'id');
sleep 2;
is(status('held'), 'CREATING', 'a locked item is waited for');
$holder->query_safe('COMMIT');
ok(becomes('held', 'ACTIVE'), 'until it is free');
is(entries('crashed', $slot), $items_crashed, 'all have entries');

# --- deletion of an index that is being made, and of its table
$holder->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM dynamo.tables');
add_index('crashed', 'unwanted', 'absent');
ok(eventually(20, sub { phase('unwanted') eq 'building' }), 'an index waits for a snapshot at its end');
delete_index('crashed', 'unwanted');
ok(becomes('unwanted', 'gone', 20), 'and is deleted before that has ended');
add_index('crashed', 'unwanted', 'absent');
ok(eventually(20, sub { phase('unwanted') eq 'building' }), 'another one');
my $start = time;
my ($status) = operation($node, 'DeleteTable', { TableName => 'crashed' }, 20);
is($status, 200, 'its table is deleted');
cmp_ok(time - $start, '<', 3, 'without delay');
$holder->query_safe('COMMIT');
$holder->quit;

# --- expired items
create_table($node, 'expiring');
is((operation($node, 'UpdateTimeToLive', { TableName => 'expiring', TimeToLiveSpecification => { AttributeName => 't', Enabled => JSON::PP::true } }))[0],
	200, 'time to live is on');

my $now = int time;
operation($node, 'PutItem', { TableName => 'expiring', Item => { id => { S => $_->[0] }, t => { N => "$_->[1]" } } })
  for [ 'old', $now - 10 ], [ 'later', $now + 1000 ], [ 'soon', $now + 2 ], [ 'also', $now + 2 ];
ok(eventually(10, sub { sql(q{SELECT count(*) FROM dynamo_data.expiring}) == 3 }), 'an expired item goes');
ok(eventually(10, sub { sql(q{SELECT string_agg(item OPERATOR(dynamo.->>) 'id', ' ' ORDER BY 1) FROM dynamo_data.expiring}) eq 'later' }),
	'others when their time comes');
is(sql("SELECT deleted >= 3 AND lag_seconds = 0 FROM dynamo.stat_time_to_live WHERE table_name = 'expiring'"), 't', 'which is counted');
my (undef, $page) = get_page($node, '/metrics');
like($page, qr/^dynamo_time_to_live_deleted_total\{table="expiring"\} 3$/m, 'in the metrics, too');
like($page, qr/^dynamo_time_to_live_lag_seconds\{table="expiring"\} 0$/m, 'with the lag');

# --- again and again in one slot
create_table($node, 'again');
my $bad = 0;
for my $round (1 .. 15)
{
	sql(qq{DELETE FROM dynamo_data.again;
		INSERT INTO dynamo_data.again (item) SELECT format('{"id": {"S": "%s"}, "%s": {"S": "x"}}', i,
			CASE WHEN i % 3 = $round % 3 THEN 'g' ELSE 'h' END)::dynamo.item FROM generate_series(1, 30) i});
	$slot = add_index('again', 'again', 'g');
	becomes('again', 'ACTIVE') or $bad++;
	$bad++ if sql("SELECT count(index_key_$slot) FROM dynamo_data.again") != 10;
	delete_index('again', 'again');
	becomes('again', 'gone') or $bad++;
}
is($bad, 0, 'an index is made and deleted again and again');

# --- an SQL session has deleted what the sweep is about to delete, or holds it; another's trigger refuses
$node->safe_psql('postgres', q{
	CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN IF OLD.item OPERATOR(dynamo.->>) 'id' = 'kept' THEN RAISE 'not this one'; END IF; RETURN OLD; END $$;
	CREATE TRIGGER refuse BEFORE DELETE ON dynamo_data.expiring FOR EACH ROW EXECUTE FUNCTION refuse()});
# Triggers, deferred ones too, run as the owner of the table, and what they set is put back.
sql(q{
	CREATE ROLE owner;
	GRANT USAGE ON SCHEMA dynamo TO owner;
	GRANT ALL ON SCHEMA dynamo_data TO owner;
	ALTER TABLE dynamo_data.expiring OWNER TO owner;
	CREATE TABLE fired (who text, path text);
	GRANT INSERT ON fired TO owner;
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO public.fired VALUES (current_user, current_setting('search_path'));
			SET search_path = public;
			RETURN NULL;
		END $$;
	CREATE CONSTRAINT TRIGGER note AFTER DELETE ON dynamo_data.expiring DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION note()});
my $session = $node->background_psql('postgres');
$session->query_safe(sprintf q{INSERT INTO dynamo_data.expiring (item) SELECT format('{"id": {"S": "%%s"}, "t": {"N": "%s"}}', id)::dynamo.item
	FROM unnest('{held,kept,one,two,three}'::text[]) id}, $now - 100);
$session->query_safe(q{BEGIN; SELECT 1 FROM dynamo_data.expiring WHERE item OPERATOR(dynamo.->>) 'id' = 'held' FOR UPDATE});
my $set_time = q{UPDATE dynamo_data.expiring SET item = '{"id": {"S": "rescued"}, "t": {"N": "%s"}}' WHERE item OPERATOR(dynamo.->>) 'id' = 'rescued'};
operation($node, 'PutItem', { TableName => 'expiring', Item => { id => { S => 'rescued' }, t => { N => $now + 1000 . '' } } });
$session->query_safe(q{SELECT 1 FROM dynamo_data.expiring WHERE item OPERATOR(dynamo.->>) 'id' = 'rescued' FOR KEY SHARE});
sql(sprintf $set_time, $now - 100);
my $rest = q{SELECT string_agg(item OPERATOR(dynamo.->>) 'id', ' ' ORDER BY item OPERATOR(dynamo.->>) 'id') FROM dynamo_data.expiring};
ok(eventually(10, sub { sql($rest) eq 'held kept later rescued' }), 'all go but those that are held and the one that a trigger keeps');
is((operation($node, 'UpdateItem', {
			TableName => 'expiring', Key => { id => { S => 'kept' } }, UpdateExpression => 'SET v = :v',
			ExpressionAttributeValues => { ':v' => { S => 'new' } } }))[0], 200, 'what has expired can be written');
is(get_item($node, 'expiring', 'kept'), 'new', 'and read');
cmp_ok(sql("SELECT lag_seconds FROM dynamo.stat_time_to_live WHERE table_name = 'expiring'"), '>=', 100, 'their age is the lag');
$session->query_safe(sprintf $set_time, $now + 1000);
$session->query_safe('COMMIT');
$session->quit;
ok(eventually(10, sub { sql($rest) eq 'kept later rescued' }), 'what was held goes later, unless its time is another now');
like(slurp_file($node->logfile), qr/not this one/, 'why an item stays is in the log');

is(sql('SELECT DISTINCT who FROM fired'), 'owner', 'triggers run as the owner');
is(sql(q{SELECT count(*) FROM fired WHERE path NOT IN ('pg_catalog, pg_temp', 'public')}), 0, 'with the search path of the process');
sql(sprintf q{TRUNCATE fired; INSERT INTO dynamo_data.expiring (item) VALUES ('{"id": {"S": "last"}, "t": {"N": "%s"}}')}, $now - 10);
ok(eventually(10, sub { sql('SELECT count(*) FROM fired') == 1 }), 'one more is deleted');
is(sql('SELECT path FROM fired'), 'pg_catalog, pg_temp', 'and finds nothing of what the one before has set');

# --- the database goes
is(sql('SELECT count(*) FROM pg_stat_activity WHERE backend_type = \'dynamo scheduler\''), 1, 'the scheduler runs');

# It has swept once a second.  What it keeps is of the last time.
my $tables = sql("SELECT count(*) FROM dynamo.indexes WHERE kind = 'TIME_TO_LIVE'");
my $logged = length slurp_file($node->logfile);
sql("SELECT pg_log_backend_memory_contexts(pid) FROM pg_stat_activity WHERE backend_type = 'dynamo scheduler'");
ok(eventually(10, sub { substr(slurp_file($node->logfile), $logged) =~ /Grand total/ }), 'the scheduler tells its memory');
my $batches = () = substr(slurp_file($node->logfile), $logged) =~ /dynamo sweep batch/g;
cmp_ok($batches, '<=', $tables, "$batches batches of $tables tables");

# A database is let go of in the middle of a job.
$node->safe_psql('postgres', 'CREATE DATABASE app');
$node->append_conf('postgresql.conf', "dynamo.database = 'app'\ndynamo.background_share = 1");
$node->restart;
$node->safe_psql('app', 'CREATE EXTENSION dynamo');
ok(endpoint_serves($node), 'another database is served');
create_table($node, 'dropped');
$node->safe_psql('app', qq{INSERT INTO dynamo_data.dropped (item) SELECT format('{"id": {"S": "%s"}, "v": {"S": "%s"}}',
	i, repeat(md5(i::text), 25))::dynamo.item FROM generate_series(1, 2000) i});
operation($node, 'UpdateTable', { TableName => 'dropped', AttributeDefinitions => [ { AttributeName => 'id', AttributeType => 'S' } ],
	GlobalSecondaryIndexUpdates => [ { Create => { IndexName => 'index', KeySchema => [ { AttributeName => 'id', KeyType => 'HASH' } ],
		Projection => { ProjectionType => 'ALL' } } } ] });
ok(eventually(10, sub { $node->safe_psql('app', 'SELECT phase FROM dynamo.stat_jobs') eq 'backfilling' }), 'an index is being made');
$node->safe_psql('postgres', 'DROP DATABASE app');
is(sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type IN ('dynamo scheduler', 'dynamo index job')"), 0, 'the database is dropped');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'nothing has crashed');
$node->stop;
done_testing();
