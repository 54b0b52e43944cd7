/*-------------------------------------------------------------------------
 *
 * condition_evaluate.c
 *		Conditions: is it true of this item?
 *
 * Values are looked at where they lie in the item's bytes; nothing is
 * allocated.  A comparison is false when an operand is missing or the types
 * differ, except for "<>", which is then true.  A size() of what has none is
 * different: no comparison with it is true.
 *
 * src/expression/condition_evaluate.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "expression/tree.h"
#include "item/number.h"

/*
 * size() counts UTF-16 code units in a string: one for each character, two for
 * one beyond the basic plane, which takes four bytes in UTF-8.
 */
static int64
string_length(const DynValue *value)
{
	int64		length = 0;

	for (uint32 i = 0; i < value->size; i++)
	{
		unsigned char c = value->data[i];

		length += ((c & 0xC0) != 0x80) + (c >= 0xF0);
	}
	return length;
}

static bool
size_of(const DynValue *value, int64 *size)
{
	switch (value->type)
	{
		case DYN_TYPE_S:
			*size = string_length(value);
			return true;
		case DYN_TYPE_B:
			*size = value->size;
			return true;
		case DYN_TYPE_M:
		case DYN_TYPE_L:
		case DYN_TYPE_SS:
		case DYN_TYPE_NS:
		case DYN_TYPE_BS:
			*size = dyn_value_count(value);
			return true;
		default:
			return false;
	}
}

/* An operand's value; *number is room for that of a size(). */
static bool
evaluate(const DynOperand *operand, const DynItem *item, DynNumber *number,
		 DynValue *value)
{
	DynValue	argument;
	int64		size;

	if (operand->kind != DYN_OPERAND_FUNCTION)
		return dyn_operand_lookup(operand, item, value);
	Assert(operand->function == DYN_FUNCTION_SIZE);
	if (!dyn_operand_lookup(operand->args[0], item, &argument) ||
		!size_of(&argument, &size))
		return false;
	dyn_number_from_int64(size, number);
	*value = dyn_number_value(number);
	return true;
}

static bool
in_order(DynConditionKind kind, const DynValue *left, const DynValue *right)
{
	int			order;

	if (left->type != right->type || !dyn_type_is_ordered(left->type))
		return false;
	order = dyn_value_compare(left, right);
	switch (kind)
	{
		case DYN_CONDITION_LT:
			return order < 0;
		case DYN_CONDITION_LE:
			return order <= 0;
		case DYN_CONDITION_GT:
			return order > 0;
		default:
			return order >= 0;
	}
}

static bool
begins_with(const DynValue *value, const DynValue *prefix)
{
	return value->type == prefix->type &&
		(value->type == DYN_TYPE_S || value->type == DYN_TYPE_B) &&
		value->size >= prefix->size &&
		memcmp(value->data, prefix->data, prefix->size) == 0;
}

static bool
contains_bytes(const DynValue *value, const DynValue *part)
{
	return part->size == 0 ||
		memmem(value->data, value->size, part->data, part->size) != NULL;
}

bool
dyn_value_contains(const DynValue *container, const DynValue *member)
{
	switch (container->type)
	{
		case DYN_TYPE_S:
		case DYN_TYPE_B:
			return container->type == member->type &&
				contains_bytes(container, member);
		case DYN_TYPE_SS:
			return member->type == DYN_TYPE_S && dyn_set_contains(container, member);
		case DYN_TYPE_NS:
			return member->type == DYN_TYPE_N && dyn_set_contains(container, member);
		case DYN_TYPE_BS:
			return member->type == DYN_TYPE_B && dyn_set_contains(container, member);
		case DYN_TYPE_L:
			for (uint32 i = 0; i < dyn_value_count(container); i++)
			{
				DynValue	element;

				dyn_list_element(container, i, &element);
				if (dyn_value_equal(&element, member))
					return true;
			}
			return false;
		default:
			return false;
	}
}

static bool
evaluate_call(const DynOperand *call, const DynItem *item)
{
	DynValue	first;
	DynValue	second;
	bool		has_first = dyn_operand_lookup(call->args[0], item, &first);

	switch (call->function)
	{
		case DYN_FUNCTION_ATTRIBUTE_EXISTS:
			return has_first;
		case DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS:
			return !has_first;
		case DYN_FUNCTION_ATTRIBUTE_TYPE:
			second = call->args[1]->value;
			return has_first &&
				first.type == dyn_type_from_name(second.data, second.size);
		case DYN_FUNCTION_BEGINS_WITH:
			return has_first && dyn_operand_lookup(call->args[1], item, &second) &&
				begins_with(&first, &second);
		case DYN_FUNCTION_CONTAINS:
			return has_first && dyn_operand_lookup(call->args[1], item, &second) &&
				dyn_value_contains(&first, &second);
		default:
			elog(ERROR, "unrecognized function: %d", (int) call->function);
	}
}

static bool
evaluate_in(const DynCondition *condition, const DynItem *item)
{
	DynNumber	left_number;
	DynNumber	number;
	DynValue	left;
	DynValue	member;

	if (!evaluate(condition->operands[0], item, &left_number, &left))
		return false;
	for (int i = 1; i < condition->noperands; i++)
		if (evaluate(condition->operands[i], item, &number, &member) &&
			dyn_value_equal(&left, &member))
			return true;
	return false;
}

bool
dyn_condition_evaluate(const DynCondition *condition, const DynItem *item)
{
	DynNumber	numbers[3];
	DynValue	values[3];
	bool		present = true;

	check_stack_depth();
	switch (condition->kind)
	{
		case DYN_CONDITION_AND:
			for (int i = 0; i < condition->nconditions; i++)
				if (!dyn_condition_evaluate(condition->conditions[i], item))
					return false;
			return true;
		case DYN_CONDITION_OR:
			for (int i = 0; i < condition->nconditions; i++)
				if (dyn_condition_evaluate(condition->conditions[i], item))
					return true;
			return false;
		case DYN_CONDITION_NOT:
			return !dyn_condition_evaluate(condition->conditions[0], item);
		case DYN_CONDITION_IN:
			return evaluate_in(condition, item);
		case DYN_CONDITION_FUNCTION:
			return evaluate_call(condition->operands[0], item);
		default:
			break;
	}

	Assert(condition->noperands <= lengthof(values));
	for (int i = 0; i < condition->noperands; i++)
	{
		if (evaluate(condition->operands[i], item, &numbers[i], &values[i]))
			continue;
		if (condition->operands[i]->kind == DYN_OPERAND_FUNCTION)
			return false;
		present = false;
	}
	switch (condition->kind)
	{
		case DYN_CONDITION_EQ:
			return present && dyn_value_equal(&values[0], &values[1]);
		case DYN_CONDITION_NE:
			return !present || !dyn_value_equal(&values[0], &values[1]);
		case DYN_CONDITION_LT:
		case DYN_CONDITION_LE:
		case DYN_CONDITION_GT:
		case DYN_CONDITION_GE:
			return present && in_order(condition->kind, &values[0], &values[1]);
		case DYN_CONDITION_BETWEEN:
			return present &&
				in_order(DYN_CONDITION_GE, &values[0], &values[1]) &&
				in_order(DYN_CONDITION_LE, &values[0], &values[2]);
		case DYN_CONDITION_NOT_CONTAINS:
			return present && !dyn_value_contains(&values[0], &values[1]);
		default:
			elog(ERROR, "unrecognized condition kind: %d", (int) condition->kind);
	}
}
