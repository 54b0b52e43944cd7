/*-------------------------------------------------------------------------
 *
 * update.c
 *		UpdateExpression: text to clauses, and all that can be wrong with it.
 *
 *		update := section+
 *		section := SET set (',' set)* | REMOVE path (',' path)*
 *				 | ADD path value (',' path value)*
 *				 | DELETE path value (',' path value)*
 *		set := path '=' sum
 *		sum := term [('+' | '-') term]
 *		term := '(' sum ')' | operand
 *
 * Each section may stand once, in any order.
 *
 * src/expression/update.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "expression/tree.h"

static const DynExpressionKind kind = DYN_EXPRESSION_UPDATE;

static const char *const section_names[] = {
	[DYN_UPDATE_SET] = "SET",
	[DYN_UPDATE_REMOVE] = "REMOVE",
	[DYN_UPDATE_ADD] = "ADD",
	[DYN_UPDATE_DELETE] = "DELETE",
};

static DynOperand *parse_sum(DynLexer *lexer, bool *is_group);

static DynOperand *
parse_term(DynLexer *lexer, bool *is_group)
{
	DynOperand *operand;
	bool		inner_is_group;

	*is_group = false;
	if (lexer->token != DYN_TOKEN_LPAREN)
		return dyn_operand_parse(lexer);

	dyn_lexer_enter(lexer);
	dyn_lexer_next(lexer);
	operand = parse_sum(lexer, &inner_is_group);
	if (inner_is_group)
		lexer->redundant = true;
	dyn_lexer_expect(lexer, DYN_TOKEN_RPAREN);
	dyn_lexer_leave(lexer);
	*is_group = true;
	return operand;
}

static DynOperand *
parse_sum(DynLexer *lexer, bool *is_group)
{
	DynOperand *left = parse_term(lexer, is_group);
	DynOperand *sum;
	bool		right_is_group;

	if (lexer->token != DYN_TOKEN_PLUS && lexer->token != DYN_TOKEN_MINUS)
		return left;
	sum = palloc0(sizeof(DynOperand));
	sum->kind = lexer->token == DYN_TOKEN_PLUS ? DYN_OPERAND_PLUS : DYN_OPERAND_MINUS;
	lexer->operators++;
	dyn_lexer_next(lexer);
	sum->nargs = 2;
	sum->args = palloc(2 * sizeof(DynOperand *));
	sum->args[0] = left;
	sum->args[1] = parse_term(lexer, &right_is_group);
	*is_group = false;
	return sum;
}

static void
parse_clause(DynLexer *lexer, DynUpdateClause *clause)
{
	bool		is_group;

	clause->target = dyn_operand_parse_path(lexer);
	clause->operand = NULL;
	switch (clause->action)
	{
		case DYN_UPDATE_SET:
			dyn_lexer_expect(lexer, DYN_TOKEN_EQ);
			clause->operand = parse_sum(lexer, &is_group);
			break;
		case DYN_UPDATE_REMOVE:
			break;
		case DYN_UPDATE_ADD:
		case DYN_UPDATE_DELETE:
			clause->operand = dyn_operand_parse_value(lexer);
			break;
	}
}

static DynUpdateAction
parse_section_name(DynLexer *lexer)
{
	for (int i = 0; i < lengthof(section_names); i++)
		if (dyn_lexer_accept_keyword(lexer, section_names[i]))
			return (DynUpdateAction) i;
	dyn_lexer_syntax_error(lexer);
}

/* *repeated: the first section that stands twice, or NULL. */
static DynUpdate *
parse(const char *text, uint32 len, const char **repeated)
{
	DynUpdate  *update = palloc0(sizeof(DynUpdate));
	bool		seen[lengthof(section_names)] = {false};
	DynLexer	lexer;
	int			room = 4;

	*repeated = NULL;
	update->clauses = palloc(room * sizeof(DynUpdateClause));
	dyn_lexer_init(&lexer, kind, text, len);
	do
	{
		DynUpdateAction action = parse_section_name(&lexer);

		if (seen[action] && *repeated == NULL)
			*repeated = section_names[action];
		seen[action] = true;
		do
		{
			if (update->nclauses == room)
			{
				room *= 2;
				update->clauses = repalloc(update->clauses,
										   room * sizeof(DynUpdateClause));
			}
			update->clauses[update->nclauses].action = action;
			parse_clause(&lexer, &update->clauses[update->nclauses]);
			update->nclauses++;
		} while (dyn_lexer_accept(&lexer, DYN_TOKEN_COMMA));
	} while (lexer.token != DYN_TOKEN_EOF);
	dyn_lexer_finish(&lexer);
	return update;
}

