/*-------------------------------------------------------------------------
 *
 * authorize.h
 *		May the caller do this?  Asked by every operation, of every table.
 *
 * Who asks is the current user, and by HTTP perhaps a session of that role
 * (auth/principal.h).  What allows it is SQL's privileges, a policy of the
 * role's, or the table's resource policy; see policy/decision.h for the order.
 *
 * An operation fills in what it wants and what it knows of the request, names
 * the table, and is told ALLOW, DENY, or that it depends on attributes and keys:
 *
 *		DynAuthorization a = {.permission = DYN_MAY_GetItem, ...};
 *
 *		table = dyn_request_table(context, request, &a);	-- raises
 *		... make the key ...
 *		if (dyn_authorization_depends(&a))
 *		{
 *			dyn_authorization_key(&a, 0, &key.partition);
 *			dyn_authorization_item(&a, argument);
 *		}
 *		dyn_authorization_finish(&a);						-- raises
 *		... touch the item ...
 *
 * Whoever is denied is told so before anything that is known of the table.
 *
 * src/operation/authorize.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_AUTHORIZE_H
#define DYN_AUTHORIZE_H

#include "expression/expression.h"
#include "operation/operation.h"
#include "policy/decision.h"
#include "stream/shard.h"
#include "table/tag.h"

typedef enum DynPermission
{
#define DYN_PERMISSION(action, privilege) DYN_MAY_##action,
#include "operation/permission_list.h"
#undef DYN_PERMISSION
	DYN_PERMISSION_COUNT
} DynPermission;

/* By the action's name without "dynamodb:". */
extern bool dyn_permission_find(const char *name, DynPermission *permission);

typedef struct DynPolicyTexts
{
	int			count;
	int			room;
	DynPolicyText *texts;
} DynPolicyTexts;

typedef struct DynAuthorization
{
	/* The caller's.  What it leaves out, the request does not say. */
	DynPermission permission;
	const DynJson *request;		/* for ReturnConsumedCapacity */
	const char *enclosing_operation;
	const char *index;			/* the index that is read */
	uint32		index_len;
	const char *select;
	const char *return_values;
	bool		return_old_on_failure;
	const DynNamedPolicy *replacement;	/* of the resource's policy, to see what
										 * it would do */
	bool		name_only;		/* say DEPENDS of whatever a request would say */
	int			ntags;			/* RequestTag, and TagKeys */
	const DynTag *tags;			/* values may be NULL */

	/* Set by dyn_authorization_begin() and its like. */
	DynOperationContext *context;
	const DynTable *table;		/* NULL: there is none of that name */
	const char *resource;		/* its ARN, once somebody wants to know it */
	const char *name;
	uint32		name_len;
	const DynStreamInfo *stream;	/* NULL: it is not about a stream that is there */
	const char *stream_label;	/* NULL: nor about one that isn't */
	DynEffect	effect;
	bool		by_policy;		/* of an ALLOW: SQL's privileges would not do */
	char	   *refusal;		/* of a DENY, what to tell */
	uint64		policy_keys;	/* of a DEPENDS, for authorize.c */
	int			grant;

	/* What dyn_authorization_finish() goes by. */
	const char *full_table_scan;	/* "true", "false" */
	DynPolicyTexts attributes;
	DynPolicyTexts keys[DYN_MAX_INDEX_KEY_PARTS];
} DynAuthorization;

/*
 * Ask about a table, by name or ARN.  Raises nothing: sets effect, which is
 * DEPENDS only of a table that is there.
 */
extern void dyn_authorization_begin(DynAuthorization *a,
									DynOperationContext *context,
									const char *name, uint32 name_len);

/*
 * About one that is to be made, about a stream (NULL: there is none), about the
 * policy of a table or a stream (NULL: there is no table), or about no resource
 * ("*").
 */
extern void dyn_authorization_create(DynAuthorization *a,
									 DynOperationContext *context,
									 const char *name);
extern void dyn_authorization_stream(DynAuthorization *a,
									 DynOperationContext *context,
									 const char *table_name, const char *label,
									 const DynStreamInfo *stream);
extern void dyn_authorization_policy(DynAuthorization *a,
									 DynOperationContext *context,
									 const char *arn, uint32 arn_len,
									 const DynTable *table,
									 const char *stream_label);
extern void dyn_authorization_account(DynAuthorization *a,
									  DynOperationContext *context);

/* Raise AccessDeniedException if effect is DENY. */
extern void dyn_authorization_check(const DynAuthorization *a);

/* Is it for dyn_authorization_finish() to say? */
static inline bool
dyn_authorization_depends(const DynAuthorization *a)
{
	return a->effect == DYN_EFFECT_DEPENDS;
}

/*
 * What it depends on: the value of a part of the partition key, and every
 * attribute that the request names.  Values may be of any type, and point
 * where they like for as long as a is used.
 */
extern void dyn_authorization_key(DynAuthorization *a, int part,
								  const DynValue *value);
extern void dyn_authorization_name(DynAuthorization *a, const char *name,
								   uint32 len);
extern void dyn_authorization_item(DynAuthorization *a, const DynItem *item);
extern void dyn_authorization_condition(DynAuthorization *a,
										const DynCondition *condition);
extern void dyn_authorization_projection(DynAuthorization *a,
										 const DynProjection *projection);
extern void dyn_authorization_update(DynAuthorization *a, const DynUpdate *update);

/* All of that, of one item that is read; does nothing if nothing depends. */
extern void dyn_authorization_get(DynAuthorization *a, const DynKey *key,
								  const DynItem *argument,
								  const DynProjection *projection);

/* Select, as reading an item has it: by whether there is a projection. */
static inline const char *
dyn_authorization_select(const DynProjection *projection)
{
	return projection == NULL ? "ALL_ATTRIBUTES" : "SPECIFIC_ATTRIBUTES";
}

/*
 * Decide what depends, and raise AccessDeniedException for a DENY.  Nothing may
 * have been done before.  Who asks for several things uses the three parts:
 * decide each, check each, then end.
 */
extern void dyn_authorization_finish(DynAuthorization *a);
extern void dyn_authorization_decide(DynAuthorization *a);
extern void dyn_authorization_end(const DynOperationContext *context);

/*
 * An explanation in place of an operation: what is decided is noted, and when all
 * is decided the operation is ended by an error.
 */
typedef struct DynExplanation DynExplanation;

/* What it is told of a condition key; false: nothing. */
extern bool dyn_explanation_says(const DynExplanation *explanation,
								 const DynPolicyKey *key,
								 DynPolicyValues *values,
								 DynPolicyAnswer *answer);

/* What has been looked at for the decision that is noted next. */
extern void dyn_explanation_fact(DynExplanation *explanation,
								 const DynPolicyKey *key,
								 DynPolicyAnswer answer,
								 const DynPolicyValues *values);
extern void dyn_explanation_note(DynExplanation *explanation,
								 const DynPolicyContext *context,
								 const DynDecision *decision);
extern void dyn_explanation_end(DynExplanation *explanation) pg_attribute_noreturn();

#endif							/* DYN_AUTHORIZE_H */
