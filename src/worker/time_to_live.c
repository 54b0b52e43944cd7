/*-------------------------------------------------------------------------
 *
 * time_to_live.c
 *		Delete items whose time to live is over.
 *
 * The attribute's number is a time in seconds since 1970.  An item goes once
 * that lies in the past, but not if it lies more than five years in the past:
 * then it is taken for something else than a time, as in the service.  Items
 * without the attribute, or with another type there, have no entry in the index
 * and stay.
 *
 * The earliest go first.  Each is deleted by the store's own functions, if its
 * attribute, looked at again, still says so.  An item that somebody else's
 * transaction has is left for the next sweep.
 *
 * src/worker/time_to_live.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/shared_state.h"
#include "item/number.h"
#include "store/expired.h"
#include "store/store.h"
#include "stream/change_log.h"
#include "worker/time_to_live.h"

#define LONGEST_AGE_S	(INT64CONST(5) * 365 * 24 * 60 * 60)

/*
 * Deletions of one transaction, which whoever wants one of the items waits for;
 * and of one stretch of work, which requests that come meanwhile share the
 * processor with.  Longer ones are cheaper, but their slowest requests show it.
 */
#define MAX_BATCH_ITEMS 8

/* Between two errors that the log is told of. */
#define REPORT_INTERVAL_MS 60000

/* Of one call of dyn_sweep_continue(). */
#define TURN_US 500000

struct DynSweep
{
	DynJob		job;
	MemoryContext context;		/* of the sweep, and of one batch */
	MemoryContext batch_context;
	DynNumber	position;		/* what is earlier has been done ... */
	int			left;			/* ... and so many at the position itself */
	DynNumber	oldest;			/* the earliest that was left; size 0: none was */
	int			batch_items;
	int64		deleted;		/* in the turn */
};

static DynNumber
seconds(int64 time)
{
	DynNumber	number;

	dyn_number_from_int64(time, &number);
	return number;
}

static DynNumber
number_of(const DynValue *value)
{
	DynNumber	number;

	Assert(value->size <= sizeof(number.data));
	number.size = value->size;
	memcpy(number.data, value->data, value->size);
	return number;
}

DynSweep *
dyn_sweep_begin(const DynJob *job)
{
	DynSweep   *sweep = palloc0(sizeof(DynSweep));

	sweep->job = *job;
	sweep->context = CurrentMemoryContext;
	sweep->batch_context = AllocSetContextCreate(CurrentMemoryContext,
												 "dynamo sweep batch",
												 ALLOCSET_DEFAULT_SIZES);
	sweep->position = seconds(time(NULL) - LONGEST_AGE_S);
	sweep->batch_items = MAX_BATCH_ITEMS;
	return sweep;
}

/* True if the item's attribute is a time in [low, high). */
static bool
is_expired(const DynIndex *index, const DynItem *item, const DynValue *low,
		   const DynValue *high)
{
	const DynKeyAttribute *attribute = &index->definition.schema.sort[0];
	DynValue	value;

	return dyn_item_find(item, attribute->name, attribute->name_len, &value) &&
		value.type == DYN_TYPE_N && dyn_value_compare(&value, low) >= 0 &&
		dyn_value_compare(&value, high) < 0;
}

static bool
has_value(const DynItem *item, const DynKeyAttribute *attribute, const DynValue *wanted)
{
	DynValue	value;

	return dyn_item_find(item, attribute->name, attribute->name_len, &value) &&
		value.type == wanted->type && dyn_value_equal(&value, wanted);
}

/*
 * True if the item has the key that its columns have; a relation's owner can
 * write there what he likes, and no stream is to tell of it.
 */
static bool
has_key(const DynTable *table, const DynItem *item, const DynKey *key)
{
	const DynKeySchema *schema = &table->schema;

	return has_value(item, &schema->partition, &key->partition) &&
		(schema->sort.name == NULL || has_value(item, &schema->sort, &key->sort));
}

/* Delete an item so that its table's stream says who did it. */
static DynStoreResult
expire(DynStoreWrite *write)
{
	volatile DynStoreResult result = DYN_STORE_BUSY;

	dyn_change_log_expiring = write->table->relation;
	PG_TRY();
	{
		result = dyn_store_finish(write, NULL);
	}
	PG_FINALLY();
	{
		dyn_change_log_expiring = InvalidOid;
	}
	PG_END_TRY();
	return result;
}

/*
 * False: it is still there.  Somebody else's transaction has it, or its columns
 * say something else than the item, and will say so again.
 */
static bool
delete_item(const DynTable *table, const DynIndex *index, const DynKey *key,
			const DynValue *low, const DynValue *high, bool *deleted)
{
	DynStoreWrite write = {0};

	*deleted = false;
	for (;;)
	{
		if (dyn_store_begin(table, key, false, &write) == DYN_STORE_BUSY)
			return false;
		if (write.old == NULL)
			return true;
		if (!is_expired(index, write.old, low, high) || !has_key(table, write.old, key))
			return false;
		switch (expire(&write))
		{
			case DYN_STORE_OK:
				*deleted = true;
				return true;
			case DYN_STORE_BUSY:
				return false;
			case DYN_STORE_CHANGED:
				CHECK_FOR_INTERRUPTS();
				break;
		}
	}
}

/* The sweep has come to an item at this time, and left it where it is. */
static void
note_left(DynSweep *sweep, const DynNumber *time)
{
	sweep->left++;
	if (sweep->oldest.size == 0)
		sweep->oldest = *time;
}

