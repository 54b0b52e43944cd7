/*-------------------------------------------------------------------------
 *
 * statement_run.c
 *		What the PartiQL operations share: a statement, run as what it asks for.
 *
 * src/operation/statement_run.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "item/item_json.h"
#include "operation/statement_run.h"

void
dyn_statement_check_members(DynViolations *v, const DynJson *block)
{
	const DynJson *text = dyn_request_member(block, "Statement");

	if (dyn_member_require(v, text, "statement"))
		dyn_member_length(v, text, 1, DYN_MAX_STATEMENT_LENGTH, "statement");
	dyn_member_length(v, dyn_request_member(block, "Parameters"), 1, DYN_UNBOUNDED,
					  "parameters");
}

void
dyn_statement_check_list(DynViolations *v, const DynJson *list, const char *name,
						 int max)
{
	int			number = 0;

	if (!dyn_member_require(v, list, "%s", name))
		return;
	dyn_member_length(v, list, 1, max, "%s", name);
	if (dyn_json_count(list) > max)
		return;
	for (const DynJson *block = dyn_json_first(list); block; block = dyn_json_next(block))
	{
		v->prefix = psprintf("%s.%d.member.", name, ++number);
		dyn_statement_check_members(v, block);
		dyn_member_enum(v, dyn_request_member(block, "ReturnValuesOnConditionCheckFailure"),
						&dyn_enum_return_on_failure, 0,
						"returnValuesOnConditionCheckFailure");
		v->prefix = NULL;
	}
}

DynStatement *
dyn_statement_read(const DynJson *block)
{
	const DynJson *list = dyn_request_member(block, "Parameters");
	DynValue   *parameters = NULL;
	int			nparameters = 0;
	uint32		len;
	const char *text = dyn_request_string(block, "Statement", &len);

	if (list != NULL)
	{
		parameters = palloc(sizeof(DynValue) * dyn_json_count(list));
		for (const DynJson *element = dyn_json_first(list); element;
			 element = dyn_json_next(element))
			parameters[nparameters++] = dyn_value_from_json(element);
	}
	return dyn_statement_parse(text, len, parameters, nparameters);
}

bool
dyn_statement_reads(const DynStatement *statement)
{
	return statement->kind == DYN_STATEMENT_SELECT ||
		statement->kind == DYN_STATEMENT_EXISTS;
}

static const char *const returning_values[] = {
	[DYN_RETURNING_NOTHING] = "NONE",
	[DYN_RETURNING_ALL_OLD] = "ALL_OLD",
	[DYN_RETURNING_ALL_NEW] = "ALL_NEW",
	[DYN_RETURNING_MODIFIED_OLD] = "UPDATED_OLD",
	[DYN_RETURNING_MODIFIED_NEW] = "UPDATED_NEW"
};

void
dyn_statement_ask(DynAuthorization *a, const DynStatement *statement,
				  const DynJson *request, const char *enclosing_operation,
				  bool on_failure)
{
	static const DynPermission permissions[] = {
		[DYN_STATEMENT_SELECT] = DYN_MAY_PartiQLSelect,
		[DYN_STATEMENT_INSERT] = DYN_MAY_PartiQLInsert,
		[DYN_STATEMENT_UPDATE] = DYN_MAY_PartiQLUpdate,
		[DYN_STATEMENT_DELETE] = DYN_MAY_PartiQLDelete,
		[DYN_STATEMENT_EXISTS] = DYN_MAY_PartiQLSelect
	};

	a->permission = permissions[statement->kind];
	a->request = request;
	a->enclosing_operation = enclosing_operation;
	a->index = statement->index;
	a->index_len = statement->index_len;
	a->return_old_on_failure = on_failure;
	if (statement->kind == DYN_STATEMENT_SELECT)
		a->select = statement->ncolumns > 0 ? "SPECIFIC_ATTRIBUTES" :
			statement->index != NULL ? "ALL_PROJECTED_ATTRIBUTES" : "ALL_ATTRIBUTES";
	else if (statement->kind == DYN_STATEMENT_EXISTS)
		/* It shows nothing, but perhaps the item when it fails. */
		a->select = on_failure ? "ALL_ATTRIBUTES" : "SPECIFIC_ATTRIBUTES";
	else
		a->return_values = returning_values[statement->returning];
}

const DynTable *
dyn_statement_table(DynOperationContext *context, const DynStatement *statement,
					DynAuthorization *authorization)
{
	const DynTable *table = dyn_operation_table(context, statement->table,
												statement->table_len, authorization);

	if (statement->index != NULL && statement->kind != DYN_STATEMENT_SELECT)
		dyn_raise(VALIDATION, "This operation is not supported on an index");
	return table;
}

