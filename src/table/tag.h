/*-------------------------------------------------------------------------
 *
 * tag.h
 *		Tags of tables: the catalog dynamo.tags.
 *
 * Tags go with the table.  Texts are UTF-8.
 *
 * src/table/tag.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TAG_H
#define DYN_TAG_H

#include "nodes/pg_list.h"

typedef struct DynTable DynTable;	/* table/table.h */

#define DYN_MAX_TAGS 50

typedef struct DynTag
{
	const char *key;
	const char *value;
} DynTag;

/*
 * Add tags, replacing the values of keys that are there.  Changes of one
 * table's tags wait for each other, so none is lost.  Raises
 * ValidationException if the table would have too many.
 */
extern void dyn_tags_put(const DynTable *table, const DynTag *tags, int count);

/* Remove tags; those that are not there are no error. */
extern void dyn_tags_delete(const DynTable *table, const char *const *keys, int count);

/* Up to limit tags (DynTag *) in byte order of their keys, after one or NULL. */
extern List *dyn_tags_list(const DynTable *table, const char *after, int limit);

#endif							/* DYN_TAG_H */
