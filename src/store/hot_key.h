/*-------------------------------------------------------------------------
 *
 * hot_key.h
 *		Where the versions of busy items were last seen.
 *
 * While a snapshot is held, by a long SELECT or a backup, no version of an item
 * that is newer can be removed.  An item that is written all the time leaves
 * thousands of pages full of them, each with an entry in the key index, in the
 * order of the pages: the one that is seen comes last, and every write would
 * look at all that have been before.  For keys of which many versions were met
 * the place of one is kept, from which those that followed it can be reached
 * without the index.
 *
 * A place is a hint and no more: what is found there counts only if it has the
 * key and the snapshot sees it, and a snapshot sees at most one version of a
 * key.  So nobody has to keep the hints true, and they need no lock.
 *
 * src/store/hot_key.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_HOT_KEY_H
#define DYN_HOT_KEY_H

#include "store/relation.h"

/*
 * Find the tuple under key that snapshot sees, into slot.  False says nothing
 * but that the index has to be asked; *hinted: there was a hint, and it led
 * nowhere.
 */
extern bool dyn_hot_key_find(const DynRelation *relation, const DynKey *key,
							 Snapshot snapshot, TupleTableSlot *slot, bool *hinted);

/*
 * The index has found the tuple in slot after so many entries whose versions the
 * snapshot does not see.  To be called if there were any, or *hinted was true.
 */
extern void dyn_hot_key_note(const DynRelation *relation, const DynKey *key,
							 TupleTableSlot *slot, int passed);

#endif							/* DYN_HOT_KEY_H */
