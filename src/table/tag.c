/*-------------------------------------------------------------------------
 *
 * tag.c
 *		Tags of tables: the catalog dynamo.tags.
 *
 * src/table/tag.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/error.h"
#include "table/catalog.h"
#include "table/tag.h"

static Datum
text_datum(const char *utf8)
{
	return CStringGetTextDatum(pg_any_to_server(utf8, strlen(utf8), PG_UTF8));
}

static void
check_count(const DynTable *table)
{
	if (list_length(dyn_tags_list(table, NULL, DYN_MAX_TAGS + 1)) > DYN_MAX_TAGS)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: Too many tags: a table can have up to %d",
				  DYN_MAX_TAGS);
}

void
dyn_tags_put(const DynTable *table, const DynTag *tags, int count)
{
	dyn_table_lock_row(table);
	for (int i = 0; i < count; i++)
	{
		Oid			types[] = {TEXTOID, TEXTOID, TEXTOID};
		Datum		values[3];

		values[1] = text_datum(tags[i].key);
		values[2] = text_datum(tags[i].value);
		dyn_catalog_change(table, "INSERT INTO dynamo.tags VALUES ($1, $2, $3)"
						   " ON CONFLICT (table_name, key) DO UPDATE SET value = excluded.value",
						   3, types, values);
	}
	check_count(table);
}

static bool
is_named(const char *key, const char *const *keys, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* One statement for each tag that goes: there may be far more keys than tags. */
void
dyn_tags_delete(const DynTable *table, const char *const *keys, int count)
{
	ListCell   *cell;

	dyn_table_lock_row(table);
	foreach(cell, dyn_tags_list(table, NULL, DYN_MAX_TAGS))
	{
		const DynTag *tag = lfirst(cell);
		Oid			types[] = {TEXTOID, TEXTOID};
		Datum		values[2];

		if (!is_named(tag->key, keys, count))
			continue;
		values[1] = text_datum(tag->key);
		dyn_catalog_change(table, "DELETE FROM dynamo.tags"
						   " WHERE table_name = $1 AND key = $2",
						   2, types, values);
	}
}

static char *
utf8_column(int row, int column, MemoryContext context)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
									 column);
	char	   *utf8 = pg_server_to_any(value, strlen(value), PG_UTF8);

	return MemoryContextStrdup(context, utf8);
}

List *
dyn_tags_list(const DynTable *table, const char *after, int limit)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, TEXTOID, INT4OID};
	Datum		values[3];
	List	   *tags = NIL;

	values[0] = CStringGetTextDatum(table->name);
	values[1] = text_datum(after == NULL ? "" : after);
	values[2] = Int32GetDatum(limit);
	SPI_connect();
	dyn_catalog_execute("SELECT key, value FROM dynamo.tags"
						" WHERE table_name = $1 AND key > $2 ORDER BY key LIMIT $3",
						lengthof(types), types, values);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		DynTag	   *tag = MemoryContextAlloc(caller, sizeof(DynTag));
		MemoryContext spi = MemoryContextSwitchTo(caller);

		tag->key = utf8_column(i, 1, caller);
		tag->value = utf8_column(i, 2, caller);
		tags = lappend(tags, tag);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	return tags;
}
