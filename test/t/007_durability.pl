# Durable before acknowledged: no acknowledged write is lost to kill -9, and
# nobody is told what the synchronous standby does not have.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{DYNAMO_KILL_ROUNDS} // 3;
my $writers = 8;

my $node = dynamo_node('durable');
create_table($node, 'log');

# A writer: a counter per writer, and one item all of them count up in.
sub write_until_it_dies
{
	my ($round, $writer, $file) = @_;
	open my $out, '>', $file or die;
	$out->autoflush(1);
	my $socket = connect_endpoint($node) or return 0;
	for (my $i = 1;; $i++)
	{
		my $request = $i % 4
		  ? [ 'PutItem', { TableName => 'log', Item => { id => { S => "$round-$writer-$i" } } } ]
		  : [ 'UpdateItem', { TableName => 'log', Key => { id => { S => 'counter' } },
				UpdateExpression => 'ADD n :one',
				ExpressionAttributeValues => { ':one' => { N => '1' } } } ];
		send_operation($socket, @$request) or last;
		my ($status, $body) = read_answer($socket, 5) or last;
		print $out $i % 4 ? "$round-$writer-$i\n" : "counter\n" if $status == 200;
		print $out "unexpected $status\n" if $status != 200 && $status != 503;
	}
	return 0;
}

my $counted = 0;
for my $round (1 .. $rounds)
{
	my $directory = PostgreSQL::Test::Utils::tempdir();
	my @pids;
	ok(endpoint_serves($node), "round $round: served");
	for my $writer (1 .. $writers)
	{
		push @pids, in_background(
			sub { write_until_it_dies($round, $writer, "$directory/$writer") });
	}
	sleep 1 + rand;
	$node->kill9;
	waitpid $_, 0 for @pids;
	# The memory is free when the last child has seen that its parent is gone.
	ok(eventually(30, sub { $node->{_pid} = undef; $node->start(fail_ok => 1) }), "round $round: restarted after kill -9");
	ok(endpoint_serves($node), "round $round: served again");

	my @acknowledged = map { split /\n/, slurp_file($_) } glob "$directory/*";
	my @items = grep { !/counter|unexpected/ } @acknowledged;
	$counted += grep { /counter/ } @acknowledged;
	is_deeply([ grep { /unexpected/ } @acknowledged ], [], "round $round: only expected answers");
	cmp_ok(scalar @items, '>', 20, "round $round: " . @items . ' items were acknowledged');
	my @missing;
	my $socket = connect_endpoint($node);
	for my $id (@items)
	{
		send_operation($socket, 'GetItem', { TableName => 'log', Key => { id => { S => $id } } });
		my (undef, $body) = read_answer($socket);
		push @missing, $id unless $body->{Item};
	}
	is_deeply(\@missing, [], "round $round: every acknowledged item is there");
	my (undef, $body) = operation($node, 'GetItem',
		{ TableName => 'log', Key => { id => { S => 'counter' } } });
	cmp_ok($body->{Item}{n}{N}, '>=', $counted, "round $round: every acknowledged count is there");
}
$node->stop;

# A synchronous standby.
my $primary = dynamo_node('primary');
create_table($primary, 'fruit');
put_item($primary, 'fruit', 'apple', 'red');
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$standby->start;
$primary->append_conf('postgresql.conf', q{synchronous_standby_names = '*'});
$primary->reload;
ok(eventually(10, sub { $primary->safe_psql('postgres', 'SELECT sync_state FROM pg_stat_replication') eq 'sync' }),
	'the standby is synchronous');
is((put_item($primary, 'fruit', 'apple', 'green'))[0], 200, 'a write with its confirmation');

