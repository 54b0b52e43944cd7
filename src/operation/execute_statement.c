/*-------------------------------------------------------------------------
 *
 * execute_statement.c
 *		ExecuteStatement: one PartiQL statement.
 *
 * A SELECT whose WHERE pins the partition key, by "=" or IN, is a Query of each
 * of those partitions, in the order of the values; any other is a Scan.  The
 * whole of WHERE is the filter, what a key range already ensures too: so the
 * range need only be no narrower than WHERE.
 *
 * NextToken is the base64 form of {"Statement": hash of the statement and its
 * parameters, "Partition": number of the partition, "Key": start key}.
 *
 * src/operation/execute_statement.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/index_range.h"
#include "operation/slice.h"
#include "operation/statement_run.h"
#include "operation/transact.h"

#define MAX_TOKEN_LENGTH 32768

/* Where a SELECT goes on. */
typedef struct Position
{
	int			partition;
	DynItem    *key;			/* NULL: at the partition's beginning */
} Position;

typedef struct Select
{
	const DynStatement *statement;
	DynPage		page;
	DynKeyCondition condition;	/* without the partition where there are several */
	int			npartitions;	/* 0: a Scan */
	DynValue	partitions[DYN_MAX_IN_OPERANDS];
	bool		backward;
	char		content[17];	/* of the statement, in hexadecimal */
} Select;

/* ----- NextToken ----- */

static void pg_attribute_noreturn()
refuse_token(void)
{
	dyn_raise(VALIDATION, "Invalid NextToken");
}

static void
set_content(Select *select, const DynJson *request)
{
	uint64		hash = dyn_transact_content(dyn_request_member(request, "Statement"));
	const DynJson *parameters = dyn_request_member(request, "Parameters");

	if (parameters != NULL)
		hash = hash * 31 + dyn_transact_content(parameters);
	snprintf(select->content, sizeof(select->content), "%016llx",
			 (unsigned long long) hash);
}

/* A key of the token's own making: nothing in it may be wrong. */
static DynItem *
token_key(const DynJson *json)
{
	DynReason	reason = {0};
	DynItem    *volatile item = NULL;
	MemoryContext context = CurrentMemoryContext;

	if (dyn_json_kind(json) != DYN_JSON_OBJECT)
		refuse_token();
	PG_TRY();
	{
		for (const DynJson *value = dyn_json_first(json); value;
			 value = dyn_json_next(value))
			dyn_json_check_attribute_value(value);
		item = dyn_item_from_json(json);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		reason.code = DYN_REASON_VALIDATION_ERROR;
	}
	PG_END_TRY();
	if (reason.code != DYN_REASON_NONE)
		refuse_token();
	return item;
}

static void
read_token(const Select *select, const DynJson *token, Position *position)
{
	uint32		len;
	const char *text = dyn_json_string(token, &len);
	char	   *bytes = palloc(len / 4 * 3 + 1);
	int			size = dyn_base64_decode(text, len, bytes);
	DynJson    *json;
	const DynJson *content;
	const DynJson *partition;
	const DynJson *key;
	double		number;

	if (size < 0 || (json = dyn_json_parse(bytes, size)) == NULL ||
		dyn_json_kind(json) != DYN_JSON_OBJECT)
		refuse_token();
	content = dyn_json_present(json, "Statement");
	partition = dyn_json_present(json, "Partition");
	key = dyn_json_present(json, "Key");
	if (content == NULL || dyn_json_kind(content) != DYN_JSON_STRING ||
		partition == NULL || dyn_json_kind(partition) != DYN_JSON_NUMBER)
		refuse_token();
	if (strcmp(dyn_json_string(content, &len), select->content) != 0)
		dyn_raise(VALIDATION, "NextToken does not match request");
	number = dyn_json_number(partition);
	if (!(number >= 0 && number <= DYN_MAX_IN_OPERANDS))
		refuse_token();
	position->partition = (int) number;
	if (position->partition >= Max(select->npartitions, 1))
		refuse_token();
	if (key != NULL)
		position->key = token_key(key);
}

