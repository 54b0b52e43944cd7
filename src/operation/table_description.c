/*-------------------------------------------------------------------------
 *
 * table_description.c
 *		TableDescription: how answers describe a table.
 *
 * src/operation/table_description.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "encryption/data_key.h"
#include "operation/index_request.h"
#include "operation/table_description.h"
#include "operation/table_request.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

void
dyn_json_write_time(DynJsonWriter *w, const char *key, TimestampTz time)
{
	int64		ms = time / 1000 +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * INT64CONST(86400000);
	char		text[32];
	int			len;

	len = snprintf(text, sizeof(text), INT64_FORMAT ".%03d", ms / 1000,
				   (int) (ms % 1000));
	dyn_json_write_key(w, key);
	dyn_json_write_raw(w, text, len);
}

static void
write_number(DynJsonWriter *w, const char *key, int64 number)
{
	dyn_json_write_key(w, key);
	dyn_json_write_int(w, number);
}

static void
write_attribute_definition(DynJsonWriter *w, const DynKeyAttribute *attribute)
{
	if (attribute->name == NULL)
		return;
	dyn_json_begin_object(w);
	dyn_json_write_key(w, "AttributeName");
	dyn_json_write_string(w, attribute->name, attribute->name_len);
	dyn_json_write_text(w, "AttributeType", dyn_type_name(attribute->type));
	dyn_json_end_object(w);
}

static void
write_key_schema_element(DynJsonWriter *w, const DynKeyAttribute *attribute,
						 const char *key_type)
{
	if (attribute->name == NULL)
		return;
	dyn_json_begin_object(w);
	dyn_json_write_key(w, "AttributeName");
	dyn_json_write_string(w, attribute->name, attribute->name_len);
	dyn_json_write_text(w, "KeyType", key_type);
	dyn_json_end_object(w);
}

/* ProvisionedThroughput; without times and decreases in what has none. */
static void
write_throughput(DynJsonWriter *w, DynUnits units, TimestampTz last_increase,
				 TimestampTz last_decrease, int decreases_today)
{
	dyn_json_write_key(w, "ProvisionedThroughput");
	dyn_json_begin_object(w);
	if (last_increase != 0)
		dyn_json_write_time(w, "LastIncreaseDateTime", last_increase);
	if (last_decrease != 0)
		dyn_json_write_time(w, "LastDecreaseDateTime", last_decrease);
	write_number(w, "NumberOfDecreasesToday", decreases_today);
	write_number(w, "ReadCapacityUnits", units.read);
	write_number(w, "WriteCapacityUnits", units.write);
	dyn_json_end_object(w);
}

/* Infrastructure tools wait until Status says ACTIVE. */
static void
write_warm_throughput(DynJsonWriter *w, DynUnits units)
{
	dyn_json_write_key(w, "WarmThroughput");
	dyn_json_begin_object(w);
	write_number(w, "ReadUnitsPerSecond", units.read);
	write_number(w, "WriteUnitsPerSecond", units.write);
	dyn_json_write_text(w, "Status", "ACTIVE");
	dyn_json_end_object(w);
}

/* One ceiling; the -1 that has just removed it is echoed. */
static void
write_ceiling(DynJsonWriter *w, const char *key, int64 ceiling, const DynJson *asked)
{
	if (ceiling != 0)
		write_number(w, key, ceiling);
	else if (asked != NULL && dyn_request_member(asked, key) != NULL)
		write_number(w, key, -1);
}

/* asked: OnDemandThroughput of the UpdateTable that is being answered. */
static void
write_ceilings(DynJsonWriter *w, DynUnits ceilings, const DynJson *asked)
{
	if (ceilings.read == 0 && ceilings.write == 0 && asked == NULL)
		return;
	dyn_json_write_key(w, "OnDemandThroughput");
	dyn_json_begin_object(w);
	write_ceiling(w, "MaxReadRequestUnits", ceilings.read, asked);
	write_ceiling(w, "MaxWriteRequestUnits", ceilings.write, asked);
	dyn_json_end_object(w);
}

/* Only for tables that are or once were on demand. */
static void
write_billing_mode(DynJsonWriter *w, const DynTable *table)
{
	const char *mode = dyn_enum_billing_mode.values[table->billing_mode];

	if (table->billing_mode == DYN_BILLING_PROVISIONED && table->on_demand_since == 0)
		return;
	dyn_json_write_key(w, "BillingModeSummary");
	dyn_json_begin_object(w);
	dyn_json_write_text(w, "BillingMode", mode);
	dyn_json_write_time(w, "LastUpdateToPayPerRequestDateTime", table->on_demand_since);
	dyn_json_end_object(w);
	dyn_json_write_key(w, "TableThroughputModeSummary");
	dyn_json_begin_object(w);
	dyn_json_write_text(w, "TableThroughputMode", mode);
	dyn_json_write_time(w, "LastUpdateToPayPerRequestDateTime", table->on_demand_since);
	dyn_json_end_object(w);
}

