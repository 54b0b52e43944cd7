/*-------------------------------------------------------------------------
 *
 * update_apply.c
 *		UpdateExpression: from the old item to the new one.
 *
 * The new item is written in one pass over the old: what no clause touches is
 * copied as bytes, a container on a clause's path is written anew, entry by
 * entry, along the tree of targets.  Operands always read the old item, so the
 * order of clauses means nothing.
 *
 * src/expression/update_apply.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "base/limits.h"
#include "expression/tree.h"
#include "item/number.h"

typedef struct Application
{
	const DynUpdate *update;
	const DynItem *old;			/* NULL: there is none */
	DynItemBuilder *builder;
} Application;

static void
raise_type_mismatch(const DynUpdate *update)
{
	if (update->legacy)
		dyn_raise(VALIDATION, "Type mismatch for attribute to update");
	dyn_raise(VALIDATION,
			  "An operand in the update expression has an incorrect data type");
}

static void
raise_invalid_path(void)
{
	dyn_raise(VALIDATION,
			  "The document path provided in the update expression is invalid for update");
}

/* ----- values ----- */

static DynValue
calculate(const DynUpdate *update, bool add, const DynValue *a, const DynValue *b)
{
	DynNumber  *number = palloc(sizeof(DynNumber));
	DynNumberStatus status;

	if (a->type != DYN_TYPE_N || b->type != DYN_TYPE_N)
		raise_type_mismatch(update);
	status = add ? dyn_number_add(a, b, number) : dyn_number_subtract(a, b, number);
	if (status != DYN_NUMBER_OK)
		dyn_number_raise(status, "", 0);
	return dyn_number_value(number);
}

static void
append_elements(DynItemBuilder *builder, const DynValue *list)
{
	uint32		count = dyn_value_count(list);

	for (uint32 i = 0; i < count; i++)
	{
		DynValue	element;

		dyn_list_element(list, i, &element);
		dyn_builder_value(builder, &element);
	}
}

/* The elements of both in one list, or the members of both in one set. */
static DynValue
join(const DynUpdate *update, const DynValue *a, const DynValue *b)
{
	DynItemBuilder *builder = dyn_builder_create();

	if (a->type != b->type)
		raise_type_mismatch(update);
	dyn_builder_begin(builder, a->type);
	append_elements(builder, a);
	append_elements(builder, b);
	(void) dyn_builder_end(builder);
	return dyn_builder_result(builder);
}

/* The members of set that are not in other; false if none is left. */
static bool
subtract_set(const DynUpdate *update, const DynValue *set, const DynValue *other,
			 DynValue *result)
{
	DynItemBuilder *builder = dyn_builder_create();
	uint32		count;
	bool		any = false;

	if (set->type != other->type)
		raise_type_mismatch(update);
	dyn_builder_begin(builder, set->type);
	count = dyn_value_count(set);
	for (uint32 i = 0; i < count; i++)
	{
		DynValue	member;

		dyn_list_element(set, i, &member);
		if (dyn_set_contains(other, &member))
			continue;
		dyn_builder_value(builder, &member);
		any = true;
	}
	if (!any)
		return false;
	(void) dyn_builder_end(builder);
	*result = dyn_builder_result(builder);
	return true;
}

static DynValue
evaluate(const Application *app, const DynOperand *operand)
{
	DynValue	value;
	DynValue	first;
	DynValue	second;

	switch (operand->kind)
	{
		case DYN_OPERAND_PATH:
		case DYN_OPERAND_VALUE:
			if (!dyn_operand_lookup(operand, app->old, &value))
				dyn_raise(VALIDATION,
						  "The provided expression refers to an attribute that does not exist in the item");
			return value;
		case DYN_OPERAND_PLUS:
		case DYN_OPERAND_MINUS:
			first = evaluate(app, operand->args[0]);
			second = evaluate(app, operand->args[1]);
			return calculate(app->update, operand->kind == DYN_OPERAND_PLUS,
							 &first, &second);
		case DYN_OPERAND_FUNCTION:
			break;
	}
	if (operand->function == DYN_FUNCTION_IF_NOT_EXISTS)
	{
		if (dyn_operand_lookup(operand->args[0], app->old, &value))
			return value;
		return evaluate(app, operand->args[1]);
	}
	Assert(operand->function == DYN_FUNCTION_LIST_APPEND);
	first = evaluate(app, operand->args[0]);
	second = evaluate(app, operand->args[1]);
	if (first.type != DYN_TYPE_L || second.type != DYN_TYPE_L)
		raise_type_mismatch(app->update);
	return join(app->update, &first, &second);
}

