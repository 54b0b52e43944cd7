/*-------------------------------------------------------------------------
 *
 * operand.c
 *		Paths, values and function calls: what expressions are made of.
 *
 *		operand := path | value | function | '(' operand ')'
 *		function := identifier '(' operand (',' operand)* ')'
 *		path := step ('.' step | '[' digits ']')*
 *		step := identifier | name
 *
 * src/expression/operand.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "base/limits.h"
#include "expression/tree.h"
#include "item/item_json.h"

#define MAX_LIST_INDEX 2147483647

static const char *const function_names[] = {
	[DYN_FUNCTION_ATTRIBUTE_EXISTS] = "attribute_exists",
	[DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS] = "attribute_not_exists",
	[DYN_FUNCTION_ATTRIBUTE_TYPE] = "attribute_type",
	[DYN_FUNCTION_BEGINS_WITH] = "begins_with",
	[DYN_FUNCTION_CONTAINS] = "contains",
	[DYN_FUNCTION_SIZE] = "size",
	[DYN_FUNCTION_IF_NOT_EXISTS] = "if_not_exists",
	[DYN_FUNCTION_LIST_APPEND] = "list_append",
};

const char *
dyn_function_name(DynFunction function)
{
	Assert(function < DYN_FUNCTION_UNKNOWN);
	return function_names[function];
}

/* A function of the other language is as unknown as one that is none. */
static DynFunction
find_function(DynExpressionKind kind, const char *name, uint32 len)
{
	bool		update = kind == DYN_EXPRESSION_UPDATE;

	for (int i = 0; i < lengthof(function_names); i++)
		if (strlen(function_names[i]) == len &&
			memcmp(function_names[i], name, len) == 0 &&
			update == (i >= DYN_FUNCTION_IF_NOT_EXISTS))
			return (DynFunction) i;
	return DYN_FUNCTION_UNKNOWN;
}

/* Keywords where an operand may stand are no attribute names. */
static bool
at_keyword(const DynLexer *lexer)
{
	static const char *const condition_keywords[] = {
		"AND", "OR", "NOT", "BETWEEN", "IN", NULL
	};
	static const char *const update_keywords[] = {
		"SET", "REMOVE", "ADD", "DELETE", NULL
	};
	const char *const *keyword = lexer->kind == DYN_EXPRESSION_UPDATE ?
		update_keywords : condition_keywords;

	if (lexer->kind == DYN_EXPRESSION_PROJECTION)
		return false;
	for (; *keyword != NULL; keyword++)
		if (dyn_lexer_is_keyword(lexer, *keyword))
			return true;
	return false;
}

static uint32
list_index(DynLexer *lexer)
{
	uint64		index = 0;

	if (lexer->token != DYN_TOKEN_DIGITS)
		dyn_lexer_syntax_error(lexer);
	for (uint32 i = 0; i < lexer->len; i++)
	{
		index = index * 10 + (lexer->start[i] - '0');
		if (index > MAX_LIST_INDEX)
			dyn_expression_raise(lexer->kind,
								 "List index is not within the allowable range; index: [%.*s]",
								 (int) lexer->len, lexer->start);
	}
	dyn_lexer_next(lexer);
	return index;
}

static void
add_name(DynLexer *lexer, DynDocumentPath *path)
{
	DynPathStep *step = &path->steps[path->nsteps++];

	if (lexer->token != DYN_TOKEN_IDENTIFIER && lexer->token != DYN_TOKEN_NAME)
		dyn_lexer_syntax_error(lexer);
	step->name = lexer->start;
	step->name_len = lexer->len;
	step->index = 0;
	dyn_lexer_next(lexer);
}