/* The sweep goes on at this time. */
static void
go_to(DynSweep *sweep, const DynNumber *time)
{
	if (sweep->position.size == time->size &&
		memcmp(sweep->position.data, time->data, time->size) == 0)
		return;
	sweep->position = *time;
	sweep->left = 0;
}

/*
 * One transaction.  Returns how many items it looked at; *at is the time of the
 * one it is busy with.
 */
static int
run_batch(DynSweep *sweep, DynNumber *at)
{
	int64		now = time(NULL);
	DynNumber	low = seconds(now - LONGEST_AGE_S);
	DynNumber	high = seconds(now);
	DynValue	low_value = dyn_number_value(&low);
	DynValue	high_value = dyn_number_value(&high);
	DynValue	position = dyn_number_value(&sweep->position);
	DynExpiredItem items[MAX_BATCH_ITEMS];
	bool		is_left[MAX_BATCH_ITEMS];
	int			deleted = 0;
	int			count;
	const DynIndex *index;
	const DynTable *table = dyn_job_begin_writing(&sweep->job, &index);

	if (table == NULL)
		return 0;
	/* Nothing can be deleted while the items can't be read. */
	if (index->status != DYN_INDEX_ACTIVE || !index->valid ||
		!dyn_table_is_accessible(table))
	{
		dyn_job_commit(false);
		return 0;
	}
	MemoryContextSwitchTo(sweep->batch_context);
	count = dyn_store_expired(table, index, &position, &high_value, sweep->left,
							  sweep->batch_items, items);
	for (int i = 0; i < count; i++)
	{
		bool		gone;

		*at = number_of(&items[i].time);
		is_left[i] = !delete_item(table, index, &items[i].key, &low_value,
								  &high_value, &gone);
		deleted += gone;
	}

	/* As any client's write: who sees it must never see it taken back. */
	dyn_job_commit(true);

	for (int i = 0; i < count; i++)
	{
		DynNumber	time = number_of(&items[i].time);

		go_to(sweep, &time);
		if (is_left[i])
			note_left(sweep, &time);
	}
	sweep->deleted += deleted;
	return count;
}

/*
 * The same, and survive its error.  One item can be the cause, by a trigger or a
 * foreign key: after an error items go one by one, and the one that does not go
 * stays.
 */
static int
try_batch(DynSweep *sweep)
{
	static TimestampTz last_report = 0;
	volatile int count = 0;
	DynNumber	at = {0};
	bool		save_nowait = dyn_store_nowait;

	dyn_store_nowait = true;
	PG_TRY();
	{
		count = run_batch(sweep, &at);
	}
	PG_CATCH();
	{
		int			code = geterrcode();

		dyn_store_nowait = save_nowait;
		if (!IsBackgroundWorker || code == ERRCODE_QUERY_CANCELED ||
			code == ERRCODE_ADMIN_SHUTDOWN)
			PG_RE_THROW();
		HOLD_INTERRUPTS();
		MemoryContextSwitchTo(sweep->context);

		/*
		 * Somebody alters the table, or it is one item's fault, or the table's.
		 * The same will be said of the same item again and again.
		 */
		if (code != ERRCODE_LOCK_NOT_AVAILABLE && sweep->batch_items == 1 &&
			TimestampDifferenceExceeds(last_report, GetCurrentTimestamp(),
									   REPORT_INTERVAL_MS))
		{
			EmitErrorReport();
			last_report = GetCurrentTimestamp();
		}
		FlushErrorState();
		AbortCurrentTransaction();
		MemoryContextSwitchTo(sweep->context);
		RESUME_INTERRUPTS();
		if (code != ERRCODE_LOCK_NOT_AVAILABLE && at.size > 0)
		{
			if (sweep->batch_items == 1)
			{
				go_to(sweep, &at);
				note_left(sweep, &at);
			}
			sweep->batch_items = 1;
			count = 1;
		}
	}
	PG_END_TRY();
	dyn_store_nowait = save_nowait;
	MemoryContextSwitchTo(sweep->context);
	MemoryContextReset(sweep->batch_context);
	return count;
}

/* Seconds since 1970, for the metrics. */
static int64
to_seconds(const DynNumber *number)
{
	StringInfoData text;

	if (number->size == 0)
		return 0;
	initStringInfo(&text);
	dyn_number_write(&text, number->data, number->size);
	return (int64) strtod(text.data, NULL);
}

bool
dyn_sweep_continue(DynSweep *sweep)
{
	int64		start = dyn_job_clock_us();
	bool		more = true;
	char		activity[300];

	if (IsBackgroundWorker)
	{
		snprintf(activity, sizeof(activity), "deleting expired items of table %s",
				 sweep->job.table_name);
		pgstat_report_activity(STATE_RUNNING, activity);
	}
	sweep->deleted = 0;
	while (more && dyn_job_clock_us() - start < TURN_US)
	{
		int64		began = dyn_job_clock_us();
		int			count = try_batch(sweep);

		more = count > 0;

		/* What has expired is in no hurry: rest twice as long as others. */
		dyn_job_pace(2 * (dyn_job_clock_us() - began));
	}
	if (dyn_shared != NULL)
		dyn_metrics_record_sweep(&dyn_shared->metrics, sweep->job.table_name,
								 sweep->deleted,
								 to_seconds(sweep->oldest.size > 0 || !more ?
											&sweep->oldest : &sweep->position));
	return more;
}
