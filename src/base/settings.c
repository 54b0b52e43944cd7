/*-------------------------------------------------------------------------
 *
 * settings.c
 *		Every dynamo.* setting, sorted by name.
 *
 * src/base/settings.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/guc.h"

#include "base/settings.h"

char	   *dyn_account_id;
bool		dyn_accept_any_credentials;
int			dyn_audit;
bool		dyn_audit_requests;
int			dyn_backfill_patience;
int			dyn_background_share;
int			dyn_change_log_limit;
char	   *dyn_database;
int			dyn_idle_timeout;
char	   *dyn_infrequent_access_tablespace;
int			dyn_item_collection_limit;
char	   *dyn_listen_addresses;
int			dyn_lock_timeout;
char	   *dyn_master_key_command;
char	   *dyn_master_key_file;
int			dyn_max_connections;
int			dyn_max_connections_per_address;
int			dyn_max_failed_signatures;
int			dyn_policy_enforcement;
int			dyn_port;
bool		dyn_public_metrics;
int			dyn_queue_timeout;
char	   *dyn_region;
int			dyn_request_timeout;
int			dyn_ssl;
char	   *dyn_ssl_ca_file;
char	   *dyn_ssl_cert_file;
int			dyn_ssl_client_certificate;
char	   *dyn_ssl_key_file;
int			dyn_ssl_min_protocol_version;
int			dyn_stream_retention;
int			dyn_stream_shard_lifetime;
int			dyn_stream_shards;
double		dyn_time_slice;
int			dyn_time_to_live_change_interval;
int			dyn_time_to_live_interval;
int			dyn_validation_wording;
int			dyn_workers;

/* Who says "on" means it: nothing in the clear. */
static const struct config_enum_entry ssl_modes[] = {
	{"off", DYN_SSL_OFF, false},
	{"optional", DYN_SSL_OPTIONAL, false},
	{"required", DYN_SSL_REQUIRED, false},
	{"on", DYN_SSL_REQUIRED, true},
	{"true", DYN_SSL_REQUIRED, true},
	{"yes", DYN_SSL_REQUIRED, true},
	{"1", DYN_SSL_REQUIRED, true},
	{"false", DYN_SSL_OFF, true},
	{"no", DYN_SSL_OFF, true},
	{"0", DYN_SSL_OFF, true},
	{NULL, 0, false}
};

static const struct config_enum_entry ssl_client_certificates[] = {
	{"optional", DYN_SSL_OPTIONAL, false},
	{"required", DYN_SSL_REQUIRED, false},
	{NULL, 0, false}
};

static const struct config_enum_entry ssl_protocols[] = {
	{"TLSv1.2", DYN_SSL_TLS_1_2, false},
	{"TLSv1.3", DYN_SSL_TLS_1_3, false},
	{NULL, 0, false}
};

static const struct config_enum_entry wordings[] = {
	{"older", DYN_WORDING_OLDER, false},
	{"newer", DYN_WORDING_NEWER, false},
	{NULL, 0, false}
};

static const struct config_enum_entry audits[] = {
	{"off", DYN_AUDIT_OFF, false},
	{"denied", DYN_AUDIT_DENIED, false},
	{"writes", DYN_AUDIT_WRITES, false},
	{"all", DYN_AUDIT_ALL, false},
	{NULL, 0, false}
};

static const struct config_enum_entry enforcements[] = {
	{"enforce", DYN_POLICIES_ENFORCE, false},
	{"warn", DYN_POLICIES_WARN, false},
	{NULL, 0, false}
};

/* An account id is exactly twelve digits: clients parse ARNs by position. */
static bool
check_account_id(char **newval, void **extra, GucSource source)
{
	if (strlen(*newval) != 12 || strspn(*newval, "0123456789") != 12)
	{
		GUC_check_errdetail("An account id has exactly 12 digits.");
		return false;
	}
	return true;
}

