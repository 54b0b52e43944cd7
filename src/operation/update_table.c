/*-------------------------------------------------------------------------
 *
 * update_table.c
 *		UpdateTable.
 *
 * Changes are made when the call returns, though the answer says UPDATING, but
 * for indexes: the call only says that there is to be one, or no longer.  A
 * background job does the rest.  Changes and their checks take turns: an error
 * takes back what is done already.
 *
 * src/operation/update_table.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "encryption/data_key.h"
#include "miscadmin.h"
#include "operation/index_request.h"
#include "operation/key_schema_request.h"
#include "operation/stream_request.h"
#include "operation/table_description.h"
#include "operation/table_request.h"
#include "utils/timestamp.h"

#define CLASS_CHANGES_INTERVAL (30 * USECS_PER_DAY)

/* The service changes this many indexes' throughput in one request. */
#define MAX_INDEX_UPDATES 5

/* Far more than can be done: the rest of the list is not looked at. */
#define MAX_ACTIONS 100

#define ONE_AT_A_TIME \
	"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"

/* One element of GlobalSecondaryIndexUpdates. */
typedef enum ActionKind
{
	ACTION_CREATE,
	ACTION_UPDATE,
	ACTION_DELETE
} ActionKind;

typedef struct Action
{
	ActionKind	kind;
	const DynJson *body;		/* the structure under Create, Update or Delete */
	const char *name;
	uint32		name_len;
	const DynIndex *index;		/* it exists: NULL for Create */
} Action;

typedef struct Update
{
	const DynJson *request;
	const DynTable *table;
	DynThroughputRequest throughput;
	bool		billing_given;
	DynBillingMode mode;		/* asked for; later, the one the table will have */
	int			nactions;
	Action	   *actions;
	DynSealingRequest sealing;
	bool		updating;		/* something besides protection and encryption is
								 * changed */
} Update;

/* ----- member constraints ----- */

static const char *const action_names[] = {"Create", "Update", "Delete"};

static void
check_action_members(DynViolations *v, const DynJson *element, int n)
{
	const DynJson *create = dyn_request_member(element, "Create");
	const DynJson *update = dyn_request_member(element, "Update");
	const DynJson *delete = dyn_request_member(element, "Delete");
	char		path[64];

	if (update != NULL)
	{
		snprintf(path, sizeof(path), "globalSecondaryIndexUpdates.%d.member.update.", n);
		dyn_request_check_index_name(v, update, path);
		dyn_throughput_check_members(v, update, path);
	}
	if (create != NULL)
	{
		snprintf(path, sizeof(path), "globalSecondaryIndexUpdates.%d.member.create.", n);
		dyn_request_check_index(v, create, DYN_INDEX_GLOBAL, path);
	}
	if (delete != NULL)
	{
		snprintf(path, sizeof(path), "globalSecondaryIndexUpdates.%d.member.delete.", n);
		dyn_request_check_index_name(v, delete, path);
	}
}

static const DynJson *
check_members(Update *update)
{
	const DynJson *request = update->request;
	const DynJson *list = dyn_request_member(request, "GlobalSecondaryIndexUpdates");
	const DynJson *element;
	DynViolations v = {0};
	const DynJson *name = dyn_table_request_name(&v, request);
	int			n = 0;

	dyn_throughput_check_members(&v, request, "");
	update->billing_given = dyn_request_billing_mode(&v, request, &update->mode);
	dyn_request_check_definitions(&v, dyn_request_member(request, "AttributeDefinitions"),
								  false);
	for (element = list ? dyn_json_first(list) : NULL; element;
		 element = dyn_json_next(element))
		check_action_members(&v, element, ++n);
	dyn_table_request_check_options(&v, request);
	dyn_violations_raise(&v);
	return name;
}

/* ----- what can be said without the table ----- */

static bool
asks_for_something(const DynJson *request)
{
	static const char *const members[] = {
		"ProvisionedThroughput", "BillingMode", "StreamSpecification",
		"SSESpecification", "TableClass", "OnDemandThroughput",
		"DeletionProtectionEnabled", "WarmThroughput"
	};
	const DynJson *list = dyn_request_member(request, "GlobalSecondaryIndexUpdates");

	for (int i = 0; i < lengthof(members); i++)
		if (dyn_request_member(request, members[i]) != NULL)
			return true;
	return list != NULL && dyn_json_first(list) != NULL;
}

