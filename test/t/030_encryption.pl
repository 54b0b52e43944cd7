# Encryption at rest on disk: what can be found in files, what becomes of files that were altered, restarts while a table is
# being encrypted, dumps, standbys, and files of master keys.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use File::Find ();
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $directory = File::Temp->newdir;
my $key_file = "$directory/master.keys";
my $key = random_hex(32);
write_keys($key_file, "# of the tests\n\nfirst $key\n");

my $node = dynamo_node(
	'encrypted',
	'dynamo.master_key_file' => $key_file,
	'dynamo.workers' => 2,
	'dynamo.time_to_live_interval' => 1,
	'max_worker_processes' => 16,
	'wal_level' => 'logical',
	'log_statement' => 'none',
	'log_min_messages' => 'debug2',
	'wal_keep_size' => '2GB',
	'autovacuum' => 'off',
	'restart_after_crash' => 'on');
endpoint_serves($node) or die;

sub random_hex
{
	my ($bytes) = @_;
	return join('', map { sprintf '%02x', int rand 256 } 1 .. $bytes);
}

sub write_keys
{
	my ($file, $text) = @_;
	open my $handle, '>', $file or die $!;
	print $handle $text;
	close $handle;
	chmod 0600, $file;
	return;
}

sub sql { return $node->safe_psql('postgres', $_[0]) }

