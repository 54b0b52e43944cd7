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
#include "item/index_key.h"

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "storage/lock.h"
#include "utils/uuid.h"

#include "policy/decision.h"

/* Attribute numbers of a table's heap relation; never renumber. */
#define DYN_ATTNUM_HASH			1	/* int8 not null */
#define DYN_ATTNUM_PARTITION	2	/* bytea not null */
#define DYN_ATTNUM_SORT			3	/* bytea; NULL without a sort key */
#define DYN_ATTNUM_ITEM			4	/* dynamo.item not null */

/*
 * Behind them, bytea columns for the entries in secondary indexes, NULL where
 * an item has none: index_key_1 ... index_key_26.  They are made with the table
 * and reused, because adding a column would wait for, and stall, everybody who
 * uses the table: 20 global indexes, 5 local ones, and time to live.
 */
#define DYN_INDEX_SLOTS			26
#define DYN_ATTNUM_SLOT(slot)	(DYN_ATTNUM_ITEM + (slot))	/* slot: 1 .. 26 */
#define DYN_ATTNUM_LAST			DYN_ATTNUM_SLOT(DYN_INDEX_SLOTS)

/*
 * The trigger that keeps the key columns right for plain SQL.  BEFORE triggers
 * fire in the order of their names, and it has to see what others make of the
 * item.
 */
#define DYN_KEY_TRIGGER			"zz_dynamo_key_columns"

/* Those that log changes by plain SQL. */
#define DYN_LOG_TRIGGER			"zz_dynamo_log_change"
#define DYN_TRUNCATE_TRIGGER	"zz_dynamo_log_truncate"

typedef enum DynBillingMode
{
	DYN_BILLING_PROVISIONED,
	DYN_BILLING_PAY_PER_REQUEST
} DynBillingMode;

/* Read and write units of one kind; 0: not set. */
typedef struct DynUnits
{
	int64		read;
	int64		write;
} DynUnits;

typedef enum DynTableClass
{
	DYN_TABLE_CLASS_STANDARD,
	DYN_TABLE_CLASS_INFREQUENT_ACCESS
} DynTableClass;

typedef enum DynIndexKind
{
	DYN_INDEX_LOCAL,
	DYN_INDEX_GLOBAL,
	DYN_INDEX_TIME_TO_LIVE		/* of our own: entries are the bare numbers of
								 * the attribute; no operation reads it */
} DynIndexKind;

typedef enum DynIndexStatus
{
	DYN_INDEX_CREATING,
	DYN_INDEX_ACTIVE,
	DYN_INDEX_DELETING
} DynIndexStatus;

typedef enum DynProjectionType
{
	DYN_PROJECT_ALL,
	DYN_PROJECT_KEYS_ONLY,
	DYN_PROJECT_INCLUDE
} DynProjectionType;

/* What CreateTable or UpdateTable says of an index. */
typedef struct DynIndexDefinition
{
	const char *name;
	DynIndexKind kind;
	DynIndexSchema schema;		/* TIME_TO_LIVE: one sort attribute of type N,
								 * no partition */
	DynProjectionType projection;
	int			nincluded;		/* NonKeyAttributes */
	DynAttributeName *included;
	int64		read_units;		/* provisioned; 0 on demand */
	int64		write_units;
	DynUnits	max_units;		/* ceilings on demand */
	DynUnits	warm_units;		/* asked for */
} DynIndexDefinition;

typedef struct DynIndex
{
	DynIndexDefinition definition;
	int			slot;
	DynIndexStatus status;
	bool		backfilling;
	TimestampTz created;
	TimestampTz last_increase;	/* of throughput; 0: never */
	TimestampTz last_decrease;
	int			decreases_today;

	/*
	 * PostgreSQL's index on the slot.  InvalidOid while there is none.  Entries
	 * are inserted if it is ready, and may be looked for if it is valid.
	 */
	Oid			relation;
	bool		ready;
	bool		valid;

	/*
	 * The attributes an entry has: its own keys', the table's, and those
	 * included, each once, in byte order of their names.  NULL: all.
	 */
	int			nprojected;
	DynAttributeName *projected;
} DynIndex;

/* What a stream shows of a change. */
typedef enum DynStreamView
{
	DYN_STREAM_KEYS_ONLY,
	DYN_STREAM_NEW_IMAGE,
	DYN_STREAM_OLD_IMAGE,
	DYN_STREAM_NEW_AND_OLD_IMAGES
} DynStreamView;

typedef struct DynStream
{
	int32		id;				/* 0: the table never had one */
	bool		enabled;		/* changes are logged */
	DynStreamView view;
	int			nshards;
	const char *label;
} DynStream;

