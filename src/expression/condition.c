/*-------------------------------------------------------------------------
 *
 * condition.c
 *		Conditions: text to tree, and all that can be wrong with it.
 *
 *		or   := and (OR and)*
 *		and  := not (AND not)*
 *		not  := { NOT } cond
 *		cond := primary [ comparator operand | BETWEEN operand AND operand
 *						| IN '(' operand (',' operand)* ')' ]
 *		primary := '(' or ')' | operand
 *
 * Whether a group holds a condition or an operand, "(a) = :b", is known only
 * behind it; so the productions return a Node that is either.
 *
 * src/expression/condition.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "base/limits.h"
#include "expression/tree.h"
#include "item/item_json.h"

typedef struct Node
{
	DynCondition *condition;	/* or */
	DynOperand *operand;
	bool		is_group;		/* nothing but "( ... )" */
} Node;

static Node parse_or(DynLexer *lexer);

static DynCondition *
make_condition(DynConditionKind kind)
{
	DynCondition *condition = palloc0(sizeof(DynCondition));

	condition->kind = kind;
	return condition;
}

/* A node where a condition has to be; a bare path or value is none. */
static DynCondition *
to_condition(DynLexer *lexer, Node node)
{
	DynCondition *condition = node.condition;

	if (condition == NULL)
	{
		if (node.operand->kind != DYN_OPERAND_FUNCTION)
			dyn_lexer_syntax_error(lexer);
		condition = make_condition(DYN_CONDITION_FUNCTION);
		condition->noperands = 1;
		condition->operands = palloc(sizeof(DynOperand *));
		condition->operands[0] = node.operand;
	}
	return condition;
}

static bool
comparator(const DynLexer *lexer, DynConditionKind *kind)
{
	switch (lexer->token)
	{
		case DYN_TOKEN_EQ:
			*kind = DYN_CONDITION_EQ;
			return true;
		case DYN_TOKEN_NE:
			*kind = DYN_CONDITION_NE;
			return true;
		case DYN_TOKEN_LT:
			*kind = DYN_CONDITION_LT;
			return true;
		case DYN_TOKEN_LE:
			*kind = DYN_CONDITION_LE;
			return true;
		case DYN_TOKEN_GT:
			*kind = DYN_CONDITION_GT;
			return true;
		case DYN_TOKEN_GE:
			*kind = DYN_CONDITION_GE;
			return true;
		default:
			return false;
	}
}

static Node
parse_primary(DynLexer *lexer)
{
	Node		node = {NULL, NULL, false};

	if (lexer->token != DYN_TOKEN_LPAREN)
	{
		node.operand = dyn_operand_parse(lexer);
		return node;
	}
	dyn_lexer_enter(lexer);
	dyn_lexer_next(lexer);
	node = parse_or(lexer);
	if (node.is_group)
		lexer->redundant = true;
	dyn_lexer_expect(lexer, DYN_TOKEN_RPAREN);
	dyn_lexer_leave(lexer);
	node.is_group = true;
	return node;
}

static DynCondition *
parse_in(DynLexer *lexer, DynOperand *left)
{
	DynCondition *condition = make_condition(DYN_CONDITION_IN);
	int			room = 8;

	condition->operands = palloc(room * sizeof(DynOperand *));
	condition->operands[condition->noperands++] = left;
	dyn_lexer_expect(lexer, DYN_TOKEN_LPAREN);
	do
	{
		if (condition->noperands == room)
		{
			room *= 2;
			condition->operands = repalloc(condition->operands,
										   room * sizeof(DynOperand *));
		}
		condition->operands[condition->noperands++] = dyn_operand_parse(lexer);
	} while (dyn_lexer_accept(lexer, DYN_TOKEN_COMMA));
	dyn_lexer_expect(lexer, DYN_TOKEN_RPAREN);
	return condition;
}

