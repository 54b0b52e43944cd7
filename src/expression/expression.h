/*-------------------------------------------------------------------------
 *
 * expression.h
 *		The five expression languages: parse, resolve, evaluate.
 *
 * Three passes.  Parse sees only text and raises syntax errors; resolve
 * replaces #names and :values, checks reserved words and operand types, and
 * marks placeholders as used; evaluate is pure and raises only what the
 * service raises at run time.  Error texts and their priority are the
 * service's; "kind" is the word they start with.
 *
 * Trees live in the memory context current when they were parsed and point
 * into the expression text and the placeholders' values.
 *
 * src/expression/expression.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_EXPRESSION_H
#define DYN_EXPRESSION_H

#include "base/json.h"
#include "item/document_path.h"
#include "item/item_format.h"
#include "item/index_key.h"

typedef enum DynExpressionKind
{
	DYN_EXPRESSION_CONDITION,	/* "ConditionExpression" */
	DYN_EXPRESSION_UPDATE,
	DYN_EXPRESSION_FILTER,
	DYN_EXPRESSION_KEY_CONDITION,
	DYN_EXPRESSION_PROJECTION,
	DYN_EXPRESSION_STATEMENT	/* of PartiQL; its messages have no prefix */
} DynExpressionKind;

/*
 * ExpressionAttributeNames and ExpressionAttributeValues of one request (or of
 * one table of a batch).
 */
typedef struct DynPlaceholders DynPlaceholders;

/*
 * names and values are the request's members or NULL.  Raises, in this order:
 * empty maps, bad placeholder names, names' errors, values' errors (wrapped as
 * "ExpressionAttributeValues contains invalid value: ... for key :v").
 * "can only be specified when using expressions" is the operation's to check.
 */
extern DynPlaceholders *dyn_placeholders_create(const DynJson *names,
												const DynJson *values);

/* After all expressions are resolved: raises "... unused in expressions". */
extern void dyn_placeholders_check_used(const DynPlaceholders *placeholders);

/* Bytes of the values and their names. */
extern uint64 dyn_placeholders_values_size(const DynPlaceholders *placeholders);

/* --- ConditionExpression and FilterExpression --- */

typedef struct DynCondition DynCondition;

/* Parse and resolve.  Raises "Invalid ConditionExpression: ...". */
extern DynCondition *dyn_condition_create(DynExpressionKind kind,
										  const char *text, uint32 len,
										  DynPlaceholders *placeholders);

/* item is NULL when there is none: an item without attributes. */
extern bool dyn_condition_evaluate(const DynCondition *condition,
								   const DynItem *item);

/*
 * Call visit for every path the condition mentions (to refuse key attributes
 * in a Query's filter, nested paths on keys).
 */
typedef void (*DynPathVisitor) (const DynDocumentPath *path, void *arg);
extern void dyn_condition_visit_paths(const DynCondition *condition,
									  DynPathVisitor visit, void *arg);

/* --- KeyConditionExpression --- */

typedef enum DynSortOperator
{
	DYN_SORT_NONE,				/* no condition on the sort key */
	DYN_SORT_EQ,
	DYN_SORT_LT,
	DYN_SORT_LE,
	DYN_SORT_GT,
	DYN_SORT_GE,
	DYN_SORT_BETWEEN,
	DYN_SORT_BEGINS_WITH
} DynSortOperator;

/*
 * What is asked of a key of any number of parts: equality of all partition
 * attributes and, from the left, of sort attributes; the last of those may be
 * compared otherwise.
 */
typedef struct DynKeyCondition
{
	DynValue	partition[DYN_MAX_INDEX_KEY_PARTS];
	int			nsort;			/* sort attributes with a condition */
	DynSortOperator sort_operator;	/* of the last of them; NONE if there are none */
	DynValue	sort[DYN_MAX_INDEX_KEY_PARTS];	/* the last one's: the operand, or
												 * BETWEEN's lower bound */
	DynValue	sort_upper;		/* BETWEEN's upper bound */
	bool		lower_open;		/* BETWEEN of PartiQL, which has two comparisons */
	bool		upper_open;		/* for it: is the bound itself left out? */
} DynKeyCondition;

/*
 * Parsed and resolved before the table is known; bound to the key schema of the
 * table or index after the lookup.  The two steps raise their own messages.
 * of_index: how many conditions there may be is known only then.
 */
typedef struct DynKeyConditionTree DynKeyConditionTree;

extern DynKeyConditionTree *dyn_key_condition_create(const char *text, uint32 len,
													 DynPlaceholders *placeholders,
													 bool of_index);
extern void dyn_key_condition_bind(const DynKeyConditionTree *tree,
								   const DynIndexSchema *schema,
								   DynKeyCondition *result);

/* --- UpdateExpression --- */

typedef struct DynUpdate DynUpdate;

extern DynUpdate *dyn_update_create(const char *text, uint32 len,
									DynPlaceholders *placeholders);

/*
 * Call visit for each path the update writes (not those it only reads), to
 * check key attributes after the table lookup.
 */
extern void dyn_update_visit_targets(const DynUpdate *update,
									 DynPathVisitor visit, void *arg);

/* The same for each path that it only reads. */
extern void dyn_update_visit_operands(const DynUpdate *update,
									  DynPathVisitor visit, void *arg);

/*
 * The attributes that the update gives a value of the request, as they will be
 * but for ADD, which only tells their types: an item.
 */
extern DynItem *dyn_update_constants(const DynUpdate *update);

/* True if the update has only REMOVE and DELETE: it never creates an item. */
extern bool dyn_update_only_deletes(const DynUpdate *update);

/*
 * The item after the update.  old is NULL when there is none; key is then the
 * item holding just the key, which the result starts from.  update may be
 * NULL: nothing changes.  All operands read the old item.  Raises the run-time
 * messages; size and key rules are the caller's.
 */
extern DynItem *dyn_update_apply(const DynUpdate *update, const DynItem *old,
								 const DynItem *key);

/*
 * What ReturnValues UPDATED_OLD shows of the old item, UPDATED_NEW of the new:
 * what is now at the touched paths, with nested granularity.  NULL when nothing
 * is.  So a list element that has moved into a removed one's place is shown,
 * and one that was set beyond the end is not, as the service has it.
 */
extern DynItem *dyn_update_touched(const DynUpdate *update, const DynItem *item);

/* --- ProjectionExpression --- */

typedef struct DynProjection DynProjection;

extern DynProjection *dyn_projection_create(const char *text, uint32 len,
											DynPlaceholders *placeholders);
extern void dyn_projection_visit_paths(const DynProjection *projection,
									   DynPathVisitor visit, void *arg);

/* Write the projected item's JSON; {} when nothing matches. */
extern void dyn_projection_write(DynJsonWriter *w, const DynProjection *projection,
								 const DynItem *item);

#endif							/* DYN_EXPRESSION_H */
