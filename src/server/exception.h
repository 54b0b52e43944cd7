/*-------------------------------------------------------------------------
 *
 * exception.h
 *		The one place that turns an error into status, __type and message.
 *
 * src/server/exception.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SERVER_EXCEPTION_H
#define DYN_SERVER_EXCEPTION_H

#include "lib/stringinfo.h"
#include "utils/elog.h"

#include "base/error.h"

/* What an error means for the request it hit. */
typedef enum DynErrorKind
{
	DYN_ERROR_ANSWER,			/* a DynamoDB exception: tell the client */
	DYN_ERROR_CONFLICT,			/* lost against another transaction: try again
								 * later */
	DYN_ERROR_UNAVAILABLE,		/* the server can't just now: tell the client,
								 * in words that make it try again */
	DYN_ERROR_INTERNAL			/* ours to explain: the log gets it, the client
								 * a fixed text */
} DynErrorKind;

extern DynErrorKind dyn_error_kind(const ErrorData *error);

/* The exception an error is answered with. */
extern DynException dyn_error_exception(const ErrorData *error);

/* What the client is told of it. */
extern const char *dyn_error_message(const ErrorData *error);

/*
 * Append the body of an exception and return the HTTP status.  An empty or
 * NULL message means no message member.  members: JSON text of further members
 * without braces, or NULL.
 */
extern int	dyn_exception_body(StringInfo out, DynException exception,
							   const char *message, const char *members);

/* The same for an error. */
extern int	dyn_error_body(StringInfo out, const ErrorData *error);

#endif							/* DYN_SERVER_EXCEPTION_H */
