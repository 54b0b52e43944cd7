# What an administrator sets for the whole server doesn't harm the endpoint.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = dynamo_node(
	'settings',
	'statement_timeout' => '100ms',
	'idle_in_transaction_session_timeout' => '100ms',
	'idle_session_timeout' => '300ms',
	'lock_timeout' => '10ms',
	'default_transaction_isolation' => 'serializable',
	'default_transaction_deferrable' => 'on',
	'search_path' => 'nowhere',
	'synchronous_commit' => 'off',
	'log_statement' => 'all');
my $started = start_time($node);

# Autovacuum looks often, unless it is told how often.
is($node->safe_psql('postgres', 'SHOW autovacuum_naptime'), '5s', 'the default of autovacuum_naptime is ours');
$node->append_conf('postgresql.conf', "autovacuum_naptime = '2min'");
$node->reload;
ok($node->poll_query_until('postgres', "SELECT current_setting('autovacuum_naptime') = '2min'"),
	'and yields to the configuration');

create_table($node, 'fruit');
is((put_item($node, 'fruit', 'apple', 'red'))[0], 200, 'a write');

# Idle for longer than every timeout; the workers stay the same.
my $pids = q{SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM dynamo.stat_workers};
my $before = $node->safe_psql('postgres', $pids);
sleep 1;
is(get_item($node, 'fruit', 'apple'), 'red', 'a read after idling');
is($node->safe_psql('postgres', $pids), $before, 'no worker was ended by a timeout');

# A newer commit must be seen by the next read: the isolation is ours.
my $socket = connect_endpoint($node);
for my $value (1 .. 20)
{
	put_item($node, 'fruit', 'apple', $value);
	send_operation($socket, 'GetItem',
		{ TableName => 'fruit', Key => { id => { S => 'apple' } } });
	my (undef, $body) = read_answer($socket);
	is($body->{Item}{v}{S}, $value, "the newest value is read, $value") if $value % 10 == 0;
}

# NOTIFY traffic, in transactions that touch other things, too.
$node->safe_psql('postgres', join '', map { "NOTIFY chatter, '$_';" } 1 .. 500);
is((put_item($node, 'fruit', 'pear', 'green'))[0], 200, 'a write after NOTIFY traffic');

# Many invalidations, more than their queue holds, while the workers are idle.
$node->safe_psql('postgres', q{
	SET statement_timeout = 0;
	DO $$ BEGIN
		FOR i IN 1 .. 1000 LOOP
			CREATE TEMP TABLE t (a text PRIMARY KEY);
			DROP TABLE t;
			COMMIT;
		END LOOP;
	END $$});
is(get_item($node, 'fruit', 'pear'), 'green', 'a read after it');

# Read-only by default: honoured, in words that make clients retry.
$node->append_conf('postgresql.conf', 'default_transaction_read_only = on');
$node->reload;
my ($status, $body);
ok(eventually(5, sub { ($status, $body) = put_item($node, 'fruit', 'apple', '20'); $status == 503 }), 'writes are refused while default_transaction_read_only is on');
like($body->{message}, qr/read-only/, 'and told why');
is(get_item($node, 'fruit', 'apple'), '20', 'reads are served');
$node->append_conf('postgresql.conf', 'default_transaction_read_only = off');
$node->reload;
ok(eventually(5, sub { (put_item($node, 'fruit', 'apple', 'blue'))[0] == 200 }),
	'writes are taken again');

# Settings that a reload changes.
is((operation($node, 'DescribeTable', { TableName => 'fruit' }))[1]{Table}{TableArn},
	'arn:aws:dynamodb:us-east-1:000000000000:table/fruit', 'the region by default');
$node->append_conf('postgresql.conf', "dynamo.region = 'eu-test-9'");
$node->reload;
ok(eventually(5, sub { (operation($node, 'DescribeTable', { TableName => 'fruit' }))[1]{Table}{TableArn} eq 'arn:aws:dynamodb:eu-test-9:000000000000:table/fruit' }), 'another region after a reload');

# dynamo.accept_any_credentials is for this machine's own pages and programs.
for my $case ([ 'Host: evil.example', 400 ], [ "Host: localhost\r\nOrigin: http://evil.example", 400 ],
	[ "Host: 127.0.0.1:8000", 200 ], [ "Host: [::1]", 200 ],
	[ "Host: localhost\r\nOrigin: http://localhost:3000", 200 ], [ 'Host: localhost.evil.example', 400 ])
{
	my ($headers, $expected) = @$case;
	my $raw = connect_endpoint($node);
	send_raw($raw,
		"POST / HTTP/1.1\r\n$headers\r\nContent-Type: application/x-amz-json-1.0\r\n"
		  . "X-Amz-Target: DynamoDB_20120810.DescribeLimits\r\nX-Amz-Date: 20260101T000000Z\r\n"
		  . "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
		  . "SignedHeaders=host;x-amz-date, Signature=00\r\nContent-Length: 2\r\n\r\n{}");
	($status) = read_answer($raw);
	is($status, $expected, $headers =~ s/\r\n/, /r);
}

# Cancelling a worker that is doing nothing cancels nothing.
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM dynamo.stat_workers');
is((put_item($node, 'fruit', 'apple', 'blue'))[0], 200, 'a write after a cancel');

unlike(slurp_file($node->logfile), qr/dynamo.*(FATAL|PANIC)/, 'nothing fatal happened');
is(start_time($node), $started, 'the server has not restarted');
$node->stop;

# Several databases named: said clearly, and the server runs.
unlink $node->logfile;
$node->append_conf('postgresql.conf', "dynamo.database = 'postgres, app'");
$node->start;
ok(eventually(10, sub { slurp_file($node->logfile) =~ /waits for database "postgres, app".*names one database, not a list/s }), 'more than one database is told to be none');
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'the server runs all the same');
$node->stop;
done_testing();
