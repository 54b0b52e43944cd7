/*-------------------------------------------------------------------------
 *
 * batch_write_item.c
 *		BatchWriteItem: up to 25 puts and deletes of any tables.
 *
 * The whole request is validated before anything is written.  After that the
 * writes are independent: no order and no atomicity is promised, which is
 * used when an item is held by a running transaction: what could be written
 * is written, and the request is run again for the rest.
 *
 * src/operation/batch_write_item.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/batch.h"
#include "operation/index_write.h"
#include "operation/slice.h"
#include "store/store.h"

typedef struct Write
{
	const DynTable *table;
	int			block;			/* which table of the request */
	DynItem    *argument;		/* the item of a put, the key of a delete */
	bool		put;
	DynKey		key;
	bool		done;
} Write;

typedef struct Batch
{
	int			nblocks;
	DynBatchTable *blocks;
	DynCapacity *capacities;	/* one for each block; of what is done */
	bool		want_capacity;
	pg_uuid_t  *table_ids;		/* of the tables the keys were checked against */
	int			nwrites;
	Write	   *writes;			/* in the order of tables and keys */
	bool		checked;		/* all are read, their keys are good and sorted */
} Batch;

static void
check_members(DynViolations *v, const DynJson *items)
{
	const DynJson *block;

	for (block = dyn_json_first(items); block; block = dyn_json_next(block))
	{
		uint32		count = dyn_json_kind(block) == DYN_JSON_ARRAY ?
			dyn_json_count(block) : 0;

		if (count < 1 || count > DYN_MAX_BATCH_WRITE_REQUESTS)
		{
			dyn_violations_add(v, items,
							   "Map value must satisfy constraint: "
							   "[Member must have length less than or equal to 25, "
							   "Member must have length greater than or equal to 1]",
							   "requestItems");
			return;
		}
	}
}

/* Each element is one of the two requests, which has its one member. */
static void
read_write(Batch *batch, int block, const DynJson *element)
{
	const DynJson *put = dyn_request_member(element, "PutRequest");
	const DynJson *delete = dyn_request_member(element, "DeleteRequest");
	const DynJson *argument;
	Write	   *write = &batch->writes[batch->nwrites];

	/* The service's words for this are those of another rule. */
	if ((put == NULL) == (delete == NULL))
		dyn_raise(VALIDATION,
				  "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes");
	argument = put != NULL ? dyn_request_member(put, "Item") :
		dyn_request_member(delete, "Key");
	write->block = block;
	write->put = put != NULL;
	write->argument = dyn_item_from_json(argument);
	if (write->put && dyn_item_size(write->argument) > DYN_MAX_ITEM_SIZE)
		dyn_raise(VALIDATION, "Item size has exceeded the maximum allowed size");
	batch->nwrites++;
}

/* Item and Key are required; told with their place in the request. */
static void
check_arguments(DynViolations *v, const DynJson *items)
{
	const DynJson *block;
	const DynJson *element;

	for (block = dyn_json_first(items); block; block = dyn_json_next(block))
	{
		uint32		len;
		const char *name = dyn_json_name(block, &len);
		int			n = 0;

		for (element = dyn_json_first(block); element; element = dyn_json_next(element))
		{
			const DynJson *put = dyn_request_member(element, "PutRequest");
			const DynJson *delete = dyn_request_member(element, "DeleteRequest");

			n++;
			if (put != NULL)
				dyn_member_require(v, dyn_request_member(put, "Item"),
								   "requestItems.%s.member.%d.member.putRequest.item",
								   name, n);
			if (delete != NULL)
				dyn_member_require(v, dyn_request_member(delete, "Key"),
								   "requestItems.%s.member.%d.member.deleteRequest.key",
								   name, n);
		}
	}
}

static int
compare_writes(const void *a, const void *b)
{
	const Write *x = a;
	const Write *y = b;

	if (x->table->relation != y->table->relation)
		return x->table->relation < y->table->relation ? -1 : 1;
	return dyn_batch_compare_keys(&x->key, &y->key);
}

/* A put's key complaints are those of any key argument in a batch. */
static void
set_key(Write *write)
{
	const DynKeySchema *schema = &write->table->schema;
	const DynKeyAttribute *attributes[] = {&schema->partition, &schema->sort};

	if (!write->put)
	{
		dyn_key_from_argument(schema, write->argument, &write->key);
		return;
	}
	for (int i = 0; i < lengthof(attributes); i++)
	{
		DynValue	value;

		if (attributes[i]->name != NULL &&
			(!dyn_item_find(write->argument, attributes[i]->name,
							attributes[i]->name_len, &value) ||
			 value.type != attributes[i]->type))
			dyn_raise(VALIDATION,
					  "The provided key element does not match the schema");
	}
	dyn_key_from_item(schema, write->argument, &write->key);
	dyn_index_write_check_put(write->table, write->argument);
}