static void
read_action(const DynJson *element, Action *action)
{
	for (int kind = 0; kind < lengthof(action_names); kind++)
	{
		const DynJson *body = dyn_request_member(element, action_names[kind]);

		if (body == NULL)
			continue;
		if (action->body != NULL)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "Only one of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete can be specified");
		action->kind = kind;
		action->body = body;
		action->name = dyn_request_string(body, "IndexName", &action->name_len);
	}
	if (action->body == NULL)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null");
}

static void
read_actions(Update *update)
{
	const DynJson *list = dyn_request_member(update->request, "GlobalSecondaryIndexUpdates");
	const DynJson *element;

	if (list == NULL)
		return;
	update->actions = palloc0(MAX_ACTIONS * sizeof(Action));
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
	{
		Action	   *action = &update->actions[update->nactions];
		DynThroughputRequest throughput;

		if (update->nactions == MAX_ACTIONS)
			dyn_raise(LIMIT_EXCEEDED, ONE_AT_A_TIME);
		read_action(element, action);
		for (int i = 0; i < update->nactions; i++)
			if (strcmp(update->actions[i].name, action->name) == 0)
				dyn_raise(VALIDATION,
						  DYN_INVALID_VALUES "Only one global secondary index update per index is allowed simultaneously. Index: %s",
						  action->name);
		if (action->kind != ACTION_DELETE)
		{
			throughput = dyn_throughput_read(action->body);
			dyn_throughput_check_bounds(&throughput, action->name);
		}
		update->nactions++;
	}
}

/* ----- key attributes ----- */

static void
refuse_other_type(const DynKeyAttribute *attribute, const char *key_type,
				  const char *name, uint32 name_len, const char *type)
{
	if (attribute->name != NULL && attribute->name_len == name_len &&
		memcmp(attribute->name, name, name_len) == 0 &&
		dyn_type_from_name(type, strlen(type)) != attribute->type)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. "
				  "Existing schema: Schema:[SchemaElement: key{%s:%s:%s}] New schema: Schema:[SchemaElement: key{%s:%s:%s}]",
				  name, dyn_type_name(attribute->type), key_type,
				  name, type, key_type);
}

static void
refuse_redefinition(const DynTable *table, const DynJson *definition)
{
	uint32		len;
	const char *type = dyn_request_string(definition, "AttributeType", &len);
	const char *name = dyn_request_string(definition, "AttributeName", &len);

	refuse_other_type(&table->schema.partition, "HASH", name, len, type);
	refuse_other_type(&table->schema.sort, "RANGE", name, len, type);
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndexDefinition *index = &table->indexes[i].definition;

		if (index->kind == DYN_INDEX_TIME_TO_LIVE)
			continue;
		for (int part = 0; part < index->schema.npartition; part++)
			refuse_other_type(&index->schema.partition[part], "HASH", name, len, type);
		for (int part = 0; part < index->schema.nsort; part++)
			refuse_other_type(&index->schema.sort[part], "RANGE", name, len, type);
	}
}

static void
refuse_redefinitions(const Update *update)
{
	const DynJson *definitions = dyn_request_member(update->request,
													"AttributeDefinitions");
	const DynJson *definition;

	for (definition = definitions ? dyn_json_first(definitions) : NULL; definition;
		 definition = dyn_json_next(definition))
	{
		CHECK_FOR_INTERRUPTS();
		refuse_redefinition(update->table, definition);
	}
}

/* ----- throughput ----- */