static DynValue
add(const Application *app, const DynValue *current, const DynValue *operand)
{
	if (operand->type == DYN_TYPE_N)
		return calculate(app->update, true, current, operand);
	if (!dyn_type_is_set(operand->type) &&
		!(app->update->legacy && operand->type == DYN_TYPE_L))
		raise_type_mismatch(app->update);
	return join(app->update, current, operand);
}

/*
 * What a clause leaves at its target, where *current is now (NULL: nothing).
 * Returns false if nothing is to be there.
 */
static bool
apply_clause(const Application *app, const DynUpdateClause *clause,
			 const DynValue *current, DynValue *result)
{
	switch (clause->action)
	{
		case DYN_UPDATE_SET:
			*result = evaluate(app, clause->operand);
			break;
		case DYN_UPDATE_REMOVE:
			return false;
		case DYN_UPDATE_ADD:
			*result = current == NULL ? clause->operand->value :
				add(app, current, &clause->operand->value);
			break;
		case DYN_UPDATE_DELETE:
			return current != NULL &&
				subtract_set(app->update, current, &clause->operand->value, result);
	}

	/* The steps before the last one are levels of the item too. */
	if (dyn_value_depth(result) + clause->target->path.nsteps - 1 >
		DYN_MAX_NESTING_DEPTH)
		dyn_raise(VALIDATION, DYN_NESTED_TOO_DEEP);
	return true;
}

/* ----- the walk ----- */

static void write_container(const Application *app, const DynValue *container,
							const DynPathTree *tree);

/* True if all that the tree wants there is that something be gone. */
static bool
only_deletes(const Application *app, const DynPathTree *tree)
{
	if (tree->is_leaf)
	{
		DynUpdateAction action = app->update->clauses[tree->leaf].action;

		return action == DYN_UPDATE_REMOVE || action == DYN_UPDATE_DELETE;
	}
	for (int i = 0; i < tree->nchildren; i++)
		if (!only_deletes(app, &tree->children[i].tree))
			return false;
	return true;
}

/*
 * Write what becomes of one place: name is its name in a map, NULL in a list;
 * current what is there, NULL for nothing.
 */
static void
write_place(const Application *app, const DynPathStep *step,
			const DynValue *current, const DynPathTree *tree)
{
	DynValue	value;

	if (tree->is_leaf)
	{
		if (!apply_clause(app, &app->update->clauses[tree->leaf], current, &value))
			return;
		if (step->name != NULL)
			dyn_builder_name(app->builder, step->name, step->name_len);
		dyn_builder_value(app->builder, &value);
		return;
	}

	if (current == NULL ||
		current->type != (tree->by_index ? DYN_TYPE_L : DYN_TYPE_M))
	{
		/* Nothing can be deleted from an item that isn't there. */
		if (app->old == NULL && only_deletes(app, tree))
			return;
		raise_invalid_path();
	}
	if (step->name != NULL)
		dyn_builder_name(app->builder, step->name, step->name_len);
	write_container(app, current, tree);
}

static int
compare_names(const DynPathStep *step, const char *name, uint32 len)
{
	int			order = memcmp(step->name, name, Min(step->name_len, len));

	if (order != 0)
		return order;
	return step->name_len < len ? -1 : step->name_len > len;
}