DynOperand *
dyn_operand_parse_path(DynLexer *lexer)
{
	DynOperand *operand = palloc0(sizeof(DynOperand));
	DynDocumentPath *path = &operand->path;
	int			room = 2;

	operand->kind = DYN_OPERAND_PATH;
	operand->text = lexer->start;
	operand->text_len = lexer->len;
	path->steps = palloc(room * sizeof(DynPathStep));
	if (at_keyword(lexer))
		dyn_lexer_syntax_error(lexer);
	add_name(lexer, path);
	while (lexer->token == DYN_TOKEN_DOT || lexer->token == DYN_TOKEN_LBRACKET)
	{
		if (path->nsteps == room)
		{
			room *= 2;
			path->steps = repalloc(path->steps, room * sizeof(DynPathStep));
		}
		if (dyn_lexer_accept(lexer, DYN_TOKEN_DOT))
			add_name(lexer, path);
		else
		{
			DynPathStep *step = &path->steps[path->nsteps++];

			dyn_lexer_next(lexer);
			step->name = NULL;
			step->name_len = 0;
			step->index = list_index(lexer);
			dyn_lexer_expect(lexer, DYN_TOKEN_RBRACKET);
		}
	}
	if (path->nsteps > DYN_MAX_NESTING_DEPTH)
		dyn_expression_raise(lexer->kind,
							 "The document path has too many nesting levels; nesting levels: %d",
							 path->nsteps);
	return operand;
}

DynOperand *
dyn_operand_parse_value(DynLexer *lexer)
{
	DynOperand *operand;

	if (lexer->token != DYN_TOKEN_VALUE)
		dyn_lexer_syntax_error(lexer);
	operand = palloc0(sizeof(DynOperand));
	operand->kind = DYN_OPERAND_VALUE;
	operand->text = lexer->start;
	operand->text_len = lexer->len;
	dyn_lexer_next(lexer);
	return operand;
}

/* The arguments of a call whose name and '(' are behind us. */
static void
parse_arguments(DynLexer *lexer, DynOperand *call)
{
	int			room = 2;

	call->args = palloc(room * sizeof(DynOperand *));
	do
	{
		if (call->nargs == room)
		{
			room *= 2;
			call->args = repalloc(call->args, room * sizeof(DynOperand *));
		}
		call->args[call->nargs++] = dyn_operand_parse(lexer);
	} while (dyn_lexer_accept(lexer, DYN_TOKEN_COMMA));
	dyn_lexer_expect(lexer, DYN_TOKEN_RPAREN);
}

DynOperand *
dyn_operand_parse(DynLexer *lexer)
{
	DynOperand *operand;

	if (lexer->token == DYN_TOKEN_VALUE)
		return dyn_operand_parse_value(lexer);

	dyn_lexer_enter(lexer);
	if (dyn_lexer_accept(lexer, DYN_TOKEN_LPAREN))
	{
		if (lexer->token == DYN_TOKEN_LPAREN)
			lexer->redundant = true;
		operand = dyn_operand_parse(lexer);
		dyn_lexer_expect(lexer, DYN_TOKEN_RPAREN);
	}
	else
	{
		operand = dyn_operand_parse_path(lexer);
		if (lexer->token == DYN_TOKEN_LPAREN && operand->path.nsteps == 1 &&
			operand->text[0] != '#')
		{
			dyn_lexer_next(lexer);
			operand->kind = DYN_OPERAND_FUNCTION;
			operand->function = find_function(lexer->kind, operand->text,
											  operand->text_len);
			parse_arguments(lexer, operand);
		}
	}
	dyn_lexer_leave(lexer);
	return operand;
}

void
dyn_operand_check_reserved(DynExpressionKind kind, const DynOperand *operand)
{
	if (operand->kind == DYN_OPERAND_PATH)
	{
		for (int i = 0; i < operand->path.nsteps; i++)
		{
			const DynPathStep *step = &operand->path.steps[i];

			if (step->name != NULL && step->name[0] != '#' &&
				dyn_is_reserved_word(step->name, step->name_len))
				dyn_expression_raise(kind,
									 "Attribute name is a reserved keyword; reserved keyword: %.*s",
									 (int) step->name_len, step->name);
		}
	}
	for (int i = 0; i < operand->nargs; i++)
		dyn_operand_check_reserved(kind, operand->args[i]);
}

void
dyn_operand_check_functions(DynExpressionKind kind, const DynOperand *operand)
{
	if (operand->kind == DYN_OPERAND_FUNCTION &&
		operand->function == DYN_FUNCTION_UNKNOWN)
		dyn_expression_raise(kind, "Invalid function name; function: %.*s",
							 (int) operand->text_len, operand->text);
	for (int i = 0; i < operand->nargs; i++)
		dyn_operand_check_functions(kind, operand->args[i]);
}

