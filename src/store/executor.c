/*-------------------------------------------------------------------------
 *
 * executor.c
 *		Writes to a relation that has more than what we gave it.
 *
 * What an INSERT, UPDATE or DELETE statement does for one row, without
 * planning one: row triggers before and after, generated columns, constraints,
 * all indexes.  Statement triggers do not fire, as in logical replication.
 *
 * src/store/executor.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "store/executor.h"

static bool
is_own_trigger(const char *name)
{
	return strcmp(name, DYN_KEY_TRIGGER) == 0 || strcmp(name, DYN_LOG_TRIGGER) == 0 ||
		strcmp(name, DYN_TRUNCATE_TRIGGER) == 0;
}

bool
dyn_relation_is_plain(const DynRelation *relation)
{
	Relation	heap = relation->heap;
	TriggerDesc *triggers = heap->trigdesc;
	TupleConstr *constraints = RelationGetDescr(heap)->constr;
	List	   *indexes;
	int			ours = 1;		/* the key index */
	bool		plain;

	if (RelationGetDescr(heap)->natts != DYN_ATTNUM_LAST)
		return false;
	if (triggers != NULL)
		for (int i = 0; i < triggers->numtriggers; i++)
			if (!is_own_trigger(triggers->triggers[i].tgname))
				return false;
	if (constraints != NULL && constraints->num_check > 0)
		return false;

	for (int i = 0; i < relation->table->nindexes; i++)
		if (OidIsValid(relation->table->indexes[i].relation))
			ours++;
	indexes = RelationGetIndexList(heap);
	plain = list_length(indexes) == ours;
	list_free(indexes);
	return plain;
}

typedef struct Execution
{
	EState	   *estate;
	ResultRelInfo *result_relation;
} Execution;

static void
begin_execution(Relation heap, Execution *execution)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);

	execution->estate = CreateExecutorState();
	rte->rtekind = RTE_RELATION;
	rte->relid = RelationGetRelid(heap);
	rte->relkind = heap->rd_rel->relkind;
	rte->rellockmode = AccessShareLock;
	ExecInitRangeTable(execution->estate, list_make1(rte));
	execution->estate->es_output_cid = GetCurrentCommandId(true);

	execution->result_relation = makeNode(ResultRelInfo);
	InitResultRelInfo(execution->result_relation, heap, 1, NULL, 0);
	ExecOpenIndices(execution->result_relation, false);

	/* Or AFTER triggers would open it once more, for nobody to close. */
	execution->estate->es_opened_result_relations =
		list_make1(execution->result_relation);
	AfterTriggerBeginQuery();
}

static void
end_execution(Execution *execution)
{
	AfterTriggerEndQuery(execution->estate);
	ExecCloseIndices(execution->result_relation);
	ExecResetTupleTable(execution->estate->es_tupleTable, false);
	FreeExecutorState(execution->estate);
}

/* What a statement does between the BEFORE triggers and the heap. */
static void
complete_tuple(Execution *execution, TupleTableSlot *slot, CmdType command)
{
	Relation	heap = execution->result_relation->ri_RelationDesc;
	TupleConstr *constraints = RelationGetDescr(heap)->constr;

	if (constraints != NULL && constraints->has_generated_stored)
		ExecComputeStoredGenerated(execution->result_relation, execution->estate,
								   slot, command);
	if (constraints != NULL)
		ExecConstraints(execution->result_relation, slot, execution->estate);
}

/*
 * The indexes that must not raise an error for a key that is there: the key
 * index, and while REINDEX CONCURRENTLY runs, the one that takes its place.
 */
static List *
key_indexes(const ResultRelInfo *result_relation)
{
	List	   *indexes = NIL;

	for (int i = 0; i < result_relation->ri_NumIndices; i++)
	{
		Relation	index = result_relation->ri_IndexRelationDescs[i];
		Form_pg_index form = index->rd_index;

		if (form->indisunique && form->indimmediate && form->indnkeyatts >= 2 &&
			form->indkey.values[0] == DYN_ATTNUM_HASH &&
			form->indkey.values[1] == DYN_ATTNUM_PARTITION)
			indexes = lappend_oid(indexes, RelationGetRelid(index));
	}
	return indexes;
}

void
dyn_executor_insert(const DynRelation *relation, TupleTableSlot *slot,
					bool *conflict)
{
	Execution	execution;
	ResultRelInfo *result_relation;
	TriggerDesc *triggers;
	List	   *recheck;

	begin_execution(relation->heap, &execution);
	result_relation = execution.result_relation;
	triggers = result_relation->ri_TrigDesc;
	*conflict = false;

	if (triggers == NULL || !triggers->trig_insert_before_row ||
		ExecBRInsertTriggers(execution.estate, result_relation, slot))
	{
		complete_tuple(&execution, slot, CMD_INSERT);
		table_tuple_insert(relation->heap, slot,
						   execution.estate->es_output_cid, 0, NULL);

		/* A unique index of the user's own raises its error. */
		recheck = ExecInsertIndexTuples(result_relation, slot, execution.estate,
										false, true, conflict,
										key_indexes(result_relation));
		if (!*conflict)
			ExecARInsertTriggers(execution.estate, result_relation, slot,
								 recheck, NULL);
	}
	end_execution(&execution);
}

