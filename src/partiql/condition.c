/*-------------------------------------------------------------------------
 *
 * condition.c
 *		WHERE: PartiQL's conditions become those of expressions.
 *
 *		or   := and (OR and)*
 *		and  := not (AND not)*
 *		not  := { NOT } test
 *		test := primary [ comparator operand | [NOT] BETWEEN operand AND operand
 *						| [NOT] IN ( '(' operand, ... ')' | '[' operand, ... ']' | '?' )
 *						| IS [NOT] (MISSING | NULL | type) ]
 *		primary := '(' or ')' | operand
 *		operand := path | value | function '(' operand, ... ')' | '(' operand ')'
 *
 * One thing means something else here: "a <> 1" is false where there is no a.
 *
 * src/partiql/condition.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "partiql/parser.h"

/* Words that are no attribute names unless quoted. */
static const char *const reserved[] = {
	"SELECT", "FROM", "WHERE", "INSERT", "INTO", "VALUE", "UPDATE", "SET",
	"REMOVE", "DELETE", "RETURNING", "AND", "OR", "NOT", "BETWEEN", "IN", "IS",
	"MISSING", "NULL", "TRUE", "FALSE", "ORDER", "BY", "ASC", "DESC", "EXISTS",
	"AS"
};

typedef struct Node
{
	DynCondition *condition;	/* or */
	DynOperand *operand;
} Node;

static Node parse_or(DynParser *parser);

/* ----- paths and operands ----- */

bool
dyn_parser_at_name(const DynParser *parser)
{
	if (parser->token == DYN_PARTIQL_NAME)
		return true;
	if (parser->token != DYN_PARTIQL_WORD)
		return false;
	for (int i = 0; i < lengthof(reserved); i++)
		if (dyn_parser_is_word(parser, reserved[i]))
			return false;
	return true;
}

static uint32
parse_index(DynParser *parser)
{
	uint64		index = 0;

	for (uint32 i = 0; i < parser->len; i++)
	{
		if (parser->token != DYN_PARTIQL_NUMBER ||
			parser->start[i] < '0' || parser->start[i] > '9')
			dyn_parser_error("Expected a list index");
		index = index * 10 + (parser->start[i] - '0');
		if (index > PG_INT32_MAX)
			dyn_raise(VALIDATION, "List index is not within the allowable range; index: [%.*s]",
					  (int) parser->len, parser->start);
	}
	dyn_parser_next(parser);
	return index;
}

DynOperand *
dyn_parser_path(DynParser *parser)
{
	DynOperand *operand = palloc0(sizeof(DynOperand));
	DynDocumentPath *path = &operand->path;
	int			room = 2;

	operand->kind = DYN_OPERAND_PATH;
	path->steps = palloc0(room * sizeof(DynPathStep));
	for (;;)
	{
		DynPathStep *step;

		if (path->nsteps == room)
		{
			room *= 2;
			path->steps = repalloc(path->steps, room * sizeof(DynPathStep));
		}
		step = &path->steps[path->nsteps];
		step->name = NULL;
		step->name_len = 0;
		step->index = 0;
		if (path->nsteps > 0 && dyn_parser_accept_sign(parser, '['))
		{
			if (parser->token == DYN_PARTIQL_EOF)
				dyn_parser_error("Expected a list index");
			step->index = parse_index(parser);
			dyn_parser_expect_sign(parser, ']');
		}
		else if (path->nsteps == 0 || dyn_parser_accept_sign(parser, '.'))
		{
			/* Behind a point every word is a name. */
			if (path->nsteps == 0 ? !dyn_parser_at_name(parser) :
				parser->token != DYN_PARTIQL_NAME && parser->token != DYN_PARTIQL_WORD)
				dyn_parser_error("Expected identifier");
			if (parser->value_len == 0)
				dyn_raise(VALIDATION, "Empty attribute name");
			step->name = parser->value;
			step->name_len = parser->value_len;
			dyn_parser_next(parser);
		}
		else
			break;
		if (++path->nsteps > DYN_MAX_NESTING_DEPTH)
			dyn_raise(VALIDATION, "The document path has too many nesting levels; nesting levels: %d",
					  path->nsteps);
	}
	return operand;
}

