/*-------------------------------------------------------------------------
 *
 * transact.h
 *		What transactions have in common: reasons, order, all-or-nothing.
 *
 * src/operation/transact.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TRANSACT_H
#define DYN_TRANSACT_H

#include "operation/item_write.h"
#include "store/token.h"

/* Why an action stands in the way of its transaction. */
typedef enum DynReasonCode
{
	DYN_REASON_NONE,
	DYN_REASON_CONDITIONAL_CHECK_FAILED,
	DYN_REASON_DUPLICATE_ITEM,
	DYN_REASON_ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED,
	DYN_REASON_TRANSACTION_CONFLICT,
	DYN_REASON_VALIDATION_ERROR
} DynReasonCode;

typedef struct DynReason
{
	DynReasonCode code;
	const char *message;		/* of a VALIDATION_ERROR */
	const DynItem *item;		/* of a false condition, if it is asked for */
} DynReason;

/* TransactItems: present, one to a hundred. */
extern void dyn_transact_check_items(DynViolations *v, const DynJson *items);

/*
 * Call check(arg), which uses memory only: no table, no lock.  If it raises
 * ValidationException, that is the action's reason, and false is returned.
 */
extern bool dyn_transact_try(DynReason *reason, void (*check) (void *arg), void *arg);

/*
 * The same for the key of an item or of a Key argument.  An empty key value is
 * no reason but the request's error, and raised.
 */
extern bool dyn_transact_key(DynReason *reason, const DynTable *table,
							 const DynItem *item, bool is_argument, DynKey *key);

/*
 * The order in which everybody locks: table, key.  Raises ValidationException
 * if an item is there twice.
 */
typedef struct DynTransactKey
{
	const DynTable *table;
	const DynKey *key;
	int			position;		/* in the request */
} DynTransactKey;

extern void dyn_transact_sort(DynTransactKey *keys, int nkeys);

/* DYN_OUTCOME_FAILED with TransactionCanceledException. */
extern DynOutcome dyn_transact_cancel(DynOperationContext *context,
									  const DynReason *reasons, int nreasons);

/* ----- reading ----- */

typedef struct DynTransactGet
{
	const char *table_name;		/* as the request names it */
	uint32		table_name_len;
	const DynTable *table;
	DynItem    *argument;		/* Key */
	const DynProjection *projection;	/* or NULL */
	DynAuthorization authorization; /* begun */

	/* PartiQL's: an item that doesn't pass is not shown; what writes one. */
	const DynCondition *filter;
	void		(*write_item) (DynJsonWriter *w, const DynItem *item, const void *arg);
	const void *write_item_arg;

	/* Set by dyn_transact_read(). */
	DynKey		key;
	DynItem    *item;
} DynTransactGet;

/*
 * Read all of them as they are at one moment; writes Responses.  A key that
 * doesn't fit its table cancels the transaction.
 */
extern DynOutcome dyn_transact_read(DynOperationContext *context,
									DynTransactGet *gets, int ngets,
									DynReturnCapacity return_capacity,
									StringInfo reply);

/* ----- writing ----- */

typedef enum DynActionKind
{
	DYN_ACTION_CHECK,
	DYN_ACTION_PUT,
	DYN_ACTION_UPDATE,
	DYN_ACTION_DELETE
} DynActionKind;

typedef struct DynAction
{
	DynActionKind kind;
	bool		is_insert;		/* a put that is refused where there is an item */
	DynItemWrite write;			/* table, condition, update; a put's new_item */
	DynItem    *argument;		/* Key, or the item of a put */
	/* write.authorization is begun. */
	const char *table_name;		/* as the request names it */
	uint32		table_name_len;

	/* Set by dyn_transact_write(). */
	DynStoreWrite store;
} DynAction;

typedef struct DynTransaction
{
	int			nactions;
	DynAction  *actions;
	DynToken   *token;			/* or NULL; its units are filled in */
	DynReturnCapacity return_capacity;
	bool		return_collections;
	bool		write_responses;	/* ExecuteTransaction: an empty list of them */
} DynTransaction;

/*
 * Do all of the actions or none of them.  The request is checked as far as it
 * can be without its items' keys.
 */
extern DynOutcome dyn_transact_write(DynOperationContext *context,
									 DynTransaction *transaction,
									 StringInfo reply);

/*
 * A hash of what a request asks for: equal for equal JSON, whatever the order
 * of its members.
 */
extern uint64 dyn_transact_content(const DynJson *json);

#endif							/* DYN_TRANSACT_H */
