/*-------------------------------------------------------------------------
 *
 * change_reader.c
 *		Read the changes of a shard in the order of their numbers.
 *
 * Segments follow each other but may overlap where one begins, so they are
 * merged; a segment is opened when what has been read so far comes up to it.
 *
 * src/stream/change_reader.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "encryption/seal.h"
#include "stream/change_log.h"
#include "stream/segment.h"

/* One segment; heap is NULL once it has no more. */
typedef struct Source
{
	Relation	heap;
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	int64		number;			/* of the tuple in slot */
} Source;

struct DynChangeReader
{
	MemoryContext context;		/* in which it was opened */
	DynShardKey shard;
	int64		from;
	int64		until;
	Snapshot	snapshot;
	int			nsegments;
	DynSegment *segments;		/* that may have any */
	int			opened;
	Source	   *sources;		/* of those opened so far */
	Source	   *current;		/* whose tuple was returned last */
};

static void
close_source(Source *source)
{
	index_endscan(source->scan);
	ExecDropSingleTupleTableSlot(source->slot);
	relation_close(source->index, NoLock);
	relation_close(source->heap, NoLock);
	source->heap = NULL;
}

/* To the next tuple, or close it. */
static void
advance(Source *source)
{
	bool		isnull;

	if (index_getnext_slot(source->scan, ForwardScanDirection, source->slot))
		source->number = DatumGetInt64(slot_getattr(source->slot, DYN_CHANGE_NUMBER,
													&isnull));
	else
		close_source(source);
}

static void
open_source(DynChangeReader *reader, const DynSegment *segment, Source *source)
{
	ScanKeyData keys[3];

	/* Dropped since: what it had is too old by now. */
	if (!dyn_segment_open(segment, &source->heap, &source->index))
	{
		source->heap = NULL;
		return;
	}
	ScanKeyInit(&keys[0], DYN_CHANGE_SHARD, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(reader->shard));
	ScanKeyInit(&keys[1], DYN_CHANGE_NUMBER, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(reader->from));
	ScanKeyInit(&keys[2], DYN_CHANGE_NUMBER, BTLessStrategyNumber, F_INT8LT,
				Int64GetDatum(reader->until));
	source->slot = table_slot_create(source->heap, NULL);
	source->scan = index_beginscan(source->heap, source->index, reader->snapshot,
								   lengthof(keys), 0);
	index_rescan(source->scan, keys, lengthof(keys), NULL, 0);
	advance(source);
}

DynChangeReader *
dyn_change_reader_open(DynShardKey shard, int64 from, int64 until)
{
	DynChangeReader *reader = palloc0(sizeof(DynChangeReader));
	const DynSegment *all;
	int			count;

	reader->context = CurrentMemoryContext;
	reader->shard = shard;
	reader->from = from;
	reader->until = until;

	/* Whatever is below until is in a segment that can be known now. */
	AcceptInvalidationMessages();
	all = dyn_segments(&count);
	reader->segments = palloc(Max(count, 1) * sizeof(DynSegment));
	for (int i = 0; i < count; i++)
		if (all[i].first_number < until &&
			(all[i].end_number == 0 || all[i].end_number > from))
			reader->segments[reader->nsegments++] = all[i];
	reader->sources = palloc0(Max(count, 1) * sizeof(Source));

	/* The newest state, whatever snapshot the transaction has. */
	reader->snapshot = RegisterSnapshot(GetLatestSnapshot());
	return reader;
}

static Source *
lowest(const DynChangeReader *reader)
{
	Source	   *result = NULL;

	for (int i = 0; i < reader->opened; i++)
	{
		Source	   *source = &reader->sources[i];

		if (source->heap != NULL && (result == NULL || source->number < result->number))
			result = source;
	}
	return result;
}

static DynItem *
item_column(TupleTableSlot *slot, int column)
{
	bool		isnull;
	Datum		datum = slot_getattr(slot, column, &isnull);

	return isnull ? NULL : DatumGetDynItem(datum);
}

static DynItem *
image_column(const DynChangeReader *reader, const Source *source, int column)
{
	bool		isnull;
	Datum		datum = slot_getattr(source->slot, column, &isnull);
	DynImagePlace place;

	if (isnull)
		return NULL;
	dyn_image_set_place(&place, reader->shard, source->number, column);
	return dyn_open_image(datum, &place, sizeof(place));
}

/* The segment that has the next change, or NULL. */
static Source *
find_next(DynChangeReader *reader)
{
	Source	   *source;

	if (reader->current != NULL)
		advance(reader->current);
	for (;;)
	{
		source = lowest(reader);
		if (reader->opened == reader->nsegments ||
			(source != NULL &&
			 source->number < reader->segments[reader->opened].first_number))
			break;
		open_source(reader, &reader->segments[reader->opened],
					&reader->sources[reader->opened]);
		reader->opened++;
	}
	reader->current = source;
	return source;
}

bool
dyn_change_reader_next(DynChangeReader *reader, DynChange *change)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->context);
	Source	   *source = find_next(reader);
	TupleTableSlot *slot;
	bool		isnull;

	MemoryContextSwitchTo(caller);
	if (source == NULL)
		return false;

	slot = source->slot;
	change->number = source->number;
	change->time = DatumGetTimestampTz(slot_getattr(slot, DYN_CHANGE_TIME, &isnull));
	change->event = DatumGetChar(slot_getattr(slot, DYN_CHANGE_EVENT, &isnull));
	change->keys = item_column(slot, DYN_CHANGE_KEYS);
	change->old_item = image_column(reader, source, DYN_CHANGE_OLD_ITEM);
	change->new_item = image_column(reader, source, DYN_CHANGE_NEW_ITEM);
	return true;
}

void
dyn_change_reader_close(DynChangeReader *reader)
{
	for (int i = 0; i < reader->opened; i++)
		if (reader->sources[i].heap != NULL)
			close_source(&reader->sources[i]);
	UnregisterSnapshot(reader->snapshot);
}
