# The loop never waits: an item that somebody holds delays nobody else.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = dynamo_node('waiting', 'dynamo.workers' => 1, 'dynamo.lock_timeout' => '1500ms');
my $started = start_time($node);
create_table($node, 'fruit');
put_item($node, 'fruit', $_, 'red') for qw(apple pear);

my $cpu = sub {
	my $pid = $node->safe_psql('postgres', 'SELECT pid FROM dynamo.stat_workers');
	my @fields = split / /, (slurp_file("/proc/$pid/stat") =~ s/.*\) //r);
	return ($fields[11] + $fields[12]) / 100;
};

my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN');
$session->query_safe(
	q{SELECT dynamo.put_item('{"TableName": "fruit", "Item": {"id": {"S": "apple"}, "v": {"S": "held"}}}')});

# Two that meet the session's transaction, and others that don't.
my $put = { TableName => 'fruit', Item => { id => { S => 'apple' }, v => { S => 'blue' } } };
my $waiter = connect_endpoint($node);
my $begin = time;
my $cpu_before = $cpu->();
send_operation($waiter, 'PutItem', $put);
my $slowest = 0;
for (1 .. 50)
{
	my $one = time;
	is((put_item($node, 'fruit', 'pear', $_))[0], 200, 'another item is written') if $_ == 1;
	put_item($node, 'fruit', 'pear', $_);
	$slowest = time - $one if time - $one > $slowest;
}
cmp_ok($slowest, '<', 0.5, 'and nobody else waits');
is(get_item($node, 'fruit', 'apple'), 'red', 'the held item can be read');
is($node->safe_psql('postgres', 'SELECT retrying FROM dynamo.stat_workers'),
	1, 'the one that waits is in the retry queue');
my ($status, $body) = read_answer($waiter, 5);
my $waited = time - $begin;
is($status, 400, 'it is given up');
is($body->{__type}, 'com.amazonaws.dynamodb.v20120810#TransactionConflictException', 'as a conflict');
is($body->{message}, 'Transaction is ongoing for the item', 'in the service\'s words');
cmp_ok($waited, '>', 1.2, 'not before dynamo.lock_timeout');
cmp_ok($waited, '<', 3, 'and not long after');
cmp_ok($cpu->() - $cpu_before, '<', 1, 'without spinning');

# A batch does what it can, and says what it could not.
send_operation($waiter, 'BatchWriteItem', {
		RequestItems => {
			fruit => [
				{ PutRequest => { Item => { id => { S => 'apple' }, v => { S => 'x' } } } },
				{ PutRequest => { Item => { id => { S => 'plum' }, v => { S => 'y' } } } } ] } });
($status, $body) = read_answer($waiter, 5);
is($status, 200, 'a batch that meets the transaction is answered');
is_deeply($body->{UnprocessedItems},
	{ fruit => [ { PutRequest => { Item => { id => { S => 'apple' }, v => { S => 'x' } } } } ] },
	'with what is unprocessed');
is(get_item($node, 'fruit', 'plum'), 'y', 'the rest is done');

# One that is in time.
send_operation($waiter, 'PutItem', $put);
is_deeply([ read_answer($waiter, 0.5) ], [], 'another one waits');
$session->query_safe('COMMIT');
is((read_answer($waiter, 5))[0], 200, 'and is done when the session commits');
is(get_item($node, 'fruit', 'apple'), 'blue', 'after the session');

# A table that somebody has locked altogether.
my $relation = $node->safe_psql('postgres',
	q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'dynamo_data'::regnamespace AND relkind = 'r'});
create_table($node, 'other');
$session->query_safe("BEGIN");
$session->query_safe("LOCK TABLE $relation IN ACCESS EXCLUSIVE MODE");
send_operation($waiter, 'PutItem', $put);
my $in_use = 'Attempt to change a resource which is still in use: ';
my %control = (
	DeleteTable => {},
	UpdateTable => { DeletionProtectionEnabled => \0, TableClass => 'STANDARD_INFREQUENT_ACCESS' });
