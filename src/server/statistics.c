/*-------------------------------------------------------------------------
 *
 * statistics.c
 *		The SQL functions behind the dynamo.stat_* views.
 *
 * Without shared_preload_libraries there are no figures: no rows.
 *
 * src/server/statistics.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/pg_lsn.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/shared_state.h"
#include "http/http.h"
#include "operation/operation.h"
#include "server/flush.h"

PG_FUNCTION_INFO_V1(dyn_stat_operations);
PG_FUNCTION_INFO_V1(dyn_stat_exceptions);
PG_FUNCTION_INFO_V1(dyn_stat_time_to_live);
PG_FUNCTION_INFO_V1(dyn_stat_workers);
PG_FUNCTION_INFO_V1(dyn_stat_ssl);
PG_FUNCTION_INFO_V1(dyn_stat_limits);
PG_FUNCTION_INFO_V1(dyn_stat_addresses);
PG_FUNCTION_INFO_V1(dyn_stat_flush);
PG_FUNCTION_INFO_V1(dyn_stat_reset);

#define MS(microseconds) Float8GetDatum((microseconds) / 1000.0)

Datum
dyn_stat_operations(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int t = 0; dyn_shared != NULL && t <= DYN_METRICS_TABLES; t++)
	{
		DynTableMetrics *table = &dyn_shared->metrics.tables[t];

		if (pg_atomic_read_u32(&table->used) == 0)
			continue;
		pg_read_barrier();
		for (int o = 0; o < dyn_operation_count(); o++)
		{
			DynOperationMetrics *figures = &table->operations[o];
			uint64		calls = dyn_histogram_count(&figures->latency);
			uint64		sum = pg_atomic_read_u64(&figures->latency.sum);
			Datum		values[9];
			bool		nulls[9] = {false};

			if (calls == 0)
				continue;
			values[0] = CStringGetTextDatum(dyn_operation_at(o)->name);
			nulls[1] = table->name[0] == '\0';
			values[1] = CStringGetTextDatum(table->name);
			values[2] = Int64GetDatum(calls);
			values[3] = Int64GetDatum(pg_atomic_read_u64(&figures->errors));
			values[4] = MS(sum);
			values[5] = MS((double) sum / calls);
			values[6] = MS(dyn_histogram_quantile(&figures->latency, 0.5));
			values[7] = MS(dyn_histogram_quantile(&figures->latency, 0.9));
			values[8] = MS(dyn_histogram_quantile(&figures->latency, 0.99));
			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
		}
	}
	return (Datum) 0;
}

Datum
dyn_stat_time_to_live(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int t = 0; dyn_shared != NULL && t < DYN_METRICS_TABLES; t++)
	{
		DynTableMetrics *table = &dyn_shared->metrics.tables[t];
		int64		swept = pg_atomic_read_u64(&table->swept);
		Datum		values[4];
		bool		nulls[4] = {false};

		if (swept == 0)
			continue;
		values[0] = CStringGetTextDatum(table->name);
		values[1] = Int64GetDatum(pg_atomic_read_u64(&table->expired_deleted));
		values[2] = Int64GetDatum(dyn_metrics_expired_lag(table));
		values[3] = TimestampTzGetDatum(time_t_to_timestamptz((pg_time_t) swept));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
dyn_stat_exceptions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; dyn_shared != NULL && i < DYN_EXCEPTION_COUNT; i++)
	{
		Datum		values[2];
		bool		nulls[2] = {false};

		values[0] = CStringGetTextDatum(dyn_exception_info((DynException) i)->name);
		values[1] =
			Int64GetDatum(pg_atomic_read_u64(&dyn_shared->metrics.errors[i]));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
dyn_stat_workers(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; dyn_shared != NULL && i < dyn_shared->nworkers; i++)
	{
		DynWorkerSlot *slot = &dyn_shared->workers[i];
		DynWorkerMetrics metrics = slot->metrics;
		uint32		pid = pg_atomic_read_u32(&slot->process.pid);
		Datum		values[21];
		bool		nulls[21] = {false};
		int			n = 0;

		if (pid == 0)
			continue;
		values[n++] = Int32GetDatum(i + 1);
		values[n++] = Int32GetDatum(pid);
		nulls[n] = metrics.started == 0;
		values[n++] = TimestampTzGetDatum(metrics.started);
		values[n++] = Int64GetDatum(metrics.requests);
		values[n++] = Int64GetDatum(metrics.rounds);
		values[n++] = Int64GetDatum(metrics.writes);
		values[n++] = Int64GetDatum(metrics.transactions);
		values[n++] = Int64GetDatum(metrics.transaction_ids);
		values[n++] = Int64GetDatum(metrics.reruns);
		values[n++] = Int64GetDatum(metrics.busy);
		values[n++] = Int64GetDatum(metrics.connections);
		values[n++] = Int64GetDatum(metrics.accepted);
		values[n++] = Int64GetDatum(metrics.refused);
		values[n++] = Int64GetDatum(metrics.bytes_in);
		values[n++] = Int64GetDatum(metrics.bytes_out);
		values[n++] = Int64GetDatum(metrics.queued);
		values[n++] = Int64GetDatum(metrics.retrying);
		values[n++] = Int64GetDatum(metrics.held);
		values[n++] = Int64GetDatum(metrics.slices);
		values[n++] = Int64GetDatum(metrics.throttled);
		values[n++] = Int64GetDatum(metrics.moved);
		Assert(n == lengthof(values));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
dyn_stat_ssl(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; dyn_shared != NULL && i < dyn_shared->nworkers; i++)
	{
		DynWorkerSlot *slot = &dyn_shared->workers[i];
		DynWorkerMetrics metrics = slot->metrics;
		uint32		pid = pg_atomic_read_u32(&slot->process.pid);
		Datum		values[10];
		bool		nulls[10] = {false};
		int			n = 0;

		if (pid == 0)
			continue;
		values[n++] = Int32GetDatum(i + 1);
		values[n++] = Int32GetDatum(pid);
		nulls[n] = metrics.certificate_expires == 0;
		values[n++] = TimestampTzGetDatum(time_t_to_timestamptz((pg_time_t) metrics.certificate_expires));
		values[n++] = Int64GetDatum(metrics.handshakes);
		values[n++] = Int64GetDatum(metrics.resumed);
		values[n++] = Int64GetDatum(metrics.failed_protocol);
		values[n++] = Int64GetDatum(metrics.failed_certificate);
		values[n++] = Int64GetDatum(metrics.failed_closed);
		values[n++] = Int64GetDatum(metrics.failed_timeout);
		values[n++] = Int64GetDatum(metrics.failed_plain);
		Assert(n == lengthof(values));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
dyn_stat_limits(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; dyn_shared != NULL && i < dyn_shared->nworkers; i++)
	{
		DynWorkerSlot *slot = &dyn_shared->workers[i];
		DynWorkerMetrics metrics = slot->metrics;
		uint32		pid = pg_atomic_read_u32(&slot->process.pid);
		Datum		values[9];
		bool		nulls[9] = {false};
		int			n = 0;

		if (pid == 0)
			continue;
		values[n++] = Int32GetDatum(i + 1);
		values[n++] = Int32GetDatum(pid);
		values[n++] = Int64GetDatum(metrics.refused);
		values[n++] = Int64GetDatum(metrics.refused_address);
		values[n++] = Int64GetDatum(metrics.timeouts_idle);
		values[n++] = Int64GetDatum(metrics.timeouts_request);
		values[n++] = Int64GetDatum(metrics.timeouts_answer);
		values[n++] = Int64GetDatum(metrics.failed_signatures);
		values[n++] = Int64GetDatum(metrics.slowed);
		Assert(n == lengthof(values));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
dyn_stat_addresses(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DynHttpAddress *addresses;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	addresses = dyn_http_addresses(&n);
	for (int i = 0; i < n; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {false};

		values[0] = DirectFunctionCall1(inet_in,
										CStringGetDatum(addresses[i].address));
		values[1] = Int32GetDatum(addresses[i].connections);
		values[2] = BoolGetDatum(addresses[i].slow);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static Datum
lsn_or_null(uint64 lsn, bool *isnull)
{
	*isnull = lsn == 0;
	return LSNGetDatum(lsn);
}

Datum
dyn_stat_flush(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DynMetrics *metrics;
	Datum		values[10];
	bool		nulls[10] = {false};

	InitMaterializedSRF(fcinfo, 0);
	if (dyn_shared == NULL)
		return (Datum) 0;

	metrics = &dyn_shared->metrics;
	values[0] = Int32GetDatum(pg_atomic_read_u32(&dyn_shared->flusher.pid));
	nulls[0] = DatumGetInt32(values[0]) == 0;
	values[1] = lsn_or_null(pg_atomic_read_u64(&dyn_shared->flush_wanted),
							&nulls[1]);
	values[2] = lsn_or_null(pg_atomic_read_u64(&dyn_shared->flush_done),
							&nulls[2]);
	values[3] = Int64GetDatum(dyn_histogram_count(&metrics->flush));
	values[4] = MS(pg_atomic_read_u64(&metrics->flush.sum));
	values[5] = MS(dyn_histogram_quantile(&metrics->flush, 0.99));
	values[6] = Int64GetDatum(pg_atomic_read_u64(&metrics->inline_flushes));
	values[7] = Int64GetDatum(dyn_histogram_count(&metrics->held));
	values[8] = MS(pg_atomic_read_u64(&metrics->held.sum));
	values[9] = MS(dyn_histogram_quantile(&metrics->held, 0.99));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	return (Datum) 0;
}

Datum
dyn_stat_reset(PG_FUNCTION_ARGS)
{
	if (dyn_shared != NULL)
		dyn_metrics_reset(&dyn_shared->metrics);
	PG_RETURN_VOID();
}
