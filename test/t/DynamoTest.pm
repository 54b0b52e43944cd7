# What the TAP tests share: a cluster with the endpoint, and a client that
# can have several requests under way.
package DynamoTest;

use strict;
use warnings;

use Digest::SHA qw(sha256_hex hmac_sha256 hmac_sha256_hex);
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(
  dynamo_node dynamo_conf dynamo_port endpoint_serves connect_endpoint
  send_operation send_signed sts send_raw read_answer operation get_page create_table put_item
  get_item eventually in_background start_time);

my %ports;
my $json = JSON::PP->new->canonical->allow_nonref;

sub dynamo_conf
{
	my ($node, %settings) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my %all = (
		'shared_preload_libraries' => 'dynamo',
		'dynamo.port' => $port,
		'dynamo.accept_any_credentials' => 'on',
		'dynamo.database' => 'postgres',
		%settings);

	$ports{ $node->name } = $port;
	$node->append_conf('postgresql.conf',
		join('', map { "$_ = '$all{$_}'\n" } sort keys %all));
	return;
}

# A cluster that serves the endpoint; the extension is made unless the caller
# names another database.
sub dynamo_node
{
	my ($name, %settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 1);
	dynamo_conf($node, %settings);
	$node->start;
	$node->safe_psql('postgres', 'SET statement_timeout = 0; CREATE EXTENSION dynamo')
	  unless $settings{'dynamo.database'};
	return $node;
}

sub dynamo_port
{
	my ($node) = @_;
	return $ports{ $node->name };
}

# Call a sub until it returns true, for at most so many seconds.
sub eventually
{
	my ($seconds, $condition) = @_;
	my $end = time + $seconds;

	while (1)
	{
		my $result = $condition->();
		return $result if $result;
		return 0 if time > $end;
		sleep 0.02;
	}
}

sub connect_endpoint
{
	my ($node) = @_;
	return IO::Socket::INET->new(
		PeerAddr => '127.0.0.1',
		PeerPort => dynamo_port($node),
		Timeout => 5);
}

sub send_raw
{
	my ($socket, $text) = @_;
	local $SIG{PIPE} = 'IGNORE';
	return syswrite($socket, $text);
}

