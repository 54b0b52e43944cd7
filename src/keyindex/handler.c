/*-------------------------------------------------------------------------
 *
 * handler.c
 *		The index access method dynamo_key: nbtree, and what is DynamoDB's.
 *
 * The routine is a copy of nbtree's with the entries replaced that differ.
 * Pages, WAL, recovery, VACUUM, uniqueness, deduplication, mark and restore,
 * and parallel scans are nbtree's own code working on our relations; to it
 * they are B-trees.
 *
 * src/keyindex/handler.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_am.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "utils/fmgroids.h"
#include "utils/index_selfuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "keyindex/keyindex.h"

PG_FUNCTION_INFO_V1(dynamo_key_handler);

/*
 * nbtree looks at relam in two places: the sort of a build refuses another
 * access method (PrepareSortSupportFromIndexRel), and the macros that read the
 * reloptions assert it.  So the relcache entry says "btree" around the call.
 * Nothing in between looks at relam for another purpose: a build's workers
 * would, but PostgreSQL plans none for a foreign access method.
 */
#define AS_BTREE(index, call) \
	do { \
		Form_pg_class as_btree_class = (index)->rd_rel; \
		Oid			as_btree_am = as_btree_class->relam; \
		as_btree_class->relam = BTREE_AM_OID; \
		PG_TRY(); \
		{ \
			call; \
		} \
		PG_FINALLY(); \
		{ \
			as_btree_class->relam = as_btree_am; \
		} \
		PG_END_TRY(); \
	} while (0)

static IndexBuildResult *
dyn_key_build(Relation heap, Relation index, IndexInfo *index_info)
{
	IndexBuildResult *volatile result = NULL;
	IndexInfo  *stored = dyn_key_index_info(heap, index, index_info);

	/*
	 * An invalidation of this index's relcache entry would bring the true
	 * relam back.  Looking up first what the sort's check stands between
	 * leaves no catalog access, and so no point where one is accepted.
	 */
	pfree(_bt_mkscankey(index, NULL));
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
		get_opfamily_proc(index->rd_opfamily[i], index->rd_opcintype[i],
						  index->rd_opcintype[i], BTSORTSUPPORT_PROC);
	AS_BTREE(index, result = btbuild(heap, index, stored));
	index_info->ii_BrokenHotChain = stored->ii_BrokenHotChain;
	return result;
}

static bool
dyn_key_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
			   Relation heap, IndexUniqueCheck check_unique,
			   bool index_unchanged, IndexInfo *index_info)
{
	Datum		stored[INDEX_MAX_KEYS];
	volatile bool result = false;

	for (int i = 0; i < IndexRelationGetNumberOfAttributes(index); i++)
		stored[i] = !isnull[i] &&
			i < IndexRelationGetNumberOfKeyAttributes(index) &&
			dyn_key_shortens(index, i + 1) ? dyn_key_shorten(values[i]) : values[i];

#ifdef USE_ASSERT_CHECKING
	/* Only assertions, on page splits, look at relam here. */
	AS_BTREE(index,
			 result = btinsert(index, stored, isnull, tid, heap, check_unique,
							   index_unchanged, index_info));
#else
	result = btinsert(index, stored, isnull, tid, heap, check_unique,
					  index_unchanged, index_info);
#endif
	return result;
}

/* An index-only scan has no way back from a short form. */
static bool
dyn_key_canreturn(Relation index, int attnum)
{
	return attnum > IndexRelationGetNumberOfKeyAttributes(index) ||
		!dyn_key_shortens(index, attnum);
}

/*
 * btcostestimate() reads the height of the tree, which the planner looks up
 * for indexes of the built-in access method only.
 */
static void
dyn_key_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
					 Cost *startup_cost, Cost *total_cost,
					 Selectivity *selectivity, double *correlation,
					 double *pages)
{
	IndexOptInfo *info = path->indexinfo;

	if (info->tree_height < 0 && !info->hypothetical)
	{
		/* The planner holds a lock on every index it considers. */
		Relation	index = index_open(info->indexoid, NoLock);

		info->tree_height = _bt_getrootheight(index);
		index_close(index, NoLock);
	}
	btcostestimate(root, path, loop_count, startup_cost, total_cost,
				   selectivity, correlation, pages);
}

Datum
dynamo_key_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *am = GetIndexAmRoutine(F_BTHANDLER);

	am->amstrategies = DYN_KEY_STRATEGIES;
	am->amsupport = DYN_KEY_SUPPORT_FUNCTIONS;
	am->ambuild = dyn_key_build;
	am->aminsert = dyn_key_insert;
	am->amcanreturn = dyn_key_canreturn;
	am->amproperty = NULL;		/* nbtree's says that all columns return */
	am->amcostestimate = dyn_key_costestimate;
	am->amvalidate = dyn_key_validate;

	/*
	 * nbtree's looks for the operator class among B-tree's.  Without one,
	 * members depend on their class if made with it, else on the family.
	 */
	am->amadjustmembers = NULL;

	am->ambeginscan = dyn_key_beginscan;
	am->amrescan = dyn_key_rescan;
	am->amgettuple = dyn_key_gettuple;
	am->amgetbitmap = dyn_key_getbitmap;
	am->amendscan = dyn_key_endscan;

	PG_RETURN_POINTER(am);
}