void
dyn_operand_resolve(DynExpressionKind kind, DynOperand *operand,
					DynPlaceholders *placeholders)
{
	switch (operand->kind)
	{
		case DYN_OPERAND_PATH:
			for (int i = 0; i < operand->path.nsteps; i++)
			{
				DynPathStep *step = &operand->path.steps[i];
				const char *name;
				uint32		len;

				if (step->name == NULL || step->name[0] != '#')
					continue;
				name = dyn_placeholders_name(placeholders, step->name,
											 step->name_len, &len);
				if (name == NULL)
					dyn_expression_raise(kind,
										 "An expression attribute name used in the document path is not defined; attribute name: %.*s",
										 (int) step->name_len, step->name);
				step->name = name;
				step->name_len = len;
			}
			break;
		case DYN_OPERAND_VALUE:
			{
				const DynValue *value = dyn_placeholders_value(placeholders,
															   operand->text,
															   operand->text_len);

				if (value == NULL)
					dyn_expression_raise(kind,
										 "An expression attribute value used in expression is not defined; attribute value: %.*s",
										 (int) operand->text_len, operand->text);
				operand->value = *value;
			}
			break;
		default:
			for (int i = 0; i < operand->nargs; i++)
				dyn_operand_resolve(kind, operand->args[i], placeholders);
			break;
	}
}

bool
dyn_operand_lookup(const DynOperand *operand, const DynItem *item,
				   DynValue *value)
{
	DynValue	root;

	if (operand->kind == DYN_OPERAND_VALUE)
	{
		*value = operand->value;
		return true;
	}
	Assert(operand->kind == DYN_OPERAND_PATH);
	if (item == NULL)
		return false;
	root = dyn_item_value(item);
	return dyn_path_find(&root, &operand->path, value);
}

void
dyn_operand_print(StringInfo out, const DynOperand *operand)
{
	switch (operand->kind)
	{
		case DYN_OPERAND_PATH:
			dyn_path_describe(out, &operand->path);
			return;
		case DYN_OPERAND_VALUE:
			if (operand->text != NULL)
				appendBinaryStringInfo(out, operand->text, operand->text_len);
			else
				dyn_value_describe(out, &operand->value);
			return;
		case DYN_OPERAND_FUNCTION:
			appendBinaryStringInfo(out, operand->text, operand->text_len);
			break;
		case DYN_OPERAND_PLUS:
			appendStringInfoChar(out, '+');
			break;
		case DYN_OPERAND_MINUS:
			appendStringInfoChar(out, '-');
			break;
	}
	appendStringInfoChar(out, '(');
	for (int i = 0; i < operand->nargs; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		dyn_operand_print(out, operand->args[i]);
	}
	appendStringInfoChar(out, ')');
}

bool
dyn_operand_same_path(const DynOperand *a, const DynOperand *b)
{
	if (a->kind != DYN_OPERAND_PATH || b->kind != DYN_OPERAND_PATH ||
		a->path.nsteps != b->path.nsteps)
		return false;
	for (int i = 0; i < a->path.nsteps; i++)
	{
		const DynPathStep *x = &a->path.steps[i];
		const DynPathStep *y = &b->path.steps[i];

		if ((x->name == NULL) != (y->name == NULL) ||
			x->index != y->index || x->name_len != y->name_len ||
			(x->name != NULL && memcmp(x->name, y->name, x->name_len) != 0))
			return false;
	}
	return true;
}

DynOperand *
dyn_operand_make_path(const char *name, uint32 len)
{
	DynOperand *operand = palloc0(sizeof(DynOperand));

	operand->kind = DYN_OPERAND_PATH;
	operand->path.nsteps = 1;
	operand->path.steps = palloc0(sizeof(DynPathStep));
	operand->path.steps[0].name = name;
	operand->path.steps[0].name_len = len;
	return operand;
}

DynOperand *
dyn_operand_make_value(const DynValue *value)
{
	DynOperand *operand = palloc0(sizeof(DynOperand));

	operand->kind = DYN_OPERAND_VALUE;
	operand->value = *value;
	return operand;
}
