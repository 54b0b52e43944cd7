/*-------------------------------------------------------------------------
 *
 * metrics_page.c
 *		GET /metrics: the figures of base/metrics.h as Prometheus text.
 *
 * Operations nobody has called on a table are left out: a page with all of
 * them would be megabytes of zeros.
 *
 * src/console/metrics_page.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "base/shared_state.h"
#include "console/metrics_page.h"
#include "operation/operation.h"
#include "stream/change_number.h"

static void
family(StringInfo out, const char *name, const char *type, const char *help)
{
	appendStringInfo(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
					 type);
}

/* labels: without braces, not empty unless there are none. */
static void
histogram(StringInfo out, const char *name, const char *labels,
		  DynHistogram *figures)
{
	const char *comma = labels[0] ? "," : "";
	uint64		count = 0;

	for (int i = 0; i <= DYN_METRICS_NBOUNDS; i++)
	{
		count += pg_atomic_read_u64(&figures->buckets[i]);
		if (i < DYN_METRICS_NBOUNDS)
			appendStringInfo(out, "%s_bucket{%s%sle=\"%g\"} " UINT64_FORMAT "\n",
							 name, labels, comma,
							 dyn_metrics_bounds[i] / 1e6, count);
		else
			appendStringInfo(out, "%s_bucket{%s%sle=\"+Inf\"} " UINT64_FORMAT "\n",
							 name, labels, comma, count);
	}
	appendStringInfo(out, "%s_sum%s%s%s %.6f\n", name,
					 labels[0] ? "{" : "", labels, labels[0] ? "}" : "",
					 pg_atomic_read_u64(&figures->sum) / 1e6);
	appendStringInfo(out, "%s_count%s%s%s " UINT64_FORMAT "\n", name,
					 labels[0] ? "{" : "", labels, labels[0] ? "}" : "", count);
}

/*
 * Table names have no character that Prometheus would want escaped: requests
 * for others don't succeed, so they are counted under no table.
 */
static void
operations(StringInfo out)
{
	DynMetrics *metrics = &dyn_shared->metrics;
	const char *duration = "dynamo_request_duration_seconds";
	const char *errors = "dynamo_request_errors_total";

	family(out, duration, "histogram",
		   "Time from a request's arrival to its answer, by operation and table.");
	for (int t = 0; t <= DYN_METRICS_TABLES; t++)
	{
		DynTableMetrics *table = &metrics->tables[t];

		if (pg_atomic_read_u32(&table->used) == 0)
			continue;
		pg_read_barrier();
		for (int o = 0; o < dyn_operation_count(); o++)
			if (dyn_histogram_count(&table->operations[o].latency) > 0)
				histogram(out, duration,
						  psprintf("operation=\"%s\",table=\"%s\"",
								   dyn_operation_at(o)->name, table->name),
						  &table->operations[o].latency);
	}

	family(out, errors, "counter",
		   "Requests answered with an exception, by operation and table.");
	for (int t = 0; t <= DYN_METRICS_TABLES; t++)
	{
		DynTableMetrics *table = &metrics->tables[t];

		if (pg_atomic_read_u32(&table->used) == 0)
			continue;
		pg_read_barrier();
		for (int o = 0; o < dyn_operation_count(); o++)
		{
			uint64		count = pg_atomic_read_u64(&table->operations[o].errors);

			if (count > 0)
				appendStringInfo(out, "%s{operation=\"%s\",table=\"%s\"} " UINT64_FORMAT "\n",
								 errors, dyn_operation_at(o)->name, table->name,
								 count);
		}
	}

	family(out, "dynamo_exceptions_total", "counter",
		   "Answers that were exceptions, by exception.");
	for (int i = 0; i < DYN_EXCEPTION_COUNT; i++)
		appendStringInfo(out, "dynamo_exceptions_total{exception=\"%s\"} " UINT64_FORMAT "\n",
						 dyn_exception_info((DynException) i)->name,
						 pg_atomic_read_u64(&metrics->errors[i]));

	family(out, "dynamo_policy_warnings_total", "counter",
		   "What policies would have refused, while dynamo.policy_enforcement is warn.");
	appendStringInfo(out, "dynamo_policy_warnings_total " UINT64_FORMAT "\n",
					 pg_atomic_read_u64(&metrics->policy_warnings));
}

static void
time_to_live(StringInfo out)
{
	DynMetrics *metrics = &dyn_shared->metrics;
	static const char *const names[] = {
		"dynamo_time_to_live_deleted_total", "dynamo_time_to_live_lag_seconds",
	"dynamo_time_to_live_swept_timestamp_seconds"};
	static const char *const helps[] = {
		"Expired items deleted, by table.",
		"Time since the oldest expired item still there expired, by table.",
	"When expired items were last looked for, by table."};

	for (int i = 0; i < lengthof(names); i++)
	{
		family(out, names[i], i == 0 ? "counter" : "gauge", helps[i]);
		for (int t = 0; t < DYN_METRICS_TABLES; t++)
		{
			DynTableMetrics *table = &metrics->tables[t];
			uint64		swept = pg_atomic_read_u64(&table->swept);

			if (swept != 0)
				appendStringInfo(out, "%s{table=\"%s\"} " UINT64_FORMAT "\n", names[i],
								 table->name,
								 i == 0 ? pg_atomic_read_u64(&table->expired_deleted) :
								 i == 1 ? (uint64) dyn_metrics_expired_lag(table) : swept);
		}
	}
}

