/*-------------------------------------------------------------------------
 *
 * table.h
 *		Table descriptors: what the catalog says of one DynamoDB table.
 *
 * A descriptor is cached per backend and dropped by invalidation: every change
 * of dynamo.tables invalidates that relation's relcache entry in all backends
 * (a trigger does it), every change of the heap relation or its index
 * invalidates the descriptor that names it.  A descriptor handed out is valid
 * until the end of the transaction at least; never keep it longer.
 *
 * src/table/table.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TABLE_H
#define DYN_TABLE_H

#include "base/json.h"
#include "item/key.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/lock.h"
#include "utils/uuid.h"

/* Attribute numbers of a table's heap relation; never renumber. */
#define DYN_ATTNUM_HASH			1	/* int8 not null */
#define DYN_ATTNUM_PARTITION	2	/* bytea not null */
#define DYN_ATTNUM_SORT			3	/* bytea; NULL without a sort key */
#define DYN_ATTNUM_ITEM			4	/* dynamo.item not null */

/*
 * The trigger that keeps the key columns right for plain SQL.  BEFORE triggers
 * fire in the order of their names, and it has to see what others make of the
 * item.
 */
#define DYN_KEY_TRIGGER			"zz_dynamo_key_columns"

typedef enum DynBillingMode
{
	DYN_BILLING_PROVISIONED,
	DYN_BILLING_PAY_PER_REQUEST
} DynBillingMode;

typedef struct DynTable
{
	const char *name;
	Oid			relation;		/* the heap, in schema dynamo_data */
	Oid			key_index;		/* dynamo_key index on (hash, partition
								 * dynamo.partition_ops, sort): long keys fit.
								 * InvalidOid: somebody dropped it */
	DynKeySchema schema;
	pg_uuid_t	table_id;
	TimestampTz created;
	DynBillingMode billing_mode;
	int64		read_units;		/* provisioned; 0 on demand */
	int64		write_units;
	TimestampTz on_demand_since;	/* 0: never switched to or made on demand */
	TimestampTz last_increase;	/* of throughput; 0: never */
	TimestampTz last_decrease;
	int			decreases_today;
	bool		deletion_protection;

	/*
	 * The members of CreateTable that later issues give a meaning live in one
	 * JSON document, so the catalog need not change for each.
	 */
	const char *options;
} DynTable;

/*
 * The descriptor of a table, by name or ARN ("arn:aws:dynamodb:...:table/x";
 * region and account must be ours).  NULL if there is no such table.
 */
extern const DynTable *dyn_table_find(const char *name, uint32 len);

/* The descriptor of the table a heap relation belongs to, or NULL. */
extern const DynTable *dyn_table_find_relation(Oid relation);

/*
 * The descriptor as it is now, or NULL: table itself unless it was invalidated.
 * For who has locked table->relation since it was found.
 */
extern const DynTable *dyn_table_refresh(const DynTable *table);

/* All table names in byte order after start (exclusive, may be NULL). */
extern List *dyn_table_names(const char *start, int limit);

typedef struct DynTableDefinition
{
	const char *name;
	DynKeySchema schema;
	DynBillingMode billing_mode;
	int64		read_units;
	int64		write_units;
	bool		deletion_protection;
	const char *options;		/* JSON */
} DynTableDefinition;

/*
 * Create the heap relation, its key index and trigger, and the catalog row.
 * Raises ResourceInUseException if the name is taken, also by a concurrent
 * creator.
 */
extern const DynTable *dyn_table_create(const DynTableDefinition *definition);

/*
 * Change the catalog row; changes of one table wait for each other.  Raises
 * ResourceNotFoundException if the table has gone.
 */
extern void dyn_table_alter_throughput(const DynTable *table, DynBillingMode mode,
									   int64 read_units, int64 write_units);
extern void dyn_table_alter_protection(const DynTable *table, bool protect);
extern void dyn_table_alter_options(const DynTable *table, const char *options);

/*
 * Drop the relation and with it the row.  Unless may_wait, raises
 * ERRCODE_LOCK_NOT_AVAILABLE while somebody uses the relation.
 */
extern void dyn_table_drop(const DynTable *table, bool may_wait);

/* Approximate counts from the statistics; never scans. */
extern void dyn_table_estimate(const DynTable *table, int64 *items, int64 *bytes);

/* "arn:aws:dynamodb:<region>:<account>:table/<name>" in CurrentMemoryContext. */
extern char *dyn_table_arn(const char *table_name);

#endif							/* DYN_TABLE_H */