DynFunction
dyn_parser_function(const DynParser *parser)
{
	static const struct
	{
		const char *word;
		DynFunction function;
	}			functions[] = {
		{"attribute_exists", DYN_FUNCTION_ATTRIBUTE_EXISTS},
		{"attribute_not_exists", DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS},
		{"attribute_type", DYN_FUNCTION_ATTRIBUTE_TYPE},
		{"begins_with", DYN_FUNCTION_BEGINS_WITH},
		{"contains", DYN_FUNCTION_CONTAINS},
		{"size", DYN_FUNCTION_SIZE},
	};

	if (parser->token == DYN_PARTIQL_WORD && dyn_parser_before_paren(parser))
		for (int i = 0; i < lengthof(functions); i++)
			if (dyn_parser_is_word(parser, functions[i].word))
				return functions[i].function;
	return DYN_FUNCTION_UNKNOWN;
}

static void
add_operand(DynOperand ***operands, int *count, DynOperand *operand)
{
	/* Room for powers of two. */
	if (*count == 0)
		*operands = palloc(sizeof(DynOperand *));
	else if ((*count & (*count - 1)) == 0)
		*operands = repalloc(*operands, 2 * *count * sizeof(DynOperand *));
	(*operands)[(*count)++] = operand;
}

static DynOperand *
parse_call(DynParser *parser, DynFunction function)
{
	DynOperand *call = palloc0(sizeof(DynOperand));

	if (function == DYN_FUNCTION_UNKNOWN)
		dyn_parser_error(psprintf("Unexpected function %.*s", (int) parser->len,
								  parser->start));
	call->kind = DYN_OPERAND_FUNCTION;
	call->function = function;
	call->text = dyn_function_name(function);
	call->text_len = strlen(call->text);
	dyn_parser_next(parser);
	dyn_parser_expect_sign(parser, '(');
	do
		add_operand(&call->args, &call->nargs, dyn_parser_operand(parser));
	while (dyn_parser_accept_sign(parser, ','));
	dyn_parser_expect_sign(parser, ')');
	return call;
}

DynOperand *
dyn_parser_operand(DynParser *parser)
{
	DynOperand *operand;

	dyn_parser_enter(parser);
	if (dyn_parser_accept_sign(parser, '('))
	{
		operand = dyn_parser_operand(parser);
		dyn_parser_expect_sign(parser, ')');
	}
	else if (dyn_parser_at_literal(parser))
	{
		DynValue	value = dyn_parser_literal(parser);

		operand = dyn_operand_make_value(&value);
	}
	else if (parser->token == DYN_PARTIQL_WORD && dyn_parser_before_paren(parser) &&
			 dyn_parser_at_name(parser))
		operand = parse_call(parser, dyn_parser_function(parser));
	else if (dyn_parser_at_name(parser))
		operand = dyn_parser_path(parser);
	else
		dyn_parser_error("Expected expression");
	dyn_parser_leave(parser);
	return operand;
}

/* ----- conditions ----- */

static DynCondition *
make_condition(DynConditionKind kind)
{
	DynCondition *condition = palloc0(sizeof(DynCondition));

	condition->kind = kind;
	return condition;
}

static DynCondition *
make_call(DynFunction function, DynOperand *first, DynOperand *second)
{
	DynCondition *condition = make_condition(DYN_CONDITION_FUNCTION);
	DynOperand *call = palloc0(sizeof(DynOperand));

	call->kind = DYN_OPERAND_FUNCTION;
	call->function = function;
	call->text = dyn_function_name(function);
	call->text_len = strlen(call->text);
	add_operand(&call->args, &call->nargs, first);
	if (second != NULL)
		add_operand(&call->args, &call->nargs, second);
	add_operand(&condition->operands, &condition->noperands, call);
	return condition;
}

static void
add_condition(DynCondition *list, DynCondition *condition)
{
	int			n = list->nconditions;

	if (n == 0)
		list->conditions = palloc(sizeof(DynCondition *));
	else if ((n & (n - 1)) == 0)
		list->conditions = repalloc(list->conditions, 2 * n * sizeof(DynCondition *));
	list->conditions[list->nconditions++] = condition;
}

static DynCondition *
negate(DynCondition *condition)
{
	DynCondition *negated = make_condition(DYN_CONDITION_NOT);

	add_condition(negated, condition);
	return negated;
}

/* A node where a condition has to be; a bare path or value is none. */
static DynCondition *
to_condition(Node node)
{
	DynCondition *condition = node.condition;

	if (condition != NULL)
		return condition;
	if (node.operand->kind != DYN_OPERAND_FUNCTION ||
		node.operand->function == DYN_FUNCTION_SIZE)
		dyn_parser_error("Expected condition");
	condition = make_condition(DYN_CONDITION_FUNCTION);
	add_operand(&condition->operands, &condition->noperands, node.operand);
	return condition;
}