/* What becomes of the table's items on disk: see encryption/. */
typedef enum DynSealing
{
	DYN_SEALING_OFF,
	DYN_SEALING_ENABLING,		/* new ones are sealed, old ones being so */
	DYN_SEALING_ENABLED,		/* all are, and one that isn't is no item */
	DYN_SEALING_DISABLING		/* old ones are being opened */
} DynSealing;

/* The resource policy of the table or of one of its streams. */
typedef struct DynResourcePolicy
{
	const char *stream_label;	/* "": the table's */
	const char *document;
	const char *revision_id;
	DynNamedPolicy policy;
} DynResourcePolicy;

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
	DynTableClass table_class;
	TimestampTz class_changed;	/* 0: never */
	TimestampTz class_changed_before;
	DynUnits	max_units;		/* ceilings on demand */
	DynUnits	warm_units;		/* asked for */
	TimestampTz time_to_live_changed;
	DynStream	stream;			/* the latest */
	DynSealing	sealing;
	int64		data_key;		/* that is sealed with; 0: nothing is */
	const char *master_key;		/* asked for; NULL: the first there is */

	/* Of every status and kind, in byte order of their names. */
	int			nindexes;
	DynIndex   *indexes;

	int			npolicies;
	DynResourcePolicy *policies;
} DynTable;

/*
 * True if writes keep the index's slot: what is being deleted gets no more
 * entries.
 */
static inline bool
dyn_index_is_kept(const DynIndex *index)
{
	return index->status != DYN_INDEX_DELETING;
}

/* A local or global index by name, or NULL. */
extern const DynIndex *dyn_table_index(const DynTable *table, const char *name,
									   uint32 len);

/*
 * The same for a read.  Raises ValidationException if there is none, or one
 * that is not complete yet.
 */
extern const DynIndex *dyn_table_readable_index(const DynTable *table,
												const char *name, uint32 len);

/*
 * The index that time to live goes by, or NULL.  One that is being deleted
 * counts no more: there may be its successor already.
 */
extern const DynIndex *dyn_table_time_to_live(const DynTable *table);

/* True if the index's entries have the attribute. */
extern bool dyn_index_projects(const DynIndex *index, const char *name, uint32 len);

/*
 * The entry of an item in an index: the bytes of its slot, appended to out.
 * False if it has none.
 */
extern bool dyn_index_entry(StringInfo out, const DynIndex *index,
							const DynItem *item, const DynKey *key);

/* The same as the column's datum, palloc'd; *isnull without an entry. */
extern Datum dyn_index_datum(const DynIndex *index, const DynItem *item,
							 const DynKey *key, bool *isnull);

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

/*
 * A number that changes when a descriptor or a relation, with its privileges,
 * may have changed.
 */
extern uint64 dyn_table_invalidations(void);

/*
 * All table names in byte order after start (exclusive, may be NULL); or only of
 * tables on whose relation the current user has any privilege.
 */
extern List *dyn_table_names(const char *start, int limit, bool visible_only);

/*
 * Has the current user any privilege on a table's relation?  False if there is
 * no such relation.
 */
extern bool dyn_relation_is_visible(Oid relation);

typedef struct DynTableDefinition
{
	const char *name;
	DynKeySchema schema;
	DynBillingMode billing_mode;
	int64		read_units;
	int64		write_units;
	bool		deletion_protection;
	DynTableClass table_class;
	DynUnits	max_units;
	DynUnits	warm_units;
	int			nindexes;
	DynIndexDefinition *indexes;
} DynTableDefinition;

/*
 * Create the heap relation, its key index, its secondary indexes (ACTIVE at
 * once) and trigger, and the catalog rows.
 * Raises ResourceInUseException if the name is taken, also by a concurrent
 * creator.
 */
extern const DynTable *dyn_table_create(const DynTableDefinition *definition);

/*
 * Have everybody else who would change the table, its indexes or its tags wait
 * until this transaction ends.  Returns the descriptor as it is then, for what
 * has to be checked before a change.  Raises ResourceNotFoundException if the
 * table has gone.
 */
extern const DynTable *dyn_table_lock_row(const DynTable *table);

/*
 * Change the catalog row; changes of one table wait for each other.  Raises
 * ResourceNotFoundException if the table has gone.
 */
extern void dyn_table_alter_throughput(const DynTable *table, DynBillingMode mode,
									   int64 read_units, int64 write_units);
extern void dyn_table_alter_protection(const DynTable *table, bool protect);

/*
 * Another class is other storage parameters: what is written from now on is
 * stored by them.  Unless may_wait, raises ERRCODE_LOCK_NOT_AVAILABLE while
 * the relation is being vacuumed or indexed.  The caller has checked how often
 * it may change.
 */
extern void dyn_table_alter_class(const DynTable *table, DynTableClass table_class,
								  bool may_wait);

/*
 * Let items expire by an attribute, or no longer: add the index that time to
 * live goes by, or delete it, and note when.  The caller has checked that the
 * table has none, or has one.
 */