static void
write_token(DynJsonWriter *w, const Select *select, const Position *position)
{
	StringInfoData text;
	DynJsonWriter token;

	initStringInfo(&text);
	dyn_json_writer_init(&token, &text);
	dyn_json_begin_object(&token);
	dyn_json_write_key(&token, "Statement");
	dyn_json_write_cstring(&token, select->content);
	dyn_json_write_key(&token, "Partition");
	dyn_json_write_int(&token, position->partition);
	if (position->key != NULL)
	{
		dyn_json_write_key(&token, "Key");
		dyn_json_write_item(&token, position->key);
	}
	dyn_json_end_object(&token);
	dyn_json_write_key(w, "NextToken");
	dyn_json_write_base64(w, text.data, text.len);
}

/* ----- SELECT ----- */

static void
refuse_type(const DynKeyAttribute *attribute, const DynValue *value)
{
	if (value->type != attribute->type)
		dyn_raise(VALIDATION,
				  "One or more parameter values were invalid: Condition parameter type does not match schema type");
}

/* What WHERE says of the partition key: nothing (false), or which partitions. */
static bool
pin_partitions(Select *select)
{
	const DynIndexSchema *keys = &select->page.keys;
	const DynCondition *where = select->statement->where;

	for (int i = 0; i < keys->npartition; i++)
	{
		const DynKeyAttribute *attribute = &keys->partition[i];
		const DynCondition *equality = dyn_where_equality(where, attribute->name,
														  attribute->name_len);
		DynValue	values[DYN_MAX_IN_OPERANDS];
		int			count;

		if (equality == NULL)
			return false;
		count = dyn_where_values(equality, values, lengthof(values));
		for (int j = 0; j < count; j++)
			refuse_type(attribute, &values[j]);
		if (keys->npartition == 1)
		{
			/* Each partition once, in the order of the list. */
			for (int j = 0; j < count; j++)
			{
				int			k;

				for (k = 0; k < select->npartitions; k++)
					if (dyn_value_equal(&select->partitions[k], &values[j]))
						break;
				if (k == select->npartitions)
					select->partitions[select->npartitions++] = values[j];
			}
			return true;
		}
		if (count != 1)
			return false;
		select->condition.partition[i] = values[0];
	}
	select->npartitions = 1;
	select->partitions[0] = select->condition.partition[0];
	return true;
}

/* The part of WHERE that a range of the sort key can stand for. */
static void
bind_sort(Select *select)
{
	const DynIndexSchema *keys = &select->page.keys;
	DynKeyCondition *condition = &select->condition;

	for (int i = 0; i < keys->nsort; i++)
		if (!dyn_where_sort(select->statement->where, &keys->sort[i], condition) ||
			condition->sort_operator != DYN_SORT_EQ)
			return;
}

static bool
is_key(const DynKeyAttribute *attributes, int count, const DynOrder *order)
{
	for (int i = 0; i < count; i++)
		if (attributes[i].name_len == order->name_len &&
			memcmp(attributes[i].name, order->name, order->name_len) == 0)
			return true;
	return false;
}

static void
set_order(Select *select)
{
	const DynStatement *statement = select->statement;
	const DynIndexSchema *keys = &select->page.keys;

	if (statement->norder > 0 && select->npartitions == 0)
		dyn_raise(VALIDATION, "Must have WHERE clause in the statement when using ORDER BY clause.");
	for (int i = 0; i < statement->norder; i++)
	{
		const DynOrder *order = &statement->order[i];

		if (is_key(keys->sort, keys->nsort, order))
			select->backward = order->descending;
		else if (!is_key(keys->partition, keys->npartition, order))
			dyn_raise(VALIDATION, "Variable reference %.*s in ORDER BY clause must be part of the primary key",
					  (int) order->name_len, order->name);
	}
}

static void
open_index(Select *select)
{
	const DynStatement *statement = select->statement;
	DynPage    *page = &select->page;

	if (statement->index != NULL)
	{
		if (dyn_table_index(page->table, statement->index, statement->index_len) == NULL)
			dyn_raise(VALIDATION, "The table does not have the specified index");
		page->index = dyn_table_readable_index(page->table, statement->index,
											   statement->index_len);
		if (page->consistent && page->index->definition.kind == DYN_INDEX_GLOBAL)
			dyn_raise(VALIDATION,
					  "Strongly consistent read is not supported on Global Secondary Indexes");
	}
	dyn_page_open_keys(page);
}

