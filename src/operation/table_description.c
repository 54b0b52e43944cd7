/*-------------------------------------------------------------------------
 *
 * table_description.c
 *		TableDescription: how answers describe a table.
 *
 * src/operation/table_description.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/table_description.h"
#include "operation/table_request.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

/* What the service can serve at once from a new on-demand table. */
#define ON_DEMAND_READ_UNITS 12000
#define ON_DEMAND_WRITE_UNITS 4000

static void
write_time(DynJsonWriter *w, const char *key, TimestampTz time)
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
write_text(DynJsonWriter *w, const char *key, const char *text)
{
	dyn_json_write_key(w, key);
	dyn_json_write_cstring(w, text);
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
	write_text(w, "AttributeType", dyn_type_name(attribute->type));
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
	write_text(w, "KeyType", key_type);
	dyn_json_end_object(w);
}

static void
write_throughput(DynJsonWriter *w, const DynTable *table)
{
	dyn_json_write_key(w, "ProvisionedThroughput");
	dyn_json_begin_object(w);
	if (table->last_increase != 0)
		write_time(w, "LastIncreaseDateTime", table->last_increase);
	if (table->last_decrease != 0)
		write_time(w, "LastDecreaseDateTime", table->last_decrease);
	write_number(w, "NumberOfDecreasesToday", table->decreases_today);
	write_number(w, "ReadCapacityUnits", table->read_units);
	write_number(w, "WriteCapacityUnits", table->write_units);
	dyn_json_end_object(w);

	/* Infrastructure tools wait until this says ACTIVE. */
	dyn_json_write_key(w, "WarmThroughput");
	dyn_json_begin_object(w);
	if (table->billing_mode == DYN_BILLING_PAY_PER_REQUEST)
	{
		write_number(w, "ReadUnitsPerSecond", ON_DEMAND_READ_UNITS);
		write_number(w, "WriteUnitsPerSecond", ON_DEMAND_WRITE_UNITS);
	}
	else
	{
		write_number(w, "ReadUnitsPerSecond", table->read_units);
		write_number(w, "WriteUnitsPerSecond", table->write_units);
	}
	write_text(w, "Status", "ACTIVE");
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
	write_text(w, "BillingMode", mode);
	write_time(w, "LastUpdateToPayPerRequestDateTime", table->on_demand_since);
	dyn_json_end_object(w);
	dyn_json_write_key(w, "TableThroughputModeSummary");
	dyn_json_begin_object(w);
	write_text(w, "TableThroughputMode", mode);
	write_time(w, "LastUpdateToPayPerRequestDateTime", table->on_demand_since);
	dyn_json_end_object(w);
}

static void
write_description(DynJsonWriter *w, const DynTable *table, const char *status)
{
	bool		deleting = strcmp(status, "DELETING") == 0;
	int64		items;
	int64		bytes;

	dyn_json_begin_object(w);
	/* The service leaves it out of DeleteTable's answer. */
	if (!deleting)
	{
		dyn_json_write_key(w, "AttributeDefinitions");
		dyn_json_begin_array(w);
		write_attribute_definition(w, &table->schema.partition);
		write_attribute_definition(w, &table->schema.sort);
		dyn_json_end_array(w);
	}
	write_text(w, "TableName", table->name);
	dyn_json_write_key(w, "KeySchema");
	dyn_json_begin_array(w);
	write_key_schema_element(w, &table->schema.partition, "HASH");
	write_key_schema_element(w, &table->schema.sort, "RANGE");
	dyn_json_end_array(w);
	write_text(w, "TableStatus", status);
	write_time(w, "CreationDateTime", table->created);
	write_throughput(w, table);
	dyn_table_estimate(table, &items, &bytes);
	write_number(w, "TableSizeBytes", bytes);
	write_number(w, "ItemCount", items);
	write_text(w, "TableArn", dyn_table_arn(table->name));
	write_text(w, "TableId", DatumGetCString(DirectFunctionCall1(uuid_out,
																  UUIDPGetDatum(&table->table_id))));
	write_billing_mode(w, table);
	dyn_json_write_key(w, "DeletionProtectionEnabled");
	dyn_json_write_bool(w, table->deletion_protection);
	dyn_json_end_object(w);
}

void
dyn_reply_table_description(StringInfo reply, const char *member, const DynTable *table,
				  const char *status)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, member);
	write_description(&w, table, status);
	dyn_json_end_object(&w);
}
