/*-------------------------------------------------------------------------
 *
 * key.c
 *		Primary keys: their columns, their hash.
 *
 * src/item/key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "item/item_json.h"
#include "item/key.h"

/* The finalizer of MurmurHash3: every bit of the input moves half the output. */
static inline uint64
mix(uint64 h)
{
	h ^= h >> 33;
	h *= UINT64CONST(0xFF51AFD7ED558CCD);
	h ^= h >> 33;
	h *= UINT64CONST(0xC4CEB9FE1A85EC53);
	h ^= h >> 33;
	return h;
}

/*
 * PostgreSQL's hash_bytes_extended() would do, but depends on the machine's
 * byte order; this one takes the bytes 8 at a time as little endian.
 */
int64
dyn_key_hash(const DynValue *partition)
{
	const unsigned char *p = (const unsigned char *) partition->data;
	uint32		left = partition->size;
	uint64		hash = UINT64CONST(0x9E3779B97F4A7C15) ^ partition->size;

	while (left > 0)
	{
		uint32		n = Min(left, sizeof(uint64));
		uint64		word = 0;

		for (uint32 i = 0; i < n; i++)
			word |= (uint64) p[i] << (8 * i);
		hash = mix(hash ^ word);
		p += n;
		left -= n;
	}
	return (int64) hash;
}

static void
refuse_empty_value(const DynKeyAttribute *attribute, const DynValue *value)
{
	if (value->type != DYN_TYPE_N && value->size == 0)
		dyn_raise(VALIDATION, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s",
				  value->type == DYN_TYPE_S ? "string" : "binary",
				  pnstrdup(attribute->name, attribute->name_len));
}

/* An empty or too long value of a key attribute that has the right type. */
static void
check_key_value(const DynKeyAttribute *attribute, const DynValue *value,
				bool is_partition)
{
	/* A number is short by nature; the service does not check it. */
	if (value->type == DYN_TYPE_N)
		return;

	refuse_empty_value(attribute, value);
	if (is_partition && value->size > DYN_MAX_PARTITION_KEY_SIZE)
		dyn_raise(VALIDATION, "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of%d bytes",
				  DYN_MAX_PARTITION_KEY_SIZE);
	if (!is_partition && value->size > DYN_MAX_SORT_KEY_SIZE)
		dyn_raise(VALIDATION, "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of %d bytes",
				  DYN_MAX_SORT_KEY_SIZE);
}

/* Values and hash, once both parts are there and of the right type. */
static void
finish_key(const DynKeySchema *schema, DynKey *key)
{
	check_key_value(&schema->partition, &key->partition, true);
	if (schema->sort.name != NULL)
		check_key_value(&schema->sort, &key->sort, false);
	key->hash = dyn_key_hash(&key->partition);
}

static void
find_in_item(const DynKeyAttribute *attribute, const DynItem *item,
			 DynValue *value)
{
	if (!dyn_item_find(item, attribute->name, attribute->name_len, value))
		dyn_raise(VALIDATION, "One or more parameter values were invalid: Missing the key %s in the item",
				  pnstrdup(attribute->name, attribute->name_len));
	if (value->type != attribute->type)
		dyn_raise(VALIDATION, "One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s",
				  pnstrdup(attribute->name, attribute->name_len),
				  dyn_type_name(attribute->type), dyn_type_name(value->type));
}

void
dyn_key_from_item(const DynKeySchema *schema, const DynItem *item, DynKey *key)
{
	memset(key, 0, sizeof(*key));
	find_in_item(&schema->partition, item, &key->partition);
	if (schema->sort.name != NULL)
		find_in_item(&schema->sort, item, &key->sort);
	finish_key(schema, key);
}

static bool
find_in_argument(const DynKeyAttribute *attribute, const DynItem *argument,
				 DynValue *value)
{
	return dyn_item_find(argument, attribute->name, attribute->name_len, value) &&
		value->type == attribute->type;
}

void
dyn_key_from_argument(const DynKeySchema *schema, const DynItem *argument,
					  DynKey *key)
{
	DynValue	attributes = dyn_item_value(argument);
	uint32		parts = schema->sort.name != NULL ? 2 : 1;

	memset(key, 0, sizeof(*key));
	if (dyn_value_count(&attributes) != parts ||
		!find_in_argument(&schema->partition, argument, &key->partition) ||
		(parts == 2 && !find_in_argument(&schema->sort, argument, &key->sort)))
		dyn_raise(VALIDATION, "The provided key element does not match the schema");
	finish_key(schema, key);
}

void
dyn_key_refuse_empty(const DynKeySchema *schema, const DynItem *item)
{
	DynValue	value;

	if (find_in_argument(&schema->partition, item, &value))
		refuse_empty_value(&schema->partition, &value);
	if (schema->sort.name != NULL && find_in_argument(&schema->sort, item, &value))
		refuse_empty_value(&schema->sort, &value);
}

void
dyn_json_write_key_attributes(struct DynJsonWriter *w,
							  const DynKeySchema *schema, const DynKey *key)
{
	dyn_json_begin_object(w);
	dyn_json_write_key_bytes(w, schema->partition.name, schema->partition.name_len);
	dyn_json_write_value(w, &key->partition);
	if (schema->sort.name != NULL)
	{
		dyn_json_write_key_bytes(w, schema->sort.name, schema->sort.name_len);
		dyn_json_write_value(w, &key->sort);
	}
	dyn_json_end_object(w);
}

DynItem *
dyn_key_item(const DynKeySchema *schema, const DynKey *key)
{
	DynItemBuilder *b = dyn_builder_create();

	dyn_builder_begin(b, DYN_TYPE_M);
	dyn_builder_name(b, schema->partition.name, schema->partition.name_len);
	dyn_builder_value(b, &key->partition);
	if (schema->sort.name != NULL)
	{
		dyn_builder_name(b, schema->sort.name, schema->sort.name_len);
		dyn_builder_value(b, &key->sort);
	}
	dyn_builder_end(b);
	return dyn_builder_item(b);
}
