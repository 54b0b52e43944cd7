/*-------------------------------------------------------------------------
 *
 * metrics.c
 *		Counters and latency histograms in shared memory.
 *
 * src/base/metrics.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "common/hashfn.h"
#include "storage/spin.h"

#include "base/metrics.h"

const uint32 dyn_metrics_bounds[DYN_METRICS_NBOUNDS] = {DYN_METRICS_BOUNDS};

static void
histogram_init(DynHistogram *histogram)
{
	pg_atomic_init_u64(&histogram->sum, 0);
	for (int i = 0; i <= DYN_METRICS_NBOUNDS; i++)
		pg_atomic_init_u64(&histogram->buckets[i], 0);
}

static void
histogram_reset(DynHistogram *histogram)
{
	pg_atomic_write_u64(&histogram->sum, 0);
	for (int i = 0; i <= DYN_METRICS_NBOUNDS; i++)
		pg_atomic_write_u64(&histogram->buckets[i], 0);
}

void
dyn_metrics_init(DynMetrics *metrics)
{
	SpinLockInit(&metrics->lock);
	for (int t = 0; t <= DYN_METRICS_TABLES; t++)
	{
		DynTableMetrics *table = &metrics->tables[t];

		pg_atomic_init_u32(&table->used, t == DYN_METRICS_NO_TABLE);
		pg_atomic_init_u64(&table->expired_deleted, 0);
		pg_atomic_init_u64(&table->expired_oldest, 0);
		pg_atomic_init_u64(&table->swept, 0);
		for (int o = 0; o < DYN_METRICS_OPERATIONS; o++)
		{
			pg_atomic_init_u64(&table->operations[o].errors, 0);
			histogram_init(&table->operations[o].latency);
		}
	}
	for (int i = 0; i < DYN_EXCEPTION_COUNT; i++)
		pg_atomic_init_u64(&metrics->errors[i], 0);
	pg_atomic_init_u64(&metrics->policy_warnings, 0);
	histogram_init(&metrics->flush);
	histogram_init(&metrics->held);
	pg_atomic_init_u64(&metrics->inline_flushes, 0);
	pg_atomic_init_u64(&metrics->change_log_bytes, 0);
	pg_atomic_init_u64(&metrics->segments_dropped_early, 0);
}

/* Zero the figures; the tables keep their places. */
void
dyn_metrics_reset(DynMetrics *metrics)
{
	for (int t = 0; t <= DYN_METRICS_TABLES; t++)
	{
		pg_atomic_write_u64(&metrics->tables[t].expired_deleted, 0);
		for (int o = 0; o < DYN_METRICS_OPERATIONS; o++)
		{
			DynOperationMetrics *operation = &metrics->tables[t].operations[o];

			pg_atomic_write_u64(&operation->errors, 0);
			histogram_reset(&operation->latency);
		}
	}
	for (int i = 0; i < DYN_EXCEPTION_COUNT; i++)
		pg_atomic_write_u64(&metrics->errors[i], 0);
	pg_atomic_write_u64(&metrics->policy_warnings, 0);
	histogram_reset(&metrics->flush);
	histogram_reset(&metrics->held);
	pg_atomic_write_u64(&metrics->inline_flushes, 0);
	pg_atomic_write_u64(&metrics->segments_dropped_early, 0);
}

void
dyn_histogram_add(DynHistogram *histogram, uint64 microseconds)
{
	int			bucket = 0;

	while (bucket < DYN_METRICS_NBOUNDS &&
		   microseconds > dyn_metrics_bounds[bucket])
		bucket++;
	pg_atomic_fetch_add_u64(&histogram->buckets[bucket], 1);
	pg_atomic_fetch_add_u64(&histogram->sum, microseconds);
}

uint64
dyn_histogram_count(DynHistogram *histogram)
{
	uint64		count = 0;

	for (int i = 0; i <= DYN_METRICS_NBOUNDS; i++)
		count += pg_atomic_read_u64(&histogram->buckets[i]);
	return count;
}

