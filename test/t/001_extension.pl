# The endpoint follows CREATE, DROP and ALTER EXTENSION without a restart.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# A node whose extension this test makes itself.
my $node = dynamo_node('extension', 'dynamo.database' => 'postgres');
my $started = start_time($node);

my ($status, $body);
ok(eventually(10, sub { ($status, $body) = operation($node, 'DescribeLimits'); $status }), 'something listens');
is($status, 503, 'without the extension: unavailable, so that clients retry');
like($body->{message}, qr/not installed/, 'and it says why');
($status, $body) = get_page($node, '/');
is("$status $body", '200 healthy: localhost ', 'GET / is healthy all the same');
($status, $body) = get_page($node, '/ready');
is($status, 503, 'GET /ready is not');
like($body, qr/extension/, 'and it says why');

for my $turn (1 .. 2)
{
	$node->safe_psql('postgres', 'CREATE EXTENSION dynamo');
	ok(endpoint_serves($node, 1), "served within a second of CREATE EXTENSION, $turn");
	($status, $body) = get_page($node, '/ready');
	is("$status $body", "200 ready\n", 'and ready');

	create_table($node, 'fruit');
	put_item($node, 'fruit', 'apple', "red $turn");
	is(get_item($node, 'fruit', 'apple'), "red $turn", 'items are stored');

	$node->safe_psql('postgres', 'ALTER EXTENSION dynamo UPDATE');
	is(get_item($node, 'fruit', 'apple'), "red $turn", 'and read after ALTER EXTENSION');

	$node->safe_psql('postgres', 'DROP EXTENSION dynamo CASCADE');
	($status) = operation($node, 'DescribeLimits');
	is($status, 503, 'unavailable after DROP EXTENSION');
}

# Under load: a client that never stops, while the extension comes and goes.
my $pid = in_background(sub {
	my %seen;
	my $end = time + 6;
	while (time < $end)
	{
		my ($status) = put_item($node, 'fruit', 'pear', 'green');
		$seen{ $status // 'none' }++;
	}
	# 400: the table is missing, or somebody holds it.
	delete @seen{qw(200 400 503)};
	print STDERR "# unexpected: @{[%seen]}\n" if %seen;
	return %seen ? 1 : 0;
});

# The same with tables that come and go.
my $changer = in_background(sub {
	my %seen;
	my $end = time + 6;
	my $number = 0;
	while (time < $end)
	{
		my $name = 'made' . $number++;
		for my $call (
			[ 'CreateTable', { TableName => $name, BillingMode => 'PAY_PER_REQUEST',
				AttributeDefinitions => [ { AttributeName => 'p', AttributeType => 'S' } ],
				KeySchema => [ { AttributeName => 'p', KeyType => 'HASH' } ] } ],
			[ 'UpdateTimeToLive', { TableName => $name,
				TimeToLiveSpecification => { AttributeName => 't', Enabled => JSON::PP::true } } ],
			[ 'UpdateTable', { TableName => $name, DeletionProtectionEnabled => JSON::PP::false } ],
			[ 'DeleteTable', { TableName => $name } ])
		{
			my ($status) = operation($node, @$call);
			$seen{ $status // 'none' }++;
		}
	}
	# 400: the table is missing, or somebody holds it.
	delete @seen{qw(200 400 503)};
	print STDERR "# unexpected: @{[%seen]}\n" if %seen;
	return %seen ? 1 : 0;
});
for my $turn (1 .. 5)
{
	# What takes strong locks may be chosen to end a deadlock.
	ok(eventually(5, sub { $node->psql('postgres', 'CREATE EXTENSION dynamo') == 0 }), 'created');
	create_table($node, 'fruit');
	ok(eventually(5, sub { get_item($node, 'fruit', 'pear') }),
		'the client gets through');
	ok(eventually(5, sub { $node->psql('postgres', 'ALTER EXTENSION dynamo UPDATE') == 0 }), 'updated');
	ok(eventually(5, sub { $node->psql('postgres', 'DROP EXTENSION dynamo CASCADE') == 0 }), 'dropped');
}
waitpid($pid, 0);
is($?, 0, 'every answer under load was an expected one');
waitpid($changer, 0);
is($?, 0, 'of operations on tables, too');

is(start_time($node), $started, 'the server has not restarted');
$node->stop;
done_testing();