# $header: further header lines, each with its line end.
sub send_operation
{
	my ($socket, $operation, $request, $header) = @_;
	my $body = ref $request ? $json->encode($request) : $request;

	return send_raw(
		$socket,
		"POST / HTTP/1.1\r\nHost: localhost\r\n"
		  . "Content-Type: application/x-amz-json-1.0\r\n"
		  . "X-Amz-Target: DynamoDB_20120810.$operation\r\n"
		  . "X-Amz-Date: 20260101T000000Z\r\n"
		  . 'Authorization: AWS4-HMAC-SHA256 Credential='
		  . 'test/20260101/us-east-1/dynamodb/aws4_request, '
		  . "SignedHeaders=host;x-amz-date, Signature=00\r\n"
		  . ($header // '')
		  . 'Content-Length: '
		  . length($body)
		  . "\r\n\r\n$body");
}

# The lines that sign a POST of a body: X-Amz-Date and Authorization, and
# X-Amz-Security-Token if there is a token.
sub signature_lines
{
	my ($service, $body, $key_id, $secret, $token) = @_;
	my $now = POSIX::strftime('%Y%m%dT%H%M%SZ', gmtime);
	my $day = substr($now, 0, 8);
	my $scope = "$day/us-east-1/$service/aws4_request";
	my $canonical = join("\n", 'POST', '/', '', 'host:localhost', "x-amz-date:$now",
		'', 'host;x-amz-date', sha256_hex($body));
	my $key = "AWS4$secret";
	$key = hmac_sha256($_, $key) for split m{/}, $scope;
	my $signature = hmac_sha256_hex(
		join("\n", 'AWS4-HMAC-SHA256', $now, $scope, sha256_hex($canonical)), $key);

	return "X-Amz-Date: $now\r\n"
	  . ($token ? "X-Amz-Security-Token: $token\r\n" : '')
	  . "Authorization: AWS4-HMAC-SHA256 Credential=$key_id/$scope, "
	  . "SignedHeaders=host;x-amz-date, Signature=$signature\r\n";
}

# The same with a real signature.
sub send_signed
{
	my ($socket, $operation, $request, @key) = @_;
	my $body = $json->encode($request);

	return send_raw(
		$socket,
		"POST / HTTP/1.1\r\nHost: localhost\r\n"
		  . "Content-Type: application/x-amz-json-1.0\r\n"
		  . "X-Amz-Target: DynamoDB_20120810.$operation\r\n"
		  . signature_lines('dynamodb', $body, @key)
		  . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
}

# A request to STS: (status, XML).
sub sts
{
	my ($node, $form, @key) = @_;
	my $socket = connect_endpoint($node) or return ();
	my $body = "$form&Version=2011-06-15";

	send_raw(
		$socket,
		"POST / HTTP/1.1\r\nHost: localhost\r\n"
		  . "Content-Type: application/x-www-form-urlencoded\r\n"
		  . signature_lines('sts', $body, @key)
		  . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
	my @answer = read_answer($socket);
	close $socket;
	return @answer;
}

# (status, decoded body), or () if the connection ends or the time is up.
sub read_answer
{
	my ($socket, $timeout) = @_;
	my $end = time + ($timeout // 10);
	my $select = IO::Select->new($socket);
	my $text = '';

	while (1)
	{
		if ($text =~ /\A(.*?)\r\n\r\n(.*)\z/s)
		{
			my ($head, $body) = ($1, $2);
			my ($length) = $head =~ /^content-length: *(\d+)/im;
			if (length($body) >= $length)
			{
				my ($status) = $head =~ m{\AHTTP/1\.1 (\d+)};
				my $decoded = eval { $json->decode($body) } // $body;
				return ($status, $decoded);
			}
		}
		my $left = $end - time;
		return () if $left <= 0 || !$select->can_read($left);
		return () unless sysread($socket, $text, 65536, length $text);
	}
}

# One operation on a connection of its own: (status, decoded body); () if
# nobody answers.
sub operation
{
	my ($node, $operation, $request, $timeout) = @_;
	my $socket = connect_endpoint($node) or return ();

	send_operation($socket, $operation, $request // {});
	my @answer = read_answer($socket, $timeout);
	close $socket;
	return @answer;
}

sub get_page
{
	my ($node, $path) = @_;
	my $socket = connect_endpoint($node) or return ();

	send_raw($socket, "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n");
	my @answer = read_answer($socket);
	close $socket;
	return @answer;
}

sub endpoint_serves
{
	my ($node, $seconds) = @_;
	return eventually($seconds // 10, sub { my ($status) = operation($node, 'DescribeLimits', {}, 1); defined $status && $status == 200 });
}

sub create_table
{
	my ($node, $table) = @_;
	my ($status, $body) = operation(
		$node,
		'CreateTable',
		{
			TableName => $table,
			BillingMode => 'PAY_PER_REQUEST',
			AttributeDefinitions =>
			  [ { AttributeName => 'id', AttributeType => 'S' } ],
			KeySchema => [ { AttributeName => 'id', KeyType => 'HASH' } ],
		});
	is($status, 200, "table $table is created")
	  or diag($json->encode($body // 'no answer'));
	return;
}

sub put_item
{
	my ($node, $table, $id, $value) = @_;
	return operation($node, 'PutItem',
		{ TableName => $table, Item => { id => { S => "$id" }, v => { S => "$value" } } });
}

# The attribute v, or undef.
sub get_item
{
	my ($node, $table, $id, %more) = @_;
	my (undef, $body) = operation($node, 'GetItem',
		{ TableName => $table, Key => { id => { S => $id } }, %more });
	return ref $body && $body->{Item} ? $body->{Item}{v}{S} : undef;
}

# Run a sub in a process of its own, whose exit status is its result.  It must
# not run the END blocks: they would stop the clusters.
sub in_background
{
	my ($work) = @_;
	my $pid = fork // die;

	return $pid if $pid;
	my $result = eval { $work->() };
	print STDERR "# $@" if $@;
	POSIX::_exit($@ ? 99 : $result);
}

# Nothing a test does may make the postmaster restart everybody.
sub start_time
{
	my ($node) = @_;
	return $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
}

1;
