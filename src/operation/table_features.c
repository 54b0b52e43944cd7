/*-------------------------------------------------------------------------
 *
 * table_features.c
 *		Descriptions of features that no table has yet.
 *
 * Infrastructure tools and inventories ask for all of them on every run.  The
 * answers are the service's for a table that never used the feature.  The
 * operations that would switch one on are unknown.
 *
 * src/operation/table_features.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/arn.h"
#include "operation/table_description.h"
#include "operation/table_request.h"

static void
write_empty_list(DynJsonWriter *w, const char *key)
{
	dyn_json_write_key(w, key);
	dyn_json_begin_array(w);
	dyn_json_end_array(w);
}

/* Operations on backups have an exception of their own for it. */
static const DynTable *
find_backed_up_table(DynOperationContext *context, const DynJson *name_value)
{
	DynAuthorization authorization = {.permission = DYN_MAY_DescribeContinuousBackups};
	const DynTable *table = dyn_table_request_authorize(context, name_value,
														&authorization);
	uint32		len;

	if (table == NULL)
		dyn_raise(TABLE_NOT_FOUND, "Table not found: %s", dyn_json_string(name_value, &len));
	return table;
}

DynOutcome
dyn_describe_continuous_backups(DynOperationContext *context,
								const DynJson *request, StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	DynJsonWriter w;

	dyn_violations_raise(&v);
	find_backed_up_table(context, name);
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "ContinuousBackupsDescription");
	dyn_json_begin_object(&w);
	/* The service says so of every table; recovery is what can be enabled. */
	dyn_json_write_text(&w, "ContinuousBackupsStatus", "ENABLED");
	dyn_json_write_key(&w, "PointInTimeRecoveryDescription");
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "PointInTimeRecoveryStatus", "DISABLED");
	dyn_json_end_object(&w);
	dyn_json_end_object(&w);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_describe_contributor_insights(DynOperationContext *context,
								  const DynJson *request, StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	uint32		len;
	const char *index = dyn_request_string(request, "IndexName", &len);
	DynAuthorization authorization = {.permission = DYN_MAY_DescribeContributorInsights};
	const DynTable *table;
	DynJsonWriter w;

	dyn_violations_raise(&v);
	authorization.index = index;
	authorization.index_len = index == NULL ? 0 : len;
	table = dyn_table_request_authorize(context, name, &authorization);
	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: Table: %s not found",
				  dyn_json_string(name, &len));
	if (index != NULL && dyn_table_index(table, index, strlen(index)) == NULL)
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "TableName", table->name);
	if (index != NULL)
		dyn_json_write_text(&w, "IndexName", index);
	dyn_json_write_text(&w, "ContributorInsightsStatus", "DISABLED");
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_describe_kinesis_streaming_destination(DynOperationContext *context,
										   const DynJson *request, StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	const DynTable *table;
	DynJsonWriter w;

	dyn_violations_raise(&v);
	table = dyn_table_request_find(context, name,
								   DYN_MAY_DescribeKinesisStreamingDestination);
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "TableName", table->name);
	write_empty_list(&w, "KinesisDataStreamDestinations");
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_describe_table_replica_auto_scaling(DynOperationContext *context,
										const DynJson *request, StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	const DynTable *table;
	DynJsonWriter w;

	dyn_violations_raise(&v);
	table = dyn_table_request_find(context, name, DYN_MAY_DescribeTableReplicaAutoScaling);
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "TableAutoScalingDescription");
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "TableName", table->name);
	dyn_json_write_text(&w, "TableStatus", dyn_table_status(table));
	write_empty_list(&w, "Replicas");
	dyn_json_end_object(&w);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

/* ----- lists of nothing ----- */

static DynOutcome
reply_empty_list(StringInfo reply, const char *member)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	write_empty_list(&w, member);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

static DynOutcome
list_nothing(DynOperationContext *context, DynPermission permission,
			 const DynJson *request, const char *limit, const char *limit_path,
			 int64 max, StringInfo reply, const char *member)
{
	DynViolations v = {0};

	dyn_member_range(&v, dyn_request_member(request, limit), 1, max, "%s", limit_path);
	dyn_violations_raise(&v);
	dyn_request_authorize_account(context, permission);
	return reply_empty_list(reply, member);
}

/* Backups, exports and imports outlive their table: any name or ARN will do. */
DynOutcome
dyn_list_backups(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	return list_nothing(context, DYN_MAY_ListBackups, request,
						"Limit", "limit", 100, reply, "BackupSummaries");
}

DynOutcome
dyn_list_exports(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	return list_nothing(context, DYN_MAY_ListExports, request,
						"MaxResults", "maxResults", 25, reply, "ExportSummaries");
}

DynOutcome
dyn_list_imports(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	return list_nothing(context, DYN_MAY_ListImports, request,
						"PageSize", "pageSize", 25, reply, "ImportSummaryList");
}

DynOutcome
dyn_list_global_tables(DynOperationContext *context, const DynJson *request,
					   StringInfo reply)
{
	return list_nothing(context, DYN_MAY_ListGlobalTables, request,
						"Limit", "limit", DYN_UNBOUNDED, reply, "GlobalTables");
}

DynOutcome
dyn_list_contributor_insights(DynOperationContext *context, const DynJson *request,
							  StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = NULL;

	if (dyn_request_member(request, "TableName") != NULL)
		name = dyn_table_request_name(&v, request);
	/* Alone among these it has no least value. */
	dyn_member_range(&v, dyn_request_member(request, "MaxResults"), PG_INT64_MIN, 100,
					 "maxResults");
	dyn_violations_raise(&v);
	if (name != NULL)
		dyn_table_request_find(context, name, DYN_MAY_ListContributorInsights);
	else
		dyn_request_authorize_account(context, DYN_MAY_ListContributorInsights);
	return reply_empty_list(reply, "ContributorInsightsSummaries");
}
