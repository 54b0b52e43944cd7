# What SQL sessions commit asynchronously becomes durable as soon as ever, though
# such commits wake the flusher in place of the WAL writer.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

# After fifty turns without work the WAL writer sleeps for 25 times the delay.
my $delay = 0.1;
my $node = dynamo_node('latch', wal_writer_delay => '100ms', autovacuum => 'off', bgwriter_lru_maxpages => 0);
create_table($node, 'fruit');
$node->safe_psql('postgres', 'CREATE TABLE plain (n int)');

sub becomes_durable
{
	my $lsn = $node->safe_psql('postgres',
		'SET synchronous_commit = off; INSERT INTO plain VALUES (1); SELECT pg_current_wal_insert_lsn()');
	return eventually(5 * $delay, sub {
		$node->safe_psql('postgres', "SELECT pg_current_wal_flush_lsn() >= '$lsn'") eq 't' });
}

# A write alone would be flushed by its own worker.
sub write_together
{
	my $flushed = sub { $node->safe_psql('postgres', 'SELECT flushes - inline_flushes FROM dynamo.stat_flush') };
	my $before = $flushed->();
	my @sockets = map { connect_endpoint($node) } 1 .. 8;
	ok(eventually(30, sub {
		for my $round (1 .. 5)
		{
			send_operation($_, 'PutItem', { TableName => 'fruit', Item => { id => { S => 'k' . int rand 1000 } } }) for @sockets;
			read_answer($_) for @sockets;
		}
		return $flushed->() > $before; }), 'the flusher has flushed writes of ours');
	return;
}

sub flusher
{
	return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'dynamo flusher'");
}

for my $state ('the first flusher', 'the second')
{
	ok(eventually(20, \&flusher), $state);
	sleep 60 * $delay;
	ok(becomes_durable(), 'after a long sleep');
	ok(becomes_durable(), 'after a short one');
	write_together();
	ok(becomes_durable(), 'after writes of ours');
	sleep 60 * $delay;
	ok(becomes_durable(), 'after a long sleep that follows them');
	write_together();

	my $pid = flusher();
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	ok(eventually(20, sub { flusher() ne $pid }), 'it has gone');
	ok(becomes_durable(), 'without one, or with one that has just come');
}

done_testing();
