/*-------------------------------------------------------------------------
 *
 * index_write.c
 *		What secondary indexes mean to a write: their keys' rules, their share of
 *		its cost, and item collections.
 *
 * src/operation/index_write.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/settings.h"
#include "item/item_json.h"
#include "operation/index_write.h"

#define GIGABYTE (INT64CONST(1024) * 1024 * 1024)

/* Do operations know of the index, and writes keep it? */
static bool
is_kept(const DynIndex *index)
{
	return index->definition.kind != DYN_INDEX_TIME_TO_LIVE &&
		dyn_index_is_kept(index);
}

/* ----- rules ----- */

void
dyn_index_write_check_put(const DynTable *table, const DynItem *item)
{
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndex *index = &table->indexes[i];

		if (is_kept(index))
			dyn_index_key_raise(&index->definition.schema, index->definition.name,
								item);
	}
}

void
dyn_index_write_check_update(const DynTable *table, const DynItem *old,
							 const DynItem *new_item)
{
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndex *index = &table->indexes[i];
		const DynKeyAttribute *culprit;

		if (!is_kept(index))
			continue;
		switch (dyn_index_key_check_change(&index->definition.schema, old,
										   new_item, &culprit))
		{
			case DYN_INDEX_KEY_OK:
			case DYN_INDEX_KEY_MISSING:
				break;
			case DYN_INDEX_KEY_WRONG_TYPE:
				dyn_raise(VALIDATION,
						  "The update expression attempted to update the secondary index key to unsupported type");
				break;
			case DYN_INDEX_KEY_TOO_LONG:
				dyn_raise(VALIDATION,
						  "The update expression attempted to update the secondary index key beyond allowed size limits");
				break;
			case DYN_INDEX_KEY_EMPTY:
				dyn_raise(VALIDATION,
						  "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. "
						  "The AttributeValue for a key attribute cannot contain an empty %s value.",
						  culprit->type == DYN_TYPE_S ? "string" : "binary");
				break;
		}
	}
}

/* ----- capacity ----- */

/* The entry's bytes and the units its projected attributes make. */
typedef struct Entry
{
	bool		exists;
	StringInfoData bytes;
	double		units;
} Entry;

static void
read_entry(const DynIndex *index, const DynItem *item, const DynKey *key, Entry *entry)
{
	uint32		size;

	initStringInfo(&entry->bytes);
	entry->exists = item != NULL && dyn_index_entry(&entry->bytes, index, item, key);
	if (!entry->exists)
		return;
	size = index->projected == NULL ? dyn_item_size(item) :
		dyn_item_subset_size(item, index->projected, index->nprojected);
	entry->units = dyn_write_units(size, 0);
}

/* Values have one form, so equal items are equal bytes. */
static bool
same_projection(const DynIndex *index, const DynItem *a, const DynItem *b)
{
	DynValue	x = dyn_item_value(dyn_item_subset((DynItem *) a, index->projected,
												   index->nprojected));
	DynValue	y = dyn_item_value(dyn_item_subset((DynItem *) b, index->projected,
												   index->nprojected));

	return x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
}

static double
index_units(const DynIndex *index, const DynKey *key, const DynItem *old,
			const DynItem *new_item)
{
	Entry		before;
	Entry		after;

	read_entry(index, old, key, &before);
	read_entry(index, new_item, key, &after);
	if (!before.exists || !after.exists)
		return (before.exists ? before.units : 0) + (after.exists ? after.units : 0);

	/* Under another key the entry is deleted in one place and put in another. */
	if (before.bytes.len != after.bytes.len ||
		memcmp(before.bytes.data, after.bytes.data, before.bytes.len) != 0)
		return before.units + after.units;
	return same_projection(index, old, new_item) ? 0 : Max(before.units, after.units);
}

