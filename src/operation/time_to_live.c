/*-------------------------------------------------------------------------
 *
 * time_to_live.c
 *		UpdateTimeToLive, DescribeTimeToLive.
 *
 * Time to live goes by an index of its own, which a background job fills and
 * another one sweeps.  Clients of an endpoint at hand expect to see ENABLED
 * and DISABLED at once, and both are true: what has expired goes in a while,
 * or goes no more.
 *
 * src/operation/time_to_live.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "base/settings.h"
#include "operation/table_request.h"
#include "utils/timestamp.h"

static const char *
attribute_of(const DynIndex *index)
{
	return index->definition.schema.sort[0].name;
}

static bool
is_attribute_of(const DynIndex *index, const char *name, uint32 len)
{
	const DynKeyAttribute *attribute = &index->definition.schema.sort[0];

	return attribute->name_len == len && memcmp(attribute->name, name, len) == 0;
}

static void
refuse_other_attribute(const DynIndex *index)
{
	dyn_raise(VALIDATION,
			  "TimeToLive is active on a different AttributeName: current AttributeName is %s",
			  attribute_of(index));
}

static void
refuse_change_too_soon(const DynTable *table)
{
	if (table->time_to_live_changed != 0 &&
		table->time_to_live_changed +
		dyn_time_to_live_change_interval * USECS_PER_SEC > GetCurrentTimestamp())
		dyn_raise(VALIDATION,
				  "Time to live has been modified multiple times within a fixed interval");
}

static void
enable(const DynTable *table, const DynIndex *index, const char *attribute,
	   uint32 len)
{
	if (index != NULL && !is_attribute_of(index, attribute, len))
		refuse_other_attribute(index);
	if (index != NULL)
		dyn_raise(VALIDATION, "TimeToLive is already enabled");
	refuse_change_too_soon(table);
	dyn_table_enable_time_to_live(table, attribute, len);
}

static void
disable(const DynTable *table, const DynIndex *index, const char *attribute,
		uint32 len)
{
	if (index == NULL)
		dyn_raise(VALIDATION, "TimeToLive is already disabled");
	if (!is_attribute_of(index, attribute, len))
		refuse_other_attribute(index);
	refuse_change_too_soon(table);
	dyn_table_disable_time_to_live(table);
}

static void
reply_specification(StringInfo reply, const char *attribute, uint32 len, bool enabled)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "TimeToLiveSpecification");
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "AttributeName");
	dyn_json_write_string(&w, attribute, len);
	dyn_json_write_key(&w, "Enabled");
	dyn_json_write_bool(&w, enabled);
	dyn_json_end_object(&w);
	dyn_json_end_object(&w);
}

DynOutcome
dyn_update_time_to_live(DynOperationContext *context, const DynJson *request,
						StringInfo reply)
{
	const DynJson *specification = dyn_request_member(request, "TimeToLiveSpecification");
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	const DynTable *table;
	const DynIndex *index;
	const char *attribute;
	bool		enabled;
	uint32		len;

	if (dyn_member_require(&v, specification, "timeToLiveSpecification"))
	{
		const DynJson *member = dyn_request_member(specification, "AttributeName");

		if (dyn_member_require(&v, member, "timeToLiveSpecification.attributeName"))
			dyn_member_length(&v, member, 1, DYN_MAX_KEY_NAME_SIZE,
							  "timeToLiveSpecification.attributeName");
		dyn_member_require(&v, dyn_request_member(specification, "Enabled"),
						   "timeToLiveSpecification.enabled");
	}
	dyn_violations_raise(&v);
	attribute = dyn_request_string(specification, "AttributeName", &len);
	enabled = dyn_request_bool(specification, "Enabled", false);

	table = dyn_table_lock_row(dyn_table_request_find(context, name,
													  DYN_MAY_UpdateTimeToLive));
	dyn_table_check_accessible(table);
	index = dyn_table_time_to_live(table);
	if (enabled)
		enable(table, index, attribute, len);
	else
		disable(table, index, attribute, len);
	reply_specification(reply, attribute, len, enabled);
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_describe_time_to_live(DynOperationContext *context, const DynJson *request,
						  StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	const DynIndex *index;
	DynJsonWriter w;

	dyn_violations_raise(&v);
	index = dyn_table_time_to_live(dyn_table_request_find(context, name,
														  DYN_MAY_DescribeTimeToLive));
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "TimeToLiveDescription");
	dyn_json_begin_object(&w);
	dyn_json_write_text(&w, "TimeToLiveStatus", index == NULL ? "DISABLED" : "ENABLED");
	if (index != NULL)
	{
		dyn_json_write_text(&w, "AttributeName", attribute_of(index));
	}
	dyn_json_end_object(&w);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
