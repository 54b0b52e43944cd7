/*-------------------------------------------------------------------------
 *
 * item_write.h
 *		What PutItem, UpdateItem and DeleteItem have in common.
 *
 * src/operation/item_write.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_ITEM_WRITE_H
#define DYN_ITEM_WRITE_H

#include "operation/index_write.h"
#include "operation/request.h"

typedef struct DynItemWrite DynItemWrite;

/*
 * Makes the item to be stored from write->old (NULL: there is none); NULL for
 * none.  May be called again if somebody else was faster.
 */
typedef DynItem *(*DynItemApply) (const DynItemWrite *write);

/* Zero it first. */
struct DynItemWrite
{
	const DynTable *table;
	DynKey		key;
	DynItemApply apply;
	const DynCondition *condition;	/* or NULL */
	const DynUpdate *update;	/* UpdateItem's, or NULL */

	DynAuthorization authorization;
	DynReturnCapacity return_capacity;
	DynReturnValues return_values;
	bool		return_old_on_failure;
	bool		return_collections; /* ReturnItemCollectionMetrics */
	bool		join_with_or;	/* ConditionalOperator of Expected */

	/* PutItem: the item to be stored.  Set by dyn_item_write_run(). */
	DynItem    *new_item;
	DynItem    *old;			/* what was there */
};

/* Member constraints of the members all writes have; those of Expected last. */
extern void dyn_item_write_check_members(DynItemWrite *write, DynViolations *v,
										 const DynJson *request);

/* Steps 1 and 2 of the order of checks in operation/request.h. */
extern void dyn_item_write_check_mix(const DynJson *request, bool has_update);

/* Legacy parameters, placeholders, expressions: fills condition and update. */
extern void dyn_item_write_expressions(DynItemWrite *write, const DynJson *request,
									   bool has_update);

/*
 * The same for one action of a transaction, which has no legacy parameters:
 * members of their names are unknown there, and of unchecked shape.  Returns
 * the size of the expressions' values.
 */
extern void dyn_item_write_check_on_failure(DynItemWrite *write, DynViolations *v,
											const DynJson *action);
extern void dyn_item_write_check_action_mix(const DynJson *action, bool has_update);
extern uint64 dyn_item_write_action_expressions(DynItemWrite *write,
												const DynJson *action,
												bool has_update);

/*
 * May the caller do it?  Before the table is looked up, what the request says of
 * its answer; then, with the key and what the request names (argument: the key,
 * or the item of a put), decide.
 */
extern void dyn_item_write_ask(DynItemWrite *write, DynPermission permission);
extern void dyn_item_write_decide(DynItemWrite *write, const DynItem *argument);

/* What is wrong with condition and update in view of the table; raises. */
extern void dyn_item_write_check_paths(const DynItemWrite *write);

/* UpdateItem's DynItemApply: raises what an update can raise at run time. */
extern DynItem *dyn_update_item_apply(const DynItemWrite *write);

/*
 * Lock, read, evaluate, apply, write.  A false condition is
 * DYN_OUTCOME_FAILED, with the item if the request wants it.
 */
extern DynOutcome dyn_item_write_run(DynOperationContext *context,
									 DynItemWrite *write);

/* The reply: Attributes (item, unless NULL) and ConsumedCapacity. */
extern void dyn_item_write_reply(const DynItemWrite *write, const DynJson *request,
								 const DynItem *attributes, StringInfo reply);

#endif							/* DYN_ITEM_WRITE_H */