# SQL sessions wait for it, too.  What a read has to wait for can be the end of such
# a session's commit record, and PostgreSQL asserts that no two wait for one position.
my $script = PostgreSQL::Test::Utils::tempdir() . '/insert.sql';
append_to_file($script, "INSERT INTO beside VALUES (1);\n");
$primary->safe_psql('postgres', 'CREATE TABLE beside (n int)');
my $sessions = in_background(sub {
	return system('pgbench', '-n', '-c', 4, '-T', 3, '-f', $script, '-h', $primary->host, '-p', $primary->port, 'postgres') >> 8;
});
my @clients = map { my $number = $_; in_background(sub {
	my $end = time + 3;
	my $socket = connect_endpoint($primary);
	while (time < $end)
	{
		send_operation($socket, $number % 3 ? 'GetItem' : 'PutItem', $number % 3 ?
			{ TableName => 'fruit', Key => { id => { S => 'apple' } } } :
			{ TableName => 'fruit', Item => { id => { S => "item$number" }, v => { S => 'x' } } });
		die 'no answer' if ((read_answer($socket))[0] // 0) != 200;
	}
	return 0;
}) } 1 .. 12;
my $failed = grep { waitpid($_, 0); $? } $sessions, @clients;
is($failed, 0, 'sessions and requests wait for the standby side by side');
unlike(slurp_file($primary->logfile), qr/TRAP:|terminated by signal/, 'and none for just what another does');

$standby->stop('immediate');
my $writer = connect_endpoint($primary);
my $reader = connect_endpoint($primary);
my $get = { TableName => 'fruit', Key => { id => { S => 'apple' } } };
send_operation($writer, 'PutItem',
	{ TableName => 'fruit', Item => { id => { S => 'apple' }, v => { S => 'blue' } } });
is_deeply([ read_answer($writer, 1) ], [], 'without the standby a write is not acknowledged');
is($primary->safe_psql('postgres', q{SELECT count(*) > 0 FROM dynamo.stat_workers WHERE held > 0}),
	't', 'its reply is held');
send_operation($reader, 'GetItem', $get);
is_deeply([ read_answer($reader, 1) ], [], 'nor is anybody told that it happened');
my ($status) = get_page($primary, '/');
is($status, 200, 'the worker still answers what depends on nothing');

# Cancelling or ending the flusher, or a worker, acknowledges nothing either.
$primary->safe_psql('postgres',
	q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'dynamo%'});
is_deeply([ read_answer($writer, 1) ], [], 'a cancel does not acknowledge it');
$primary->safe_psql('postgres',
	q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'dynamo flusher'});
is_deeply([ read_answer($writer, 2) ], [], 'the end of the flusher does not acknowledge it');
ok(eventually(5, sub { $primary->safe_psql('postgres', 'SELECT flusher_pid > 0 FROM dynamo.stat_flush') eq 't' }), 'another flusher has come');

ok(eventually(15, sub { (get_page($primary, '/ready'))[1] =~ /flush is stuck/ }),
	'the server is not ready while replies are held for long');
$standby->start;
is((read_answer($writer, 10))[0], 200, 'with the standby back it is acknowledged');
my ($read_status, $body) = read_answer($reader, 10);
is($body->{Item}{v}{S}, 'blue', 'and the reader is answered');

# The same once more, ended by the setting.
$standby->stop('immediate');
send_operation($writer, 'PutItem',
	{ TableName => 'fruit', Item => { id => { S => 'apple' }, v => { S => 'pink' } } });
is_deeply([ read_answer($writer, 1) ], [], 'held again');
$primary->append_conf('postgresql.conf', q{synchronous_standby_names = ''});
$primary->reload;
is((read_answer($writer, 10))[0], 200, 'acknowledged when no standby is asked for any more');

# Shutdown doesn't wait for a standby, and doesn't acknowledge.
$primary->append_conf('postgresql.conf', q{synchronous_standby_names = '*'});
$primary->reload;
ok(eventually(5, sub { $primary->safe_psql('postgres', 'SHOW synchronous_standby_names') eq '*' }), 'reloaded');
sleep 0.2;
send_operation($writer, 'PutItem',
	{ TableName => 'fruit', Item => { id => { S => 'apple' }, v => { S => 'grey' } } });
is_deeply([ read_answer($writer, 1) ], [], 'held once more');
my $begin = time;
$primary->stop('fast');
cmp_ok(time - $begin, '<', 5, 'a fast shutdown is fast all the same');
is_deeply([ read_answer($writer, 1) ], [], 'and nothing was acknowledged');
done_testing();
