/*-------------------------------------------------------------------------
 *
 * metrics.h
 *		Counters and latency histograms in shared memory.
 *
 * Recording one request is a hash of the table's name and three atomic
 * additions: tens of nanoseconds.  Nothing is ever removed, so a reader needs
 * no lock; what it reads may be a few requests old.
 *
 * src/base/metrics.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_METRICS_H
#define DYN_METRICS_H

#include "datatype/timestamp.h"
#include "port/atomics.h"
#include "storage/s_lock.h"

#include "base/error.h"
#include "base/limits.h"

/* More than the API has operations. */
#define DYN_METRICS_OPERATIONS 72

/*
 * Tables with figures of their own.  Requests that name no table or one that
 * came after all places were taken are counted under the last place, whose
 * name is empty.
 */
#define DYN_METRICS_TABLES 128
#define DYN_METRICS_NO_TABLE DYN_METRICS_TABLES

/* Upper bounds in microseconds; a last bucket has none. */
#define DYN_METRICS_BOUNDS \
	50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, \
	200000, 500000, 1000000, 2000000, 5000000, 10000000
#define DYN_METRICS_NBOUNDS 17

typedef struct DynHistogram
{
	pg_atomic_uint64 sum;		/* microseconds */
	pg_atomic_uint64 buckets[DYN_METRICS_NBOUNDS + 1];
} DynHistogram;

typedef struct DynOperationMetrics
{
	pg_atomic_uint64 errors;
	DynHistogram latency;
} DynOperationMetrics;

typedef struct DynTableMetrics
{
	pg_atomic_uint32 used;		/* name is set and will not change */
	uint32		name_len;
	char		name[DYN_MAX_TABLE_NAME_LENGTH + 1];
	DynOperationMetrics operations[DYN_METRICS_OPERATIONS];

	/* Time to live: times are seconds since 1970, 0: none. */
	pg_atomic_uint64 expired_deleted;
	pg_atomic_uint64 expired_oldest;	/* of the expired items still there */
	pg_atomic_uint64 swept;		/* when that was looked at */
} DynTableMetrics;

typedef struct DynMetrics
{
	slock_t		lock;			/* for taking a place in tables */
	DynTableMetrics tables[DYN_METRICS_TABLES + 1];

	/* By exception. */
	pg_atomic_uint64 errors[DYN_EXCEPTION_COUNT];

	/* What policies would have refused, were they not only tried out. */
	pg_atomic_uint64 policy_warnings;

	/* The group flush. */
	DynHistogram flush;			/* one flush, with the wait for a standby */
	DynHistogram held;			/* a reply that waited for one */
	pg_atomic_uint64 inline_flushes;	/* done by a worker itself */

	/* The change log, when it was last seen to. */
	pg_atomic_uint64 change_log_bytes;
	pg_atomic_uint64 segments_dropped_early;	/* for want of room, so far */
} DynMetrics;

/*
 * Of one worker; written by that worker alone, once a round, so plain
 * numbers do.  They begin at 0 with each process.
 */
typedef struct DynWorkerMetrics
{
	TimestampTz started;
	uint64		requests;
	uint64		rounds;
	uint64		writes;			/* WRITE operations that were committed */
	uint64		transactions;
	uint64		transaction_ids;
	uint64		reruns;			/* requests run again after an abort */
	uint64		busy;			/* times an item was held by somebody else */
	uint64		slices;			/* runs of requests that take long */
	uint64		throttled;		/* requests that had waited for too long */
	uint64		connections;
	uint64		accepted;
	uint64		moved;			/* connections given to a worker that slept */
	uint64		refused;
	uint64		bytes_in;
	uint64		bytes_out;
	uint64		certificate_expires;	/* seconds since 1970; 0: none */
	uint64		handshakes;		/* of TLS */
	uint64		resumed;
	uint64		failed_protocol;
	uint64		failed_certificate;
	uint64		failed_closed;
	uint64		failed_timeout;
	uint64		failed_plain;	/* no handshake at all, where it is required */
	uint64		refused_address;	/* connections over the limit of an address */
	uint64		timeouts_idle;
	uint64		timeouts_request;
	uint64		timeouts_answer;
	uint64		failed_signatures;
	uint64		slowed;			/* connections, for having had too many */
	uint64		queued;
	uint64		retrying;
	uint64		held;
} DynWorkerMetrics;

extern const uint32 dyn_metrics_bounds[DYN_METRICS_NBOUNDS];

extern void dyn_metrics_init(DynMetrics *metrics);
extern void dyn_metrics_reset(DynMetrics *metrics);

extern void dyn_histogram_add(DynHistogram *histogram, uint64 microseconds);
extern uint64 dyn_histogram_count(DynHistogram *histogram);

/*
 * An estimate of the latency below which a fraction of the observations lie,
 * in microseconds; linear inside a bucket.  0 if there are none.
 */
extern double dyn_histogram_quantile(DynHistogram *histogram, double fraction);

/*
 * Count one answered request.  table may be NULL; may_add says that it is
 * known to exist: names that clients make up must not use up the places.
 */
extern void dyn_metrics_record(DynMetrics *metrics, const char *table,
							   bool may_add, int operation, bool failed,
							   uint64 microseconds);

/* A sweep for expired items has deleted some, and left this one as the oldest. */
extern void dyn_metrics_record_sweep(DynMetrics *metrics, const char *table,
									 int64 deleted, int64 oldest);

/* No sweep goes over the table any more. */
extern void dyn_metrics_end_sweep(DynTableMetrics *table);

/* Seconds since the oldest expired item of a table expired; 0: there is none. */
extern int64 dyn_metrics_expired_lag(DynTableMetrics *table);

extern void dyn_metrics_record_error(DynMetrics *metrics,
									 DynException exception);

#endif							/* DYN_METRICS_H */