/* "*" of a local index is the whole item, of a global one what it projects. */
static DynSelect
asked_for(const Select *select)
{
	if (select->statement->ncolumns > 0)
		return DYN_SELECT_SPECIFIC_ATTRIBUTES;
	return select->page.index != NULL &&
		select->page.index->definition.kind == DYN_INDEX_LOCAL ?
		DYN_SELECT_ALL_ATTRIBUTES : DYN_SELECT_DEFAULT;
}

/* Set the range of the page's partition.  False: the start is not in it. */
static bool
set_range(Select *select, const Position *position, DynKey *start)
{
	DynPage    *page = &select->page;

	if (position->key != NULL)
	{
		dyn_page_check_start_shape(page, position->key);
		dyn_page_start_key(page, position->key, start);
		start->hash = dyn_key_hash(&start->partition);
	}
	if (select->npartitions > 0)
	{
		select->condition.partition[0] = select->partitions[position->partition];
		return dyn_page_set_range(page, &select->condition, select->backward,
								  position->key, position->key == NULL ? NULL : start);
	}
	if (page->index != NULL)
	{
		dyn_index_range_scan(&page->index_range, PG_INT64_MIN, PG_INT64_MAX);
		return position->key == NULL ||
			dyn_index_range_start(&page->index_range, &page->keys, position->key, start);
	}
	page->range.hash_low = PG_INT64_MIN;
	page->range.hash_high = PG_INT64_MAX;
	page->range.start_after = position->key == NULL ? NULL : start;
	return true;
}

/*
 * Walk partition after partition until the page is full.  False if the slice of
 * time is over before.
 */
static bool
write_items(DynJsonWriter *w, Select *select, Position *position,
			DynPageTotals *totals)
{
	StringInfo	reply = w->out;
	DynItem    *last = dyn_page_go_on(w, &select->page, totals,
									  &position->partition);

	if (last != NULL)
		position->key = last;
	else
	{
		dyn_json_write_key(w, "Items");
		dyn_json_begin_array(w);
	}
	do
	{
		DynKey		start;

		if (!set_range(select, position, &start))
			refuse_token();
		position->key = dyn_page_walk(w, &select->page, totals);
		if (totals->unfinished)
		{
			dyn_page_put_off(w, &select->page, totals, position->key,
							 position->partition);
			return false;
		}
	} while (position->key == NULL && ++position->partition < select->npartitions);
	dyn_partial_reply_finish(w, reply);
	dyn_json_end_array(w);
	return true;
}

static void
authorize(Select *select)
{
	DynPage    *page = &select->page;
	DynAuthorization *a = &page->authorization;

	if (dyn_authorization_depends(a))
	{
		a->full_table_scan = select->npartitions == 0 ? "true" : "false";
		for (int i = 0; i < select->npartitions; i++)
			dyn_authorization_key(a, 0, &select->partitions[i]);
		for (int i = 1; select->npartitions > 0 && i < page->keys.npartition; i++)
			dyn_authorization_key(a, i, &select->condition.partition[i]);
		for (int i = 0; i < select->statement->norder; i++)
			dyn_authorization_name(a, select->statement->order[i].name,
								   select->statement->order[i].name_len);
	}
	dyn_page_authorize(page);
}

