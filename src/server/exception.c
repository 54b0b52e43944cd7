/*-------------------------------------------------------------------------
 *
 * exception.c
 *		The one place that turns an error into status, __type and message.
 *
 * src/server/exception.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "utils/errcodes.h"

#include "base/json.h"
#include "operation/operation.h"
#include "server/exception.h"

/*
 * Did it change a row of a system catalog that somebody else was changing?
 * Who grants a privilege on a table's relation takes no lock on it.  PostgreSQL
 * has no SQLSTATE for this.
 */
static bool
lost_catalog_race(const ErrorData *error)
{
	return error->funcname != NULL &&
		(strcmp(error->funcname, "simple_heap_update") == 0 ||
		 strcmp(error->funcname, "simple_heap_delete") == 0);
}

/* What PostgreSQL's own errors mean to a client. */
static DynErrorKind
postgres_error_kind(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_T_R_SERIALIZATION_FAILURE:
		case ERRCODE_T_R_DEADLOCK_DETECTED:
		case ERRCODE_LOCK_NOT_AVAILABLE:
		case ERRCODE_OBJECT_IN_USE:
		case ERRCODE_SNAPSHOT_TOO_OLD:
			return DYN_ERROR_CONFLICT;

			/* Somebody took the name a new relation was to have. */
		case ERRCODE_DUPLICATE_TABLE:
		case ERRCODE_DUPLICATE_OBJECT:
			return DYN_ERROR_CONFLICT;
		case ERRCODE_UNIQUE_VIOLATION:
			return error->schema_name != NULL &&
				strcmp(error->schema_name, "pg_catalog") == 0 ?
				DYN_ERROR_CONFLICT : DYN_ERROR_ANSWER;

		case ERRCODE_INSUFFICIENT_PRIVILEGE:
		case ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST:
		case ERRCODE_RAISE_EXCEPTION:
			return DYN_ERROR_ANSWER;

		case ERRCODE_READ_ONLY_SQL_TRANSACTION:
			return DYN_ERROR_UNAVAILABLE;

		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
			/* Strong locks and transaction ids are refused on a standby. */
			return RecoveryInProgress() ? DYN_ERROR_UNAVAILABLE : DYN_ERROR_INTERNAL;

		case ERRCODE_INTERNAL_ERROR:
			return lost_catalog_race(error) ? DYN_ERROR_CONFLICT : DYN_ERROR_INTERNAL;

		default:
			break;
	}
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_INSUFFICIENT_RESOURCES:	/* out of disk, memory, ... */
		case ERRCODE_OPERATOR_INTERVENTION: /* cancelled, shutting down */
			return DYN_ERROR_UNAVAILABLE;

			/*
			 * The constraints, indexes and triggers that users add to a table's
			 * relation are rules a request can break, too.
			 */
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
			return DYN_ERROR_ANSWER;
		default:
			return DYN_ERROR_INTERNAL;
	}
}

DynErrorKind
dyn_error_kind(const ErrorData *error)
{
	if (dyn_exception_of_sqlstate(error->sqlerrcode) >= 0)
		return DYN_ERROR_ANSWER;
	return postgres_error_kind(error);
}

DynException
dyn_error_exception(const ErrorData *error)
{
	int			own = dyn_exception_of_sqlstate(error->sqlerrcode);

	if (own >= 0)
		return (DynException) own;
	switch (postgres_error_kind(error))
	{
		case DYN_ERROR_ANSWER:
			if (error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE)
				return DYN_EXCEPTION_ACCESS_DENIED;
			if (error->sqlerrcode == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST)
				return DYN_EXCEPTION_RESOURCE_IN_USE;
			return DYN_EXCEPTION_VALIDATION;
		case DYN_ERROR_CONFLICT:
			return DYN_EXCEPTION_TRANSACTION_CONFLICT;
		case DYN_ERROR_UNAVAILABLE:
			return DYN_EXCEPTION_SERVICE_UNAVAILABLE;
		case DYN_ERROR_INTERNAL:
			break;
	}
	return DYN_EXCEPTION_INTERNAL_SERVER_ERROR;
}

/*
 * What the client is told.  PostgreSQL's own words may name relations and
 * values that are none of its business, except where they say what is wrong
 * with the request or what it lacks.
 */
const char *
dyn_error_message(const ErrorData *error)
{
	if (dyn_exception_of_sqlstate(error->sqlerrcode) >= 0)
		return error->message;

	switch (dyn_error_exception(error))
	{
		case DYN_EXCEPTION_ACCESS_DENIED:
			return error->message;
		case DYN_EXCEPTION_VALIDATION:
			return psprintf("The table's relation does not allow it: %s",
							error->message);
		case DYN_EXCEPTION_RESOURCE_IN_USE:
			return psprintf(DYN_STILL_IN_USE "%s", error->message);
		case DYN_EXCEPTION_TRANSACTION_CONFLICT:
			return "Transaction is ongoing for the item";
		case DYN_EXCEPTION_SERVICE_UNAVAILABLE:
			if (RecoveryInProgress())
				return "This server is a standby: it answers eventually consistent reads only.";
			if (error->sqlerrcode == ERRCODE_READ_ONLY_SQL_TRANSACTION)
				return "This server is read-only at the moment.";
			return "The service is unavailable at the moment.";
		default:
			return "Internal server error";
	}
}

int
dyn_exception_body(StringInfo out, DynException exception,
				   const char *message, const char *members)
{
	const DynExceptionInfo *info = dyn_exception_info(exception);

	appendStringInfo(out, "{\"__type\":\"%s#%s\"", info->prefix, info->name);
	if (message != NULL && message[0] != '\0')
	{
		appendStringInfoString(out, info->capital_message ?
							   ",\"Message\":" : ",\"message\":");
		dyn_json_escape(out, message, strlen(message));
	}
	if (members != NULL && members[0] != '\0')
	{
		appendStringInfoChar(out, ',');
		appendStringInfoString(out, members);
	}
	appendStringInfoChar(out, '}');
	return info->http_status;
}

/*
 * Further members travel in the detail as one JSON object; only our own
 * exceptions have such a detail.
 */
int
dyn_error_body(StringInfo out, const ErrorData *error)
{
	char	   *members = NULL;

	if (dyn_exception_of_sqlstate(error->sqlerrcode) >= 0 && error->detail != NULL)
	{
		size_t		len = strlen(error->detail);

		if (len >= 2 && error->detail[0] == '{' && error->detail[len - 1] == '}')
			members = pnstrdup(error->detail + 1, len - 2);
	}
	return dyn_exception_body(out, dyn_error_exception(error),
							  dyn_error_message(error), members);
}