sub done
{
	my ($operation, $request) = @_;
	my ($status, $body) = operation($node, $operation, $request);
	die "$operation: " . JSON::PP::encode_json($body) if ($status // 0) != 200;
	return $body;
}

# ----- what is to be found, or not, of one table -----

my %patterns;    # table -> { name => bytes }; a name says where it is to be found

sub pattern
{
	my ($table, $name, $bytes) = @_;
	$patterns{$table}{$name} = $bytes;
	return $bytes;
}

# The same bytes on disk and in a dump.  What is the same in many words may be compressed: look for the rest.
sub word
{
	my ($table, $name) = @_;
	return "$name-" . pattern($table, $name, random_hex(10));
}

# A number as it is stored, and as a dump has it.
sub number
{
	my ($table, $name) = @_;
	my $digits = join('', map { 1 + int rand 9 } 1 .. 30);
	pattern($table, "$name stored", pack('H*', sql("SELECT encode(dynamo_internal.number_encode('$digits'), 'hex')")));
	return pattern($table, "$name written", $digits);
}

sub binary
{
	my ($table, $name) = @_;
	my $bytes = pattern($table, "$name stored", pack('H*', random_hex(18)));
	return pattern($table, "$name written", encode_base64($bytes, ''));
}

# Something in each place where an item has bytes.
sub markers
{
	my ($table, $what) = @_;
	return (
		word($table, "$what attribute name") => { S => word($table, "$what string") },
		n => { N => number($table, "$what number") },
		b => { B => binary($table, "$what binary") },
		ss => { SS => [ word($table, "$what set member"), 'x' ] },
		ns => { NS => [ number($table, "$what number in a set"), '1' ] },
		l => { L => [ { M => { word($table, "$what nested name") => { S => word($table, "$what nested string") } } } ] });
}

sub use_table
{
	my ($table, $encrypted) = @_;
	my %stream = (StreamSpecification => { StreamEnabled => \1, StreamViewType => 'NEW_AND_OLD_IMAGES' });

	done('CreateTable', {
		TableName => $table, BillingMode => 'PAY_PER_REQUEST', %stream,
		($encrypted ? (SSESpecification => { Enabled => \1 }) : ()),
		AttributeDefinitions => [ map { { AttributeName => $_, AttributeType => 'S' } } qw(id g) ],
		KeySchema => [ { AttributeName => 'id', KeyType => 'HASH' } ],
		GlobalSecondaryIndexes => [ { IndexName => 'by-g', Projection => { ProjectionType => 'ALL' },
			KeySchema => [ { AttributeName => 'g', KeyType => 'HASH' } ] } ] });
	done('UpdateTimeToLive', { TableName => $table,
		TimeToLiveSpecification => { AttributeName => 'expires', Enabled => \1 } });

	my $put = sub { my ($id, %item) = @_; { TableName => $table, Item => { id => { S => $id }, g => { S => 'g' }, %item } } };
	done('PutItem', $put->('put', markers($table, 'PutItem')));
	done('PutItem', $put->('put', markers($table, 'overwritten')));
	done('UpdateItem', { TableName => $table, Key => { id => { S => 'updated' } },
		UpdateExpression => 'SET #u = :u, v = :v', ExpressionAttributeNames => { '#u' => word($table, 'updated name') },
		ExpressionAttributeValues => { ':u' => { S => word($table, 'updated value') }, ':v' => { N => number($table, 'updated number') } } });
	done('PutItem', $put->('deleted', markers($table, 'deleted')));
	done('DeleteItem', { TableName => $table, Key => { id => { S => 'deleted' } } });
	done('BatchWriteItem', { RequestItems => { $table => [ map { { PutRequest => { Item => $put->("batch$_", markers($table, "batch$_"))->{Item} } } } 1 .. 3 ] } });
	done('TransactWriteItems', { ClientRequestToken => random_hex(16), TransactItems => [
		{ Put => $put->('transaction', markers($table, 'transaction')) } ] });
	done('ExecuteStatement', { Statement => "INSERT INTO \"$table\" VALUE {'id': 'partiql', 'v': ?}",
		Parameters => [ { S => word($table, 'PartiQL') } ] });
	operation($node, 'PutItem', { %{ $put->('put', markers($table, 'refused')) },
		ConditionExpression => 'attribute_not_exists(id)', ReturnValuesOnConditionCheckFailure => 'ALL_OLD' });
	delete $patterns{$table}{$_} for grep { /^refused/ } keys %{ $patterns{$table} };

	# Out of line, and compressed where that can be done: what comes first stays readable.
	done('PutItem', $put->('large', markers($table, 'large'), z => { S => random_hex(150_000) }));
	done('PutItem', $put->('compressible', markers($table, 'compressible'), z => { S => 'x' x 300_000 }));
	done('PutItem', $put->('expires', markers($table, 'expired'), expires => { N => "" . int(time - 60) }));
	eventually(30, sub { !defined get_item($node, $table, 'expires', ProjectionExpression => 'id') &&
		sql("SELECT count(*) FROM dynamo_data.$table WHERE partition_key = 'expires'") eq '0' }) or die 'nothing expires';

	# By SQL, whose statements the server does not log here.
	my ($inserted, $updated) = (word($table, 'INSERT'), word($table, 'UPDATE'));
	sql(qq{INSERT INTO dynamo_data.$table (item) VALUES ('{"id": {"S": "sql"}, "v": {"S": "$inserted"}}')});
	sql(qq{UPDATE dynamo_data.$table SET item = jsonb_set(item::jsonb, '{v}', '{"S": "$updated"}')::dynamo.item WHERE partition_key = 'sql'});
	sql("VACUUM ANALYZE dynamo_data.$table");
	return;
}

# name -> in how many files, of those below a directory or one file.
sub find_patterns
{
	my ($table, $where, $but) = @_;
	my %found = map { $_ => 0 } keys %{ $patterns{$table} };
	my $look = sub {
		return unless -f $_;
		return if $but && $File::Find::name =~ $but;
		open my $handle, '<:raw', $_ or return;
		local $/;
		my $content = <$handle> // '';
		for my $name (keys %found)
		{
			$found{$name}++ if index($content, $patterns{$table}{$name}) >= 0;
		}
	};
	File::Find::find({ wanted => $look, no_chdir => 1 }, $where);
	return \%found;
}

sub found { my ($found) = @_; return [ sort grep { $found->{$_} } keys %$found ] }

use_table('plain', 0);
use_table('secret', 1);
is(sql("SELECT dynamo.verify_table('secret') = dynamo.verify_table('plain')"), 't', 'both tables have the same items');
my $dump = "$directory/dump.sql";
$node->run_log([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $dump, 'postgres' ]) or die;
my $archive = "$directory/archive";
$node->run_log([ 'pg_dump', '-Fc', '-Z0', '-h', $node->host, '-p', $node->port, '-f', $archive, 'postgres' ]) or die;
sql('CHECKPOINT');
my %sealed = map { split /\|/ } split /\n/, sql(q{SELECT encode(partition_key, 'escape'), encode(dynamo.item_send(item), 'hex')
	FROM dynamo_data.secret});
my $heap = sql("SELECT pg_relation_filepath('dynamo_data.secret')");
my $toast = sql("SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = 'dynamo_data.secret'::regclass");
$node->stop;

cmp_ok(scalar(keys %{ $patterns{secret} }), '>', 100, 'there is much to be looked for');
for my $place (
	[ 'the data directory', $node->data_dir ],
	[ 'WAL', $node->data_dir . '/pg_wal' ],
	[ 'a dump', $dump ],
	[ 'an archive of pg_dump', $archive ],
	[ 'the server log', $node->logfile ])
{
	my ($name, $where) = @$place;
	is_deeply(found(find_patterns('secret', $where)), [], "$name has nothing of the encrypted table's items");
	next if $name =~ /log/;

	# So the search can find what is there; a dump has only what was there last.  What was compressed can't be found.
	my $plain = find_patterns('plain', $where);
	my @expected = grep { $name =~ /dump/ ? !/stored$|^(PutItem|deleted|expired|INSERT)/ : !/written$|^compressible/ } keys %$plain;
	is_deeply([ sort grep { !$plain->{$_} } @expected ], [], "$name has all of the other table's");
}
is_deeply([ grep { /\Q$key\E/ } split /\n/, slurp_file($node->logfile) ], [], 'no key is logged');
{
	my $bytes = pack('H*', $key);
	local $patterns{key} = { hex => $key, bytes => $bytes };
	is_deeply(found(find_patterns('key', $node->data_dir)), [], 'nor is it in the data directory');
}

# ----- bytes that were changed -----

sub flip
{
	my ($file, $what, $offset) = @_;
	my $path = $node->data_dir . "/$file";
	my $content = slurp_file($path);
	my $at = index($content, $what);
	die 'not found' if $at < 0;
	open my $handle, '+<:raw', $path or die $!;
	seek $handle, $at + $offset, 0;
	print $handle chr(ord(substr($content, $at + $offset, 1)) ^ 0x10);
	close $handle;
	return;
}

my %flips = (put => 3, updated => 12, batch1 => 21, batch2 => 40, batch3 => -1);
for my $id (sort keys %flips)
{
	my $bytes = pack('H*', $sealed{$id});
	flip($heap, $bytes, $flips{$id} < 0 ? length($bytes) - 1 : $flips{$id});
}
flip($toast, substr(pack('H*', $sealed{large}), 5000, 100), 50);
$node->start;
endpoint_serves($node) or die;
my $started = start_time($node);
for my $id (sort(keys %flips), 'large')
{
	my ($status, $body) = operation($node, 'GetItem', { TableName => 'secret', Key => { id => { S => $id } } });
	is($status, 500, "item $id, of which a bit was flipped, is an error");
	unlike(JSON::PP::encode_json($body), qr/Item"/, 'and no data');
	my ($result, undef, $error) = $node->psql('postgres', "SELECT item::json FROM dynamo_data.secret WHERE partition_key = '$id'");
	isnt($result, 0, 'in SQL, too');
	like($error, qr/sealed item is not what was stored|no data key/, 'which says what it is');
}
my ($status) = operation($node, 'Scan', { TableName => 'secret' });
is($status, 500, 'a Scan that meets one ends');
($status) = operation($node, 'Query', { TableName => 'secret', IndexName => 'by-g', KeyConditionExpression => 'g = :g',
	ExpressionAttributeValues => { ':g' => { S => 'g' } } });
is($status, 500, 'and so does a Query of an index');
is((operation($node, 'PutItem', { TableName => 'secret', Item => { id => { S => 'put' } } }))[0], 500,
	'nor is it overwritten, which would have to say what was there');
is((operation($node, 'GetItem', { TableName => 'secret', Key => { id => { S => 'transaction' } } }))[0], 200, 'all others can be read');
is(start_time($node), $started, 'the server has not restarted');
like(slurp_file($node->logfile), qr/sealed item is not what was stored/, 'the log tells of it');

# ----- dumps -----

# What was flipped is in no dump of before.
sql('CREATE DATABASE copy');
$node->run_log([ 'psql', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', 'copy', '-f', $dump ]) or die 'restore';
is($node->safe_psql('copy', q{SELECT dynamo.verify_table('secret'), count(*), bool_and(dynamo.is_sealed(item)) FROM dynamo_data.secret}),
	$node->safe_psql('copy', q{SELECT dynamo.verify_table('plain'), count(*), true FROM dynamo_data.plain}), 'a dump is restored, sealed as it was');
is($node->safe_psql('copy', q{SELECT dynamo.item_attribute_text(dynamo.get_item('secret', '{"id": {"S": "sql"}}'), 'v')}), "UPDATE-$patterns{secret}{UPDATE}", 'and read');
$node->safe_psql('copy', q{SELECT dynamo.put_item('secret', '{"id": {"S": "new"}, "v": {"S": "x"}}')});
is($node->safe_psql('copy', q{SELECT dynamo.is_sealed(item) FROM dynamo_data.secret WHERE partition_key = 'new'}), 't', 'and written');
sql('CREATE DATABASE copy2');
$node->run_log([ 'pg_restore', '-e', '-h', $node->host, '-p', $node->port, '-d', 'copy2', $archive ]) or die 'restore';
is($node->safe_psql('copy2', q{SELECT dynamo.item_attribute_text(dynamo.get_item('secret', '{"id": {"S": "sql"}}'), 'v')}), "UPDATE-$patterns{secret}{UPDATE}", 'so is an archive');

# ----- a crash while a table is being encrypted -----

my $items = 6000;
create_table($node, 'later');
my $before = word('later', 'before');
sql(qq{INSERT INTO dynamo_data.later (item) SELECT format('{"id": {"S": "k%s"}, "v": {"S": "%s"}}',
	i, '$before' || repeat(md5(i::text), 25))::dynamo.item FROM generate_series(1, $items) i});
$node->append_conf('postgresql.conf', "dynamo.background_share = 2\n");
$node->reload;
sleep 1;
my $writer = in_background(sub {
	my $client = connect_endpoint($node);
	for my $n (1 .. 100_000)
	{
		send_operation($client, 'UpdateItem', { TableName => 'later', Key => { id => { S => 'k' . (1 + int rand $items) } },
			UpdateExpression => 'ADD n :one', ExpressionAttributeValues => { ':one' => { N => "1" } } });
		my ($answer) = read_answer($client, 10);
		return 0 unless defined $answer;    # the crash
		return 1 if $answer != 200;
	}
	return 2;
});

sub sealing { return sql(q{SELECT coalesce(sealing, 'OFF') FROM dynamo.tables WHERE name = 'later'}) }
sub count_sealed { return sql('SELECT count(*) FROM dynamo_data.later WHERE dynamo.is_sealed(item)') }

done('UpdateTable', { TableName => 'later', SSESpecification => { Enabled => \1 } });
ok(eventually(60, sub { count_sealed() > $items / 6 }), 'items are being sealed');
is(sealing(), 'ENABLING', 'and the table is not sealed yet');
$node->stop('immediate');
waitpid($writer, 0);
is($? >> 8, 0, 'writes went on until the crash');
$node->start;
endpoint_serves($node) or die;
my $some = count_sealed();
ok($some > 0 && $some < $items, "after the crash there are items of both kinds ($some are sealed)");
my $sum = sql(q{SELECT sum(coalesce((dynamo.item_attribute_text(item, 'n'))::int, 0)) FROM dynamo_data.later});
is(get_item($node, 'later', $_) =~ /^\Q$before\E/ ? 1 : 0, 1, "$_ can be read") for ('k1', "k$items", 'k3000');
$node->append_conf('postgresql.conf', "dynamo.background_share = 90\n");
$node->reload;
ok(eventually(120, sub { sealing() eq 'ENABLED' }), 'it goes on after the restart');
is(count_sealed(), $items, 'until all are sealed');
is(sql("SELECT dynamo.verify_table('later')"), $items, 'and as they should be');
is(sql(q{SELECT sum(coalesce((dynamo.item_attribute_text(item, 'n'))::int, 0)) FROM dynamo_data.later}), $sum, 'with what was written meanwhile');
sql('VACUUM FULL dynamo_data.later');
sql('CHECKPOINT');
is_deeply(found(find_patterns('later', $node->data_dir, qr{/pg_wal/})), [], 'after VACUUM FULL its files have nothing of before');

# ----- standbys -----

$node->backup('backup');
my $standby_keys = "$directory/standby.keys";
write_keys($standby_keys, "other " . random_hex(32) . "\n");
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
dynamo_conf($standby, 'dynamo.master_key_file' => $standby_keys);
$standby->start;
endpoint_serves($standby) or die;
($status, my $body) = operation($standby, 'GetItem', { TableName => 'secret', Key => { id => { S => 'sql' } } });
is($status, 400, 'a standby without the master key');
like($body->{message}, qr/^KMS key disabled error: .*key\/first is disabled/, 'says so');
(undef, $body) = operation($standby, 'DescribeTable', { TableName => 'secret' });
is($body->{Table}{TableStatus}, 'INACCESSIBLE_ENCRYPTION_CREDENTIALS', 'as does the description');
is((operation($standby, 'GetItem', { TableName => 'plain', Key => { id => { S => 'sql' } } }))[0], 200, 'and serves other tables');
write_keys($standby_keys, "other " . random_hex(32) . "\nfirst $key\n");
$standby->reload;
ok(eventually(10, sub { (get_item($standby, 'secret', 'sql') // '') eq "UPDATE-$patterns{secret}{UPDATE}" }), 'with the key it reads items');
put_item($node, 'secret', 'late', 'from the primary');
$node->wait_for_catchup($standby);
is(get_item($standby, 'secret', 'late'), 'from the primary', 'also new ones');
$node->stop;
$standby->promote;
ok(eventually(20, sub { (put_item($standby, 'secret', 'promoted', 'x'))[0] == 200 }), 'after promotion it writes them');
is($standby->safe_psql('postgres', q{SELECT dynamo.is_sealed(item) FROM dynamo_data.secret WHERE partition_key = 'promoted'}), 't', 'sealed');
$standby->stop;

# ----- logical replication -----

$node->start;
endpoint_serves($node) or die;
my $subscriber_keys = "$directory/subscriber.keys";
write_keys($subscriber_keys, "own " . random_hex(32) . "\nfirst $key\n");
my $subscriber = dynamo_node('subscriber', 'dynamo.master_key_file' => $subscriber_keys, 'max_worker_processes' => 20);
endpoint_serves($subscriber) or die;
is((operation($subscriber, 'CreateTable', { TableName => 'later', BillingMode => 'PAY_PER_REQUEST', SSESpecification => { Enabled => \1 },
	AttributeDefinitions => [ { AttributeName => 'id', AttributeType => 'S' } ], KeySchema => [ { AttributeName => 'id', KeyType => 'HASH' } ] }))[0], 200, 'a subscriber has a table of its own');
$subscriber->safe_psql('postgres', 'ALTER TABLE dynamo_data.later ENABLE ALWAYS TRIGGER zz_dynamo_key_columns');
sql('ALTER TABLE dynamo_data.later REPLICA IDENTITY FULL');
sql('CREATE PUBLICATION keys FOR TABLE dynamo.data_keys');
sql('CREATE PUBLICATION items FOR TABLE dynamo_data.later');
my $connection = $node->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION keys CONNECTION '$connection' PUBLICATION keys");
$subscriber->wait_for_subscription_sync($node, 'keys');
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION items CONNECTION '$connection' PUBLICATION items");
$subscriber->wait_for_subscription_sync($node, 'items');
put_item($node, 'later', 'replicated', 'x');
$node->wait_for_catchup('items');
is(get_item($subscriber, 'later', 'replicated'), 'x', 'what is replicated logically can be read');
is($subscriber->safe_psql('postgres', q{SELECT dynamo.verify_table('later'), bool_and(dynamo.is_sealed(item)),
	count(DISTINCT substr(dynamo.item_send(item), 2, 8)) FROM dynamo_data.later}), $items + 1 . '|t|1', 'and is sealed with the table\'s own key');
$subscriber->stop;

# ----- files of master keys -----

sub readable { return (get_item($node, 'secret', 'sql') // '') eq "UPDATE-$patterns{secret}{UPDATE}" }
sub set_file
{
	my ($file) = @_;
	$node->append_conf('postgresql.conf', "dynamo.master_key_file = '$file'\n");
	$node->reload;
	return;
}
ok(readable(), 'the key is there');
my $inside = $node->data_dir . '/master.keys';
write_keys($inside, "first $key\n");
for my $case (
	[ 'others may read', sub { chmod 0644, $key_file; $key_file }, qr/has group or world access/ ],
	[ 'is in the data directory', sub { chmod 0600, $key_file; $inside }, qr/outside of the data directory/ ],
	[ 'is not there', sub { "$directory/missing" }, qr/cannot be accessed: No such file/ ],
	[ 'has no absolute path', sub { 'master.keys' }, qr/not an absolute path/ ],
	[ 'is a directory', sub { "$directory" }, qr/not a regular file/ ])
{
	my ($what, $file, $message) = @$case;
	my $log = -s $node->logfile;
	set_file($file->());
	ok(eventually(10, sub { !readable() }), "a file that $what is not used");
	ok(eventually(10, sub { !readable() && slurp_file($node->logfile, $log) =~ $message }), 'and the log says why');
	is(get_item($node, 'plain', 'sql'), "UPDATE-$patterns{plain}{UPDATE}", 'other tables are served');
}
set_file($key_file);
ok(eventually(10, \&readable), 'with the right file all is well again');
$node->restart;
endpoint_serves($node) or die;
ok(readable(), 'after a restart, too');
is_deeply([ grep { /\Q$key\E/ } split /\n/, slurp_file($node->logfile) ], [], 'no key was logged');

done_testing();
