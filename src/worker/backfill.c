/*-------------------------------------------------------------------------
 *
 * backfill.c
 *		Give every item of a table its entry in a new index, or seal it.
 *
 * The heap is gone over in windows of some pages, each of them several times:
 * a page has room for about one new version, and more of it once the old
 * versions of the visit before are pruned, which takes until every snapshot that
 * saw them has ended; for the endpoint's that is a few milliseconds.  So the
 * heap grows hardly at all.
 *
 * A snapshot that is held for long stops that.  A CREATE INDEX CONCURRENTLY
 * would have to wait for its end anyway, so waiting here costs little; but a
 * server may never be without one.  After dynamo.backfill_patience, all in all,
 * items are written wherever there is room.
 *
 * src/worker/backfill.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/settings.h"
#include "store/backfill.h"
#include "worker/backfill.h"

/* Pages gone over together: more than a transaction is worth. */
#define WINDOW_BLOCKS 128

/* Bounds of one transaction: whoever wants one of its items waits for that. */
#define MAX_BATCH_ITEMS 128
#define MAX_BATCH_US 4000

/* Between visits to pages without room, and to items that somebody holds. */
#define FIRST_DELAY_MS 4
#define LONGEST_DELAY_MS 500

/*
 * The snapshots of ordinary requests end in less than this: it does not count
 * as waiting, and is waited for with patience at an end, too.
 */
#define LEAST_WAIT_MS 50

#define PROGRESS_INTERVAL_US 1000000

typedef struct Backfill
{
	const DynJob *job;
	MemoryContext page_context; /* of one page; reset by the next */
	BufferAccessStrategy strategy;
	Oid			file;			/* what is gone over; a rewrite makes another */
	BlockNumber total;
	BlockNumber done;
	int64		waited_ms;		/* for room, so far */
	int64		reported_us;
	BlockNumber *held;			/* pages with items that somebody holds */
	int			nheld;
	int			held_size;

	/* The transaction that is open. */
	const DynTable *table;		/* NULL: none is */
	const DynIndex *index;		/* NULL: items are sealed, or opened */
	Relation	heap;
	int64		began_us;
	int			items;
} Backfill;

typedef enum Result
{
	RESULT_DONE,
	RESULT_REWRITTEN,			/* the heap is another one: begin anew */
	RESULT_UNWANTED				/* the index is, or the table is sealed by now */
} Result;

/* Begin a transaction on the table; false if it, or the index, has gone. */
static bool
begin(Backfill *backfill, LOCKMODE mode)
{
	bool		has_index = backfill->job->index_name != NULL;

	backfill->index = NULL;
	backfill->table = dyn_job_begin(backfill->job, mode, has_index ? &backfill->index : NULL);
	return backfill->table != NULL;
}

static bool
is_wanted(const Backfill *backfill)
{
	if (backfill->index != NULL)
		return backfill->index->status == DYN_INDEX_CREATING;
	return backfill->table->sealing == DYN_SEALING_ENABLING ||
		backfill->table->sealing == DYN_SEALING_DISABLING;
}

/* Of sealing, pg_stat_activity alone tells. */
static void
report_progress(const Backfill *backfill)
{
	char		activity[NAMEDATALEN + 2 * 256];

	if (backfill->index != NULL)
	{
		dyn_index_report_progress(backfill->table, backfill->index, backfill->done,
								  backfill->total);
		return;
	}
	if (!IsBackgroundWorker)
		return;
	snprintf(activity, sizeof(activity), "%s items of table %s, block %u of %u",
			 backfill->table->data_key != 0 ? "sealing" : "opening",
			 backfill->table->name, backfill->done, backfill->total);
	pgstat_report_activity(STATE_RUNNING, activity);
}