my %changers = map { $_ => connect_endpoint($node) } keys %control;
send_operation($changers{$_}, $_, { TableName => 'fruit', %{ $control{$_} } }) for keys %control;
$begin = time;
is((put_item($node, 'other', 'plum', 'blue'))[0], 200, 'another table is written');
cmp_ok(time - $begin, '<', 1, 'at once');
my $reader = connect_endpoint($node);
send_operation($reader, 'Scan', { TableName => 'fruit' });
($status, $body) = read_answer($waiter, 5);
like($body->{__type}, qr/#TransactionConflictException$/, 'a locked table is a conflict');
($status, $body) = read_answer($reader, 5);
is("$status $body->{message}", '503 The table is locked at the moment.', 'to readers it is out of service');
for my $operation (sort keys %changers)
{
	($status, $body) = read_answer($changers{$operation}, 5);
	is($status, 400, "$operation gives up, too");
	is($body->{__type}, 'com.amazonaws.dynamodb.v20120810#ResourceInUseException', 'as what changes tables does');
	is($body->{message}, $in_use . 'Table is being updated: fruit', 'in the service\'s words');
}
$session->query_safe('ROLLBACK');
is((put_item($node, 'fruit', 'apple', 'green'))[0], 200, 'and over when the lock is gone');

# Each in its own words.
my $arn = 'arn:aws:dynamodb:us-east-1:000000000000:table/fruit';
$session->query_safe('BEGIN');
$session->query_safe(qq{SELECT dynamo.tag_resource('{"ResourceArn": "$arn", "Tags": [{"Key": "k", "Value": "v"}]}')});
$session->query_safe(q{SELECT dynamo.create_table('{"TableName": "unborn", "BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}')});
my @cases = (
	[ 'Table already exists: unborn', 'CreateTable', {
			TableName => 'unborn', BillingMode => 'PAY_PER_REQUEST',
			AttributeDefinitions => [ { AttributeName => 'id', AttributeType => 'S' } ],
			KeySchema => [ { AttributeName => 'id', KeyType => 'HASH' } ] } ],
	[ "${in_use}Table tags are being updated: fruit", 'TagResource', { ResourceArn => $arn, Tags => [ { Key => 'k', Value => 'w' } ] } ],
	[ "${in_use}Table tags are being updated: fruit", 'UntagResource', { ResourceArn => $arn, TagKeys => ['k'] } ],
	[ "${in_use}Table is being updated: fruit", 'UpdateTimeToLive',
		{ TableName => 'fruit', TimeToLiveSpecification => { AttributeName => 't', Enabled => \1 } } ]);
my @askers = map { connect_endpoint($node) } @cases;
send_operation($askers[$_], @{ $cases[$_] }[ 1, 2 ]) for 0 .. $#cases;
for my $i (0 .. $#cases)
{
	($status, $body) = read_answer($askers[$i], 5);
	is($body->{message}, $cases[$i][0], $cases[$i][1]);
}
is_deeply((operation($node, 'ListTagsOfResource', { ResourceArn => $arn }))[1], { Tags => [] }, 'who reads tags does not wait');
$session->query_safe('ROLLBACK');
is((operation($node, 'CreateTable', $cases[0][2]))[0], 200, 'the name is free again');

# So are the table's rows in the catalogs, which somebody changes without a lock.
for my $operation (qw(UpdateTable DeleteTable))
{
	create_table($node, 'granted') if $operation eq 'UpdateTable';
	$session->query_safe('BEGIN');
	$session->query_safe('GRANT SELECT ON dynamo_data.granted TO PUBLIC');
	send_operation($waiter, $operation, { TableName => 'granted', %{ $control{$operation} } });
	is_deeply([ read_answer($waiter, 0.5) ], [], "$operation waits for a GRANT");
	$session->query_safe('COMMIT');
	is((read_answer($waiter, 5))[0], 200, 'and is done after it');
}

# A secondary index that somebody has locked: its readers come back later, the
# table's don't notice.
is((operation($node, 'CreateTable', {
			TableName => 'indexed',
			BillingMode => 'PAY_PER_REQUEST',
			AttributeDefinitions => [
				{ AttributeName => 'id', AttributeType => 'S' }, { AttributeName => 'v', AttributeType => 'S' } ],
			KeySchema => [ { AttributeName => 'id', KeyType => 'HASH' } ],
			GlobalSecondaryIndexes => [ {
					IndexName => 'by-v',
					KeySchema => [ { AttributeName => 'v', KeyType => 'HASH' } ],
					Projection => { ProjectionType => 'ALL' } } ] }))[0], 200, 'a table with an index');
put_item($node, 'indexed', 'apple', 'green');
my $index = $node->safe_psql('postgres', q{SELECT indexrelid::regclass FROM pg_index
	WHERE indrelid = 'dynamo_data.indexed'::regclass AND NOT indisunique});
my $query = {
	TableName => 'indexed', IndexName => 'by-v', KeyConditionExpression => 'v = :v',
	ExpressionAttributeValues => { ':v' => { S => 'green' } } };
$session->query_safe('BEGIN');
$session->query_safe("REINDEX INDEX $index");
send_operation($waiter, 'Query', $query);
$begin = time;
is(get_item($node, 'indexed', 'apple'), 'green', 'the table of a locked index is read');
cmp_ok(time - $begin, '<', 0.5, 'at once');
is_deeply([ read_answer($waiter, 0.5) ], [], 'its index is waited for');
$session->query_safe('COMMIT');
($status, $body) = read_answer($waiter, 5);
is("$status $body->{Count}", '200 1', 'and read when the lock is gone');

# An error in a round is its own request's only: one batch of requests that
# arrive together, some of them wrong.
my @sockets = map { connect_endpoint($node) } 1 .. 20;
for my $i (0 .. $#sockets)
{
	send_operation($sockets[$i], 'PutItem', {
			TableName => 'fruit',
			Item => $i % 5 == 2
			? { id => { N => '1' } }
			: { id => { S => "k$i" }, v => { S => "v$i" } } });
}
my @statuses = map { (read_answer($_))[0] } @sockets;
is_deeply(\@statuses, [ map { $_ % 5 == 2 ? 400 : 200 } 0 .. $#sockets ],
	'errors stay with the requests that made them');
is_deeply([ map { get_item($node, 'fruit', "k$_") // 'none' } 0 .. $#sockets ],
	[ map { $_ % 5 == 2 ? 'none' : "v$_" } 0 .. $#sockets ], 'and the others are stored');

is(start_time($node), $started, 'the server has not restarted');
$session->quit;
$node->stop;
done_testing();
