/*-------------------------------------------------------------------------
 *
 * key_trigger.c
 *		The trigger on every table's relation, for plain INSERT and UPDATE.
 *
 * The operations compute the key columns themselves and do not fire it.  It also
 * sees to it that the item is sealed, or not, as the table's are to be.
 *
 * src/table/key_trigger.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/rel.h"

#include "base/error.h"
#include "base/limits.h"
#include "table/table.h"

PG_FUNCTION_INFO_V1(dynamo_set_key_columns);

/* Refuse what PutItem would refuse of an index's key attributes. */
static void
check_index_keys(const DynIndex *index, const DynItem *item)
{
	if (index->definition.kind != DYN_INDEX_TIME_TO_LIVE)
		dyn_index_key_raise(&index->definition.schema, index->definition.name, item);
}

/*
 * Before a row is inserted or updated by plain SQL: the key columns follow
 * from the item, and the item must be one that PutItem would take.
 */
Datum
dynamo_set_key_columns(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const DynTable *table;
	HeapTuple	tuple;
	Datum		item_datum;
	DynItem    *item;
	DynKey		key = {0};
	bool		isnull;
	int			columns[4 + DYN_INDEX_SLOTS];
	Datum		values[lengthof(columns)] = {0};
	bool		nulls[lengthof(columns)];
	const DynValue *parts[2];

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired BEFORE, FOR EACH ROW",
						"dynamo.set_key_columns")));
	table = dyn_table_find_relation(RelationGetRelid(trigger->tg_relation));
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("relation \"%s\" is not the relation of a DynamoDB table",
						RelationGetRelationName(trigger->tg_relation))));

	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
		trigger->tg_newtuple : trigger->tg_trigtuple;
	item_datum = heap_getattr(tuple, DYN_ATTNUM_ITEM,
							  RelationGetDescr(trigger->tg_relation), &isnull);

	/* The NOT NULL constraint says it better. */
	if (isnull)
		return PointerGetDatum(tuple);
	item = DatumGetDynItem(item_datum);
	if (dyn_item_size(item) > DYN_MAX_ITEM_SIZE)
		dyn_raise(VALIDATION, "Item size has exceeded the maximum allowed size");
	dyn_key_from_item(&table->schema, item, &key);

	columns[0] = DYN_ATTNUM_HASH;
	values[0] = Int64GetDatum(key.hash);
	nulls[0] = false;
	parts[0] = &key.partition;
	parts[1] = &key.sort;
	for (int i = 0; i < lengthof(parts); i++)
	{
		bytea	   *datum;

		columns[i + 1] = DYN_ATTNUM_PARTITION + i;
		nulls[i + 1] = parts[i]->type == 0;
		if (nulls[i + 1])
			continue;
		datum = palloc(VARHDRSZ + parts[i]->size);
		SET_VARSIZE(datum, VARHDRSZ + parts[i]->size);
		memcpy(VARDATA(datum), parts[i]->data, parts[i]->size);
		values[i + 1] = PointerGetDatum(datum);
	}
	for (int slot = 1; slot <= DYN_INDEX_SLOTS; slot++)
	{
		columns[2 + slot] = DYN_ATTNUM_SLOT(slot);
		nulls[2 + slot] = true;
	}
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndex *index = &table->indexes[i];
		int			column = 2 + index->slot;

		if (!dyn_index_is_kept(index))
			continue;
		check_index_keys(index, item);
		values[column] = dyn_index_datum(index, item, &key, &nulls[column]);
	}
	columns[3 + DYN_INDEX_SLOTS] = DYN_ATTNUM_ITEM;
	values[3 + DYN_INDEX_SLOTS] = dyn_table_item_datum(table, item, item_datum);
	nulls[3 + DYN_INDEX_SLOTS] = false;
	tuple = heap_modify_tuple_by_cols(tuple, RelationGetDescr(trigger->tg_relation),
									  lengthof(columns), columns, values, nulls);
	return PointerGetDatum(tuple);
}