static Result
begin_batch(Backfill *backfill)
{
	if (!begin(backfill, RowExclusiveLock))
		return RESULT_UNWANTED;
	backfill->began_us = dyn_job_clock_us();
	backfill->items = 0;
	backfill->heap = table_open(backfill->table->relation, NoLock);
	if (!is_wanted(backfill))
		return RESULT_UNWANTED;

	/*
	 * Pruning looks which versions nobody sees any more, and believes what it
	 * found until the next transaction id is taken.  Where nobody writes, a
	 * snapshot that has ended since would be waited for in vain.
	 */
	(void) GetOldestNonRemovableTransactionId(backfill->heap);
	return dyn_relation_file(backfill->heap) == backfill->file ? RESULT_DONE :
		RESULT_REWRITTEN;
}

static void
commit_batch(Backfill *backfill)
{
	if (backfill->heap != NULL)
		table_close(backfill->heap, NoLock);
	backfill->heap = NULL;
	backfill->table = NULL;

	/*
	 * Nobody sees a slot before its index is active, and a table that is being
	 * sealed has items of both kinds: so a crash may take it back.
	 */
	dyn_job_commit(false);
}

static void
end_batch(Backfill *backfill)
{
	int64		now = dyn_job_clock_us();

	if (backfill->table == NULL)
		return;
	if (now - backfill->reported_us >= PROGRESS_INTERVAL_US)
	{
		report_progress(backfill);
		backfill->reported_us = now;
	}
	commit_batch(backfill);
	dyn_job_pace(dyn_job_clock_us() - backfill->began_us);
}

/* Visit one page, in the batch that is open or a new one. */
static Result
visit(Backfill *backfill, BlockNumber block, bool may_move, DynBackfillPage *page)
{
	MemoryContext save;

	memset(page, 0, sizeof(*page));
	if (backfill->table == NULL)
	{
		Result		result = begin_batch(backfill);

		if (result != RESULT_DONE)
			return result;
	}
	if (block >= RelationGetNumberOfBlocks(backfill->heap))
		return RESULT_DONE;		/* VACUUM found it empty */

	save = MemoryContextSwitchTo(backfill->page_context);
	dyn_store_backfill_page(backfill->heap, backfill->table, backfill->index, block,
							backfill->strategy, may_move, page);
	MemoryContextSwitchTo(save);
	MemoryContextReset(backfill->page_context);

	backfill->items += page->changed;
	if (backfill->items >= MAX_BATCH_ITEMS ||
		dyn_job_clock_us() - backfill->began_us >= MAX_BATCH_US)
		end_batch(backfill);
	return RESULT_DONE;
}

static void
note_held(Backfill *backfill, BlockNumber block)
{
	if (backfill->nheld == backfill->held_size)
	{
		backfill->held_size *= 2;
		backfill->held = repalloc_huge(backfill->held,
									   backfill->held_size * sizeof(BlockNumber));
	}
	backfill->held[backfill->nheld++] = block;
}

/* How long a window may wait for room. */
static int64
patience_ms(const Backfill *backfill)
{
	return Max(LEAST_WAIT_MS,
			   (int64) dyn_backfill_patience * 1000 - backfill->waited_ms);
}

static Result
fill_window(Backfill *backfill, BlockNumber start, BlockNumber end, bool *moved)
{
	BlockNumber todo[WINDOW_BLOCKS];
	int			ntodo = 0;
	long		delay_ms = FIRST_DELAY_MS;
	int64		waited_ms = 0;

	for (BlockNumber block = start; block < end; block++)
		todo[ntodo++] = block;

	while (ntodo > 0)
	{
		int			left = 0;
		int			changed = 0;
		bool		may_move = waited_ms >= patience_ms(backfill);

		for (int i = 0; i < ntodo; i++)
		{
			DynBackfillPage page;
			Result		result = visit(backfill, todo[i], may_move, &page);

			if (result != RESULT_DONE)
				return result;
			changed += page.changed;
			*moved = *moved || page.moved > 0;
			if (page.unfit > 0)
				todo[left++] = todo[i];
			else if (page.held > 0)
				note_held(backfill, todo[i]);
		}
		ntodo = left;
		end_batch(backfill);
		if (ntodo == 0)
			break;
		if (changed > 0)
		{
			delay_ms = FIRST_DELAY_MS;
			continue;
		}
		dyn_job_sleep(delay_ms);
		waited_ms += delay_ms;
		delay_ms = Min(delay_ms * 2, LONGEST_DELAY_MS);
	}
	backfill->waited_ms += Max(0, waited_ms - LEAST_WAIT_MS);
	return RESULT_DONE;
}

