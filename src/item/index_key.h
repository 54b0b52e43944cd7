/*-------------------------------------------------------------------------
 *
 * index_key.h
 *		The entry an item has in a secondary index, as one string of bytes.
 *
 * memcmp order of the entries is the index's order, so a Query is a range of
 * bytes and a page goes on behind the last entry's bytes.  See index_key.c for
 * the layout.
 *
 * src/item/index_key.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_INDEX_KEY_H
#define DYN_INDEX_KEY_H

#include "item/key.h"

/* A global index may have so many partition and so many sort attributes. */
#define DYN_MAX_INDEX_KEY_PARTS 4

typedef struct DynIndexSchema
{
	int			npartition;
	int			nsort;			/* 0: the index has no sort key */
	DynKeyAttribute partition[DYN_MAX_INDEX_KEY_PARTS];
	DynKeyAttribute sort[DYN_MAX_INDEX_KEY_PARTS];
} DynIndexSchema;

/* A table's key schema in this form, in which both can be queried. */
extern void dyn_index_schema_of_table(const DynKeySchema *table,
									  DynIndexSchema *schema);

/* What an item's attributes say to an index. */
typedef enum DynIndexKeyStatus
{
	DYN_INDEX_KEY_OK,
	DYN_INDEX_KEY_MISSING,		/* an attribute is absent: no entry, no error */
	DYN_INDEX_KEY_WRONG_TYPE,
	DYN_INDEX_KEY_EMPTY,
	DYN_INDEX_KEY_TOO_LONG
} DynIndexKeyStatus;

/*
 * Look at an item's attributes.  What is worse than MISSING goes first;
 * *culprit (may be NULL) is then the attribute it was found at, the first one
 * of a key whose parts are too long together.
 */
extern DynIndexKeyStatus dyn_index_key_check(const DynIndexSchema *schema,
											 const DynItem *item,
											 const DynKeyAttribute **culprit);

/*
 * The same, but an attribute that old (NULL: no item) has alike is not looked at:
 * it may be older than the index.
 */
extern DynIndexKeyStatus dyn_index_key_check_change(const DynIndexSchema *schema,
													const DynItem *old,
													const DynItem *item,
													const DynKeyAttribute **culprit);

/*
 * Raise the PutItem family of messages for what is worse than MISSING: "Type
 * mismatch for Index Key ...", empty values, sizes.
 */
extern void dyn_index_key_raise(const DynIndexSchema *schema,
								const char *index_name, const DynItem *item);

/*
 * Append the entry of an item with this primary key.  False, and nothing is
 * appended, unless dyn_index_key_check() says OK.
 */
extern bool dyn_index_key_append(StringInfo out, const DynIndexSchema *schema,
								 const DynItem *item, const DynKey *key);

/*
 * The parts of an entry, for ranges.  All entries of a partition start with
 * the bytes of dyn_index_key_append_partition().  Behind them stands each sort
 * value: "whole" ends it, so that no longer value has the same bytes in front.
 */
extern void dyn_index_key_append_partition(StringInfo out, const DynValue *values,
										   int count);
extern void dyn_index_key_append_sort(StringInfo out, const DynValue *value,
									  bool whole);

/* The first 8 bytes of an entry, which Scan's segments are ranges of. */
extern void dyn_index_key_append_hash(StringInfo out, int64 hash);

/*
 * Make out the least string above all that start with it.  False: there is
 * none (it is all 0xFF).
 */
extern bool dyn_index_key_successor(StringInfo out);

#endif							/* DYN_INDEX_KEY_H */