static bool
comparator(const DynParser *parser, DynConditionKind *kind)
{
	switch (parser->token)
	{
		case DYN_PARTIQL_NE:
			*kind = DYN_CONDITION_NE;
			return true;
		case DYN_PARTIQL_LE:
			*kind = DYN_CONDITION_LE;
			return true;
		case DYN_PARTIQL_GE:
			*kind = DYN_CONDITION_GE;
			return true;
		case DYN_PARTIQL_SIGN:
			if (*parser->start == '=')
				*kind = DYN_CONDITION_EQ;
			else if (*parser->start == '<')
				*kind = DYN_CONDITION_LT;
			else if (*parser->start == '>')
				*kind = DYN_CONDITION_GT;
			else
				return false;
			return true;
		default:
			return false;
	}
}

/* The paths of an operand must be there: for what is true without them. */
static void
require_paths(DynCondition *list, DynOperand *operand)
{
	if (operand->kind == DYN_OPERAND_PATH)
		add_condition(list, make_call(DYN_FUNCTION_ATTRIBUTE_EXISTS, operand, NULL));
	for (int i = 0; i < operand->nargs; i++)
		require_paths(list, operand->args[i]);
}

static DynCondition *
parse_comparison(DynParser *parser, DynConditionKind kind, DynOperand *left)
{
	DynCondition *condition = make_condition(kind);
	DynCondition *list;

	dyn_parser_next(parser);
	add_operand(&condition->operands, &condition->noperands, left);
	add_operand(&condition->operands, &condition->noperands,
				dyn_parser_operand(parser));
	if (kind != DYN_CONDITION_NE)
		return condition;
	list = make_condition(DYN_CONDITION_AND);
	for (int i = 0; i < condition->noperands; i++)
		require_paths(list, condition->operands[i]);
	add_condition(list, condition);
	return list->nconditions == 1 ? condition : list;
}

static DynCondition *
parse_in(DynParser *parser, DynOperand *left)
{
	DynCondition *condition = make_condition(DYN_CONDITION_IN);
	char		close = dyn_parser_is_sign(parser, '[') ? ']' : ')';

	add_operand(&condition->operands, &condition->noperands, left);
	if (parser->token == DYN_PARTIQL_PARAMETER)
	{
		/* A list stands for its elements. */
		DynValue	list = dyn_parser_literal(parser);

		if (list.type != DYN_TYPE_L)
			add_operand(&condition->operands, &condition->noperands,
						dyn_operand_make_value(&list));
		else
			for (uint32 i = 0; i < dyn_value_count(&list); i++)
			{
				DynValue	element;

				dyn_list_element(&list, i, &element);
				add_operand(&condition->operands, &condition->noperands,
							dyn_operand_make_value(&element));
			}
	}
	else
	{
		if (!dyn_parser_accept_sign(parser, '['))
			dyn_parser_expect_sign(parser, '(');
		do
			add_operand(&condition->operands, &condition->noperands,
						dyn_parser_operand(parser));
		while (dyn_parser_accept_sign(parser, ','));
		dyn_parser_expect_sign(parser, close);
	}
	if (condition->noperands - 1 > DYN_MAX_IN_OPERANDS)
		dyn_raise(VALIDATION, "The IN operator is provided with too many operands; number of operands: %d",
				  condition->noperands - 1);
	return condition;
}

static DynCondition *
parse_between(DynParser *parser, DynOperand *left)
{
	DynCondition *condition = make_condition(DYN_CONDITION_BETWEEN);

	add_operand(&condition->operands, &condition->noperands, left);
	add_operand(&condition->operands, &condition->noperands,
				dyn_parser_operand(parser));
	dyn_parser_expect_word(parser, "AND");
	add_operand(&condition->operands, &condition->noperands,
				dyn_parser_operand(parser));
	return condition;
}

