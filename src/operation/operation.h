/*-------------------------------------------------------------------------
 *
 * operation.h
 *		The API: every operation, called alike by SQL and HTTP.
 *
 * src/operation/operation.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_OPERATION_H
#define DYN_OPERATION_H

#include "auth/principal.h"
#include "base/error.h"
#include "base/json.h"

/* What every ResourceInUseException about a table's state starts with. */
#define DYN_STILL_IN_USE "Attempt to change a resource which is still in use: "

/*
 * How an operation touches data, which decides how a worker runs it: READ and
 * WRITE may share a transaction with the other requests of one loop round,
 * CONTROL (DDL) gets a transaction of its own, NONE needs none.
 */
typedef enum DynAccess
{
	DYN_ACCESS_NONE,
	DYN_ACCESS_READ,
	DYN_ACCESS_WRITE,
	DYN_ACCESS_STATEMENT,		/* READ if all PartiQL statements of the request
								 * are SELECT, or else WRITE */
	DYN_ACCESS_CONTROL
} DynAccess;

typedef enum DynOutcome
{
	DYN_OUTCOME_DONE,			/* the reply is written */
	DYN_OUTCOME_FAILED,			/* an expected failure; see context->failure */
	DYN_OUTCOME_BUSY,			/* a running transaction holds an item; nothing
								 * of this call is changed; run it again later */
	DYN_OUTCOME_UNFINISHED		/* its slice of time is over: run it again for
								 * the rest */
} DynOutcome;

/*
 * Who asks and how.  The caller fills it; the request's memory is
 * CurrentMemoryContext.
 */
typedef struct DynOperationContext
{
	bool		may_wait;		/* SQL: wait for row locks; HTTP: return BUSY */
	bool		last_try;		/* HTTP: BUSY is final; a batch rather says which
								 * writes are unprocessed */
	bool		shape_checked;	/* dyn_operation_check_shape() was called */
	int			slice_us;		/* HTTP: how long an operation that can go on
								 * later should run at a time, see
								 * operation/slice.h; 0: to its end */
	const char *endpoint;		/* "host:port" for DescribeEndpoints */

	/*
	 * Who asks, and how his request came: what policies' conditions are about.
	 * NULL, where a call by SQL has none.  Privileges are those of the current
	 * user (GetUserId()): a worker sets it to the principal's role around the
	 * call.
	 */
	const DynPrincipal *principal;
	const char *source_address; /* "192.0.2.1" or "2001:db8::1" */
	bool		secure_transport;
	const char *user_agent;
	const char *referer;
	bool		confirm_remove_self_resource_access;	/* a header says so */

	/* Not NULL: only say who may do it, see operation/authorize.h. */
	struct DynExplanation *explanation;

	/* Set by the operation. */
	const char *table_name;		/* for metrics: the first table named, or NULL */

	/*
	 * Work done so far by an operation that returned BUSY in the middle (a
	 * batch), or UNFINISHED: progress is what earlier runs of the request have done and their
	 * transactions committed, which the operation reads only; new_progress,
	 * which it sets, has what this run did, too.  The caller puts that in the
	 * other's place when the transaction commits, and forgets it when it rolls
	 * back: then only this run's work is to be done again.
	 */
	void	   *progress;
	void	   *new_progress;

	/*
	 * With DYN_OUTCOME_BUSY: what had been locked on the way stays locked until
	 * the transaction ends, for nothing.  So it should end soon, and next time
	 * be this call's alone.
	 */
	bool		holds_locks;

	/*
	 * It has run code of others: triggers, constraints, indexes on expressions.
	 * What that leaves in the session is the caller's to clear.
	 */
	bool		ran_code;

	/* With DYN_OUTCOME_FAILED: an exception that did not abort anything. */
	struct
	{
		DynException exception;
		const char *message;
		const char *members;	/* further members of the body as JSON text
								 * without braces, or NULL: "\"Item\":{...}" */
	}			failure;
} DynOperationContext;

/*
 * Runs the operation: reads request (an object), appends the reply's JSON text
 * to reply.  Appends nothing for an empty body.  Raises DynamoDB exceptions.
 */
typedef DynOutcome (*DynOperationHandler) (DynOperationContext *context,
										   const DynJson *request,
										   StringInfo reply);

typedef struct DynOperation
{
	const char *name;			/* "PutItem" */
	DynOperationHandler handler;
	DynAccess	access;
	const char *iam_action;		/* "dynamodb:PutItem" */
	const struct DynShape *shape;	/* operation/shape.h: the request's */
} DynOperation;

/* The operation of a name, or NULL.  Its index in the list, for metrics. */
extern const DynOperation *dyn_operation_find(const char *name, uint32 len);
extern int	dyn_operation_count(void);
extern int	dyn_operation_number(const DynOperation *operation);
extern const DynOperation *dyn_operation_at(int number);

/* The service knows these under another name, with a prefix of its own. */
extern bool dyn_operation_is_of_streams(const DynOperation *operation);

/*
 * How a request touches data; never STATEMENT.  The request may be of any
 * shape, or NULL.  Raises nothing.
 */
extern DynAccess dyn_operation_access(const DynOperation *operation,
									  const DynJson *request);

/* Does it change nothing, neither items nor tables?  access: the request's. */
extern bool dyn_operation_is_read_only(const DynOperation *operation,
									   DynAccess access);

/*
 * Does a request that only reads ask for the newest state?  The same holds for
 * its shape.
 */
extern bool dyn_operation_reads_newest(const DynOperation *operation,
									   const DynJson *request);

/*
 * Does it show several items as they are at one moment?  Then it must not see
 * writes that others can't see yet: of two such requests each might have seen
 * one write without the other, and no order of the writes explains both.
 * access: the request's.
 */
extern bool dyn_operation_reads_one_moment(const DynOperation *operation,
										   DynAccess access);

/*
 * Does it do much, and all of it in one go?  Others that do much stop when their
 * slice is used up.
 */
extern bool dyn_operation_is_whole(const DynOperation *operation);

/*
 * Will it take long, as far as can be said at a glance?  Such requests wait for
 * the others.
 */
extern bool dyn_operation_is_costly(const DynOperation *operation,
									const DynJson *request);

/*
 * What to answer when somebody else's locks were in the way of a request for too
 * long.  access: the request's.
 */
extern DynException dyn_operation_conflict(const DynOperation *operation,
										   DynAccess access,
										   const DynOperationContext *context,
										   const char **message);

/*
 * Check the request's shape (SerializationException), for which a large one needs
 * long: it pauses, see base/fiber.h.
 */
extern void dyn_operation_check_shape(DynOperationContext *context,
									  const DynOperation *operation,
									  const DynJson *request);

/*
 * Run one operation: checks the request's shape (SerializationException) and
 * that it asks for nothing this server cannot do, then calls the handler.
 */
extern DynOutcome dyn_operation_run(DynOperationContext *context,
									const DynOperation *operation,
									const DynJson *request,
									StringInfo reply);

/* Handlers: one per line of operation_list.h. */
#define DYN_OPERATION(name, handler, access) \
	extern DynOutcome handler(DynOperationContext *context, \
							  const DynJson *request, StringInfo reply);
#include "operation/operation_list.h"
#undef DYN_OPERATION

#endif							/* DYN_OPERATION_H */