static Batch *
new_batch(const DynJson *items)
{
	Batch	   *batch = palloc0(sizeof(Batch));

	batch->nblocks = dyn_json_count(items);
	batch->blocks = palloc0(sizeof(DynBatchTable) * batch->nblocks);
	batch->capacities = palloc0(sizeof(DynCapacity) * batch->nblocks);
	batch->writes = palloc0(sizeof(Write) * DYN_MAX_BATCH_WRITE_REQUESTS);
	return batch;
}

/*
 * The request's writes, as far as they can be checked without their tables.
 * False if the slice of time is over before all are read.
 */
static bool
read_batch(Batch *batch, const DynJson *items, DynSlice *slice)
{
	const DynJson *block;
	const DynJson *element;
	int			begin = batch->nwrites;
	int			n = 0;
	int			i = 0;

	for (block = dyn_json_first(items); block; block = dyn_json_next(block))
	{
		batch->blocks[i].name = dyn_json_name(block, &batch->blocks[i].name_len);
		batch->capacities[i].table_name = batch->blocks[i].name;
		batch->capacities[i].table_name_len = batch->blocks[i].name_len;
		for (element = dyn_json_first(block); element; element = dyn_json_next(element))
		{
			if (n++ < begin)
				continue;
			if (batch->nwrites == DYN_MAX_BATCH_WRITE_REQUESTS)
				dyn_raise(VALIDATION,
						  "Too many items requested for the BatchWriteItem call");
			read_write(batch, i, element);
			if (dyn_slice_is_over(slice,
								  VARSIZE_ANY(batch->writes[batch->nwrites - 1].argument)))
				return false;
		}
		i++;
	}
	return true;
}

/* What earlier runs have done stays as it is, should this one be rolled back. */
static Batch *
copy_batch(const Batch *progress)
{
	Batch	   *batch = palloc(sizeof(Batch));

	*batch = *progress;
	batch->writes = palloc0(sizeof(Write) * DYN_MAX_BATCH_WRITE_REQUESTS);
	memcpy(batch->writes, progress->writes, sizeof(Write) * batch->nwrites);
	batch->capacities = palloc0(sizeof(DynCapacity) * batch->nblocks);
	for (int i = 0; i < batch->nblocks; i++)
	{
		batch->capacities[i].table_name = progress->capacities[i].table_name;
		batch->capacities[i].table_name_len = progress->capacities[i].table_name_len;
		dyn_capacity_add(&batch->capacities[i], &progress->capacities[i]);
	}
	return batch;
}

/*
 * False if a table is not the one its keys were checked against: dropped and
 * created again while the request was waiting.
 */
static bool
open_tables(DynOperationContext *context, const DynJson *request, Batch *batch)
{
	bool		first_run = batch->table_ids == NULL;
	bool		same = true;

	if (first_run)
		batch->table_ids = palloc(sizeof(pg_uuid_t) * batch->nblocks);
	for (int i = 0; i < batch->nblocks; i++)
	{
		const pg_uuid_t *id;

		memset(&batch->blocks[i].authorization, 0, sizeof(DynAuthorization));
		batch->blocks[i].authorization.permission = DYN_MAY_BatchWriteItem;
		dyn_batch_open_table(context, request, &batch->blocks[i]);
		id = &batch->blocks[i].table->table_id;
		if (first_run)
			batch->table_ids[i] = *id;
		else if (memcmp(&batch->table_ids[i], id, sizeof(*id)) != 0)
			same = false;
	}
	for (int i = 0; i < batch->nwrites; i++)
		batch->writes[i].table = batch->blocks[batch->writes[i].block].table;
	return same;
}

/*
 * Check the keys and sort by them: duplicates become neighbours, and callers
 * that wait for each other's rows do so in one order, without deadlocks.
 */
static void
sort_writes(Batch *batch)
{
	for (int i = 0; i < batch->nwrites; i++)
		set_key(&batch->writes[i]);
	qsort(batch->writes, batch->nwrites, sizeof(Write), compare_writes);
	for (int i = 1; i < batch->nwrites; i++)
		if (compare_writes(&batch->writes[i - 1], &batch->writes[i]) == 0)
			dyn_raise(VALIDATION, "Provided list of item keys contains duplicates");
}

/* Each time it is run: what was allowed may not be any more. */
static void
authorize(DynOperationContext *context, Batch *batch)
{
	for (int i = 0; i < batch->nwrites; i++)
	{
		Write	   *write = &batch->writes[i];
		DynAuthorization *a = &batch->blocks[write->block].authorization;

		if (!dyn_authorization_depends(a))
			continue;
		dyn_authorization_key(a, 0, &write->key.partition);
		dyn_authorization_item(a, write->argument);
	}
	for (int i = 0; i < batch->nblocks; i++)
	{
		dyn_authorization_decide(&batch->blocks[i].authorization);
		dyn_authorization_check(&batch->blocks[i].authorization);
	}
	dyn_authorization_end(context);
}

