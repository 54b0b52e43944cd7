/*-------------------------------------------------------------------------
 *
 * table_request.c
 *		Parts of requests that the operations on tables share.
 *
 * src/operation/table_request.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/arn.h"
#include "operation/stream_request.h"
#include "operation/table_request.h"

static const char *const class_values[] = {
	"STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL
};
const DynEnum dyn_enum_table_class = {
	"[STANDARD, STANDARD_INFREQUENT_ACCESS]", class_values
};

const DynJson *
dyn_table_request_require_name(const DynJson *request)
{
	const DynJson *value = dyn_request_member(request, "TableName");

	if (value == NULL)
		dyn_raise(VALIDATION,
				  "The parameter 'TableName' is required but was not present in the request");
	return value;
}

const DynJson *
dyn_table_request_name(DynViolations *v, const DynJson *request)
{
	const DynJson *value = dyn_table_request_require_name(request);
	uint32		len;
	const char *name = dyn_json_string(value, &len);

	if (dyn_arn_kind(name, len) != DYN_ARN_NONE)
	{
		dyn_member_length(v, value, 1, DYN_MAX_TABLE_ARN_LENGTH, "tableName");
		return value;
	}
	if (len < DYN_MIN_TABLE_NAME_LENGTH || len > DYN_MAX_TABLE_NAME_LENGTH)
		dyn_raise(VALIDATION,
				  "TableName must be at least 3 characters long and at most 255 characters long");
	dyn_member_name_pattern(v, value, "tableName");
	return value;
}

const DynTable *
dyn_table_request_find(DynOperationContext *context, const DynJson *name_value)
{
	uint32		len;
	const char *name = dyn_json_string(name_value, &len);
	const DynTable *table;

	dyn_arn_check_table(name, len);
	table = dyn_table_find(name, len);
	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Table: %s not found", name);
	context->table_name = pstrdup(table->name);
	return table;
}

bool
dyn_table_is_updating(const DynTable *table)
{
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndex *index = &table->indexes[i];

		if (index->definition.kind == DYN_INDEX_GLOBAL &&
			(index->status == DYN_INDEX_DELETING ||
			 (index->status == DYN_INDEX_CREATING && !index->backfilling)))
			return true;
	}
	return false;
}

void
dyn_table_refuse_updating(const DynTable *table)
{
	dyn_raise(RESOURCE_IN_USE,
			  DYN_STILL_IN_USE "Table is being updated: %s",
			  table->name);
}

void
dyn_table_check_not_updating(const DynTable *table)
{
	if (dyn_table_is_updating(table))
		dyn_table_refuse_updating(table);
}

void
dyn_table_request_check_options(DynViolations *v, const DynJson *request)
{
	dyn_member_enum(v, dyn_request_member(request, "TableClass"),
					&dyn_enum_table_class, DYN_TABLE_CLASS_STANDARD, "tableClass");
	dyn_stream_request_check(v, request);
}

static void
refuse_option(const char *what)
{
	dyn_raise(VALIDATION, DYN_INVALID_VALUES "%s is not supported by this server", what);
}

void
dyn_table_request_refuse_options(const DynJson *request)
{
	const DynJson *sse = dyn_request_member(request, "SSESpecification");

	if (sse != NULL && (dyn_request_bool(sse, "Enabled", false) ||
						dyn_request_member(sse, "SSEType") != NULL ||
						dyn_request_member(sse, "KMSMasterKeyId") != NULL))
		refuse_option("SSESpecification");
}

DynTableClass
dyn_table_request_class(const DynJson *request, DynTableClass absent)
{
	DynViolations v = {0};

	return dyn_member_enum(&v, dyn_request_member(request, "TableClass"),
						   &dyn_enum_table_class, absent, "tableClass");
}
