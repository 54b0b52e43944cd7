/*-------------------------------------------------------------------------
 *
 * batch.h
 *		What BatchGetItem and BatchWriteItem share: tables and equal keys.
 *
 * src/operation/batch.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_BATCH_H
#define DYN_BATCH_H

#include "operation/request.h"

/* A table as RequestItems names it. */
typedef struct DynBatchTable
{
	const char *name;
	uint32		name_len;
	const DynTable *table;
	DynAuthorization authorization;	/* of all keys together */
} DynBatchTable;

/* RequestItems' presence and the names of its tables; items may be NULL. */
extern void dyn_batch_check_tables(DynViolations *v, const DynJson *items);

/* Refuse an empty RequestItems. */
extern void dyn_batch_check_empty(const DynJson *items, const char *operation);

/*
 * Raises AccessDeniedException, ResourceNotFoundException.  request: the whole
 * one.
 */
extern void dyn_batch_open_table(DynOperationContext *context, const DynJson *request,
								 DynBatchTable *table);

/* An order of items in which equal ones are neighbours. */
extern int	dyn_batch_compare_items(const DynItem *a, const DynItem *b);

/* An order of keys of one table: hash, partition, sort. */
extern int	dyn_batch_compare_keys(const DynKey *a, const DynKey *b);

#endif							/* DYN_BATCH_H */