/* ----- static checks ----- */

/* The long names, which ADD and DELETE alone use. */
static const char *
long_type_name(DynType type)
{
	switch (type)
	{
		case DYN_TYPE_S:
			return "STRING";
		case DYN_TYPE_N:
			return "NUMBER";
		case DYN_TYPE_B:
			return "BINARY";
		case DYN_TYPE_BOOL:
			return "BOOLEAN";
		case DYN_TYPE_L:
			return "LIST";
		case DYN_TYPE_M:
			return "MAP";
		default:
			return dyn_type_name(type);
	}
}

static void
check_add_or_delete(const DynUpdateClause *clause)
{
	DynType		type;

	if (clause->action != DYN_UPDATE_ADD && clause->action != DYN_UPDATE_DELETE)
		return;
	type = clause->operand->value.type;
	if (dyn_type_is_set(type) || (clause->action == DYN_UPDATE_ADD && type == DYN_TYPE_N))
		return;
	dyn_expression_raise(kind,
						 "Incorrect operand type for operator or function; operator: %s, operand type: %s",
						 section_names[clause->action], long_type_name(type));
}

static void
check_constant_type(const char *operator, const DynOperand *operand, DynType type)
{
	if (operand->kind == DYN_OPERAND_VALUE && operand->value.type != type)
		dyn_expression_raise(kind,
							 "Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
							 operator, dyn_type_name(operand->value.type));
}

/* nested: an argument of something, where list_append may not stand. */
static void
check_operand(const DynOperand *operand, bool nested)
{
	const char *name;
	DynType		type = 0;

	switch (operand->kind)
	{
		case DYN_OPERAND_PATH:
		case DYN_OPERAND_VALUE:
			return;
		case DYN_OPERAND_PLUS:
			name = "+";
			type = DYN_TYPE_N;
			break;
		case DYN_OPERAND_MINUS:
			name = "-";
			type = DYN_TYPE_N;
			break;
		default:
			name = dyn_function_name(operand->function);
			if (operand->nargs != 2)
				dyn_expression_raise(kind,
									 "Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d",
									 name, operand->nargs);
			if (operand->function == DYN_FUNCTION_LIST_APPEND)
			{
				type = DYN_TYPE_L;
				if (nested)
					dyn_expression_raise(kind,
										 "The function is not allowed to be used this way in an expression; function: %s",
										 name);
			}
			else if (operand->args[0]->kind != DYN_OPERAND_PATH)
				dyn_expression_raise(kind,
									 "Operator or function requires a document path; operator or function: %s",
									 name);
			break;
	}
	for (int i = 0; i < operand->nargs; i++)
	{
		check_operand(operand->args[i], true);
		if (type != 0)
			check_constant_type(name, operand->args[i], type);
	}
}

/* Resolve what is of one kind in an operand. */
static void
resolve_kind(DynOperand *operand, DynOperandKind which,
			 DynPlaceholders *placeholders)
{
	if (operand->kind == which)
		dyn_operand_resolve(kind, operand, placeholders);
	for (int i = 0; i < operand->nargs; i++)
		resolve_kind(operand->args[i], which, placeholders);
}

/* An undefined name is reported before an undefined value. */
static void
resolve(DynUpdate *update, DynPlaceholders *placeholders)
{
	for (int i = 0; i < update->nclauses; i++)
	{
		dyn_operand_resolve(kind, update->clauses[i].target, placeholders);
		if (update->clauses[i].operand != NULL)
			resolve_kind(update->clauses[i].operand, DYN_OPERAND_PATH, placeholders);
	}
	for (int i = 0; i < update->nclauses; i++)
		if (update->clauses[i].operand != NULL)
			resolve_kind(update->clauses[i].operand, DYN_OPERAND_VALUE, placeholders);
}