/* What the latest stream was called stays when it has been disabled. */
static void
write_stream(DynJsonWriter *w, const DynTable *table)
{
	const DynStream *stream = &table->stream;

	if (stream->id == 0)
		return;
	if (stream->enabled)
	{
		dyn_json_write_key(w, "StreamSpecification");
		dyn_json_begin_object(w);
		dyn_json_write_key(w, "StreamEnabled");
		dyn_json_write_bool(w, true);
		dyn_json_write_text(w, "StreamViewType", dyn_stream_view_names[stream->view]);
		dyn_json_end_object(w);
	}
	dyn_json_write_text(w, "LatestStreamLabel", stream->label);
	dyn_json_write_text(w, "LatestStreamArn", dyn_stream_arn(table->name, stream->label));
}

/* Only for tables that are or once were of another class than STANDARD. */
static void
write_table_class(DynJsonWriter *w, const DynTable *table)
{
	if (table->table_class == DYN_TABLE_CLASS_STANDARD && table->class_changed == 0)
		return;
	dyn_json_write_key(w, "TableClassSummary");
	dyn_json_begin_object(w);
	dyn_json_write_text(w, "TableClass", dyn_enum_table_class.values[table->table_class]);
	if (table->class_changed != 0)
		dyn_json_write_time(w, "LastUpdateDateTime", table->class_changed);
	dyn_json_end_object(w);
}

/*
 * While its master key is not to be had, a table is inaccessible.  updating: the
 * answer to a request that changes something about it.
 */
static void
write_sealing(DynJsonWriter *w, const DynTable *table, bool updating)
{
	bool		accessible = true;

	if (table->sealing == DYN_SEALING_OFF)
		return;
	dyn_json_write_key(w, "SSEDescription");
	dyn_json_begin_object(w);
	dyn_json_write_text(w, "Status", updating || dyn_table_is_being_sealed(table) ?
						"UPDATING" : "ENABLED");
	if (table->data_key != 0)
	{
		char	   *master = dyn_data_key_master(table->data_key, &accessible);

		dyn_json_write_text(w, "SSEType", "KMS");
		dyn_json_write_text(w, "KMSMasterKeyArn", dyn_master_key_arn(master));
	}
	if (!accessible)
		dyn_json_write_time(w, "InaccessibleEncryptionDateTime", dyn_master_keys_read_at());
	dyn_json_end_object(w);
}

static bool
is_same_attribute(const DynKeyAttribute *a, const DynKeyAttribute *b)
{
	return a->name != NULL && a->name_len == b->name_len &&
		memcmp(a->name, b->name, a->name_len) == 0;
}

/* The key attributes of the table and its indexes, each once. */
static void
write_attribute_definitions(DynJsonWriter *w, const DynTable *table)
{
	List	   *written = NIL;
	List	   *attributes = list_make2((void *) &table->schema.partition,
										(void *) &table->schema.sort);
	ListCell   *cell;

	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndexDefinition *index = &table->indexes[i].definition;

		if (index->kind == DYN_INDEX_TIME_TO_LIVE)
			continue;
		for (int part = 0; part < index->schema.npartition; part++)
			attributes = lappend(attributes, (void *) &index->schema.partition[part]);
		for (int part = 0; part < index->schema.nsort; part++)
			attributes = lappend(attributes, (void *) &index->schema.sort[part]);
	}

	dyn_json_write_key(w, "AttributeDefinitions");
	dyn_json_begin_array(w);
	foreach(cell, attributes)
	{
		const DynKeyAttribute *attribute = lfirst(cell);
		ListCell   *other;
		bool		again = false;

		foreach(other, written)
			again = again || is_same_attribute(lfirst(other), attribute);
		if (again)
			continue;
		write_attribute_definition(w, attribute);
		written = lappend(written, (void *) attribute);
	}
	dyn_json_end_array(w);
}

/* ----- indexes ----- */

static void
write_projection(DynJsonWriter *w, const DynIndexDefinition *index)
{
	dyn_json_write_key(w, "Projection");
	dyn_json_begin_object(w);
	dyn_json_write_text(w, "ProjectionType", dyn_enum_projection_type.values[index->projection]);
	if (index->projection == DYN_PROJECT_INCLUDE)
	{
		dyn_json_write_key(w, "NonKeyAttributes");
		dyn_json_begin_array(w);
		for (int i = 0; i < index->nincluded; i++)
			dyn_json_write_string(w, index->included[i].name, index->included[i].name_len);
		dyn_json_end_array(w);
	}
	dyn_json_end_object(w);
}

static void
write_index_status(DynJsonWriter *w, const DynIndex *index, bool creating)
{
	static const char *const names[] = {"CREATING", "ACTIVE", "DELETING"};

	dyn_json_write_text(w, "IndexStatus", names[creating ? DYN_INDEX_CREATING : index->status]);
	if (index->status == DYN_INDEX_CREATING)
	{
		dyn_json_write_key(w, "Backfilling");
		dyn_json_write_bool(w, index->backfilling);
	}
}

