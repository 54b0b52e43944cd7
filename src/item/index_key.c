/*-------------------------------------------------------------------------
 *
 * index_key.c
 *		The entry an item has in a secondary index, as one string of bytes.
 *
 *		BYTES		MEANING
 *		8			hash of the partition values, big endian, sign flipped
 *		1			number n of the bytes that follow; 0xFF: a digest
 *		n or 32		partition values: each its size in two bytes, and its bytes;
 *					the SHA-256 of all that if it is longer than 127
 *		...			each sort value, every 00 in it as 00 FF, then 00 00
 *		1			number n of bytes of the table's partition key; 0xFF: a digest
 *		... or 32	the table's partition and sort key; if they have more than 62
 *					bytes, the SHA-256 of the first one's size and both
 *
 * Partition values are asked for equality alone, so a digest will do, and the
 * hash in front spreads them over the segments of a parallel Scan.  Sort values
 * keep their order by memcmp, a shorter one before its continuations.  The
 * table's key at the end tells apart items with equal index keys: a page can
 * end between any two of them, and go on.
 *
 * The longest entry, of 1024 zero bytes as sort key, has 2132 bytes: nbtree has
 * room for 2704.
 *
 * src/item/index_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "port/pg_bswap.h"

#include "base/error.h"
#include "base/limits.h"
#include "item/index_key.h"

#define DIGEST_MARK			0xFF
#define MAX_PARTITION_BYTES 127 /* of a partition that is kept as it is */
#define MAX_TIE_BYTES		62	/* of a primary key that is kept as it is */

/* Values of an item, in the order of the schema. */
typedef struct Parts
{
	DynValue	partition[DYN_MAX_INDEX_KEY_PARTS];
	DynValue	sort[DYN_MAX_INDEX_KEY_PARTS];
} Parts;

void
dyn_index_schema_of_table(const DynKeySchema *table, DynIndexSchema *schema)
{
	schema->npartition = 1;
	schema->partition[0] = table->partition;
	schema->nsort = table->sort.name == NULL ? 0 : 1;
	schema->sort[0] = table->sort;
}

static DynIndexKeyStatus
check_part(const DynKeyAttribute *attribute, const DynItem *item, uint32 max_size,
		   DynValue *value)
{
	if (!dyn_item_find(item, attribute->name, attribute->name_len, value))
		return DYN_INDEX_KEY_MISSING;
	if (value->type != attribute->type)
		return DYN_INDEX_KEY_WRONG_TYPE;

	/* A number is short by nature; the service does not check it. */
	if (value->type == DYN_TYPE_N)
		return DYN_INDEX_KEY_OK;
	if (value->size == 0)
		return DYN_INDEX_KEY_EMPTY;
	return value->size > max_size ? DYN_INDEX_KEY_TOO_LONG : DYN_INDEX_KEY_OK;
}

static bool
is_unchanged(const DynKeyAttribute *attribute, const DynItem *old,
			 const DynItem *item)
{
	DynValue	before;
	DynValue	after;

	return old != NULL &&
		dyn_item_find(old, attribute->name, attribute->name_len, &before) &&
		dyn_item_find(item, attribute->name, attribute->name_len, &after) &&
		dyn_value_equal(&before, &after);
}

/* Attributes that old has alike may be wrong. */
static DynIndexKeyStatus
find_parts(const DynIndexSchema *schema, const DynItem *old, const DynItem *item,
		   Parts *parts, const DynKeyAttribute **culprit)
{
	DynIndexKeyStatus result = DYN_INDEX_KEY_OK;
	bool		changed = old == NULL;
	uint32		partition_size = 0;
	uint32		sort_size = 0;

	*culprit = NULL;
	for (int i = 0; i < schema->npartition + schema->nsort; i++)
	{
		bool		is_sort = i >= schema->npartition;
		int			n = is_sort ? i - schema->npartition : i;
		const DynKeyAttribute *attribute = is_sort ? &schema->sort[n] :
			&schema->partition[n];
		DynValue   *value = is_sort ? &parts->sort[n] : &parts->partition[n];
		DynIndexKeyStatus status = check_part(attribute, item,
											  is_sort ? DYN_MAX_SORT_KEY_SIZE :
											  DYN_MAX_PARTITION_KEY_SIZE, value);

		if (old != NULL && is_unchanged(attribute, old, item))
			status = Min(status, DYN_INDEX_KEY_MISSING);
		else
			changed = true;
		if (status > DYN_INDEX_KEY_MISSING)
		{
			*culprit = attribute;
			return status;
		}
		if (status == DYN_INDEX_KEY_MISSING)
			result = status;
		else if (is_sort)
			sort_size += value->size;
		else
			partition_size += value->size;
	}

	/* The parts of a key have one limit together. */
	if (!changed)
		return result;
	if (partition_size > DYN_MAX_PARTITION_KEY_SIZE)
		*culprit = &schema->partition[0];
	else if (sort_size > DYN_MAX_SORT_KEY_SIZE)
		*culprit = &schema->sort[0];
	return *culprit != NULL ? DYN_INDEX_KEY_TOO_LONG : result;
}

DynIndexKeyStatus
dyn_index_key_check(const DynIndexSchema *schema, const DynItem *item,
					const DynKeyAttribute **culprit)
{
	Parts		parts;
	const DynKeyAttribute *ignored;

	return find_parts(schema, NULL, item, &parts,
					  culprit == NULL ? &ignored : culprit);
}