double
dyn_histogram_quantile(DynHistogram *histogram, double fraction)
{
	double		rank = fraction * dyn_histogram_count(histogram);
	double		below = 0;
	double		low = 0;

	for (int i = 0; i <= DYN_METRICS_NBOUNDS; i++)
	{
		double		count = pg_atomic_read_u64(&histogram->buckets[i]);

		if (count > 0 && below + count >= rank)
		{
			/* The last bucket has no upper bound: say what is certain. */
			if (i == DYN_METRICS_NBOUNDS)
				return low;
			return low + (dyn_metrics_bounds[i] - low) * (rank - below) / count;
		}
		below += count;
		if (i < DYN_METRICS_NBOUNDS)
			low = dyn_metrics_bounds[i];
	}
	return 0;
}

static bool
table_is(const DynTableMetrics *table, const char *name, uint32 len)
{
	return table->name_len == len && memcmp(table->name, name, len) == 0;
}

/*
 * A table's place: linear probing from its hash.  Places are never given up,
 * so an empty one ends the search, and only taking one needs the lock.
 */
static DynTableMetrics *
find_table(DynMetrics *metrics, const char *name, bool may_add)
{
	uint32		len = strlen(name);
	uint32		start;

	if (len == 0 || len > DYN_MAX_TABLE_NAME_LENGTH)
		return &metrics->tables[DYN_METRICS_NO_TABLE];
	start = hash_bytes((const unsigned char *) name, len);

	for (uint32 i = 0; i < DYN_METRICS_TABLES; i++)
	{
		DynTableMetrics *table =
		&metrics->tables[(start + i) % DYN_METRICS_TABLES];

		if (pg_atomic_read_u32(&table->used) == 0)
		{
			if (!may_add)
				break;
			SpinLockAcquire(&metrics->lock);
			if (pg_atomic_read_u32(&table->used) == 0)
			{
				memcpy(table->name, name, len);
				table->name[len] = '\0';
				table->name_len = len;
				pg_write_barrier();
				pg_atomic_write_u32(&table->used, 1);
			}
			SpinLockRelease(&metrics->lock);
		}
		pg_read_barrier();
		if (table_is(table, name, len))
			return table;
	}
	return &metrics->tables[DYN_METRICS_NO_TABLE];
}

void
dyn_metrics_record(DynMetrics *metrics, const char *table, bool may_add,
				   int operation, bool failed, uint64 microseconds)
{
	DynOperationMetrics *figures;

	if (operation < 0 || operation >= DYN_METRICS_OPERATIONS)
		return;
	figures = &find_table(metrics, table ? table : "",
						  may_add)->operations[operation];
	dyn_histogram_add(&figures->latency, microseconds);
	if (failed)
		pg_atomic_fetch_add_u64(&figures->errors, 1);
}

void
dyn_metrics_record_sweep(DynMetrics *metrics, const char *table, int64 deleted,
						 int64 oldest)
{
	DynTableMetrics *figures = find_table(metrics, table, true);

	pg_atomic_fetch_add_u64(&figures->expired_deleted, deleted);
	pg_atomic_write_u64(&figures->expired_oldest, oldest);
	pg_atomic_write_u64(&figures->swept, time(NULL));
}

void
dyn_metrics_end_sweep(DynTableMetrics *table)
{
	pg_atomic_write_u64(&table->expired_oldest, 0);
	pg_atomic_write_u64(&table->swept, 0);
}

int64
dyn_metrics_expired_lag(DynTableMetrics *table)
{
	int64		oldest = pg_atomic_read_u64(&table->expired_oldest);

	return oldest == 0 ? 0 : Max(0, (int64) time(NULL) - oldest);
}

void
dyn_metrics_record_error(DynMetrics *metrics, DynException exception)
{
	pg_atomic_fetch_add_u64(&metrics->errors[exception], 1);
}