void
dyn_update_index_targets(DynUpdate *update)
{
	DynOperand **targets = palloc(update->nclauses * sizeof(DynOperand *));

	for (int i = 0; i < update->nclauses; i++)
		targets[i] = update->clauses[i].target;
	update->targets = dyn_path_tree_create(kind, targets, update->nclauses);
}

void
dyn_update_check_clauses(const DynUpdate *update)
{
	for (int i = 0; i < update->nclauses; i++)
		check_add_or_delete(&update->clauses[i]);
	for (int i = 0; i < update->nclauses; i++)
		if (update->clauses[i].operand != NULL)
			check_operand(update->clauses[i].operand, false);
}

DynUpdate *
dyn_update_create(const char *text, uint32 len, DynPlaceholders *placeholders)
{
	const char *repeated;
	DynUpdate  *update = parse(text, len, &repeated);

	for (int i = 0; i < update->nclauses; i++)
	{
		dyn_operand_check_reserved(kind, update->clauses[i].target);
		if (update->clauses[i].operand != NULL)
			dyn_operand_check_reserved(kind, update->clauses[i].operand);
	}
	for (int i = 0; i < update->nclauses; i++)
		if (update->clauses[i].operand != NULL)
			dyn_operand_check_functions(kind, update->clauses[i].operand);
	if (repeated != NULL)
		dyn_expression_raise(kind,
							 "The \"%s\" section can only be used once in an update expression;",
							 repeated);
	resolve(update, placeholders);
	dyn_update_index_targets(update);
	dyn_update_check_clauses(update);
	return update;
}

void
dyn_update_visit_targets(const DynUpdate *update, DynPathVisitor visit, void *arg)
{
	for (int i = 0; i < update->nclauses; i++)
		visit(&update->clauses[i].target->path, arg);
}

void
dyn_update_visit_operands(const DynUpdate *update, DynPathVisitor visit, void *arg)
{
	for (int i = 0; i < update->nclauses; i++)
		if (update->clauses[i].operand != NULL)
			dyn_operand_visit_paths(update->clauses[i].operand, visit, arg);
}

DynItem *
dyn_update_constants(const DynUpdate *update)
{
	DynItemBuilder *b = dyn_builder_create();

	dyn_builder_begin(b, DYN_TYPE_M);
	for (int i = 0; i < update->nclauses; i++)
	{
		const DynUpdateClause *clause = &update->clauses[i];
		const DynDocumentPath *path = &clause->target->path;

		if (path->nsteps != 1 || clause->operand == NULL ||
			clause->operand->kind != DYN_OPERAND_VALUE ||
			clause->action == DYN_UPDATE_DELETE)
			continue;
		dyn_builder_name(b, path->steps[0].name, path->steps[0].name_len);
		dyn_builder_value(b, &clause->operand->value);
	}
	dyn_builder_end(b);
	return dyn_builder_item(b);
}

bool
dyn_update_only_deletes(const DynUpdate *update)
{
	for (int i = 0; i < update->nclauses; i++)
		if (update->clauses[i].action == DYN_UPDATE_SET ||
			update->clauses[i].action == DYN_UPDATE_ADD)
			return false;
	return update->nclauses > 0;
}

/* "(SET [a] +([b], :c)) (REMOVE [d])" */
void
dyn_update_print(StringInfo out, const DynUpdate *update)
{
	for (int i = 0; i < update->nclauses; i++)
	{
		const DynUpdateClause *clause = &update->clauses[i];

		appendStringInfo(out, "%s(%s ", i > 0 ? " " : "",
						 section_names[clause->action]);
		dyn_operand_print(out, clause->target);
		if (clause->operand != NULL)
		{
			appendStringInfoChar(out, ' ');
			dyn_operand_print(out, clause->operand);
		}
		appendStringInfoChar(out, ')');
	}
}
