/*-------------------------------------------------------------------------
 *
 * key.h
 *		Primary keys: their columns, their hash.
 *
 * A key part is a value of type S, N or B, and its key-column form is exactly
 * its data bytes: memcmp with the shorter prefix first is the service's order
 * for all three.  A table's parts have one type each, so no tag is stored.
 *
 * src/item/key.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_KEY_H
#define DYN_KEY_H

#include "item/item_format.h"

/* One element of a key schema. */
typedef struct DynKeyAttribute
{
	const char *name;
	uint32		name_len;
	DynType		type;			/* S, N or B */
} DynKeyAttribute;

typedef struct DynKeySchema
{
	DynKeyAttribute partition;
	DynKeyAttribute sort;		/* name is NULL without a sort key */
} DynKeySchema;

typedef struct DynKey
{
	int64		hash;			/* dyn_key_hash(partition) */
	DynValue	partition;
	DynValue	sort;			/* type is 0 without a sort key */
} DynKey;

/*
 * The stable 64-bit hash of a partition key: the same on every machine and
 * version, as it is stored.  Segments of a parallel Scan are ranges of it.
 */
extern int64 dyn_key_hash(const DynValue *partition);

/*
 * The key of an item to be stored.  Raises the PutItem family of messages
 * ("Missing the key a in the item", "Type mismatch for key ...", empty key
 * values, sizes).  The key points into item.
 */
extern void dyn_key_from_item(const DynKeySchema *schema, const DynItem *item,
							  DynKey *key);

/*
 * The key from a Key argument, which must have exactly the key attributes:
 * else "The provided key element does not match the schema"; then empty
 * values and sizes as above.
 */
extern void dyn_key_from_argument(const DynKeySchema *schema,
								  const DynItem *argument, DynKey *key);

/* Raise for an empty key value in an item or argument, whatever else is wrong. */
extern void dyn_key_refuse_empty(const DynKeySchema *schema, const DynItem *item);

/* Write {"p": {"S": "x"}, "s": {"N": "1"}}. */
struct DynJsonWriter;
extern void dyn_json_write_key_attributes(struct DynJsonWriter *w,
										  const DynKeySchema *schema,
										  const DynKey *key);

/* An item holding just the key attributes. */
extern DynItem *dyn_key_item(const DynKeySchema *schema, const DynKey *key);

#endif							/* DYN_KEY_H */