/* Come back to the items that somebody held, until nobody does. */
static Result
fill_held(Backfill *backfill)
{
	long		delay_ms = FIRST_DELAY_MS;

	while (backfill->nheld > 0)
	{
		int			n = backfill->nheld;

		backfill->nheld = 0;
		for (int i = 0; i < n; i++)
		{
			BlockNumber block = backfill->held[i];
			bool		moved = false;
			int			before = backfill->nheld;
			Result		result = fill_window(backfill, block, block + 1, &moved);

			if (result != RESULT_DONE)
				return result;
			if (backfill->nheld == before)
				delay_ms = FIRST_DELAY_MS;
		}
		if (backfill->nheld == 0)
			break;
		dyn_job_sleep(delay_ms);
		delay_ms = Min(delay_ms * 2, LONGEST_DELAY_MS);
	}
	return RESULT_DONE;
}

/* What items that were moved away have left, for others to use. */
static Result
offer_free_space(Backfill *backfill, BlockNumber start, BlockNumber end)
{
	Result		result = begin_batch(backfill);

	if (result != RESULT_DONE)
		return result;
	dyn_store_offer_free_space(backfill->heap, start, end);
	end_batch(backfill);
	return RESULT_DONE;
}

/*
 * Go over the heap once.  Items that come to later pages while that happens were
 * written by somebody who keeps the slot, or by us.
 */
static Result
go_over(Backfill *backfill)
{
	bool		offer = false;	/* of the window before */

	for (BlockNumber start = 0; start < backfill->total; start += WINDOW_BLOCKS)
	{
		BlockNumber end = Min(start + WINDOW_BLOCKS, backfill->total);
		bool		moved = false;
		Result		result = fill_window(backfill, start, end, &moved);

		/* By now the old versions can be pruned. */
		if (result == RESULT_DONE && offer)
			result = offer_free_space(backfill, start - WINDOW_BLOCKS, start);
		if (result != RESULT_DONE)
			return result;
		offer = moved;
		backfill->done = end;
	}
	return fill_held(backfill);
}

static Result
begin_anew(Backfill *backfill)
{
	backfill->nheld = 0;
	backfill->done = 0;
	if (!begin(backfill, RowExclusiveLock))
		return RESULT_UNWANTED;
	if (!is_wanted(backfill) ||
		(backfill->index != NULL &&
		 !dyn_index_begin_backfill(backfill->table, backfill->index)))
		return RESULT_UNWANTED;
	backfill->heap = table_open(backfill->table->relation, NoLock);
	backfill->file = dyn_relation_file(backfill->heap);
	backfill->total = RelationGetNumberOfBlocks(backfill->heap);
	report_progress(backfill);
	backfill->reported_us = backfill->began_us = dyn_job_clock_us();
	end_batch(backfill);
	return RESULT_DONE;
}

bool
dyn_backfill(const DynJob *job)
{
	Backfill	backfill = {.job = job};
	Result		result;

	backfill.page_context = AllocSetContextCreate(CurrentMemoryContext,
												  "dynamo backfill page",
												  ALLOCSET_DEFAULT_SIZES);
	backfill.strategy = GetAccessStrategy(BAS_BULKREAD);
	backfill.held_size = WINDOW_BLOCKS;
	backfill.held = palloc(backfill.held_size * sizeof(BlockNumber));

	do
	{
		result = begin_anew(&backfill);
		if (result == RESULT_DONE)
			result = go_over(&backfill);
		/* The last batch may have found that it has nothing to do. */
		if (backfill.table != NULL)
			commit_batch(&backfill);
	} while (result == RESULT_REWRITTEN);

	if (result == RESULT_DONE && begin(&backfill, NoLock))
	{
		backfill.done = backfill.total;
		report_progress(&backfill);
		commit_batch(&backfill);
	}
	MemoryContextDelete(backfill.page_context);
	return result == RESULT_DONE;
}