/* Refuse a change of throughput that changes nothing. */
static void
refuse_same_units(const char *of, DynUnits old, DynUnits new, const char *kind)
{
	if (old.read != new.read || old.write != new.write)
		return;
	dyn_raise(VALIDATION,
			  "The provisioned throughput for the %s will not change. The requested value equals the current value. "
			  "Current ReadCapacityUnits provisioned for the %s: " INT64_FORMAT ". "
			  "Requested ReadCapacityUnits: " INT64_FORMAT ". "
			  "Current WriteCapacityUnits provisioned for the %s: " INT64_FORMAT ". "
			  "Requested WriteCapacityUnits: " INT64_FORMAT ". "
			  "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			  of, kind, old.read, new.read, kind, old.write, new.write);
}

static const Action *
find_action(const Update *update, const DynIndex *index)
{
	for (int i = 0; i < update->nactions; i++)
		if (update->actions[i].index == index)
			return &update->actions[i];
	return NULL;
}

/* Every global index of a table that becomes provisioned needs units. */
static void
check_units_of_indexes(const Update *update)
{
	StringInfoData missing;

	initStringInfo(&missing);
	for (int i = 0; i < update->table->nindexes; i++)
	{
		const DynIndex *index = &update->table->indexes[i];
		const Action *action = find_action(update, index);

		if (index->definition.kind != DYN_INDEX_GLOBAL || !dyn_index_is_kept(index) ||
			(action != NULL && (action->kind == ACTION_DELETE ||
								dyn_throughput_read(action->body).provisioned)))
			continue;
		appendStringInfo(&missing, "%s%s", missing.len > 0 ? "," : "",
						 index->definition.name);
	}
	if (missing.len > 0)
		dyn_raise(VALIDATION, "ProvisionedThroughput must be specified for index: %s",
				  missing.data);
}

/* What the indexes of a table that goes on demand had is gone. */
static void
clear_units_of_indexes(const DynTable *table)
{
	for (int i = 0; i < table->nindexes; i++)
		if (table->indexes[i].definition.kind == DYN_INDEX_GLOBAL)
			dyn_table_alter_index_throughput(table, &table->indexes[i], 0, 0);
}

/* A provisioned table's indexes have no ceilings either. */
static void
clear_ceilings_of_indexes(const DynTable *table)
{
	static const DynUnits none = {0};

	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndex *index = &table->indexes[i];

		if (index->definition.max_units.read != 0 || index->definition.max_units.write != 0)
			dyn_table_alter_units(table, index, none, index->definition.warm_units);
	}
}

static void
change_throughput(Update *update)
{
	const DynTable *table = update->table;
	const DynThroughputRequest *throughput = &update->throughput;
	DynUnits	old = {table->read_units, table->write_units};
	bool		switching = table->billing_mode != update->mode;

	if (update->mode == DYN_BILLING_PAY_PER_REQUEST)
	{
		if (throughput->provisioned)
			dyn_throughput_refuse_on_demand();
		if (!switching)
			return;
		clear_units_of_indexes(table);
	}
	else if (!throughput->provisioned)
	{
		if (!switching)
			return;
		dyn_raise(VALIDATION,
				  "ProvisionedThroughput must be specified when BillingMode is PROVISIONED");
	}
	else if (switching)
	{
		check_units_of_indexes(update);
		clear_ceilings_of_indexes(table);
	}
	else
	{
		refuse_same_units("table", old, throughput->units, "table");
		dyn_throughput_check_decrease(old, throughput->units, table->decreases_today,
									  table->last_decrease);
	}
	dyn_table_alter_throughput(table, update->mode, throughput->units.read,
							   throughput->units.write);
	update->updating = true;
}

/* Ceilings and warm throughput of the table, or of index. */
static void
change_limits(Update *update, const DynThroughputRequest *throughput,
			  const DynIndex *index)
{
	const DynTable *table = update->table;
	const DynIndexDefinition *definition = index ? &index->definition : NULL;
	const char *name = index ? definition->name : NULL;
	DynUnits	units = {table->read_units, table->write_units};
	DynUnits	ceilings = index ? definition->max_units : table->max_units;
	DynUnits	warm = index ? definition->warm_units : table->warm_units;
	DynUnits	old_ceilings = ceilings;
	DynUnits	old_warm = warm;

	if (index != NULL)
	{
		units.read = definition->read_units;
		units.write = definition->write_units;
	}
	if (update->mode == DYN_BILLING_PROVISIONED)
		ceilings.read = ceilings.write = 0;
	dyn_throughput_merge_ceilings(throughput, name, update->mode, false, &ceilings);
	dyn_throughput_increase_warm(throughput, name,
								 dyn_warm_units(table->billing_mode, units, warm), &warm);
	if (memcmp(&ceilings, &old_ceilings, sizeof(ceilings)) == 0 &&
		memcmp(&warm, &old_warm, sizeof(warm)) == 0)
		return;
	dyn_table_alter_units(table, index, ceilings, warm);
	update->updating = true;
}

/* ----- indexes ----- */

