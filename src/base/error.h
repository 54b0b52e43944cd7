/*-------------------------------------------------------------------------
 *
 * error.h
 *		DynamoDB's exceptions as PostgreSQL errors.
 *
 * A DynamoDB exception is an ereport(ERROR) whose SQLSTATE is one of
 * error_list.h and whose primary message is the service's text, verbatim.
 * server/exception.c is the only place that makes an HTTP answer of it.
 *
 * src/base/error.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_ERROR_H
#define DYN_ERROR_H

#include "utils/elog.h"

typedef enum DynException
{
#define DYN_EXCEPTION(name, sqlstate, status, prefix, wire) DYN_EXCEPTION_##name,
#include "base/error_list.h"
#undef DYN_EXCEPTION
	DYN_EXCEPTION_COUNT
} DynException;

typedef struct DynExceptionInfo
{
	int			sqlstate;		/* as MAKE_SQLSTATE packs it */
	int			http_status;
	const char *prefix;			/* "com.amazonaws.dynamodb.v20120810", ... */
	const char *name;			/* "ValidationException" */
	bool		capital_message;	/* body says "Message", not "message" */
} DynExceptionInfo;

extern const DynExceptionInfo *dyn_exception_info(DynException exception);

/* The DynException a SQLSTATE stands for, or -1 if it is not one of ours. */
extern int	dyn_exception_of_sqlstate(int sqlstate);

/* dyn_errcode(VALIDATION): for ereport(ERROR, (errcode(dyn_errcode(X)), ...)) */
#define dyn_errcode(name) \
	(dyn_exception_info(DYN_EXCEPTION_##name)->sqlstate)

/*
 * Raise a DynamoDB exception; the text is protocol, never translated.
 * dyn_raise(VALIDATION, "Requested %s", what);
 */
#define dyn_raise(name, ...) \
	ereport(ERROR, \
			(errcode(dyn_errcode(name)), \
			 errmsg_internal(__VA_ARGS__)))

#endif							/* DYN_ERROR_H */