static void
streams(StringInfo out)
{
	DynMetrics *metrics = &dyn_shared->metrics;
	TimestampTz since;
	double		lag = 0;

	if (dyn_change_number_held_since(&since))
		lag = Max(0, GetCurrentTimestamp() - since) / 1e6;
	family(out, "dynamo_change_log_bytes", "gauge",
		   "Size of the change log when it was last seen to.");
	appendStringInfo(out, "dynamo_change_log_bytes " UINT64_FORMAT "\n",
					 pg_atomic_read_u64(&metrics->change_log_bytes));
	family(out, "dynamo_change_log_dropped_early_total", "counter",
		   "Relations of the change log dropped for want of room.");
	appendStringInfo(out, "dynamo_change_log_dropped_early_total " UINT64_FORMAT "\n",
					 pg_atomic_read_u64(&metrics->segments_dropped_early));
	family(out, "dynamo_stream_lag_seconds", "gauge",
		   "How long the oldest open transaction has held back changes of streams.");
	appendStringInfo(out, "dynamo_stream_lag_seconds %.3f\n", lag);
}

/* One figure of all workers that run. */
static void
worker_figure(StringInfo out, const char *name, const char *type,
			  const char *help, size_t offset)
{
	family(out, name, type, help);
	for (int i = 0; i < dyn_shared->nworkers; i++)
	{
		DynWorkerSlot *slot = &dyn_shared->workers[i];

		if (pg_atomic_read_u32(&slot->process.pid) != 0)
			appendStringInfo(out, "%s{worker=\"%d\"} " UINT64_FORMAT "\n", name,
							 i + 1,
							 *(uint64 *) ((char *) &slot->metrics + offset));
	}
}

static void
workers(StringInfo out)
{
#define FIGURE(name, type, member, help) \
	worker_figure(out, "dynamo_worker_" name, type, help, \
				  offsetof(DynWorkerMetrics, member))
	FIGURE("requests_total", "counter", requests, "Requests run.");
	FIGURE("rounds_total", "counter", rounds, "Rounds of requests run together.");
	FIGURE("writes_total", "counter", writes, "Write operations run.");
	FIGURE("transactions_total", "counter", transactions, "Transactions committed.");
	FIGURE("transaction_ids_total", "counter", transaction_ids, "Transaction ids used.");
	FIGURE("reruns_total", "counter", reruns, "Requests run again after an abort.");
	FIGURE("busy_total", "counter", busy, "Times a request met a running transaction.");
	FIGURE("slices_total", "counter", slices, "Slices of time of requests that take long.");
	FIGURE("moved_connections_total", "counter", moved, "Connections given to a worker with more time.");
	FIGURE("throttled_total", "counter", throttled, "Requests refused for having waited too long.");
	FIGURE("connections", "gauge", connections, "Connections open.");
	FIGURE("accepted_total", "counter", accepted, "Connections accepted.");
	FIGURE("refused_total", "counter", refused, "Connections and messages refused.");
	FIGURE("received_bytes_total", "counter", bytes_in, "Bytes received.");
	FIGURE("sent_bytes_total", "counter", bytes_out, "Bytes sent.");
	FIGURE("tls_certificate_expires_timestamp_seconds", "gauge", certificate_expires, "When the certificate in use ends; 0: none is loaded.");
	FIGURE("tls_handshakes_total", "counter", handshakes, "TLS handshakes completed.");
	FIGURE("tls_resumed_total", "counter", resumed, "TLS handshakes that resumed a session.");
	FIGURE("tls_failed_protocol_total", "counter", failed_protocol, "TLS handshakes with nothing in common, or garbage.");
	FIGURE("tls_failed_certificate_total", "counter", failed_certificate, "TLS handshakes without a good client certificate.");
	FIGURE("tls_failed_closed_total", "counter", failed_closed, "TLS handshakes broken off by the client.");
	FIGURE("tls_failed_timeout_total", "counter", failed_timeout, "TLS handshakes that took too long.");
	FIGURE("tls_failed_plain_total", "counter", failed_plain, "Connections in the clear refused where TLS is required.");
	FIGURE("refused_address_total", "counter", refused_address, "Connections refused because their address had too many.");
	FIGURE("timeouts_idle_total", "counter", timeouts_idle, "Connections closed for being idle.");
	FIGURE("timeouts_request_total", "counter", timeouts_request, "Connections closed for sending a request too slowly.");
	FIGURE("timeouts_answer_total", "counter", timeouts_answer, "Connections closed for reading answers too slowly.");
	FIGURE("failed_signatures_total", "counter", failed_signatures, "Requests without a good signature.");
	FIGURE("slowed_total", "counter", slowed, "Times a connection was slowed down for failed signatures of its address.");
	FIGURE("queued", "gauge", queued, "Requests waiting to be run.");
	FIGURE("retrying", "gauge", retrying, "Requests waiting for a running transaction.");
	FIGURE("held", "gauge", held, "Replies waiting for a flush.");
#undef FIGURE
}

void
dyn_metrics_page(StringInfo out)
{
	operations(out);
	time_to_live(out);
	streams(out);
	workers(out);
	family(out, "dynamo_flush_duration_seconds", "histogram",
		   "Time of one WAL flush, with the wait for a synchronous standby.");
	histogram(out, "dynamo_flush_duration_seconds", "",
			  &dyn_shared->metrics.flush);
	family(out, "dynamo_reply_held_seconds", "histogram",
		   "Time replies waited for a flush.");
	histogram(out, "dynamo_reply_held_seconds", "", &dyn_shared->metrics.held);
	family(out, "dynamo_inline_flushes_total", "counter",
		   "Flushes done by a worker itself.");
	appendStringInfo(out, "dynamo_inline_flushes_total " UINT64_FORMAT "\n",
					 pg_atomic_read_u64(&dyn_shared->metrics.inline_flushes));
}