/* Give new columns, which an item says nothing of, the old tuple's values. */
static void
keep_other_columns(const DynRelation *relation, ItemPointer tid,
				   TupleTableSlot *slot)
{
	TupleTableSlot *old;

	if (RelationGetDescr(relation->heap)->natts == DYN_ATTNUM_LAST)
		return;
	old = table_slot_create(relation->heap, NULL);
	if (!table_tuple_fetch_row_version(relation->heap, tid, SnapshotAny, old))
		elog(ERROR, "failed to fetch the tuple to be updated");
	slot_getallattrs(old);
	for (int i = DYN_ATTNUM_LAST; i < RelationGetDescr(relation->heap)->natts; i++)
	{
		slot->tts_values[i] = old->tts_values[i];
		slot->tts_isnull[i] = old->tts_isnull[i];
	}
	ExecMaterializeSlot(slot);
	ExecDropSingleTupleTableSlot(old);
}

TM_Result
dyn_executor_update(const DynRelation *relation, ItemPointer tid,
					TupleTableSlot *slot, Snapshot snapshot, bool may_wait)
{
	Execution	execution;
	ResultRelInfo *result_relation;
	TriggerDesc *triggers;
	TM_FailureData failure;
	LockTupleMode mode;
	DynUpdateIndexes update_indexes = DYN_UPDATE_NO_INDEXES;
	TM_Result	result = TM_Ok;
	EPQState	epq;

	begin_execution(relation->heap, &execution);
	result_relation = execution.result_relation;
	triggers = result_relation->ri_TrigDesc;
	EvalPlanQualInit(&epq, execution.estate, NULL, NIL, -1);
	keep_other_columns(relation, tid, slot);

	if (triggers == NULL || !triggers->trig_update_before_row ||
		ExecBRUpdateTriggers(execution.estate, &epq, result_relation, tid, NULL,
							 slot, &failure))
	{
		complete_tuple(&execution, slot, CMD_UPDATE);
		result = table_tuple_update(relation->heap, tid, slot,
									execution.estate->es_output_cid, snapshot,
									InvalidSnapshot, may_wait, &failure, &mode,
									&update_indexes);
		if (result == TM_Ok)
		{
			List	   *recheck = NIL;

			if (update_indexes != DYN_UPDATE_NO_INDEXES)
				recheck = ExecInsertIndexTuples(result_relation, slot,
												execution.estate, true, false,
												NULL, NIL);
			ExecARUpdateTriggers(execution.estate, result_relation, NULL, NULL,
								 tid, NULL, slot, recheck, NULL, false);
		}
	}
	EvalPlanQualEnd(&epq);
	end_execution(&execution);
	return result;
}

TM_Result
dyn_executor_rewrite(Relation heap, ItemPointer tid, TupleTableSlot *slot,
					 Snapshot snapshot, bool may_wait)
{
	TM_FailureData failure;
	LockTupleMode mode;
	DynUpdateIndexes update_indexes = DYN_UPDATE_NO_INDEXES;
	TM_Result	result;

	result = table_tuple_update(heap, tid, slot, GetCurrentCommandId(true), snapshot,
								InvalidSnapshot, may_wait, &failure, &mode,
								&update_indexes);
	if (result == TM_Ok && update_indexes != DYN_UPDATE_NO_INDEXES)
	{
		Execution	execution;

		begin_execution(heap, &execution);
		(void) ExecInsertIndexTuples(execution.result_relation, slot, execution.estate,
									 true, false, NULL, NIL);
		end_execution(&execution);
	}
	return result;
}

TM_Result
dyn_executor_delete(const DynRelation *relation, ItemPointer tid,
					Snapshot snapshot, bool may_wait)
{
	Execution	execution;
	ResultRelInfo *result_relation;
	TriggerDesc *triggers;
	TM_FailureData failure;
	TM_Result	result = TM_Ok;
	EPQState	epq;

	begin_execution(relation->heap, &execution);
	result_relation = execution.result_relation;
	triggers = result_relation->ri_TrigDesc;
	EvalPlanQualInit(&epq, execution.estate, NULL, NIL, -1);

	if (triggers == NULL || !triggers->trig_delete_before_row ||
		ExecBRDeleteTriggers(execution.estate, &epq, result_relation, tid, NULL,
							 NULL))
	{
		result = table_tuple_delete(relation->heap, tid,
									execution.estate->es_output_cid, snapshot,
									InvalidSnapshot, may_wait, &failure, false);
		if (result == TM_Ok)
			ExecARDeleteTriggers(execution.estate, result_relation, tid, NULL,
								 NULL, false);
	}
	EvalPlanQualEnd(&epq);
	end_execution(&execution);
	return result;
}