/* Both are sorted by name: one merge. */
static void
write_entries(const Application *app, const DynValue *map, const DynPathTree *tree)
{
	uint32		count = dyn_value_count(map);
	int			child = 0;

	for (uint32 i = 0; i < count; i++)
	{
		const char *name;
		uint32		len;
		DynValue	value;
		int			order = 1;

		dyn_map_entry(map, i, &name, &len, &value);
		while (child < tree->nchildren &&
			   (order = compare_names(&tree->children[child].step, name, len)) < 0)
		{
			write_place(app, &tree->children[child].step, NULL,
						&tree->children[child].tree);
			child++;
		}
		if (child < tree->nchildren && order == 0)
		{
			write_place(app, &tree->children[child].step, &value,
						&tree->children[child].tree);
			child++;
			continue;
		}
		dyn_builder_name(app->builder, name, len);
		dyn_builder_value(app->builder, &value);
	}
	for (; child < tree->nchildren; child++)
		write_place(app, &tree->children[child].step, NULL,
					&tree->children[child].tree);
}

/*
 * Indexes are those of the old list, whatever is removed before them; those
 * beyond its end are appended in their order.
 */
static void
write_elements(const Application *app, const DynValue *list, const DynPathTree *tree)
{
	uint32		count = dyn_value_count(list);
	int			child = 0;

	for (uint32 i = 0; i < count; i++)
	{
		DynValue	value;

		dyn_list_element(list, i, &value);
		if (child < tree->nchildren && tree->children[child].step.index == i)
		{
			write_place(app, &tree->children[child].step, &value,
						&tree->children[child].tree);
			child++;
		}
		else
			dyn_builder_value(app->builder, &value);
	}
	for (; child < tree->nchildren; child++)
		write_place(app, &tree->children[child].step, NULL,
					&tree->children[child].tree);
}

static void
write_container(const Application *app, const DynValue *container,
				const DynPathTree *tree)
{
	dyn_builder_begin(app->builder, container->type);
	if (container->type == DYN_TYPE_L)
		write_elements(app, container, tree);
	else
		write_entries(app, container, tree);
	(void) dyn_builder_end(app->builder);
}

DynItem *
dyn_update_apply(const DynUpdate *update, const DynItem *old, const DynItem *key)
{
	Application app = {update, old, dyn_builder_create()};
	DynValue	attributes = dyn_item_value(old != NULL ? old : key);

	if (update == NULL || update->nclauses == 0)
		dyn_builder_value(app.builder, &attributes);
	else
		write_container(&app, &attributes, update->targets);
	return dyn_builder_item(app.builder);
}

/* ----- ReturnValues ----- */

/* Write what the tree leads to in a container; list elements close up. */
static void
write_touched(DynItemBuilder *builder, const DynValue *container,
			  const DynPathTree *tree)
{
	dyn_builder_begin(builder, container->type);
	for (int i = 0; i < tree->nchildren; i++)
	{
		const DynPathChild *child = &tree->children[i];
		DynValue	value;

		if (!dyn_path_tree_child(container, &child->step, &value) ||
			!dyn_path_tree_shows(&value, &child->tree))
			continue;
		if (child->step.name != NULL)
			dyn_builder_name(builder, child->step.name, child->step.name_len);
		if (child->tree.is_leaf)
			dyn_builder_value(builder, &value);
		else
			write_touched(builder, &value, &child->tree);
	}
	(void) dyn_builder_end(builder);
}

DynItem *
dyn_update_touched(const DynUpdate *update, const DynItem *item)
{
	DynItemBuilder *builder;
	DynValue	attributes;

	if (update == NULL || update->nclauses == 0 || item == NULL)
		return NULL;
	attributes = dyn_item_value(item);
	if (!dyn_path_tree_shows(&attributes, update->targets))
		return NULL;
	builder = dyn_builder_create();
	write_touched(builder, &attributes, update->targets);
	return dyn_builder_item(builder);
}