static bool
check_region(char **newval, void **extra, GucSource source)
{
	size_t		len = strlen(*newval);

	if (len == 0 || len > 64 ||
		strspn(*newval, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
	{
		GUC_check_errdetail("A region name has 1 to 64 lower-case letters, digits and hyphens.");
		return false;
	}
	return true;
}

void
dyn_settings_define(void)
{
	/*
	 * A session that loads the library without preloading has no workers these
	 * could matter to, but has to be able to use the types and functions, and
	 * PostgreSQL refuses to define a PGC_POSTMASTER setting that late.
	 */
	GucContext	at_start = process_shared_preload_libraries_in_progress ?
	PGC_POSTMASTER : PGC_SIGHUP;

	DefineCustomBoolVariable("dynamo.accept_any_credentials",
							 "Accepts any access key and signature, on loopback connections only.",
							 "For development: every caller on this machine may do everything.",
							 &dyn_accept_any_credentials, false,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.account_id",
							   "The 12-digit account id used in ARNs.",
							   NULL,
							   &dyn_account_id, "000000000000",
							   PGC_SIGHUP, 0, check_account_id, NULL, NULL);
	DefineCustomEnumVariable("dynamo.audit",
							 "Which requests are logged, with who made them and whether that was allowed.",
							 NULL,
							 &dyn_audit, DYN_AUDIT_OFF, audits,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("dynamo.audit_requests",
							 "Whether the audit shows requests whole, with the items in them.",
							 NULL,
							 &dyn_audit_requests, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.backfill_patience",
							"How long a backfill waits, all in all, for old snapshots to end.",
							"While there are any, rows can't be rewritten in place. After this time the table grows instead.",
							&dyn_backfill_patience, 600, 0, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.background_share",
							"How much of the time a background job works, in percent; it sleeps the rest.",
							NULL,
							&dyn_background_share, 25, 1, 100,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.change_log_limit",
							"How large the change log may get before its oldest changes are dropped early; 0 means no limit.",
							"Writes are never stopped.",
							&dyn_change_log_limit, 20 * 1024, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.database",
							   "The database whose tables the endpoint serves.",
							   NULL,
							   &dyn_database, "postgres",
							   at_start, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.idle_timeout",
							"How long a kept-alive connection may be idle before it is closed.",
							NULL,
							&dyn_idle_timeout, 120, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.infrequent_access_tablespace",
							   "The tablespace of tables made with class STANDARD_INFREQUENT_ACCESS.",
							   "Empty: the tablespace of all other tables.",
							   &dyn_infrequent_access_tablespace, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.item_collection_limit",
							"How large the items of one partition key may get, in a table with local secondary indexes.",
							NULL,
							&dyn_item_collection_limit, 10 * 1024, 1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.listen_addresses",
							   "The host names or IP addresses the endpoint listens on.",
							   "A comma-separated list; \"*\" is all interfaces, an empty list none.",
							   &dyn_listen_addresses, "localhost",
							   at_start, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.lock_timeout",
							"How long a request waits for an item that a running transaction holds.",
							"After this time the answer is TransactionConflictException.",
							&dyn_lock_timeout, 5000, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.master_key_command",
							   "A command that prints the master keys of encrypted tables.",
							   "Run by each process that needs them; instead of dynamo.master_key_file.",
							   &dyn_master_key_command, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.master_key_file",
							   "The file with the master keys of encrypted tables.",
							   "An absolute path outside of the data directory. Nobody but the server may read the file.",
							   &dyn_master_key_file, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.max_connections",
							"How many connections one HTTP worker keeps open.",
							NULL,
							&dyn_max_connections, 10000, 1, 1000000,
							at_start, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.max_connections_per_address",
							"How many connections clients at one address keep open, over all HTTP workers; 0 means no limit.",
							"A /64 of IPv6 is one address.",
							&dyn_max_connections_per_address, 10000, 0, INT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.max_failed_signatures",
							"How many requests without a good signature an address may send in a minute before it is slowed down; 0 means no limit.",
							"A /64 of IPv6 is one address.",
							&dyn_max_failed_signatures, 100, 0, 60000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("dynamo.policy_enforcement",
							 "Whether policies refuse what SQL's privileges grant, or only say so in the log.",
							 NULL,
							 &dyn_policy_enforcement, DYN_POLICIES_ENFORCE, enforcements,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.port",
							"The TCP port of the endpoint.",
							NULL,
							&dyn_port, 8000, 1, 65535,
							at_start, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("dynamo.public_metrics",
							 "Answers GET /metrics for clients on other machines, too.",
							 "The page names tables and needs no access key.",
							 &dyn_public_metrics, false,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.queue_timeout",
							"How long a request waits for its turn while there are more than can be served; 0: without limit.",
							"Then it is answered with ThrottlingException, which SDKs retry.",
							&dyn_queue_timeout, 250, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.region",
							   "The region named in ARNs.",
							   NULL,
							   &dyn_region, "us-east-1",
							   PGC_SIGHUP, 0, check_region, NULL, NULL);
	DefineCustomIntVariable("dynamo.request_timeout",
							"How long a client may take to send one request.",
							NULL,
							&dyn_request_timeout, 60, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomEnumVariable("dynamo.ssl",
							 "Whether the endpoint speaks TLS.",
							 "With \"optional\" requests in the clear are served, too, on the same port.",
							 &dyn_ssl, DYN_SSL_OFF, ssl_modes,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.ssl_ca_file",
							   "The file of the authorities whose client certificates are accepted.",
							   "Empty: clients are not asked for certificates.",
							   &dyn_ssl_ca_file, "",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.ssl_cert_file",
							   "The file of the endpoint's certificate and those between it and its authority.",
							   NULL,
							   &dyn_ssl_cert_file, "server.crt",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("dynamo.ssl_client_certificate",
							 "Whether clients must show a certificate of an authority in dynamo.ssl_ca_file.",
							 "One that is shown has to be good in any case.",
							 &dyn_ssl_client_certificate, DYN_SSL_REQUIRED,
							 ssl_client_certificates,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("dynamo.ssl_key_file",
							   "The file of the private key to the endpoint's certificate.",
							   NULL,
							   &dyn_ssl_key_file, "server.key",
							   PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("dynamo.ssl_min_protocol_version",
							 "The oldest version of TLS the endpoint speaks.",
							 NULL,
							 &dyn_ssl_min_protocol_version, DYN_SSL_TLS_1_2,
							 ssl_protocols,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.stream_retention",
							"How long the changes in a stream can be read.",
							NULL,
							&dyn_stream_retention, 24 * 60 * 60, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.stream_shard_lifetime",
							"How long a stream's shards stay open before others take their places.",
							NULL,
							&dyn_stream_shard_lifetime, 4 * 60 * 60, 1, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.stream_shards",
							"How many shards a stream has open at a time; of streams that are enabled from now on.",
							NULL,
							&dyn_stream_shards, 4, 1, 256,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomRealVariable("dynamo.time_slice",
							 "How long a request that takes long runs at a time, before others have their turns; 0: to its end.",
							 NULL,
							 &dyn_time_slice, 0.5, 0, 1000,
							 PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.time_to_live_change_interval",
							"How long after a change of a table's time to live the next one is refused.",
							"The service refuses it for about an hour.",
							&dyn_time_to_live_change_interval, 0, 0, INT_MAX / 1000,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.time_to_live_interval",
							"How often expired items are looked for.",
							NULL,
							&dyn_time_to_live_interval, 5, 1, 86400,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomEnumVariable("dynamo.validation_wording",
							 "Which generation of the service's validation messages is used.",
							 NULL,
							 &dyn_validation_wording, DYN_WORDING_OLDER, wordings,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("dynamo.workers",
							"How many HTTP workers serve the endpoint; 0 means one more than there are processor cores.",
							NULL,
							&dyn_workers, 0, 0, 256,
							at_start, 0, NULL, NULL, NULL);

	MarkGUCPrefixReserved("dynamo");
}

void
dyn_settings_adapt_server(void)
{
	/*
	 * How often autovacuum looks at a database.  Items of 20 KB that are
	 * overwritten leave 10 GB in a minute, which is PostgreSQL's default.
	 */
	SetConfigOption("autovacuum_naptime", "5s", PGC_POSTMASTER,
					PGC_S_DYNAMIC_DEFAULT);
}