static const DynIndex *
index_in_progress(const DynTable *table)
{
	for (int i = 0; i < table->nindexes; i++)
		if (table->indexes[i].definition.kind == DYN_INDEX_GLOBAL &&
			table->indexes[i].status != DYN_INDEX_ACTIVE)
			return &table->indexes[i];
	return NULL;
}

static void
find_indexes(Update *update)
{
	const DynTable *table = update->table;

	for (int i = 0; i < update->nactions; i++)
	{
		Action	   *action = &update->actions[i];
		const DynIndex *index = dyn_table_index(table, action->name, action->name_len);

		if (action->kind == ACTION_CREATE)
		{
			if (index != NULL)
				dyn_raise(VALIDATION, DYN_INVALID_VALUES "Index already exists: %s",
						  action->name);
			continue;
		}
		if (index == NULL)
			dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
		if (index->definition.kind == DYN_INDEX_LOCAL)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "A local secondary index cannot be changed or deleted: %s",
					  action->name);
		action->index = index;
	}
}

/* Creating one while it is filled may be called off; all else waits. */
static void
check_one_at_a_time(const Update *update)
{
	const DynIndex *in_progress = index_in_progress(update->table);
	int			changes = 0;
	int			updates = 0;

	for (int i = 0; i < update->nactions; i++)
	{
		const Action *action = &update->actions[i];

		if (action->kind == ACTION_UPDATE)
		{
			updates++;
			continue;
		}
		changes++;
		if (in_progress != NULL && action->index != in_progress)
			dyn_raise(LIMIT_EXCEEDED, ONE_AT_A_TIME);
	}
	if (changes > 1 || updates > MAX_INDEX_UPDATES)
		dyn_raise(LIMIT_EXCEEDED, ONE_AT_A_TIME);
}

static void
check_counts(const DynTable *table, const DynIndexDefinition *new)
{
	int			indexes = 1;
	int			included = new->nincluded;

	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndexDefinition *definition = &table->indexes[i].definition;

		if (definition->kind == DYN_INDEX_GLOBAL)
			indexes++;
		included += definition->nincluded;
	}
	if (indexes > DYN_MAX_GLOBAL_INDEXES)
		dyn_raise(LIMIT_EXCEEDED,
				  "Subscriber limit exceeded: GlobalSecondaryIndex count exceeds the per-table limit of %d",
				  DYN_MAX_GLOBAL_INDEXES);
	if (included > DYN_MAX_INCLUDED_ATTRIBUTES)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Number of NonKeyAttributes of all indexes exceeds the per-table limit of %d",
				  DYN_MAX_INCLUDED_ATTRIBUTES);
}

static void
update_index(Update *update, const Action *action)
{
	const DynIndex *index = action->index;
	DynThroughputRequest throughput = dyn_throughput_read(action->body);
	DynUnits	old = {index->definition.read_units, index->definition.write_units};

	if (throughput.provisioned)
	{
		if (update->mode == DYN_BILLING_PAY_PER_REQUEST)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST",
					  action->name);
		if (update->table->billing_mode == DYN_BILLING_PROVISIONED)
		{
			refuse_same_units(psprintf("index %s", action->name), old,
							  throughput.units, "index");
			dyn_throughput_check_decrease(old, throughput.units, index->decreases_today,
										  index->last_decrease);
		}
		dyn_table_alter_index_throughput(update->table, index, throughput.units.read,
										 throughput.units.write);
		update->updating = true;
	}
	change_limits(update, &throughput, index);
}

static void
run_action(Update *update, const Action *action)
{
	DynIndexDefinition definition;

	switch (action->kind)
	{
		case ACTION_CREATE:
			dyn_request_global_index(action->body,
									 dyn_request_member(update->request,
														"AttributeDefinitions"),
									 update->mode, false, &definition);
			check_counts(update->table, &definition);
			dyn_table_add_index(update->table, &definition);
			update->updating = true;
			break;
		case ACTION_UPDATE:
			update_index(update, action);
			break;
		case ACTION_DELETE:
			dyn_table_delete_index(update->table, action->index);
			update->updating = true;
			break;
	}
}

/* ----- the rest ----- */