DynIndexKeyStatus
dyn_index_key_check_change(const DynIndexSchema *schema, const DynItem *old,
						   const DynItem *item, const DynKeyAttribute **culprit)
{
	Parts		parts;

	return find_parts(schema, old, item, &parts, culprit);
}

void
dyn_index_key_raise(const DynIndexSchema *schema, const char *index_name,
					const DynItem *item)
{
	Parts		parts;
	const DynKeyAttribute *culprit;
	DynIndexKeyStatus status = find_parts(schema, NULL, item, &parts, &culprit);
	const char *name;
	DynValue	value;
	bool		is_sort;

	if (status <= DYN_INDEX_KEY_MISSING)
		return;
	is_sort = culprit >= schema->sort;
	if (status == DYN_INDEX_KEY_TOO_LONG)
	{
		if (is_sort)
			dyn_raise(VALIDATION, "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of %d bytes",
					  DYN_MAX_SORT_KEY_SIZE);
		dyn_raise(VALIDATION, "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of%d bytes",
				  DYN_MAX_PARTITION_KEY_SIZE);
	}

	name = pnstrdup(culprit->name, culprit->name_len);
	dyn_item_find(item, culprit->name, culprit->name_len, &value);
	if (status == DYN_INDEX_KEY_WRONG_TYPE)
		dyn_raise(VALIDATION, "One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
				  name, dyn_type_name(culprit->type), dyn_type_name(value.type),
				  index_name);
	dyn_raise(VALIDATION, "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
			  "The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s",
			  value.type == DYN_TYPE_S ? "string" : "binary", index_name, name);
}

/* Put the digest of out's bytes from start on in their place. */
static void
digest(StringInfo out, int start)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	uint8		bytes[PG_SHA256_DIGEST_LENGTH];

	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (uint8 *) out->data + start,
							 out->len - start) < 0 ||
		pg_cryptohash_final(context, bytes, sizeof(bytes)) < 0)
		elog(ERROR, "could not compute SHA-256: %s",
			 pg_cryptohash_error(context));
	pg_cryptohash_free(context);
	out->len = start;
	appendStringInfoCharMacro(out, (char) DIGEST_MARK);
	appendBinaryStringInfo(out, (char *) bytes, sizeof(bytes));
}

void
dyn_index_key_append_hash(StringInfo out, int64 hash)
{
	uint64		ordered = pg_hton64((uint64) hash ^ (UINT64CONST(1) << 63));

	appendBinaryStringInfo(out, (char *) &ordered, sizeof(ordered));
}

static void
append_size(StringInfo out, uint16 size)
{
	size = pg_hton16(size);
	appendBinaryStringInfo(out, (char *) &size, sizeof(size));
}

/* One value has the hash it has as a table's partition key. */
static int64
partition_hash(const DynValue *values, int count)
{
	uint64		hash = dyn_key_hash(&values[0]);

	for (int i = 1; i < count; i++)
		hash = ((hash << 1) | (hash >> 63)) ^ (uint64) dyn_key_hash(&values[i]);
	return (int64) hash;
}

void
dyn_index_key_append_partition(StringInfo out, const DynValue *values, int count)
{
	int			length;
	uint32		size = 0;

	dyn_index_key_append_hash(out, partition_hash(values, count));
	length = out->len;
	appendStringInfoCharMacro(out, 0);
	for (int i = 0; i < count; i++)
	{
		append_size(out, values[i].size);
		appendBinaryStringInfo(out, values[i].data, values[i].size);
		size += sizeof(uint16) + values[i].size;
	}
	if (size > MAX_PARTITION_BYTES)
		digest(out, length);
	else
		out->data[length] = (char) size;
}

void
dyn_index_key_append_sort(StringInfo out, const DynValue *value, bool whole)
{
	const char *p = value->data;
	const char *end = p + value->size;

	while (p < end)
	{
		const char *zero = memchr(p, '\0', end - p);

		if (zero == NULL)
			zero = end;
		appendBinaryStringInfo(out, p, zero - p);
		p = zero;
		if (p < end)
		{
			appendBinaryStringInfo(out, "\x00\xFF", 2);
			p++;
		}
	}
	if (whole)
		appendBinaryStringInfo(out, "\x00\x00", 2);
}

static void
append_primary_key(StringInfo out, const DynKey *key)
{
	int			start = out->len;
	bool		is_short = key->partition.size +
		(key->sort.type == 0 ? 0 : key->sort.size) <= MAX_TIE_BYTES;

	if (is_short)
		appendStringInfoCharMacro(out, (char) key->partition.size);
	else
		append_size(out, key->partition.size);
	appendBinaryStringInfo(out, key->partition.data, key->partition.size);
	if (key->sort.type != 0)
		appendBinaryStringInfo(out, key->sort.data, key->sort.size);
	if (!is_short)
		digest(out, start);
}

bool
dyn_index_key_append(StringInfo out, const DynIndexSchema *schema,
					 const DynItem *item, const DynKey *key)
{
	Parts		parts;
	const DynKeyAttribute *culprit;

	if (find_parts(schema, NULL, item, &parts, &culprit) != DYN_INDEX_KEY_OK)
		return false;
	dyn_index_key_append_partition(out, parts.partition, schema->npartition);
	for (int i = 0; i < schema->nsort; i++)
		dyn_index_key_append_sort(out, &parts.sort[i], true);
	append_primary_key(out, key);
	return true;
}

bool
dyn_index_key_successor(StringInfo out)
{
	while (out->len > 0)
	{
		unsigned char *last = (unsigned char *) &out->data[out->len - 1];

		if (*last < 0xFF)
		{
			(*last)++;
			return true;
		}
		out->len--;
	}
	return false;
}