static Node
parse_cond(DynLexer *lexer)
{
	Node		node = parse_primary(lexer);
	DynOperand *left = node.operand;
	DynConditionKind kind;

	if (left == NULL)
		return node;
	if (comparator(lexer, &kind))
	{
		dyn_lexer_next(lexer);
		node.condition = make_condition(kind);
		node.condition->noperands = 2;
		node.condition->operands = palloc(2 * sizeof(DynOperand *));
		node.condition->operands[0] = left;
		node.condition->operands[1] = dyn_operand_parse(lexer);
	}
	else if (dyn_lexer_accept_keyword(lexer, "BETWEEN"))
	{
		node.condition = make_condition(DYN_CONDITION_BETWEEN);
		node.condition->noperands = 3;
		node.condition->operands = palloc(3 * sizeof(DynOperand *));
		node.condition->operands[0] = left;
		node.condition->operands[1] = dyn_operand_parse(lexer);
		if (!dyn_lexer_accept_keyword(lexer, "AND"))
			dyn_lexer_syntax_error(lexer);
		node.condition->operands[2] = dyn_operand_parse(lexer);
	}
	else if (dyn_lexer_accept_keyword(lexer, "IN"))
		node.condition = parse_in(lexer, left);
	else
		return node;

	lexer->operators++;
	node.operand = NULL;
	node.is_group = false;
	return node;
}

/* A loop, so that no number of NOTs is too deep to be counted. */
static Node
parse_not(DynLexer *lexer)
{
	Node		node;
	int			nots = 0;

	while (dyn_lexer_accept_keyword(lexer, "NOT"))
		nots++;
	lexer->operators += nots;
	node = parse_cond(lexer);
	if (nots == 0)
		return node;

	node.condition = to_condition(lexer, node);
	for (; nots > 0; nots--)
	{
		DynCondition *negated = node.condition;

		node.condition = make_condition(DYN_CONDITION_NOT);
		node.condition->nconditions = 1;
		node.condition->conditions = palloc(sizeof(DynCondition *));
		node.condition->conditions[0] = negated;
	}
	node.operand = NULL;
	node.is_group = false;
	return node;
}

/* One level of the two that differ in the keyword and in what is below. */
static Node
parse_list(DynLexer *lexer, DynConditionKind kind, const char *keyword,
		   Node (*parse_member) (DynLexer *))
{
	Node		node = parse_member(lexer);
	DynCondition *condition;
	int			room = 4;

	if (!dyn_lexer_is_keyword(lexer, keyword))
		return node;

	condition = make_condition(kind);
	condition->conditions = palloc(room * sizeof(DynCondition *));
	condition->conditions[condition->nconditions++] = to_condition(lexer, node);
	while (dyn_lexer_accept_keyword(lexer, keyword))
	{
		lexer->operators++;
		if (condition->nconditions == room)
		{
			room *= 2;
			condition->conditions = repalloc(condition->conditions,
											 room * sizeof(DynCondition *));
		}
		node = parse_member(lexer);
		condition->conditions[condition->nconditions++] = to_condition(lexer, node);
	}
	node.condition = condition;
	node.operand = NULL;
	node.is_group = false;
	return node;
}

static Node
parse_and(DynLexer *lexer)
{
	return parse_list(lexer, DYN_CONDITION_AND, "AND", parse_not);
}

static Node
parse_or(DynLexer *lexer)
{
	return parse_list(lexer, DYN_CONDITION_OR, "OR", parse_and);
}

DynCondition *
dyn_condition_parse(DynExpressionKind kind, const char *text, uint32 len)
{
	DynLexer	lexer;
	DynCondition *condition;

	dyn_lexer_init(&lexer, kind, text, len);
	condition = to_condition(&lexer, parse_or(&lexer));
	dyn_lexer_finish(&lexer);
	return condition;
}

/* ----- static checks ----- */

typedef void (*OperandCheck) (DynExpressionKind kind, const DynOperand *operand);

