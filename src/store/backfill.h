/*-------------------------------------------------------------------------
 *
 * backfill.h
 *		Bring an index's slot up to date in the items that are there already, or
 *		seal them.
 *
 * src/store/backfill.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_BACKFILL_H
#define DYN_BACKFILL_H

#include "storage/block.h"
#include "storage/bufmgr.h"
#include "utils/relcache.h"

#include "table/table.h"

/* What has become of one page of the heap. */
typedef struct DynBackfillPage
{
	int			changed;		/* items written */
	int			moved;			/* of them, to another page */
	int			held;			/* left: a running transaction has them */
	int			unfit;			/* left: the page has no room for a new version */
} DynBackfillPage;

/*
 * Give the items of one page the entries that they have in index, and none to
 * those that have none: of items an index cannot take, too, nothing is said.
 * Only the slot is written, the item keeps its bytes and its place in TOAST; no
 * trigger fires.  Nothing is waited for.  index NULL: seal the items that are to
 * be sealed, or open those that are not to be.
 *
 * Items are written where the new version finds room on the same page, so that
 * no other index and no other page gets to do with it.  What is left unfit finds
 * room later, when nobody can see the old versions any more; with may_move it is
 * written elsewhere at once.  A page where no room will ever come free by waiting
 * gives one item away, which makes room for the others.
 *
 * The caller has locked the heap, has an active snapshot, and is sure that
 * whoever may write to the heap keeps the index's slot, or seals likewise.
 */
extern void dyn_store_backfill_page(Relation heap, const DynTable *table,
									const DynIndex *index, BlockNumber block,
									BufferAccessStrategy strategy, bool may_move,
									DynBackfillPage *page);

/*
 * Items have been moved away from pages from start to (not including) end: what
 * they left is room for other items now, not only after the next VACUUM.
 */
extern void dyn_store_offer_free_space(Relation heap, BlockNumber start,
									   BlockNumber end);

#endif							/* DYN_BACKFILL_H */