static void
change_class(Update *update, bool may_wait)
{
	const DynTable *table = update->table;
	DynTableClass table_class = dyn_table_request_class(update->request,
														table->table_class);

	if (table_class == table->table_class)
		return;
	if (table->class_changed_before != 0 &&
		table->class_changed_before + CLASS_CHANGES_INTERVAL > GetCurrentTimestamp())
		dyn_raise(LIMIT_EXCEEDED,
				  "Subscriber limit exceeded: The table class can be changed only 2 times in 30 days");

	/* Making an index keeps others from altering the relation. */
	if (index_in_progress(table) != NULL)
		dyn_table_refuse_updating(table);
	dyn_table_alter_class(table, table_class, may_wait);
	update->updating = true;
}

static void
change_stream(Update *update)
{
	const DynJson *specification = dyn_request_member(update->request,
													  "StreamSpecification");
	const DynTable *table = update->table;
	DynStreamView view;

	if (specification == NULL)
		return;
	if (dyn_stream_request_enables(specification, &view, "updated"))
	{
		if (table->stream.enabled)
			dyn_raise(VALIDATION, "Table already has an enabled stream: TableName: %s",
					  table->name);
		dyn_stream_enable(table, view);
	}
	else
	{
		if (!table->stream.enabled)
			dyn_raise(VALIDATION, "Table has no stream to disable: TableName: %s",
					  table->name);
		dyn_stream_disable(table);
	}
	update->updating = true;
}

/*
 * Switching on and off is a background job's work, changing the master key is not:
 * items stay as they are.  Both are called UPDATING in the answer.
 */
static void
change_sealing(Update *update)
{
	const DynTable *table = update->table;
	const DynSealingRequest *sealing = &update->sealing;
	bool		accessible;

	if (!sealing->given)
		return;
	if (!sealing->enabled)
	{
		if (dyn_table_is_being_sealed(table))
			dyn_raise(RESOURCE_IN_USE,
					  DYN_STILL_IN_USE "Server-Side Encryption is still being updated");
		if (table->sealing == DYN_SEALING_OFF)
			dyn_raise(VALIDATION, DYN_INVALID_VALUES "Table is already encrypted by default");
		dyn_table_unseal(table);
		return;
	}
	if (table->sealing == DYN_SEALING_DISABLING)
		dyn_raise(RESOURCE_IN_USE,
				  DYN_STILL_IN_USE "Server-Side Encryption is still being updated");
	dyn_table_request_check_master_key(sealing);
	if (table->sealing == DYN_SEALING_OFF)
		dyn_table_seal(table, sealing->master_key, false);
	else if (sealing->by_arn &&
			 strcmp(sealing->master_key,
					dyn_data_key_master(table->data_key, &accessible)) == 0)
		dyn_raise(VALIDATION, DYN_INVALID_VALUES "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key");
	else
		dyn_table_rewrap(table, sealing->master_key);
}

static void
check_request(Update *update)
{
	if (!asks_for_something(update->request))
		dyn_raise(VALIDATION,
				  "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required");
	update->throughput = dyn_throughput_read(update->request);
	if (update->billing_given && update->throughput.provisioned &&
		update->mode == DYN_BILLING_PAY_PER_REQUEST)
		dyn_throughput_refuse_on_demand();
	dyn_throughput_check_bounds(&update->throughput, NULL);
	read_actions(update);
	update->sealing = dyn_table_request_sealing(update->request);
}

DynOutcome
dyn_update_table(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	Update		update = {.request = request};
	const DynJson *name = check_members(&update);

	check_request(&update);
	update.table = dyn_table_lock_row(dyn_table_request_find(context, name,
														   DYN_MAY_UpdateTable));
	refuse_redefinitions(&update);
	dyn_table_check_not_updating(update.table);
	if (!update.billing_given)
		update.mode = update.table->billing_mode;
	find_indexes(&update);
	check_one_at_a_time(&update);

	change_throughput(&update);
	change_limits(&update, &update.throughput, NULL);
	for (int i = 0; i < update.nactions; i++)
		run_action(&update, &update.actions[i]);
	change_stream(&update);
	change_sealing(&update);
	change_class(&update, context->may_wait);
	if (dyn_request_member(request, "DeletionProtectionEnabled") != NULL)
		dyn_table_alter_protection(update.table,
								   dyn_request_bool(request, "DeletionProtectionEnabled",
													false));
	dyn_reply_table_description(reply, "TableDescription",
								dyn_table_refresh(update.table),
								update.updating ? "UPDATING" : "ACTIVE",
								update.throughput.ceilings, update.sealing.given);
	return DYN_OUTCOME_DONE;
}