static void
each_operand(DynExpressionKind kind, const DynCondition *condition,
			 OperandCheck check)
{
	for (int i = 0; i < condition->nconditions; i++)
		each_operand(kind, condition->conditions[i], check);
	for (int i = 0; i < condition->noperands; i++)
		check(kind, condition->operands[i]);
}

static void
refuse_function(DynExpressionKind kind, const DynOperand *operand)
{
	dyn_expression_raise(kind,
						 "The function is not allowed to be used this way in an expression; function: %s",
						 dyn_function_name(operand->function));
}

/*
 * Only size() gives a value, and only to a comparison; the others are
 * conditions and nothing's argument.
 */
static void
check_use_of_functions(DynExpressionKind kind, const DynCondition *condition)
{
	for (int i = 0; i < condition->nconditions; i++)
		check_use_of_functions(kind, condition->conditions[i]);
	for (int i = 0; i < condition->noperands; i++)
	{
		const DynOperand *operand = condition->operands[i];
		bool		is_condition = condition->kind == DYN_CONDITION_FUNCTION;

		if (operand->kind != DYN_OPERAND_FUNCTION)
			continue;
		if ((operand->function == DYN_FUNCTION_SIZE) == is_condition)
			refuse_function(kind, operand);
		for (int j = 0; j < operand->nargs; j++)
			if (operand->args[j]->kind == DYN_OPERAND_FUNCTION)
				refuse_function(kind, operand->args[j]);
	}
}

static const char *
operator_name(const DynCondition *condition)
{
	switch (condition->kind)
	{
		case DYN_CONDITION_EQ:
			return "=";
		case DYN_CONDITION_NE:
			return "<>";
		case DYN_CONDITION_LT:
			return "<";
		case DYN_CONDITION_LE:
			return "<=";
		case DYN_CONDITION_GT:
			return ">";
		case DYN_CONDITION_GE:
			return ">=";
		case DYN_CONDITION_BETWEEN:
			return "BETWEEN";
		case DYN_CONDITION_IN:
			return "IN";
		case DYN_CONDITION_FUNCTION:
			return dyn_function_name(condition->operands[0]->function);
		case DYN_CONDITION_NOT_CONTAINS:
			return "NOT_CONTAINS";
		case DYN_CONDITION_AND:
			return "AND";
		case DYN_CONDITION_OR:
			return "OR";
		case DYN_CONDITION_NOT:
			return "NOT";
	}
	elog(ERROR, "unrecognized condition kind: %d", (int) condition->kind);
}

static void
check_distinct(DynExpressionKind kind, const DynCondition *condition,
			   DynOperand **operands, int noperands)
{
	for (int i = 1; i < noperands; i++)
		if (dyn_operand_same_path(operands[0], operands[i]))
		{
			StringInfoData path;

			initStringInfo(&path);
			dyn_path_describe(&path, &operands[0]->path);
			dyn_expression_raise(kind,
								 "The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s",
								 operator_name(condition), path.data);
		}
}

static void
refuse_type(DynExpressionKind kind, const char *operator, const char *type)
{
	dyn_expression_raise(kind,
						 "Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
						 operator, type);
}

/* A constant operand must have one of the types; a path may turn out right. */
static void
check_type(DynExpressionKind kind, const char *operator,
		   const DynOperand *operand, const DynType *types, int ntypes)
{
	if (operand->kind != DYN_OPERAND_VALUE)
		return;
	for (int i = 0; i < ntypes; i++)
		if (operand->value.type == types[i])
			return;
	refuse_type(kind, operator, dyn_type_name(operand->value.type));
}