void
dyn_write_charge(DynCapacity *capacity, const DynTable *table, const DynKey *key,
				 const DynItem *old, const DynItem *new_item, double table_factor)
{
	capacity->table_units += table_factor *
		dyn_write_units(old == NULL ? 0 : dyn_item_size(old),
						new_item == NULL ? 0 : dyn_item_size(new_item));
	for (int i = 0; i < table->nindexes; i++)
	{
		const DynIndex *index = &table->indexes[i];
		double		units;

		if (!is_kept(index))
			continue;
		units = index_units(index, key, old, new_item);
		if (units > 0)
			dyn_capacity_charge_index(capacity, index, units);
	}
}

/* ----- item collections ----- */

static bool
has_collections(const DynTable *table)
{
	for (int i = 0; i < table->nindexes; i++)
		if (table->indexes[i].definition.kind == DYN_INDEX_LOCAL)
			return true;
	return false;
}

/* Does the write make the collection larger? */
static bool
grows(const DynItem *old, const DynItem *new_item)
{
	if (new_item == NULL)
		return false;
	return old == NULL || dyn_item_size(new_item) > dyn_item_size(old);
}

bool
dyn_collection_is_full(const DynTable *table, const DynKey *key,
					   const DynItem *old, const DynItem *new_item)
{
	int64		limit = (int64) dyn_item_collection_limit * 1024 * 1024;

	return table->nindexes > 0 && has_collections(table) && grows(old, new_item) &&
		dyn_table_estimate_collection(table, key, limit) >= limit;
}

void
dyn_collection_check(const DynTable *table, const DynKey *key, const DynItem *old,
					 const DynItem *new_item)
{
	if (dyn_collection_is_full(table, key, old, new_item))
		dyn_raise(ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED, "Collection size exceeded.");
}

static void
write_collection(DynJsonWriter *w, const DynTable *table, const DynKey *key)
{
	int64		low = dyn_table_estimate_collection(table, key, GIGABYTE) / GIGABYTE;
	const DynKeyAttribute *partition = &table->schema.partition;

	dyn_json_begin_object(w);
	dyn_json_write_key(w, "ItemCollectionKey");
	dyn_json_begin_object(w);
	dyn_json_write_key_bytes(w, partition->name, partition->name_len);
	dyn_json_write_value(w, &key->partition);
	dyn_json_end_object(w);
	dyn_json_write_key(w, "SizeEstimateRangeGB");
	dyn_json_begin_array(w);
	dyn_json_write_double(w, low);
	dyn_json_write_double(w, low + 1);
	dyn_json_end_array(w);
	dyn_json_end_object(w);
}

void
dyn_collection_write(DynJsonWriter *w, const DynTable *table, const DynKey *key)
{
	if (!has_collections(table))
		return;
	dyn_json_write_key(w, "ItemCollectionMetrics");
	write_collection(w, table, key);
}

static bool
same_name(const DynCollectionWrite *a, const DynCollectionWrite *b)
{
	return a->table_name_len == b->table_name_len &&
		memcmp(a->table_name, b->table_name, a->table_name_len) == 0;
}

/* Has one of the writes before number n been to its table (and its collection)? */
static bool
is_repeated(const DynCollectionWrite *writes, int n, bool collection)
{
	for (int i = 0; i < n; i++)
		if (same_name(&writes[i], &writes[n]) &&
			(!collection || dyn_value_equal(&writes[i].key->partition,
											&writes[n].key->partition)))
			return true;
	return false;
}

void
dyn_collection_write_all(DynJsonWriter *w, const DynCollectionWrite *writes,
						 int count)
{
	bool		any = false;

	/* There are a hundred at most: comparing each with each is cheap enough. */
	for (int i = 0; i < count; i++)
	{
		if (!has_collections(writes[i].table) || is_repeated(writes, i, false))
			continue;
		if (!any)
		{
			dyn_json_write_key(w, "ItemCollectionMetrics");
			dyn_json_begin_object(w);
			any = true;
		}
		dyn_json_write_key_bytes(w, writes[i].table_name, writes[i].table_name_len);
		dyn_json_begin_array(w);
		for (int j = i; j < count; j++)
			if (same_name(&writes[i], &writes[j]) && !is_repeated(writes, j, true))
				write_collection(w, writes[j].table, writes[j].key);
		dyn_json_end_array(w);
	}
	if (any)
		dyn_json_end_object(w);
}