static DynOutcome
run_select(DynOperationContext *context, const DynJson *request,
		   const DynStatement *statement, DynReturnCapacity return_capacity,
		   StringInfo reply)
{
	const DynJson *limit = dyn_request_member(request, "Limit");
	const DynJson *token = dyn_request_member(request, "NextToken");
	Select	   *select = palloc0(sizeof(Select));
	DynPage    *page = &select->page;
	Position	position = {0};
	DynPageTotals totals = {0};
	DynCapacity capacity = {0};
	DynJsonWriter w;

	select->statement = statement;
	page->context = context;
	set_content(select, request);
	dyn_statement_ask(&page->authorization, statement, request, NULL, false);
	page->table = dyn_statement_table(context, statement, &page->authorization);
	page->consistent = dyn_request_bool(request, "ConsistentRead", false);
	page->limit = limit == NULL ? 0 : dyn_json_to_integer(limit);
	page->filter = statement->where;
	page->projection = statement->projection;
	open_index(select);
	if (pin_partitions(select))
		bind_sort(select);
	authorize(select);
	set_order(select);
	dyn_page_check_projection(page, asked_for(select), select->npartitions > 0);
	dyn_request_check_key_paths(page->table, page->filter, page->projection);
	if (statement->ncolumns > 0)
	{
		page->write_item = dyn_statement_write_item;
		page->write_item_arg = statement;
	}
	if (token != NULL)
		read_token(select, token, &position);

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	if (!write_items(&w, select, &position, &totals))
		return DYN_OUTCOME_UNFINISHED;
	if (position.key != NULL)
	{
		write_token(&w, select, &position);
		dyn_json_write_key(&w, "LastEvaluatedKey");
		dyn_json_write_item(&w, position.key);
	}
	capacity.table_name = statement->table;
	capacity.table_name_len = statement->table_len;
	dyn_page_charge(page, &totals, &capacity);
	dyn_capacity_write_one(&w, return_capacity, &capacity);
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

/* ----- the others ----- */

static DynOutcome
run_write(DynOperationContext *context, const DynJson *request,
		  const DynStatement *statement, DynItemWrite *write, StringInfo reply)
{
	const DynItem *returned;
	DynItem    *argument;
	DynOutcome	outcome;
	DynCapacity capacity = {0};
	DynJsonWriter w;

	dyn_statement_ask(&write->authorization, statement, request, NULL,
					  write->return_old_on_failure);
	dyn_statement_prepare(statement,
						  dyn_statement_table(context, statement, &write->authorization),
						  write, &argument);
	outcome = dyn_statement_write(context, statement, write, argument);
	if (outcome != DYN_OUTCOME_DONE)
		return outcome;

	returned = dyn_statement_returned(statement, write);
	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "Items");
	dyn_json_begin_array(&w);
	if (returned != NULL)
		dyn_json_write_item(&w, returned);
	dyn_json_end_array(&w);
	if (write->return_capacity != DYN_RETURN_CAPACITY_NONE)
	{
		capacity.table_name = statement->table;
		capacity.table_name_len = statement->table_len;
		dyn_write_charge(&capacity, write->table, &write->key, write->old,
						 write->new_item, 1);
		dyn_capacity_write_one(&w, write->return_capacity, &capacity);
	}
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}

/*
 * Run ExecuteStatement.  Raises ValidationException or
 * ResourceNotFoundException; a write may end as ConditionalCheckFailedException
 * or DuplicateItemException.
 */
DynOutcome
dyn_execute_statement(DynOperationContext *context, const DynJson *request,
					  StringInfo reply)
{
	const DynJson *token = dyn_request_member(request, "NextToken");
	const DynJson *on_failure = dyn_request_member(request,
												   "ReturnValuesOnConditionCheckFailure");
	DynItemWrite write = {0};
	DynViolations v = {0};
	DynStatement *statement;

	dyn_statement_check_members(&v, request);
	write.return_capacity = dyn_request_return_capacity(&v, request);
	dyn_member_range(&v, dyn_request_member(request, "Limit"), 1, DYN_UNBOUNDED, "limit");
	dyn_member_length(&v, token, 1, MAX_TOKEN_LENGTH, "nextToken");
	write.return_old_on_failure =
		dyn_member_enum(&v, on_failure, &dyn_enum_return_on_failure, 0,
						"returnValuesOnConditionCheckFailure") == 1;
	dyn_violations_raise(&v);

	statement = dyn_statement_read(request);
	if (statement->kind == DYN_STATEMENT_EXISTS)
		dyn_raise(VALIDATION, "EXISTS is only supported in ExecuteTransaction");
	if (statement->kind == DYN_STATEMENT_SELECT)
		return run_select(context, request, statement, write.return_capacity, reply);
	if (token != NULL)
		dyn_raise(VALIDATION, "NextToken is only valid on a SELECT statement");
	return run_write(context, request, statement, &write, reply);
}