static const DynType ordered_types[] = {DYN_TYPE_S, DYN_TYPE_N, DYN_TYPE_B};
static const DynType prefix_types[] = {DYN_TYPE_S, DYN_TYPE_B};
static const DynType container_types[] = {
	DYN_TYPE_S, DYN_TYPE_B, DYN_TYPE_SS, DYN_TYPE_NS, DYN_TYPE_BS, DYN_TYPE_L
};
static const DynType sized_types[] = {
	DYN_TYPE_S, DYN_TYPE_B, DYN_TYPE_SS, DYN_TYPE_NS, DYN_TYPE_BS,
	DYN_TYPE_L, DYN_TYPE_M
};

#define CHECK_TYPE(kind, operator, operand, types) \
	check_type(kind, operator, operand, types, lengthof(types))

static void
check_attribute_type(DynExpressionKind kind, const DynOperand *call)
{
	const DynOperand *type = call->args[1];

	/* Which attribute's value names the type must be known beforehand. */
	if (type->kind != DYN_OPERAND_VALUE)
		refuse_type(kind, "attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
	if (type->value.type != DYN_TYPE_S)
		refuse_type(kind, "attribute_type", dyn_type_name(type->value.type));
	if (dyn_type_from_name(type->value.data, type->value.size) == 0)
		dyn_expression_raise(kind,
							 "Invalid attribute type name found; type: %.*s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
							 (int) type->value.size, type->value.data);
}

static void
check_call(DynExpressionKind kind, const DynCondition *condition,
		   const DynOperand *call)
{
	bool		is_unary = call->function == DYN_FUNCTION_SIZE ||
		call->function == DYN_FUNCTION_ATTRIBUTE_EXISTS ||
		call->function == DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS;
	const char *name = dyn_function_name(call->function);

	if (call->nargs != (is_unary ? 1 : 2))
		dyn_expression_raise(kind,
							 "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
							 name, call->nargs);
	switch (call->function)
	{
		case DYN_FUNCTION_ATTRIBUTE_EXISTS:
		case DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS:
			if (call->args[0]->kind != DYN_OPERAND_PATH)
				dyn_expression_raise(kind,
									 "Operator or function requires a document path; operator or function: %s",
									 name);
			break;
		case DYN_FUNCTION_ATTRIBUTE_TYPE:
			check_attribute_type(kind, call);
			break;
		case DYN_FUNCTION_BEGINS_WITH:
			check_distinct(kind, condition, call->args, call->nargs);
			CHECK_TYPE(kind, name, call->args[0], prefix_types);
			CHECK_TYPE(kind, name, call->args[1], prefix_types);
			break;
		case DYN_FUNCTION_CONTAINS:
			check_distinct(kind, condition, call->args, call->nargs);
			CHECK_TYPE(kind, name, call->args[0], container_types);
			break;
		case DYN_FUNCTION_SIZE:
			CHECK_TYPE(kind, name, call->args[0], sized_types);
			break;
		default:
			elog(ERROR, "unrecognized function: %d", (int) call->function);
	}
}

static void
check_between(DynExpressionKind kind, const DynCondition *condition)
{
	const DynOperand *low = condition->operands[1];
	const DynOperand *high = condition->operands[2];
	StringInfoData low_text;
	StringInfoData high_text;
	const char *complaint;

	if (low->kind != DYN_OPERAND_VALUE || high->kind != DYN_OPERAND_VALUE)
		return;
	if (low->value.type != high->value.type)
		complaint = "same data type for lower and upper bounds";
	else if (dyn_value_compare(&low->value, &high->value) > 0)
		complaint = "upper bound to be greater than or equal to lower bound";
	else
		return;
	initStringInfo(&low_text);
	initStringInfo(&high_text);
	dyn_value_describe(&low_text, &low->value);
	dyn_value_describe(&high_text, &high->value);
	dyn_expression_raise(kind,
						 "The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
						 complaint, low_text.data, high_text.data);
}

/*
 * One condition's operands: undefined, how many, the same, their types.
 * placeholders is NULL if there are none to be resolved.
 */
static void
resolve_operands(DynExpressionKind kind, DynCondition *condition,
				 DynPlaceholders *placeholders)
{
	const char *name = operator_name(condition);

	if (placeholders != NULL)
		for (int i = 0; i < condition->noperands; i++)
			dyn_operand_resolve(kind, condition->operands[i], placeholders);
	if (condition->kind == DYN_CONDITION_IN &&
		condition->noperands - 1 > DYN_MAX_IN_OPERANDS)
		dyn_expression_raise(kind,
							 "The IN operator is provided with too many operands; number of operands: %d",
							 condition->noperands - 1);
	for (int i = 0; i < condition->noperands; i++)
		if (condition->operands[i]->kind == DYN_OPERAND_FUNCTION)
			check_call(kind, condition, condition->operands[i]);
	check_distinct(kind, condition, condition->operands, condition->noperands);
	switch (condition->kind)
	{
		case DYN_CONDITION_LT:
		case DYN_CONDITION_LE:
		case DYN_CONDITION_GT:
		case DYN_CONDITION_GE:
		case DYN_CONDITION_BETWEEN:
			for (int i = 0; i < condition->noperands; i++)
				CHECK_TYPE(kind, name, condition->operands[i], ordered_types);
			break;
		default:
			break;
	}
	if (condition->kind == DYN_CONDITION_BETWEEN)
		check_between(kind, condition);
}

static void
resolve_conditions(DynExpressionKind kind, DynCondition *condition,
				   DynPlaceholders *placeholders)
{
	for (int i = 0; i < condition->nconditions; i++)
		resolve_conditions(kind, condition->conditions[i], placeholders);
	if (condition->noperands > 0)
		resolve_operands(kind, condition, placeholders);
}

void
dyn_condition_resolve(DynExpressionKind kind, DynCondition *condition,
					  DynPlaceholders *placeholders)
{
	each_operand(kind, condition, dyn_operand_check_functions);
	check_use_of_functions(kind, condition);
	each_operand(kind, condition, dyn_operand_check_reserved);
	resolve_conditions(kind, condition, placeholders);
}

void
dyn_condition_check(DynExpressionKind kind, DynCondition *condition)
{
	check_use_of_functions(kind, condition);
	resolve_conditions(kind, condition, NULL);
}

DynCondition *
dyn_condition_create(DynExpressionKind kind, const char *text, uint32 len,
					 DynPlaceholders *placeholders)
{
	DynCondition *condition = dyn_condition_parse(kind, text, len);

	dyn_condition_resolve(kind, condition, placeholders);
	return condition;
}

void
dyn_operand_visit_paths(const DynOperand *operand, DynPathVisitor visit, void *arg)
{
	if (operand->kind == DYN_OPERAND_PATH)
		visit(&operand->path, arg);
	for (int i = 0; i < operand->nargs; i++)
		dyn_operand_visit_paths(operand->args[i], visit, arg);
}

void
dyn_condition_visit_paths(const DynCondition *condition, DynPathVisitor visit,
						  void *arg)
{
	for (int i = 0; i < condition->nconditions; i++)
		dyn_condition_visit_paths(condition->conditions[i], visit, arg);
	for (int i = 0; i < condition->noperands; i++)
		dyn_operand_visit_paths(condition->operands[i], visit, arg);
}

/* "(AND (= [a] :b) (attribute_exists([c])))" */
void
dyn_condition_print(StringInfo out, const DynCondition *condition)
{
	appendStringInfo(out, "(%s", condition->kind == DYN_CONDITION_FUNCTION ?
					 "call" : operator_name(condition));
	for (int i = 0; i < condition->nconditions; i++)
	{
		appendStringInfoChar(out, ' ');
		dyn_condition_print(out, condition->conditions[i]);
	}
	for (int i = 0; i < condition->noperands; i++)
	{
		appendStringInfoChar(out, ' ');
		dyn_operand_print(out, condition->operands[i]);
	}
	appendStringInfoChar(out, ')');
}
