# Access keys and sessions in a server's life: restarts, standbys, logs.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Everything that could tell a secret talks as much as it can.
my $libdir = `$ENV{PG_CONFIG} --pkglibdir`;
chomp $libdir;
my @talkative = grep { -e "$libdir/$_.so" } qw(auto_explain pg_stat_statements);
my $primary = dynamo_node('primary',
	'shared_preload_libraries' => join(',', 'dynamo', @talkative),
	'dynamo.accept_any_credentials' => 'off',
	'log_statement' => 'all', 'log_min_duration_statement' => '0', 'log_error_verbosity' => 'verbose', 'log_min_messages' => 'debug1',
	'log_parameter_max_length' => '-1', 'log_parameter_max_length_on_error' => '-1',
	'debug_print_parse' => 'on', 'debug_print_rewritten' => 'on', 'debug_print_plan' => 'on',
	'auto_explain.log_min_duration' => '0', 'auto_explain.log_nested_statements' => 'on', 'auto_explain.log_analyze' => 'on',
	'auto_explain.log_verbose' => 'on', 'pg_stat_statements.track' => 'all', 'pg_stat_statements.track_utility' => 'on');
my $started = start_time($primary);
$primary->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements') if grep { $_ eq 'pg_stat_statements' } @talkative;
$primary->safe_psql('postgres', q{
	CREATE ROLE app; CREATE ROLE report;
	SELECT dynamo.put_trust_policy('report', '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Principal": {"AWS": "arn:aws:iam::000000000000:user/app"}, "Action": "sts:AssumeRole"}]}')});

my @key = split /\|/, $primary->safe_psql('postgres', q{SELECT * FROM dynamo.create_access_key('app')});
my @rotated = split /\|/, $primary->safe_psql('postgres', "SELECT * FROM dynamo.rotate_access_key('$key[0]')");
my $form = 'Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A000000000000%3Arole%2Freport&RoleSessionName=life';

sub credentials
{
	my ($node, @with) = @_;
	my ($status, $xml) = sts($node, $form, @with);
	return $status == 200 ?
	  map { $xml =~ m{<$_>(.*)</$_>} ? $1 : '' } qw(AccessKeyId SecretAccessKey SessionToken) : ($xml =~ m{<Code>(.*)</Code>});
}

# How a request with these credentials ends.
sub answer
{
	my ($node, @with) = @_;
	my $socket = connect_endpoint($node);
	send_signed($socket, 'DescribeLimits', {}, @with);
	my ($status, $body) = read_answer($socket);
	return $status == 200 ? 'ok' : $body->{__type} =~ s/.*#//r;
}

ok(eventually(10, sub { (get_page($primary, '/ready'))[0] // 0 == 200 }), 'ready');
my @session = credentials($primary, @key);
like($session[0], qr/^ASIA[A-Z2-7]{16}$/, 'AssumeRole');
is(answer($primary, @session), 'ok', 'the session counts');
is(answer($primary, @session[0, 1]), 'UnrecognizedClientException', 'not without its token');

# A standby takes sessions, and makes them.
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
dynamo_conf($standby, 'shared_preload_libraries' => join(',', 'dynamo', @talkative), 'dynamo.accept_any_credentials' => 'off');
$standby->start;
ok(eventually(10, sub { my $socket = connect_endpoint($standby); $socket && answer($standby, @key) eq 'ok' }), 'a standby takes the key');
is(answer($standby, @session), 'ok', 'and the session');
my @others = credentials($standby, @key);
like($others[0], qr/^ASIA/, 'AssumeRole on the standby');
is(answer($standby, @others), 'ok', 'its session counts there');
is(answer($primary, @others), 'ok', 'and on the primary');

# A restart ends nothing.
$primary->restart;
ok(eventually(10, sub { (get_page($primary, '/ready'))[0] // 0 == 200 }), 'ready again');
is(answer($primary, @session), 'ok', 'the session counts after a restart');
is(answer($primary, @rotated), 'ok', 'so does the key');
$started = start_time($primary);

# What is ended on the primary is ended on the standby when it has been replayed.
$primary->safe_psql('postgres', q{SELECT dynamo.revoke_sessions('report')});
is(answer($primary, @session), 'UnrecognizedClientException', 'sessions end');
$primary->wait_for_catchup($standby);
is(answer($standby, @session), 'UnrecognizedClientException', 'on the standby, too');
my @next = credentials($standby, @key);
is(answer($primary, @next), 'ok', 'new ones are made');
$primary->safe_psql('postgres', q{ALTER ROLE report RENAME TO reports});
is(answer($primary, @next), 'ok', 'a role that is renamed keeps its sessions');
my ($status, $xml) = sts($primary, 'Action=GetCallerIdentity', @next);
like($xml, qr{<Arn>arn:aws:sts::000000000000:assumed-role/reports/life</Arn>}, 'by its new name');
$primary->safe_psql('postgres', q{DROP ROLE reports});
is(answer($primary, @next), 'UnrecognizedClientException', 'a role that is gone has none');
is_deeply([ credentials($primary, @key) ], ['AccessDenied'], 'and makes none');
$primary->safe_psql('postgres', q{CALL dynamo.run_jobs()});
is($primary->safe_psql('postgres', 'SELECT count(*) FROM dynamo.principals'), '0', 'nothing is left of it');

# When keys were used is written down now and then.
$primary->restart;
ok(eventually(10, sub { (get_page($primary, '/ready'))[0] // 0 == 200 }), 'ready again');
is(answer($primary, @rotated), 'ok', 'the key is used');
is($primary->safe_psql('postgres',
	"CALL dynamo.run_jobs(); SELECT last_used_region, last_used_service FROM dynamo.my_access_keys WHERE access_key_id = '$rotated[0]'"),
	'us-east-1|dynamodb', 'and that is known');

# SQL, too.
$primary->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION dynamo.get_session_token TO app');
my ($own) = $primary->safe_psql('postgres', 'SET ROLE app; SELECT dynamo.get_session_token()') =~ /"SecretAccessKey":"([^"]+)"/;
is(length $own, 40, 'a session by SQL');
$primary->safe_psql('postgres', 'SELECT dynamo.rotate_session_key()');
my $sealed = $primary->safe_psql('postgres', q{SELECT string_agg(encode(secret, 'hex'), '|') FROM dynamo.session_keys});

my $log = slurp_file($primary->logfile) . slurp_file($standby->logfile);
for my $secret ([ 'access key', $key[1] ], [ 'rotated key', $rotated[1] ], [ 'session', $session[1] ],
	[ 'session of the standby', $others[1] ], [ 'session by SQL', $own ], [ 'token', $session[2] ])
{
	unlike($log, qr/\Q$$secret[1]\E/, "no secret is in the log: $$secret[0]");
	# Nodes are printed byte by byte.
	my $bytes = join ' ', map { ord } split //, $$secret[1];
	unlike($log, qr/\Q$bytes\E/, "nor in a printed tree: $$secret[0]");
}
unlike($log, qr/$sealed/i, 'nor what tokens are sealed with');
SKIP:
{
	skip 'pg_stat_statements is not there', 1 unless grep { $_ eq 'pg_stat_statements' } @talkative;
	my $statements = $primary->safe_psql('postgres', 'SELECT query FROM pg_stat_statements');
	unlike($statements, qr/\Q$key[1]\E|\Q$rotated[1]\E|\Q$own\E/, 'nor in pg_stat_statements');
}
cmp_ok(length $log, '>', 100_000, 'and the log says a lot');
$standby->stop;
$primary->stop;
done_testing();
