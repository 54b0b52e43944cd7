/*-------------------------------------------------------------------------
 *
 * batch_get_item.c
 *		BatchGetItem: up to 100 items of any tables, in no order.
 *
 * src/operation/batch_get_item.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/limits.h"
#include "expression/legacy.h"
#include "item/item_json.h"
#include "operation/batch.h"
#include "operation/capacity.h"
#include "operation/slice.h"
#include "store/store.h"

static const char *const expression_members[] = {"ProjectionExpression", NULL};
static const char *const legacy_members[] = {"AttributesToGet", NULL};

typedef struct Get
{
	const DynJson *json;		/* the key as the request spells it */
	DynItem    *argument;
	DynKey		key;
	bool		repeated;		/* the same key as an earlier one */
	bool		done;
} Get;

/* The keys of one table. */
typedef struct Block
{
	DynBatchTable table;
	bool		consistent;
	const DynProjection *projection;
	int			ngets;
	Get		   *gets;			/* in the order of the keys' bytes */
	int			left;			/* gets not done */
	double		units;
	bool		begun;			/* its array is in the reply */
} Block;

/* What has been done when a slice of time is over; the keys' order is the same
 * the next time. */
typedef struct Unfinished
{
	uint64		bytes;
	DynPartialReply reply;
	struct
	{
		int			done;		/* gets */
		double		units;
		bool		begun;
	}			blocks[FLEXIBLE_ARRAY_MEMBER];
} Unfinished;

static void
check_members(DynViolations *v, const DynJson *items)
{
	const DynJson *block;

	for (block = dyn_json_first(items); block; block = dyn_json_next(block))
	{
		uint32		len;
		const char *name = dyn_json_name(block, &len);
		const DynJson *keys = dyn_request_member(block, "Keys");

		if (!dyn_member_require(v, keys, "requestItems.%s.member.keys", name))
			continue;
		dyn_member_length(v, keys, 1, DYN_UNBOUNDED,
						  "requestItems.%s.member.keys", name);
		dyn_member_length(v, dyn_request_member(block, "AttributesToGet"),
						  1, DYN_UNBOUNDED,
						  "requestItems.%s.member.attributesToGet", name);
	}
}

static void
check_count(const DynJson *items)
{
	const DynJson *block;
	uint64		total = 0;

	for (block = dyn_json_first(items); block; block = dyn_json_next(block))
	{
		uint32		len;
		uint32		count = dyn_json_count(dyn_request_member(block, "Keys"));

		/* This text came with neither the value nor camel case. */
		if (count > DYN_MAX_BATCH_GET_KEYS)
			dyn_raise(VALIDATION,
					  "1 validation error detected: Value at 'RequestItems.%s.member.Keys' "
					  "failed to satisfy constraint: Member must have length less than or equal to %d",
					  dyn_json_name(block, &len), DYN_MAX_BATCH_GET_KEYS);
		total += count;
	}
	if (total > DYN_MAX_BATCH_GET_KEYS)
		dyn_raise(VALIDATION, "Too many items requested for the BatchGetItem call");
}

/* The two forms may not meet in one call, not even on different tables. */
static void
check_mix(const DynJson *items)
{
	const DynJson *block;
	bool		legacy = false;
	bool		expression = false;

	for (block = dyn_json_first(items); block; block = dyn_json_next(block))
	{
		dyn_request_check_mix(block, legacy_members, expression_members, false);
		legacy |= dyn_request_member(block, "AttributesToGet") != NULL;
		expression |= dyn_request_member(block, "ProjectionExpression") != NULL;
	}
	if (legacy && expression)
		dyn_raise(VALIDATION,
				  "Can not use both expression and non-expression parameters in the same request: "
				  "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}");
}

static int
compare_gets(const void *a, const void *b)
{
	return dyn_batch_compare_items(((const Get *) a)->argument,
								   ((const Get *) b)->argument);
}

/* True if two equal keys are spelled alike, "1" and "1.0" are not. */
static bool
same_spelling(const DynJson *a, const DynJson *b)
{
	const DynJson *attribute;

	for (attribute = dyn_json_first(a); attribute; attribute = dyn_json_next(attribute))
	{
		uint32		len;
		const DynJson *x = dyn_json_first(attribute);
		const DynJson *y = dyn_json_member(b, dyn_json_name(attribute, &len));
		uint32		x_len,
					y_len;
		const char *x_text,
				   *y_text;

		y = y == NULL ? NULL : dyn_json_first(y);
		if (x == NULL || y == NULL ||
			dyn_json_kind(x) != DYN_JSON_STRING || dyn_json_kind(y) != DYN_JSON_STRING)
			continue;
		x_text = dyn_json_string(x, &x_len);
		y_text = dyn_json_string(y, &y_len);
		if (x_len != y_len || memcmp(x_text, y_text, x_len) != 0)
			return false;
	}
	return true;
}

/*
 * Sort the keys and find those that are the same.  Spelled alike they are
 * refused; spelled otherwise ("1", "1.0") the item is returned once.
 */
