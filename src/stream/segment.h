/*-------------------------------------------------------------------------
 *
 * segment.h
 *		The relations that the change log consists of, for this directory.
 *
 * Numbers in a segment are at least its first.  A writer that has not seen a new
 * segment yet may still write to the one before, so segments overlap a little;
 * once nobody can write to one it is sealed, and all its numbers are below its end.
 *
 * src/stream/segment.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SEGMENT_H
#define DYN_SEGMENT_H

#include "datatype/timestamp.h"
#include "utils/relcache.h"

/* Columns of a segment. */
enum
{
	DYN_CHANGE_SHARD = 1,
	DYN_CHANGE_NUMBER,
	DYN_CHANGE_TIME,
	DYN_CHANGE_EVENT,
	DYN_CHANGE_KEYS,
	DYN_CHANGE_OLD_ITEM,
	DYN_CHANGE_NEW_ITEM,
	DYN_CHANGE_COLUMNS = DYN_CHANGE_NEW_ITEM
};

/*
 * What the image in a column of a change is sealed for: it can be neither another
 * change's nor the other image.
 */
typedef struct DynImagePlace
{
	int64		shard;
	int64		number;
	int64		column;
} DynImagePlace;

static inline void
dyn_image_set_place(DynImagePlace *place, int64 shard, int64 number, int column)
{
	place->shard = shard;
	place->number = number;
	place->column = column;
}

typedef struct DynSegment
{
	int32		id;
	Oid			relation;
	int64		first_number;
	int64		end_number;		/* 0: not sealed */
	TimestampTz created;
	TimestampTz sealed;
} DynSegment;

/* Those there are now, the oldest first; valid until the next call. */
extern const DynSegment *dyn_segments(int *count);

/*
 * The newest segment and its index, locked for writing to the end of the
 * transaction.
 */
extern void dyn_segment_open_newest(Relation *heap, Relation *index);

/* Any segment, to read; false if it has been dropped. */
extern bool dyn_segment_open(const DynSegment *segment, Relation *heap,
							 Relation *index);

#endif							/* DYN_SEGMENT_H */