/* Write one item.  BUSY: somebody else's transaction holds it. */
static DynOutcome
run_write(DynOperationContext *context, Batch *batch, Write *write)
{
	DynStoreWrite store = {0};
	const DynItem *new_item = write->put ? write->argument : NULL;
	DynStoreResult result;

	Assert(batch->blocks[write->block].authorization.effect == DYN_EFFECT_ALLOW);
	do
	{
		CHECK_FOR_INTERRUPTS();
		result = dyn_store_begin(write->table, &write->key, context->may_wait, &store);
		if (result == DYN_STORE_OK)
		{
			dyn_collection_check(write->table, &write->key, store.old, new_item);
			result = dyn_store_finish(&store, new_item);
		}
	} while (result == DYN_STORE_CHANGED);
	if (result == DYN_STORE_BUSY)
		return DYN_OUTCOME_BUSY;

	write->done = true;
	if (batch->want_capacity)
		dyn_write_charge(&batch->capacities[write->block], write->table, &write->key,
						 store.old, new_item, 1);
	return DYN_OUTCOME_DONE;
}

/* The writes of one table that were not done, as they were asked for. */
static void
write_unprocessed(DynJsonWriter *w, const Batch *batch, int block)
{
	bool		begun = false;

	for (int i = 0; i < batch->nwrites; i++)
	{
		const Write *write = &batch->writes[i];

		if (write->done || write->block != block)
			continue;
		if (!begun)
		{
			dyn_json_write_key_bytes(w, batch->blocks[block].name,
									 batch->blocks[block].name_len);
			dyn_json_begin_array(w);
			begun = true;
		}
		dyn_json_begin_object(w);
		dyn_json_write_key(w, write->put ? "PutRequest" : "DeleteRequest");
		dyn_json_begin_object(w);
		dyn_json_write_key(w, write->put ? "Item" : "Key");
		dyn_json_write_item(w, write->argument);
		dyn_json_end_object(w);
		dyn_json_end_object(w);
	}
	if (begun)
		dyn_json_end_array(w);
}

static void
write_collections(DynJsonWriter *w, const Batch *batch)
{
	DynCollectionWrite writes[DYN_MAX_BATCH_WRITE_REQUESTS];
	int			count = 0;

	for (int i = 0; i < batch->nwrites; i++)
	{
		const Write *write = &batch->writes[i];
		const DynBatchTable *block = &batch->blocks[write->block];

		if (write->done)
			writes[count++] = (DynCollectionWrite)
			{
				block->name, block->name_len, write->table, &write->key
			};
	}
	dyn_collection_write_all(w, writes, count);
}

static void
write_reply(const Batch *batch, DynReturnCapacity return_capacity,
			bool return_collections, StringInfo reply)
{
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "UnprocessedItems");
	dyn_json_begin_object(&w);
	for (int i = 0; i < batch->nblocks; i++)
		write_unprocessed(&w, batch, i);
	dyn_json_end_object(&w);
	if (return_collections)
		write_collections(&w, batch);
	dyn_capacity_write_array(&w, return_capacity, batch->capacities, batch->nblocks);
	dyn_json_end_object(&w);
}

/*
 * Run BatchWriteItem.  Raises ValidationException, or
 * ResourceNotFoundException if any of the tables is missing.
 */
DynOutcome
dyn_batch_write_item(DynOperationContext *context, const DynJson *request,
					 StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *items = dyn_request_member(request, "RequestItems");
	DynReturnCapacity return_capacity;
	bool		return_collections;
	Batch	   *batch = context->progress == NULL ? NULL : copy_batch(context->progress);
	DynSlice	slice;
	bool		busy = false;

	dyn_slice_begin(&slice, context);
	return_capacity = dyn_request_return_capacity(&v, request);
	return_collections = dyn_request_item_collection_metrics(&v, request);
	if (batch != NULL && batch->checked && !open_tables(context, request, batch))
		batch = NULL;
	if (batch == NULL)
	{
		dyn_batch_check_tables(&v, items);
		if (items != NULL)
		{
			check_members(&v, items);
			check_arguments(&v, items);
		}
		dyn_violations_raise(&v);
		dyn_batch_check_empty(items, "BatchWriteItem");

		batch = new_batch(items);
		batch->want_capacity = return_capacity != DYN_RETURN_CAPACITY_NONE;
	}
	if (!batch->checked)
	{
		if (!read_batch(batch, items, &slice))
		{
			context->new_progress = batch;
			return DYN_OUTCOME_UNFINISHED;
		}
		open_tables(context, request, batch);
		sort_writes(batch);
		batch->checked = true;
	}
	authorize(context, batch);

	for (int i = 0; i < batch->nwrites; i++)
	{
		Write	   *write = &batch->writes[i];

		if (write->done)
			continue;
		if (run_write(context, batch, write) == DYN_OUTCOME_BUSY)
			busy = true;
		else if (i + 1 < batch->nwrites &&
				 dyn_slice_is_over(&slice, VARSIZE_ANY(write->argument)))
		{
			context->new_progress = batch;
			return DYN_OUTCOME_UNFINISHED;
		}
	}
	if (busy && !context->last_try)
	{
		context->new_progress = batch;
		return DYN_OUTCOME_BUSY;
	}
	write_reply(batch, return_capacity, return_collections, reply);
	return DYN_OUTCOME_DONE;
}
