/*-------------------------------------------------------------------------
 *
 * settings.h
 *		Every dynamo.* setting, sorted by name.  docs/settings.md describes them.
 *
 * src/base/settings.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SETTINGS_H
#define DYN_SETTINGS_H

typedef enum DynValidationWording
{
	DYN_WORDING_OLDER,
	DYN_WORDING_NEWER
} DynValidationWording;

/* Which requests the audit logs.  Each has those of the one before it, too. */
typedef enum DynAudit
{
	DYN_AUDIT_OFF,
	DYN_AUDIT_DENIED,
	DYN_AUDIT_WRITES,
	DYN_AUDIT_ALL
} DynAudit;

typedef enum DynSsl
{
	DYN_SSL_OFF,
	DYN_SSL_OPTIONAL,			/* both on one port */
	DYN_SSL_REQUIRED
} DynSsl;

typedef enum DynSslProtocol
{
	DYN_SSL_TLS_1_2,
	DYN_SSL_TLS_1_3
} DynSslProtocol;

typedef enum DynPolicyEnforcement
{
	DYN_POLICIES_ENFORCE,
	DYN_POLICIES_WARN
} DynPolicyEnforcement;

extern PGDLLIMPORT char *dyn_account_id;	/* 12 digits, part of every ARN */
extern PGDLLIMPORT bool dyn_accept_any_credentials; /* loopback only */
extern PGDLLIMPORT int dyn_audit;	/* a DynAudit */
extern PGDLLIMPORT bool dyn_audit_requests; /* with what the requests said */
extern PGDLLIMPORT int dyn_backfill_patience;	/* seconds to wait for old
												 * snapshots before growing */
extern PGDLLIMPORT int dyn_background_share;	/* percent of the time that
												 * background jobs work */
extern PGDLLIMPORT int dyn_change_log_limit;	/* MB; 0: none */
extern PGDLLIMPORT char *dyn_database;	/* which database the endpoint serves */
extern PGDLLIMPORT int dyn_idle_timeout;	/* seconds a connection may idle */
extern PGDLLIMPORT char *dyn_infrequent_access_tablespace;	/* or "" */
extern PGDLLIMPORT int dyn_item_collection_limit;	/* MB */
extern PGDLLIMPORT char *dyn_listen_addresses;	/* as listen_addresses */
extern PGDLLIMPORT int dyn_lock_timeout;	/* ms a request waits for a row
											 * held by a running transaction */
extern PGDLLIMPORT char *dyn_master_key_command;	/* or "" */
extern PGDLLIMPORT char *dyn_master_key_file;	/* or "" */
extern PGDLLIMPORT int dyn_max_connections; /* connections per worker */
extern PGDLLIMPORT int dyn_max_connections_per_address; /* 0: no limit */
extern PGDLLIMPORT int dyn_max_failed_signatures;	/* per address and minute; 0:
													 * no limit */
extern PGDLLIMPORT int dyn_policy_enforcement; /* a DynPolicyEnforcement */
extern PGDLLIMPORT int dyn_port;
extern PGDLLIMPORT bool dyn_public_metrics; /* GET /metrics from other machines */
extern PGDLLIMPORT int dyn_queue_timeout;	/* ms a request waits for its turn
											 * under overload */
extern PGDLLIMPORT char *dyn_region;	/* region named in ARNs */
extern PGDLLIMPORT int dyn_request_timeout; /* seconds to receive one request */
extern PGDLLIMPORT int dyn_ssl; /* a DynSsl */
extern PGDLLIMPORT char *dyn_ssl_ca_file;	/* of clients' certificates, or "" */
extern PGDLLIMPORT char *dyn_ssl_cert_file;
extern PGDLLIMPORT int dyn_ssl_client_certificate;	/* optional or required, a
													 * DynSsl */
extern PGDLLIMPORT char *dyn_ssl_key_file;
extern PGDLLIMPORT int dyn_ssl_min_protocol_version;	/* a DynSslProtocol */
extern PGDLLIMPORT int dyn_stream_retention;	/* seconds */
extern PGDLLIMPORT int dyn_stream_shard_lifetime;	/* seconds */
extern PGDLLIMPORT int dyn_stream_shards;	/* of a stream enabled from now on */
extern PGDLLIMPORT double dyn_time_slice;	/* ms of a long request at a time; 0:
											 * all of it */
extern PGDLLIMPORT int dyn_time_to_live_change_interval;	/* seconds */
extern PGDLLIMPORT int dyn_time_to_live_interval;	/* seconds between sweeps */
extern PGDLLIMPORT int dyn_validation_wording; /* a DynValidationWording */
extern PGDLLIMPORT int dyn_workers; /* HTTP workers; 0: cores + 1 */

/* Define the settings; called from _PG_init. */
extern void dyn_settings_define(void);

/*
 * Other defaults for settings of PostgreSQL's, while the server starts; what the
 * configuration says of them stands.
 */
extern void dyn_settings_adapt_server(void);

#endif							/* DYN_SETTINGS_H */