static DynCondition *
parse_is(DynParser *parser, DynOperand *left)
{
	static const struct
	{
		const char *word;
		const char *type;
	}			types[] = {
		{"NULL", "NULL"}, {"STRING", "S"}, {"NUMBER", "N"}, {"BINARY", "B"},
		{"BOOLEAN", "BOOL"}, {"LIST", "L"}, {"MAP", "M"}, {"STRUCT", "M"},
		{"SS", "SS"}, {"NS", "NS"}, {"BS", "BS"}, {"S", "S"}, {"N", "N"},
		{"B", "B"}, {"BOOL", "BOOL"}, {"L", "L"}, {"M", "M"},
	};
	bool		negated = dyn_parser_accept_word(parser, "NOT");
	DynCondition *condition;

	if (left->kind != DYN_OPERAND_PATH)
		dyn_parser_error("Expected path before IS");
	if (dyn_parser_accept_word(parser, "MISSING"))
		return make_call(negated ? DYN_FUNCTION_ATTRIBUTE_EXISTS :
						 DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS, left, NULL);
	for (int i = 0; i < lengthof(types); i++)
	{
		DynValue	name = {.type = DYN_TYPE_S, .data = types[i].type,
		.size = strlen(types[i].type)};

		if (!dyn_parser_accept_word(parser, types[i].word))
			continue;
		condition = make_call(DYN_FUNCTION_ATTRIBUTE_TYPE, left,
							  dyn_operand_make_value(&name));
		return negated ? negate(condition) : condition;
	}
	dyn_parser_error("Expected MISSING, NULL or a type after IS");
}

static Node
parse_primary(DynParser *parser)
{
	Node		node = {NULL, NULL};

	if (!dyn_parser_is_sign(parser, '('))
	{
		node.operand = dyn_parser_operand(parser);
		return node;
	}
	dyn_parser_enter(parser);
	dyn_parser_next(parser);
	node = parse_or(parser);
	dyn_parser_expect_sign(parser, ')');
	dyn_parser_leave(parser);
	return node;
}

static Node
parse_test(DynParser *parser)
{
	Node		node = parse_primary(parser);
	DynOperand *left = node.operand;
	DynConditionKind kind;
	bool		negated;

	if (left == NULL)
		return node;
	if (comparator(parser, &kind))
		node.condition = parse_comparison(parser, kind, left);
	else if (dyn_parser_accept_word(parser, "IS"))
		node.condition = parse_is(parser, left);
	else
	{
		negated = dyn_parser_accept_word(parser, "NOT");
		if (dyn_parser_accept_word(parser, "BETWEEN"))
			node.condition = parse_between(parser, left);
		else if (dyn_parser_accept_word(parser, "IN"))
			node.condition = parse_in(parser, left);
		else if (negated)
			dyn_parser_error("Expected BETWEEN or IN after NOT");
		else
			return node;
		if (negated)
			node.condition = negate(node.condition);
	}
	node.operand = NULL;
	return node;
}

static Node
parse_not(DynParser *parser)
{
	bool		any = false;
	bool		odd = false;
	Node		node;

	while (dyn_parser_accept_word(parser, "NOT"))
	{
		any = true;
		odd = !odd;
	}
	node = parse_test(parser);
	if (!any)
		return node;
	node.condition = to_condition(node);
	if (odd)
		node.condition = negate(node.condition);
	node.operand = NULL;
	return node;
}

/* One level of the two that differ in the keyword and in what is below. */
static Node
parse_list(DynParser *parser, DynConditionKind kind, const char *keyword,
		   Node (*parse_member) (DynParser *))
{
	Node		node = parse_member(parser);
	DynCondition *list;

	if (!dyn_parser_is_word(parser, keyword))
		return node;
	list = make_condition(kind);
	add_condition(list, to_condition(node));
	while (dyn_parser_accept_word(parser, keyword))
		add_condition(list, to_condition(parse_member(parser)));
	node.condition = list;
	node.operand = NULL;
	return node;
}

static Node
parse_and(DynParser *parser)
{
	return parse_list(parser, DYN_CONDITION_AND, "AND", parse_not);
}

static Node
parse_or(DynParser *parser)
{
	return parse_list(parser, DYN_CONDITION_OR, "OR", parse_and);
}

DynCondition *
dyn_where_absent(const char *name, uint32 name_len, DynCondition *otherwise)
{
	DynCondition *absent =
		make_call(DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS,
							 dyn_operand_make_path(name, name_len), NULL);
	DynCondition *either;

	if (otherwise == NULL)
		return absent;
	either = make_condition(DYN_CONDITION_OR);
	add_condition(either, absent);
	add_condition(either, otherwise);
	return either;
}

DynCondition *
dyn_parser_condition(DynParser *parser)
{
	DynCondition *condition = to_condition(parse_or(parser));

	dyn_condition_check(DYN_EXPRESSION_STATEMENT, condition);
	return condition;
}