extern void dyn_table_enable_time_to_live(const DynTable *table,
										  const char *attribute, uint32 len);
extern void dyn_table_disable_time_to_live(const DynTable *table);

/* Ceilings and warm throughput of the table, or of one of its indexes. */
extern void dyn_table_alter_units(const DynTable *table, const DynIndex *index,
								  DynUnits max_units, DynUnits warm_units);

/*
 * Say that the table is to have an index (CREATING), or to have it no longer
 * (DELETING).  From the commit on, writes keep its slot, or no longer do; the
 * rest is done by a background job: see worker/.  The caller has checked the
 * definition, that the name is free, and the limits on numbers of indexes.
 */
extern void dyn_table_add_index(const DynTable *table,
								const DynIndexDefinition *definition);
extern void dyn_table_delete_index(const DynTable *table, const DynIndex *index);
extern void dyn_table_alter_index_throughput(const DynTable *table,
											 const DynIndex *index,
											 int64 read_units, int64 write_units);

/*
 * The steps of an index's life that the background job takes.  Each returns
 * false, and does nothing, if the index is not in the state before the step:
 * it is to be deleted now, or has gone with its table.
 */
extern bool dyn_index_begin_backfill(const DynTable *table, const DynIndex *index);
extern bool dyn_index_activate(const DynTable *table, const DynIndex *index);
extern bool dyn_index_forget(const DynTable *table, const DynIndex *index);

/* For people to see; skipped while somebody has the row locked. */
extern void dyn_index_report_progress(const DynTable *table, const DynIndex *index,
									  int64 blocks_done, int64 blocks_total);

/*
 * The statement that makes PostgreSQL's index on a slot; concurrently: without
 * stopping writes, outside of a transaction block.
 */
extern char *dyn_index_create_statement(const DynTable *table, int slot,
										bool concurrently);

/*
 * Drop the relation and with it the row.  A background job on the relation is
 * told to let go of it.  Unless may_wait, raises ERRCODE_LOCK_NOT_AVAILABLE
 * while somebody uses the relation.
 */
extern void dyn_table_drop(const DynTable *table, bool may_wait);

/*
 * Seal the table's items, or no longer, from now on; those it has are seen to by
 * a background job, unless it is_new.  master_key NULL: the first one there is.
 * Raises ValidationException if there is no such master key.
 */
extern void dyn_table_seal(const DynTable *table, const char *master_key, bool is_new);
extern void dyn_table_unseal(const DynTable *table);

/* Wrap the data keys of a sealed table by another master key. */
extern void dyn_table_rewrap(const DynTable *table, const char *master_key);

/* Seal with a new data key from now on. */
extern void dyn_table_renew_data_key(const DynTable *table);

/* The job is done; false if there is none, or the table has gone. */
extern bool dyn_table_finish_sealing(const DynTable *table);

/*
 * The datum to store of an item: the item itself, or sealed.  stored is what the
 * row has of it now: that stays if it is as it should be; 0: nothing.
 */
extern Datum dyn_table_item_datum(const DynTable *table, const DynItem *item,
								  Datum stored);

/* Is the item in a row sealed, or not sealed, as it should be? */
extern bool dyn_table_item_is_right(const DynTable *table, Datum stored);

/*
 * Is the master key of what the table seals with to be had?  The other raises
 * ValidationException, as the service does, if it is not.
 */
extern bool dyn_table_is_accessible(const DynTable *table);
extern void dyn_table_check_accessible(const DynTable *table);

/* May the current user SELECT the items of the table of this id? */
extern bool dyn_table_may_read(const pg_uuid_t *table_id);

/* Approximate counts from the statistics; never scans. */
extern void dyn_table_estimate(const DynTable *table, int64 *items, int64 *bytes);
extern void dyn_index_estimate(const DynTable *table, const DynIndex *index,
							   int64 *items, int64 *bytes);

/*
 * About how many bytes the items under one partition key have, their entries in
 * local indexes included.  Exact enough to tell whether they are more than
 * at_least; below that it may say any smaller number.  From sizes of files and
 * the last ANALYZE; reads no items.
 */
extern int64 dyn_table_estimate_collection(const DynTable *table, const DynKey *key,
										   int64 at_least);

/* "arn:aws:dynamodb:<region>:<account>:table/<name>" in CurrentMemoryContext. */
extern char *dyn_table_arn(const char *table_name);

/* "<the table's>/index/<name>". */
extern char *dyn_index_arn(const DynTable *table, const DynIndex *index);

/* "<the table's>/stream/<label>". */
extern char *dyn_stream_arn(const char *table_name, const char *label);

/* KEYS_ONLY and so on, in the order of DynStreamView. */
extern const char *const dyn_stream_view_names[];

#endif							/* DYN_TABLE_H */