static void
write_index(DynJsonWriter *w, const DynTable *table, const DynIndex *index,
			bool creating)
{
	const DynIndexDefinition *definition = &index->definition;
	DynUnits	units = {definition->read_units, definition->write_units};
	int64		items;
	int64		bytes;

	dyn_json_begin_object(w);
	dyn_json_write_text(w, "IndexName", definition->name);
	dyn_json_write_key(w, "KeySchema");
	dyn_json_begin_array(w);
	for (int i = 0; i < definition->schema.npartition; i++)
		write_key_schema_element(w, &definition->schema.partition[i], "HASH");
	for (int i = 0; i < definition->schema.nsort; i++)
		write_key_schema_element(w, &definition->schema.sort[i], "RANGE");
	dyn_json_end_array(w);
	write_projection(w, definition);
	if (definition->kind == DYN_INDEX_GLOBAL)
	{
		write_index_status(w, index, creating);
		write_throughput(w, units, index->last_increase, index->last_decrease,
						 index->decreases_today);
		write_warm_throughput(w, dyn_warm_units(table->billing_mode, units,
												definition->warm_units));
		write_ceilings(w, definition->max_units, NULL);
	}
	dyn_index_estimate(table, index, &items, &bytes);
	write_number(w, "IndexSizeBytes", bytes);
	write_number(w, "ItemCount", items);
	dyn_json_write_text(w, "IndexArn", dyn_index_arn(table, index));
	dyn_json_end_object(w);
}

static void
write_indexes(DynJsonWriter *w, const DynTable *table, DynIndexKind kind,
			  const char *member, bool creating)
{
	bool		any = false;

	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndex *index = &table->indexes[i];

		if (index->definition.kind != kind)
			continue;
		if (!any)
		{
			dyn_json_write_key(w, member);
			dyn_json_begin_array(w);
		}
		any = true;
		write_index(w, table, index, creating);
	}
	if (any)
		dyn_json_end_array(w);
}

/* ----- the table ----- */

static void
write_description(DynJsonWriter *w, const DynTable *table, const char *status,
				  const DynJson *ceilings, bool updates_sealing)
{
	bool		deleting = strcmp(status, "DELETING") == 0;
	bool		creating = strcmp(status, "CREATING") == 0;
	DynUnits	units = {table->read_units, table->write_units};
	int64		items;
	int64		bytes;

	dyn_json_begin_object(w);
	/* The service leaves them, and the indexes, out of DeleteTable's answer. */
	if (!deleting)
		write_attribute_definitions(w, table);
	dyn_json_write_text(w, "TableName", table->name);
	dyn_json_write_key(w, "KeySchema");
	dyn_json_begin_array(w);
	write_key_schema_element(w, &table->schema.partition, "HASH");
	write_key_schema_element(w, &table->schema.sort, "RANGE");
	dyn_json_end_array(w);
	dyn_json_write_text(w, "TableStatus", status);
	dyn_json_write_time(w, "CreationDateTime", table->created);
	write_throughput(w, units, table->last_increase, table->last_decrease,
					 table->decreases_today);
	write_warm_throughput(w, dyn_warm_units(table->billing_mode, units,
											table->warm_units));
	write_ceilings(w, table->max_units, ceilings);
	dyn_table_estimate(table, &items, &bytes);
	write_number(w, "TableSizeBytes", bytes);
	write_number(w, "ItemCount", items);
	dyn_json_write_text(w, "TableArn", dyn_table_arn(table->name));
	dyn_json_write_text(w, "TableId", DatumGetCString(DirectFunctionCall1(uuid_out,
																  UUIDPGetDatum(&table->table_id))));
	write_billing_mode(w, table);
	write_table_class(w, table);
	write_stream(w, table);
	write_sealing(w, table, updates_sealing);
	dyn_json_write_key(w, "DeletionProtectionEnabled");
	dyn_json_write_bool(w, table->deletion_protection);
	if (!deleting)
	{
		write_indexes(w, table, DYN_INDEX_LOCAL, "LocalSecondaryIndexes", creating);
		write_indexes(w, table, DYN_INDEX_GLOBAL, "GlobalSecondaryIndexes", creating);
	}
	dyn_json_end_object(w);
}

void
dyn_reply_table_description(StringInfo reply, const char *member,
							const DynTable *table, const char *status,
							const DynJson *ceilings, bool updates_sealing)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, member);
	write_description(&w, table, status, ceilings, updates_sealing);
	dyn_json_end_object(&w);
}

const char *
dyn_table_status(const DynTable *table)
{
	if (dyn_table_is_updating(table))
		return "UPDATING";
	return dyn_table_is_accessible(table) ? "ACTIVE" : "INACCESSIBLE_ENCRYPTION_CREDENTIALS";
}
