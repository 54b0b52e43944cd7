# The endpoint on a hot standby: reads that may be old, until it is promoted.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use JSON::PP qw(encode_json);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = dynamo_node('primary');
create_table($primary, 'fruit');
put_item($primary, 'fruit', 'apple', 'red');
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
dynamo_conf($standby);
$standby->start;
my $started = start_time($standby);

ok(eventually(10, sub { (get_item($standby, 'fruit', 'apple') // '') eq 'red' }),
	'a standby answers eventually consistent reads');
put_item($primary, 'fruit', 'apple', 'green');
$primary->wait_for_catchup($standby);
is(get_item($standby, 'fruit', 'apple'), 'green', 'and follows the primary');

my ($status, $body);
for my $case (
	[ 'PutItem', { Item => { id => { S => 'pear' } } } ],
	[ 'UpdateItem', { Key => { id => { S => 'apple' } } } ],
	[ 'DeleteItem', { Key => { id => { S => 'apple' } } } ],
	[ 'GetItem', { Key => { id => { S => 'apple' } }, ConsistentRead => \1 } ],
	[ 'Scan', { ConsistentRead => \1 } ],
	[ 'DeleteTable', {} ])
{
	my ($operation, $request) = @$case;
	($status, $body) = operation($standby, $operation, { TableName => 'fruit', %$request });
	is($status, 503, "$operation is refused, in a way that makes clients retry");
}
($status) = operation($standby, 'BatchGetItem',
	{ RequestItems => { fruit => { Keys => [ { id => { S => 'apple' } } ], ConsistentRead => \1 } } });
is($status, 503, 'a consistent BatchGetItem, too');
like($body->{message}, qr/standby/, 'it says why');

# Statements that read are reads, those that write are writes.
my $select = q{SELECT v FROM fruit WHERE id = 'apple'};
for my $case (
	[ 'ExecuteStatement', { Statement => " -- which?\n$select" }, 200 ],
	[ 'ExecuteStatement', { Statement => $select, ConsistentRead => \1 }, 503 ],
	[ 'ExecuteStatement', { Statement => q{DELETE FROM fruit WHERE id = 'apple'} }, 503 ],
	[ 'BatchExecuteStatement', { Statements => [ { Statement => $select } ] }, 200 ],
	[ 'BatchExecuteStatement', { Statements => [ { Statement => $select, ConsistentRead => \1 } ] }, 503 ],
	[ 'BatchExecuteStatement', { Statements => [ { Statement => 'SELECT' }, { Statement => q{DELETE FROM fruit WHERE id = 'apple'} } ] }, 503 ],
	[ 'ExecuteTransaction', { TransactStatements => [ { Statement => $select } ] }, 503 ],
	[ 'TransactGetItems', { TransactItems => [ { Get => { TableName => 'fruit', Key => { id => { S => 'apple' } } } } ] }, 503 ])
{
	my ($operation, $request, $expected) = @$case;
	($status, $body) = operation($standby, $operation, $request);
	is($status, $expected, "$operation: " . encode_json($request));
	like($body->{message}, qr/standby/, 'it says why') if $expected == 503;
}
is_deeply((operation($standby, 'ExecuteStatement', { Statement => $select }))[1]{Items},
	[ { v => { S => 'green' } } ], 'a statement reads what is there');
($status) = operation($standby, 'DescribeTable', { TableName => 'fruit' });
is($status, 200, 'DescribeTable');
($status, $body) = get_page($standby, '/ready');
is($status, 503, 'a standby is not ready');
like($body, qr/standby/, 'and says why');

$standby->promote;
ok(eventually(10, sub { ((put_item($standby, 'fruit', 'pear', 'yellow'))[0] // 0) == 200 }),
	'after promotion it takes writes');
is(get_item($standby, 'fruit', 'pear', ConsistentRead => \1), 'yellow', 'and consistent reads');
($status) = get_page($standby, '/ready');
is($status, 200, 'and is ready');
is(start_time($standby), $started, 'without a restart');

# A database that is dropped on the primary goes from the standby, too.
my $other = PostgreSQL::Test::Cluster->new('other');
$primary->safe_psql('postgres', 'CREATE DATABASE app');
$primary->safe_psql('app', 'CREATE EXTENSION dynamo');
$primary->backup('backup2');
$other->init_from_backup($primary, 'backup2', has_streaming => 1);
dynamo_conf($other, 'dynamo.database' => 'app');
$other->start;
$started = start_time($other);
ok(endpoint_serves($other), 'a standby serves another database');
$primary->safe_psql('postgres', 'DROP DATABASE app');
$primary->wait_for_catchup($other);
ok(eventually(10, sub { slurp_file($other->logfile) =~ /waits for database "app"/ }),
	'the workers let go of a database dropped by the primary');
is(start_time($other), $started, 'without a restart');

# The drop is replayed at no moment of our choosing: a process that is just
# connecting then finds no database.  That may be said once for each, not on and on.
my @failures = slurp_file($other->logfile) =~ /dynamo .* exited with exit code/g;
cmp_ok(scalar(@failures), '<=', 3, 'and without a loop of failures');

$_->stop for $other, $standby, $primary;
done_testing();
