/*-------------------------------------------------------------------------
 *
 * executor.h
 *		Writes to a relation that has more than what we gave it.
 *
 * A user may add triggers, columns, constraints and indexes to a table's
 * relation; then a write takes the executor's way, with all of them honoured.
 *
 * src/store/executor.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_EXECUTOR_H
#define DYN_EXECUTOR_H

#include "access/tableam.h"
#include "store/relation.h"

/* True if the relation is exactly as the table layer made it. */
extern bool dyn_relation_is_plain(const DynRelation *relation);

/*
 * The executor's insert, update and delete.  slot holds the new tuple; tid is
 * the old one.  *conflict: a unique index refused the insert, whose tuple is
 * then dead already.  A row trigger that suppresses the write makes it
 * TM_Ok without doing anything.
 */
extern void dyn_executor_insert(const DynRelation *relation, TupleTableSlot *slot,
								bool *conflict);
extern TM_Result dyn_executor_update(const DynRelation *relation, ItemPointer tid,
									 TupleTableSlot *slot, Snapshot snapshot,
									 bool may_wait);

/* An update of what says nothing new of the item: no trigger fires. */
extern TM_Result dyn_executor_rewrite(Relation heap, ItemPointer tid,
									  TupleTableSlot *slot, Snapshot snapshot,
									  bool may_wait);
extern TM_Result dyn_executor_delete(const DynRelation *relation, ItemPointer tid,
									 Snapshot snapshot, bool may_wait);

#endif							/* DYN_EXECUTOR_H */