static void
find_duplicates(Block *block)
{
	qsort(block->gets, block->ngets, sizeof(Get), compare_gets);
	for (int i = 1; i < block->ngets; i++)
		for (int j = i - 1;
			 j >= 0 && compare_gets(&block->gets[i], &block->gets[j]) == 0; j--)
		{
			if (same_spelling(block->gets[i].json, block->gets[j].json))
				dyn_raise(VALIDATION, "Provided list of item keys contains duplicates");
			block->gets[i].repeated = true;
		}
}

static void
read_block(Block *block, const DynJson *json)
{
	const DynJson *keys = dyn_request_member(json, "Keys");
	const DynJson *attributes = dyn_request_member(json, "AttributesToGet");
	const DynJson *key;
	DynPlaceholders *placeholders;

	block->table.name = dyn_json_name(json, &block->table.name_len);
	block->consistent = dyn_request_bool(json, "ConsistentRead", false);
	block->gets = palloc0(sizeof(Get) * dyn_json_count(keys));
	for (key = dyn_json_first(keys); key; key = dyn_json_next(key))
	{
		Get		   *get = &block->gets[block->ngets++];

		get->json = key;
		get->argument = dyn_item_from_json(key);
	}
	find_duplicates(block);
	block->left = block->ngets;

	if (attributes != NULL)
		block->projection = dyn_legacy_attributes_to_get(attributes);
	placeholders = dyn_request_placeholders(json, false);
	if (block->projection == NULL)
		block->projection = dyn_request_projection(json, placeholders);
	dyn_placeholders_check_used(placeholders);
}

/*
 * Read the block's items into an array, until *bytes reaches what one answer
 * may hold.  The item that crosses the line is part of it.  False if the slice
 * of time is over before.
 */
static bool
write_responses(DynJsonWriter *w, Block *block, DynSlice *slice, uint64 *bytes)
{
	MemoryContext item_context = AllocSetContextCreate(CurrentMemoryContext,
													   "dynamo batch item",
													   ALLOCSET_DEFAULT_SIZES);
	bool		over = false;

	Assert(block->table.authorization.effect == DYN_EFFECT_ALLOW);
	if (!block->begun)
	{
		dyn_json_write_key_bytes(w, block->table.name, block->table.name_len);
		dyn_json_begin_array(w);
		block->begun = true;
	}
	for (int i = block->ngets - block->left;
		 i < block->ngets && *bytes < DYN_MAX_BATCH_GET_SIZE && !over; i++)
	{
		Get		   *get = &block->gets[i];
		MemoryContext caller = MemoryContextSwitchTo(item_context);
		DynItem    *item = NULL;
		uint32		size = 0;

		CHECK_FOR_INTERRUPTS();
		if (!get->repeated)
			item = dyn_store_get(block->table.table, &get->key);
		if (item != NULL)
		{
			size = dyn_item_size(item);
			if (block->projection != NULL)
				dyn_projection_write(w, block->projection, item);
			else
				dyn_json_write_item(w, item);
		}
		get->done = true;
		block->left--;
		block->units += dyn_read_units(size, block->consistent);
		*bytes += size;
		MemoryContextSwitchTo(caller);
		MemoryContextReset(item_context);
		over = dyn_slice_is_over(slice, size);
	}
	MemoryContextDelete(item_context);
	if (over)
		return false;
	dyn_json_end_array(w);
	return true;
}

static void
put_off(DynOperationContext *context, DynJsonWriter *w, const Block *blocks,
		int nblocks, uint64 bytes)
{
	const Unfinished *before = context->progress;
	Unfinished *now = palloc(offsetof(Unfinished, blocks) +
							 sizeof(now->blocks[0]) * nblocks);

	now->bytes = bytes;
	for (int i = 0; i < nblocks; i++)
	{
		now->blocks[i].done = blocks[i].ngets - blocks[i].left;
		now->blocks[i].units = blocks[i].units;
		now->blocks[i].begun = blocks[i].begun;
	}
	dyn_partial_reply_keep(&now->reply, before == NULL ? NULL : &before->reply, w);
	context->new_progress = now;
}

static void
go_on(const Unfinished *before, DynJsonWriter *w, Block *blocks, int nblocks,
	  uint64 *bytes)
{
	*bytes = before->bytes;
	for (int i = 0; i < nblocks; i++)
	{
		blocks[i].units = before->blocks[i].units;
		blocks[i].begun = before->blocks[i].begun;
		blocks[i].left -= before->blocks[i].done;
		for (int j = 0; j < before->blocks[i].done; j++)
			blocks[i].gets[j].done = true;
	}
	dyn_partial_reply_resume(&before->reply, w);
}

