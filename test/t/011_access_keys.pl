# A request runs as the role of its access key, and a key that has been taken
# away is refused at once, by every worker.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use DynamoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = dynamo_node('keys', 'dynamo.accept_any_credentials' => 'off');
my $started = start_time($node);
ok( eventually(10, sub { (get_page($node, '/ready'))[0] // 0 == 200 }), 'ready');

my ($status, $body) = operation($node, 'ListTables');
is($body->{__type}, 'com.amazon.coral.service#InvalidSignatureException',
	'made-up credentials are not accepted: the date is old');

$node->safe_psql('postgres', 'CREATE ROLE reader; CREATE ROLE writer');
my %keys = map {
	my $role = $_;
	$role => [ split /\|/, $node->safe_psql('postgres',
			"SELECT * FROM dynamo.create_access_key('$role')") ]
} qw(postgres reader writer);

# Several connections, so that several workers are asked.
my @sockets = map { connect_endpoint($node) } 1 .. 6;

sub as_role
{
	my ($role, $operation, $request) = @_;
	my %answers;
	for my $socket (@sockets)
	{
		send_signed($socket, $operation, $request, @{ $keys{$role} });
		my ($status, $body) = read_answer($socket);
		my $name = $status == 200 ? 'ok' : $body->{__type} =~ s/.*#//r;
		$answers{$name}++;
	}
	return join ' ', sort keys %answers;
}

my $put = { TableName => 'fruit', Item => { id => { S => 'apple' } } };
my $get = { TableName => 'fruit', Key => { id => { S => 'apple' } } };

send_signed($sockets[0], 'CreateTable', {
		TableName => 'fruit', BillingMode => 'PAY_PER_REQUEST',
		AttributeDefinitions => [ { AttributeName => 'id', AttributeType => 'S' } ],
		KeySchema => [ { AttributeName => 'id', KeyType => 'HASH' } ] },
	@{ $keys{postgres} });
($status, $body) = read_answer($sockets[0]);
is($status, 200, 'a superuser\'s key makes a table');
is(as_role('postgres', 'PutItem', $put), 'ok', 'and writes');

is(as_role('reader', 'GetItem', $get), 'AccessDeniedException', 'a role without privileges may not read');
my $relation = $node->safe_psql('postgres',
	q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'dynamo_data'::regnamespace AND relkind = 'r'});
$node->safe_psql('postgres',
	"GRANT SELECT ON $relation TO reader, writer; GRANT INSERT, UPDATE ON $relation TO writer");
is(as_role('reader', 'GetItem', $get), 'ok', 'with SELECT it may');
is(as_role('reader', 'PutItem', $put), 'AccessDeniedException', 'but not write');
is(as_role('writer', 'PutItem', $put), 'ok', 'another one may');
is(as_role('writer', 'DeleteItem', $get), 'AccessDeniedException', 'but not delete');
$node->safe_psql('postgres', "REVOKE SELECT ON $relation FROM reader");
is(as_role('reader', 'GetItem', $get), 'AccessDeniedException', 'until it is revoked');

# What triggers do, they do as the role, also at the transaction's end; and what they set is gone.
$node->safe_psql('postgres', qq{
	CREATE TABLE fired (who text, path text);
	GRANT INSERT ON fired TO writer;
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS \$\$
		BEGIN
			INSERT INTO public.fired VALUES (current_user, current_setting('search_path'));
			SET search_path = public;
			EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT public.note_user()';
			RETURN NULL;
		END \$\$;
	CREATE FUNCTION note_user() RETURNS void LANGUAGE sql AS 'INSERT INTO public.fired VALUES (current_user, NULL)';
	CREATE CONSTRAINT TRIGGER note AFTER UPDATE ON $relation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()});
is(as_role('writer', 'PutItem', $put), 'ok', 'a write that fires a deferred trigger') for 1 .. 6;
is(as_role('writer', 'ExecuteStatement', { Statement => q{UPDATE "fruit" SET n = 1 WHERE id = 'apple'}, Statements => [ { Statement => 'SELECT' } ] }),
	'ok', 'also one that is made to look like a read');
is($node->safe_psql('postgres', 'SELECT DISTINCT who, path FROM fired'), 'writer|pg_catalog, pg_temp', 'which runs as the role, with the settings of the process');
$node->safe_psql('postgres', "DROP TRIGGER note ON $relation");

# Keys that go.
$node->safe_psql('postgres', "SELECT dynamo.update_access_key('$keys{writer}[0]', false)");
is(as_role('writer', 'GetItem', $get), 'UnrecognizedClientException', 'a key that is switched off is refused');
$node->safe_psql('postgres', "SELECT dynamo.update_access_key('$keys{writer}[0]', true)");
is(as_role('writer', 'GetItem', $get), 'ok', 'and taken when it is on again');
$node->safe_psql('postgres', "SELECT dynamo.delete_access_key('$keys{writer}[0]')");
is(as_role('writer', 'GetItem', $get), 'UnrecognizedClientException', 'a deleted key is refused');

# The way on, for those who have just started and have no key.
send_signed($sockets[0], 'ListTables', {}, 'AKIAIOSFODNN7EXAMPLE', 'x');
($status, $body) = read_answer($sockets[0]);
like($body->{message}, qr/create_access_key.*accept_any_credentials/, 'the answer to a bad key says what to do');

# Bad signatures among good requests that arrive with them disturb nobody.
for my $i (0 .. $#sockets)
{
	my $secret = $i % 2 ? 'wrong' : $keys{postgres}[1];
	send_signed($sockets[$i], 'PutItem', $put, $keys{postgres}[0], $secret);
}
is(join(' ', map { (read_answer($_))[0] } @sockets), '200 400 200 400 200 400', 'bad signatures are their own');

unlike(slurp_file($node->logfile), qr/\Q$keys{postgres}[1]\E/, 'no secret is in the log');
is(start_time($node), $started, 'the server has not restarted');
$node->stop;
done_testing();
