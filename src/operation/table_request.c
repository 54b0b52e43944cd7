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
#include "encryption/data_key.h"
#include "operation/arn.h"
#include "operation/stream_request.h"
#include "operation/table_request.h"

static const char *const class_values[] = {
	"STANDARD", "STANDARD_INFREQUENT_ACCESS", NULL
};
const DynEnum dyn_enum_table_class = {
	"[STANDARD, STANDARD_INFREQUENT_ACCESS]", class_values
};

static const char *const sse_type_values[] = {"AES256", "KMS", NULL};
static const DynEnum sse_types = {"[AES256, KMS]", sse_type_values};

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
dyn_table_request_authorize(DynOperationContext *context, const DynJson *name_value,
							DynAuthorization *authorization)
{
	uint32		len;
	const char *name = dyn_json_string(name_value, &len);

	dyn_arn_check_table(name, len);
	dyn_authorization_begin(authorization, context, name, len);
	dyn_authorization_finish(authorization);
	if (authorization->table != NULL)
		context->table_name = pstrdup(authorization->table->name);
	return authorization->table;
}

const DynTable *
dyn_table_request_find(DynOperationContext *context, const DynJson *name_value,
					   DynPermission permission)
{
	DynAuthorization authorization = {.permission = permission};
	const DynTable *table = dyn_table_request_authorize(context, name_value,
														&authorization);
	uint32		len;

	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Table: %s not found",
				  dyn_json_string(name_value, &len));
	return table;
}

void
dyn_request_authorize_account(DynOperationContext *context, DynPermission permission)
{
	DynAuthorization authorization = {.permission = permission};

	dyn_authorization_account(&authorization, context);
	dyn_authorization_finish(&authorization);
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

bool
dyn_table_is_being_sealed(const DynTable *table)
{
	return table->sealing == DYN_SEALING_ENABLING || table->sealing == DYN_SEALING_DISABLING;
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
	const DynJson *sse = dyn_request_member(request, "SSESpecification");

	dyn_member_enum(v, dyn_request_member(request, "TableClass"),
					&dyn_enum_table_class, DYN_TABLE_CLASS_STANDARD, "tableClass");
	dyn_stream_request_check(v, request);
	if (sse != NULL)
		dyn_member_enum(v, dyn_request_member(sse, "SSEType"), &sse_types, 0,
						"sSESpecification.sSEType");
}

/* "arn:aws:kms:<region>:<account>:" of ours, or NULL. */
static const char *
without_kms_prefix(const char *id)
{
	char	   *prefix = dyn_master_key_arn("");
	size_t		len = strlen(prefix) - strlen("key/");

	return strncmp(id, prefix, len) == 0 ? id + len : NULL;
}

/*
 * A key can be named by its id or an alias, or the ARN of either.  Aliases of
 * one's own are other words for ids; the service's own stands for the first key.
 */
static void
read_master_key(const char *name, DynSealingRequest *sealing)
{
	const char *id = name;

	if (strncmp(name, "arn:", 4) == 0)
	{
		id = without_kms_prefix(name);
		if (id == NULL)
			dyn_raise(VALIDATION, "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Invalid arn %s",
					  name);
		sealing->by_arn = strncmp(id, "key/", 4) == 0;
	}
	if (strcmp(id, "alias/aws/dynamodb") == 0)
		return;
	if (strncmp(id, "alias/", 6) == 0)
		id += 6;
	else if (sealing->by_arn)
		id += 4;
	sealing->master_key = id;
}

DynSealingRequest
dyn_table_request_sealing(const DynJson *request)
{
	const DynJson *sse = dyn_request_member(request, "SSESpecification");
	const DynJson *enabled;
	const char *type;
	const char *key;
	uint32		len;
	DynSealingRequest sealing = {0};

	if (sse == NULL)
		return sealing;
	sealing.given = true;
	enabled = dyn_request_member(sse, "Enabled");
	type = dyn_request_string(sse, "SSEType", &len);
	key = dyn_request_string(sse, "KMSMasterKeyId", &len);
	if (enabled != NULL && !dyn_request_bool(sse, "Enabled", false))
	{
		if (type != NULL)
			dyn_raise(VALIDATION, DYN_INVALID_VALUES "SSEType can not be specified if Enabled is false");
		if (key != NULL)
			dyn_raise(VALIDATION, DYN_INVALID_VALUES "KMSMasterKeyId can not be specified if Enabled is false");
		return sealing;
	}
	if (type != NULL && strcmp(type, "KMS") != 0)
		dyn_raise(VALIDATION, DYN_INVALID_VALUES "SSEType %s is not supported", type);
	if (key != NULL && type == NULL)
		dyn_raise(VALIDATION, DYN_INVALID_VALUES "SSEType KMS is required if KMSMasterKeyId is specified");
	/* To name the type is to ask for it; to say nothing at all is not. */
	sealing.enabled = enabled != NULL || type != NULL;
	if (key != NULL)
		read_master_key(key, &sealing);
	return sealing;
}

void
dyn_table_request_check_master_key(const DynSealingRequest *sealing)
{
	if (!sealing->enabled || dyn_master_key_find(sealing->master_key) != NULL)
		return;
	ereport(ERROR,
			(errcode(dyn_errcode(VALIDATION)),
			 sealing->master_key == NULL ?
			 errmsg_internal(DYN_INVALID_VALUES "SSESpecification needs a master key, and this server has none") :
			 errmsg_internal("KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Key '%s' does not exist",
							 dyn_master_key_arn(sealing->master_key)),
			 errhint("%s", dyn_master_keys_trouble())));
}

DynTableClass
dyn_table_request_class(const DynJson *request, DynTableClass absent)
{
	DynViolations v = {0};

	return dyn_member_enum(&v, dyn_request_member(request, "TableClass"),
						   &dyn_enum_table_class, absent, "tableClass");
}