/* What was not read, in a form that can be sent again as it is. */
static void
write_unprocessed(DynJsonWriter *w, const Block *block, const DynJson *json)
{
	const DynJson *names = dyn_request_member(json, "ExpressionAttributeNames");
	const DynJson *attributes = dyn_request_member(json, "AttributesToGet");
	const DynJson *member;
	uint32		len;
	const char *text;

	dyn_json_write_key_bytes(w, block->table.name, block->table.name_len);
	dyn_json_begin_object(w);
	dyn_json_write_key(w, "Keys");
	dyn_json_begin_array(w);
	for (int i = 0; i < block->ngets; i++)
		if (!block->gets[i].done)
			dyn_json_write_item(w, block->gets[i].argument);
	dyn_json_end_array(w);
	dyn_json_write_key(w, "ConsistentRead");
	dyn_json_write_bool(w, block->consistent);
	text = dyn_request_string(json, "ProjectionExpression", &len);
	if (text != NULL)
	{
		dyn_json_write_key(w, "ProjectionExpression");
		dyn_json_write_string(w, text, len);
	}
	if (names != NULL)
	{
		dyn_json_write_key(w, "ExpressionAttributeNames");
		dyn_json_begin_object(w);
		for (member = dyn_json_first(names); member; member = dyn_json_next(member))
		{
			text = dyn_json_name(member, &len);
			dyn_json_write_key_bytes(w, text, len);
			text = dyn_json_string(member, &len);
			dyn_json_write_string(w, text, len);
		}
		dyn_json_end_object(w);
	}
	if (attributes != NULL)
	{
		dyn_json_write_key(w, "AttributesToGet");
		dyn_json_begin_array(w);
		for (member = dyn_json_first(attributes); member; member = dyn_json_next(member))
		{
			text = dyn_json_string(member, &len);
			dyn_json_write_string(w, text, len);
		}
		dyn_json_end_array(w);
	}
	dyn_json_end_object(w);
}

/*
 * Run BatchGetItem.  Raises ValidationException, or ResourceNotFoundException
 * if any of the tables is missing.
 */
DynOutcome
dyn_batch_get_item(DynOperationContext *context, const DynJson *request,
				   StringInfo reply)
{
	DynViolations v = {0};
	const DynJson *items = dyn_request_member(request, "RequestItems");
	const DynJson *json;
	DynReturnCapacity return_capacity;
	int			nblocks;
	Block	   *blocks;
	DynCapacity *capacities;
	uint64		bytes = 0;
	DynSlice	slice;
	DynJsonWriter w;
	int			i;

	return_capacity = dyn_request_return_capacity(&v, request);
	dyn_batch_check_tables(&v, items);
	if (items != NULL)
		check_members(&v, items);
	dyn_violations_raise(&v);
	dyn_batch_check_empty(items, "BatchGetItem");
	check_count(items);
	check_mix(items);

	nblocks = dyn_json_count(items);
	blocks = palloc0(sizeof(Block) * nblocks);
	capacities = palloc0(sizeof(DynCapacity) * nblocks);
	for (i = 0, json = dyn_json_first(items); json; json = dyn_json_next(json))
		read_block(&blocks[i++], json);
	for (i = 0; i < nblocks; i++)
	{
		DynAuthorization *a = &blocks[i].table.authorization;

		a->permission = DYN_MAY_BatchGetItem;
		a->select = dyn_authorization_select(blocks[i].projection);
		dyn_batch_open_table(context, request, &blocks[i].table);
	}
	for (i = 0; i < nblocks; i++)
	{
		const DynTable *table = blocks[i].table.table;

		for (int j = 0; j < blocks[i].ngets; j++)
		{
			Get		   *get = &blocks[i].gets[j];

			dyn_key_from_argument(&table->schema, get->argument, &get->key);
			dyn_authorization_get(&blocks[i].table.authorization, &get->key,
								  get->argument, blocks[i].projection);
		}
		dyn_authorization_decide(&blocks[i].table.authorization);
		dyn_authorization_check(&blocks[i].table.authorization);
		dyn_request_check_key_paths(table, NULL, blocks[i].projection);
	}
	dyn_authorization_end(context);

	dyn_json_writer_init(&w, reply);
	if (context->progress != NULL)
		go_on(context->progress, &w, blocks, nblocks, &bytes);
	else
	{
		dyn_json_begin_object(&w);
		dyn_json_write_key(&w, "Responses");
		dyn_json_begin_object(&w);
	}
	dyn_slice_begin(&slice, context);
	for (i = 0; i < nblocks; i++)
	{
		/* Its array is closed. */
		if (blocks[i].begun && i + 1 < nblocks && blocks[i + 1].begun)
			continue;
		if (!write_responses(&w, &blocks[i], &slice, &bytes))
		{
			put_off(context, &w, blocks, nblocks, bytes);
			return DYN_OUTCOME_UNFINISHED;
		}
	}
	dyn_partial_reply_finish(&w, reply);
	dyn_json_end_object(&w);

	dyn_json_write_key(&w, "UnprocessedKeys");
	dyn_json_begin_object(&w);
	for (i = 0, json = dyn_json_first(items); json; i++, json = dyn_json_next(json))
		if (blocks[i].left > 0)
			write_unprocessed(&w, &blocks[i], json);
	dyn_json_end_object(&w);

	for (i = 0; i < nblocks; i++)
	{
		capacities[i].table_name = blocks[i].table.name;
		capacities[i].table_name_len = blocks[i].table.name_len;
		capacities[i].table_units = blocks[i].units;
	}
	dyn_capacity_write_array(&w, return_capacity, capacities, nblocks);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