/* Append one key attribute's value.  False if it is not pinned to just one. */
static bool
append_key(DynItemBuilder *b, const DynStatement *statement,
		   const DynKeyAttribute *attribute)
{
	const DynCondition *equality = dyn_where_equality(statement->where,
													  attribute->name,
													  attribute->name_len);
	DynValue	values[2];

	if (equality == NULL || dyn_where_values(equality, values, lengthof(values)) != 1)
		return false;
	dyn_builder_name(b, attribute->name, attribute->name_len);
	dyn_builder_value(b, &values[0]);
	return true;
}

DynItem *
dyn_statement_key(const DynStatement *statement, const DynTable *table)
{
	DynItemBuilder *b = dyn_builder_create();

	dyn_builder_begin(b, DYN_TYPE_M);
	if (!append_key(b, statement, &table->schema.partition) ||
		(table->schema.sort.name != NULL &&
		 !append_key(b, statement, &table->schema.sort)))
		return NULL;
	dyn_builder_end(b);
	return dyn_builder_item(b);
}

static DynItem *
apply_insert(const DynItemWrite *write)
{
	return write->new_item;
}

static DynItem *
apply_delete(const DynItemWrite *write)
{
	return NULL;
}

void
dyn_statement_prepare(const DynStatement *statement, const DynTable *table,
					  DynItemWrite *write, DynItem **argument)
{
	const DynKeyAttribute *partition = &table->schema.partition;

	write->table = table;
	if (statement->kind == DYN_STATEMENT_INSERT)
	{
		write->apply = apply_insert;
		write->new_item = *argument = statement->item;
		write->condition = dyn_where_absent(partition->name, partition->name_len, NULL);
		if (dyn_item_size(statement->item) > DYN_MAX_ITEM_SIZE)
			dyn_raise(VALIDATION, "Item size has exceeded the maximum allowed size");
		return;
	}

	*argument = dyn_statement_key(statement, table);
	if (*argument == NULL)
		dyn_raise(VALIDATION,
				  "Where clause does not contain a mandatory equality on all key attributes");

	/*
	 * WHERE names the key, so no missing item meets it: an UPDATE never makes
	 * one.  But a DELETE of what is not there is done.
	 */
	if (statement->kind == DYN_STATEMENT_UPDATE)
	{
		write->apply = dyn_update_item_apply;
		write->update = statement->update;
		write->condition = statement->where;
	}
	else
	{
		write->apply = apply_delete;
		write->condition = dyn_where_absent(partition->name, partition->name_len,
											statement->where);
	}
	dyn_item_write_check_paths(write);
}

DynOutcome
dyn_statement_write(DynOperationContext *context, const DynStatement *statement,
					DynItemWrite *write, const DynItem *argument)
{
	bool		is_insert = statement->kind == DYN_STATEMENT_INSERT;
	DynOutcome	outcome;

	if (is_insert)
	{
		dyn_key_from_item(&write->table->schema, argument, &write->key);
		dyn_index_write_check_put(write->table, argument);
	}
	else
		dyn_key_from_argument(&write->table->schema, argument, &write->key);
	dyn_item_write_decide(write, argument);
	dyn_authorization_finish(&write->authorization);
	outcome = dyn_item_write_run(context, write);
	if (outcome == DYN_OUTCOME_FAILED && is_insert)
	{
		context->failure.exception = DYN_EXCEPTION_DUPLICATE_ITEM;
		context->failure.message = "Duplicate primary key exists in table";
		context->failure.members = NULL;
	}
	return outcome;
}

const DynItem *
dyn_statement_returned(const DynStatement *statement, const DynItemWrite *write)
{
	switch (statement->returning)
	{
		case DYN_RETURNING_NOTHING:
			return NULL;
		case DYN_RETURNING_ALL_OLD:
			return write->old;
		case DYN_RETURNING_ALL_NEW:
			return write->new_item;
		case DYN_RETURNING_MODIFIED_OLD:
			return write->old == NULL ? NULL :
				dyn_update_touched(statement->update, write->old);
		case DYN_RETURNING_MODIFIED_NEW:
			return write->new_item == NULL ? NULL :
				dyn_update_touched(statement->update, write->new_item);
	}
	return NULL;
}

void
dyn_statement_write_item(DynJsonWriter *w, const DynItem *item, const void *arg)
{
	const DynStatement *statement = arg;
	DynValue	root = dyn_item_value(item);

	if (statement->ncolumns == 0)
	{
		dyn_json_write_item(w, item);
		return;
	}
	dyn_json_begin_object(w);
	for (int i = 0; i < statement->ncolumns; i++)
	{
		const DynColumn *column = &statement->columns[i];
		DynValue	value;

		if (!dyn_path_find(&root, &column->path, &value))
			continue;
		dyn_json_write_key_bytes(w, column->label, column->label_len);
		dyn_json_write_value(w, &value);
	}
	dyn_json_end_object(w);
}
