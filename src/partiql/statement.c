/*-------------------------------------------------------------------------
 *
 * statement.c
 *		The statements of PartiQL.
 *
 * src/partiql/statement.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "partiql/parser.h"

static void
refuse_alias(const DynParser *parser)
{
	if (dyn_parser_is_word(parser, "AS"))
		dyn_raise(VALIDATION, "Aliasing is not supported");
}

/* ----- FROM ----- */

static const char *
parse_table_part(DynParser *parser, uint32 *len)
{
	const char *name;

	if (parser->token != DYN_PARTIQL_WORD && parser->token != DYN_PARTIQL_NAME)
		dyn_parser_error("Expected identifier");
	name = pnstrdup(parser->value, parser->value_len);
	*len = parser->value_len;
	dyn_parser_next(parser);
	return name;
}

/* table := name ['.' name] */
static void
parse_table(DynParser *parser, DynStatement *statement)
{
	statement->table = parse_table_part(parser, &statement->table_len);
	if (dyn_parser_accept_sign(parser, '.'))
		statement->index = parse_table_part(parser, &statement->index_len);
	if (dyn_parser_is_sign(parser, '.'))
		dyn_raise(VALIDATION, "A path may contain at most 2 components in the FROM clause");
	if (dyn_parser_is_sign(parser, ','))
		dyn_raise(VALIDATION, "FROM clause may only contain a single table name in data manipulation statements at %s",
				  dyn_parser_position(parser));
	if (dyn_parser_at_name(parser))
		dyn_raise(VALIDATION, "Aliasing is not supported");
	refuse_alias(parser);
}

/* ----- SELECT ----- */

/* A column is called by its path's last name, and the indexes behind that. */
static void
label_column(DynColumn *column)
{
	StringInfoData label;
	int			last = column->path.nsteps - 1;

	while (column->path.steps[last].name == NULL)
		last--;
	initStringInfo(&label);
	appendBinaryStringInfo(&label, column->path.steps[last].name,
						   column->path.steps[last].name_len);
	while (++last < column->path.nsteps)
		appendStringInfo(&label, "[%u]", column->path.steps[last].index);
	column->label = label.data;
	column->label_len = label.len;
}

static bool
is_labelled(const DynStatement *statement, const DynColumn *column)
{
	for (int i = 0; i < statement->ncolumns; i++)
		if (statement->columns[i].label_len == column->label_len &&
			memcmp(statement->columns[i].label, column->label, column->label_len) == 0)
			return true;
	return false;
}

static void
parse_columns(DynParser *parser, DynStatement *statement)
{
	if (dyn_parser_accept_sign(parser, '*'))
		return;
	do
	{
		DynColumn	column;
		int			n = statement->ncolumns;

		if (parser->token == DYN_PARTIQL_WORD && dyn_parser_before_paren(parser))
			dyn_raise(VALIDATION, "Unexpected path component at %s",
					  dyn_parser_position(parser));
		column.path = dyn_parser_path(parser)->path;
		refuse_alias(parser);
		label_column(&column);

		/* An answer has one attribute of a name: the first. */
		if (is_labelled(statement, &column))
			continue;
		if (n == 0)
			statement->columns = palloc(sizeof(DynColumn));
		else if ((n & (n - 1)) == 0)
			statement->columns = repalloc(statement->columns, 2 * n * sizeof(DynColumn));
		statement->columns[statement->ncolumns++] = column;
	} while (dyn_parser_accept_sign(parser, ','));
}

/* The columns' paths, for who looks at what is asked for. */
static DynProjection *
projection_of(const DynStatement *statement)
{
	DynProjection *projection = palloc0(sizeof(DynProjection));

	projection->npaths = statement->ncolumns;
	projection->paths = palloc(sizeof(DynOperand *) * projection->npaths);
	for (int i = 0; i < statement->ncolumns; i++)
	{
		projection->paths[i] = palloc0(sizeof(DynOperand));
		projection->paths[i]->kind = DYN_OPERAND_PATH;
		projection->paths[i]->path = statement->columns[i].path;
	}
	return projection;
}

static void
parse_order(DynParser *parser, DynStatement *statement)
{
	/* As many as there are names in the longest statement would be too many. */
	statement->order = palloc(2 * sizeof(DynOrder));
	do
	{
		DynOperand *path = dyn_parser_path(parser);
		DynOrder   *order;

		if (path->path.nsteps > 1)
			dyn_parser_error("Expected the name of a key in ORDER BY");
		if (statement->norder == 2)
			dyn_raise(VALIDATION, "ORDER BY may name the partition key and the sort key only");
		order = &statement->order[statement->norder++];
		order->name = path->path.steps[0].name;
		order->name_len = path->path.steps[0].name_len;
		order->descending = dyn_parser_accept_word(parser, "DESC");
		if (!order->descending)
			(void) dyn_parser_accept_word(parser, "ASC");
	} while (dyn_parser_accept_sign(parser, ','));
}

static void
parse_where(DynParser *parser, DynStatement *statement)
{
	if (dyn_parser_accept_word(parser, "WHERE"))
		statement->where = dyn_parser_condition(parser);
}

static void
parse_select(DynParser *parser, DynStatement *statement)
{
	dyn_parser_expect_word(parser, "SELECT");
	parse_columns(parser, statement);
	if (statement->ncolumns > 0)
		statement->projection = projection_of(statement);
	dyn_parser_expect_word(parser, "FROM");
	parse_table(parser, statement);
	parse_where(parser, statement);
	if (dyn_parser_accept_word(parser, "ORDER"))
	{
		dyn_parser_expect_word(parser, "BY");
		parse_order(parser, statement);
	}
}

/* ----- the others ----- */

static DynItem *
item_of(const DynValue *value)
{
	DynItemBuilder *b = dyn_builder_create();

	if (value->type != DYN_TYPE_M)
		dyn_parser_error("Expected a map behind VALUE");
	dyn_builder_value(b, value);
	return dyn_builder_item(b);
}

static void
parse_insert(DynParser *parser, DynStatement *statement)
{
	DynValue	value;

	dyn_parser_expect_word(parser, "INTO");
	parse_table(parser, statement);
	dyn_parser_expect_word(parser, "VALUE");
	value = dyn_parser_literal(parser);
	statement->item = item_of(&value);
}

static void
parse_returning(DynParser *parser, DynStatement *statement)
{
	bool		modified;
	bool		old;

	if (!dyn_parser_accept_word(parser, "RETURNING"))
		return;
	modified = dyn_parser_accept_word(parser, "MODIFIED");
	if (!modified)
		dyn_parser_expect_word(parser, "ALL");
	old = dyn_parser_accept_word(parser, "OLD");
	if (!old)
		dyn_parser_expect_word(parser, "NEW");
	dyn_parser_expect_sign(parser, '*');
	statement->returning = modified ?
		(old ? DYN_RETURNING_MODIFIED_OLD : DYN_RETURNING_MODIFIED_NEW) :
		(old ? DYN_RETURNING_ALL_OLD : DYN_RETURNING_ALL_NEW);
	if (statement->kind == DYN_STATEMENT_DELETE &&
		statement->returning != DYN_RETURNING_ALL_OLD)
		dyn_raise(VALIDATION, "Invalid returning clause: RETURNING %s %s *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
				  modified ? "MODIFIED" : "ALL", old ? "OLD" : "NEW");
}

static DynUpdateClause *
add_clause(DynUpdate *update, DynUpdateAction action, DynOperand *target)
{
	DynUpdateClause *clause;
	int			n = update->nclauses;

	if (n == 0)
		update->clauses = palloc(sizeof(DynUpdateClause));
	else if ((n & (n - 1)) == 0)
		update->clauses = repalloc(update->clauses, 2 * n * sizeof(DynUpdateClause));
	clause = &update->clauses[update->nclauses++];
	clause->action = action;
	clause->target = target;
	clause->operand = NULL;
	return clause;
}

static DynOperand *
make_function(DynOperandKind kind, DynFunction function, DynOperand *left,
			  DynOperand *right)
{
	DynOperand *operand = palloc0(sizeof(DynOperand));

	operand->kind = kind;
	operand->function = function;
	operand->nargs = 2;
	operand->args = palloc(2 * sizeof(DynOperand *));
	operand->args[0] = left;
	operand->args[1] = right;
	if (kind == DYN_OPERAND_FUNCTION)
	{
		operand->text = dyn_function_name(function);
		operand->text_len = strlen(operand->text);
	}
	return operand;
}

/* An operand of SET, where the functions of conditions have no place. */
static DynOperand *
parse_set_operand(DynParser *parser)
{
	DynOperand *operand = dyn_parser_operand(parser);

	if (operand->kind == DYN_OPERAND_FUNCTION)
		dyn_parser_error(psprintf("Unexpected function %s", operand->text));
	return operand;
}

/* The two arguments of a function whose name is the current token. */
static void
parse_two(DynParser *parser, DynOperand **first, DynOperand **second)
{
	dyn_parser_next(parser);
	dyn_parser_expect_sign(parser, '(');
	*first = parse_set_operand(parser);
	dyn_parser_expect_sign(parser, ',');
	*second = parse_set_operand(parser);
	dyn_parser_expect_sign(parser, ')');
}

/* set := path '=' (list_append | set_add | set_delete) '(' operand ',' operand ')'
 *		| path '=' operand [('+' | '-') operand] */
static void
parse_set(DynParser *parser, DynUpdate *update)
{
	DynOperand *target = dyn_parser_path(parser);
	DynUpdateClause *clause;
	bool		adds;
	DynOperand *first;
	DynOperand *second;

	dyn_parser_expect_sign(parser, '=');
	adds = dyn_parser_is_word(parser, "set_add");
	if (adds || dyn_parser_is_word(parser, "set_delete"))
	{
		parse_two(parser, &first, &second);
		if (first->kind != DYN_OPERAND_PATH || second->kind != DYN_OPERAND_VALUE ||
			!dyn_operand_same_path(first, target))
			dyn_parser_error("Expected the path that is set, and a set, as arguments of a set function");
		clause = add_clause(update, adds ? DYN_UPDATE_ADD : DYN_UPDATE_DELETE, target);
		clause->operand = second;
		if (!dyn_type_is_set(second->value.type))
			dyn_raise(VALIDATION, "Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
					  adds ? "set_add" : "set_delete", dyn_type_name(second->value.type));
		return;
	}
	clause = add_clause(update, DYN_UPDATE_SET, target);
	if (dyn_parser_is_word(parser, "list_append") ||
		dyn_parser_is_word(parser, "if_not_exists"))
	{
		DynFunction function = dyn_parser_is_word(parser, "list_append") ?
			DYN_FUNCTION_LIST_APPEND : DYN_FUNCTION_IF_NOT_EXISTS;

		parse_two(parser, &first, &second);
		clause->operand = make_function(DYN_OPERAND_FUNCTION, function, first, second);
		return;
	}
	first = parse_set_operand(parser);
	if (dyn_parser_is_sign(parser, '+') || dyn_parser_is_sign(parser, '-'))
	{
		DynOperandKind kind = *parser->start == '+' ? DYN_OPERAND_PLUS : DYN_OPERAND_MINUS;

		dyn_parser_next(parser);
		second = parse_set_operand(parser);
		first = make_function(kind, DYN_FUNCTION_UNKNOWN, first, second);
	}
	clause->operand = first;
}

static void
parse_update(DynParser *parser, DynStatement *statement)
{
	DynUpdate  *update = palloc0(sizeof(DynUpdate));

	parse_table(parser, statement);
	for (;;)
	{
		if (dyn_parser_accept_word(parser, "SET"))
			do
				parse_set(parser, update);
			while (dyn_parser_accept_sign(parser, ','));
		else if (dyn_parser_accept_word(parser, "REMOVE"))
			do
				add_clause(update, DYN_UPDATE_REMOVE, dyn_parser_path(parser));
			while (dyn_parser_accept_sign(parser, ','));
		else
			break;
	}
	if (update->nclauses == 0)
		dyn_parser_error("Expected SET or REMOVE");
	dyn_update_index_targets(update);
	dyn_update_check_clauses(update);
	statement->update = update;
	parse_where(parser, statement);
	parse_returning(parser, statement);
}

static void
parse_delete(DynParser *parser, DynStatement *statement)
{
	dyn_parser_expect_word(parser, "FROM");
	parse_table(parser, statement);
	parse_where(parser, statement);
	parse_returning(parser, statement);
}

DynStatement *
dyn_statement_parse(const char *text, uint32 len, const DynValue *parameters,
					int nparameters)
{
	DynStatement *statement = palloc0(sizeof(DynStatement));
	DynParser	parser;

	dyn_parser_init(&parser, text, len, parameters, nparameters);
	if (dyn_parser_is_word(&parser, "SELECT"))
	{
		statement->kind = DYN_STATEMENT_SELECT;
		parse_select(&parser, statement);
	}
	else if (dyn_parser_accept_word(&parser, "INSERT"))
	{
		statement->kind = DYN_STATEMENT_INSERT;
		parse_insert(&parser, statement);
	}
	else if (dyn_parser_accept_word(&parser, "UPDATE"))
	{
		statement->kind = DYN_STATEMENT_UPDATE;
		parse_update(&parser, statement);
	}
	else if (dyn_parser_accept_word(&parser, "DELETE"))
	{
		statement->kind = DYN_STATEMENT_DELETE;
		parse_delete(&parser, statement);
	}
	else if (dyn_parser_accept_word(&parser, "EXISTS"))
	{
		statement->kind = DYN_STATEMENT_EXISTS;
		dyn_parser_expect_sign(&parser, '(');
		parse_select(&parser, statement);
		dyn_parser_expect_sign(&parser, ')');
	}
	else
		dyn_parser_error("Expected data manipulation");

	(void) dyn_parser_accept_sign(&parser, ';');
	if (parser.token != DYN_PARTIQL_EOF)
		dyn_parser_error("Unexpected token after expression");
	if (parser.used != nparameters)
		dyn_raise(VALIDATION, "Number of parameters in request and statement don't match.");
	return statement;
}

/* ----- what WHERE says of keys ----- */

static bool
is_attribute(const DynOperand *operand, const char *name, uint32 name_len)
{
	return operand->kind == DYN_OPERAND_PATH && operand->path.nsteps == 1 &&
		operand->path.steps[0].name_len == name_len &&
		memcmp(operand->path.steps[0].name, name, name_len) == 0;
}

static bool
all_values(const DynCondition *condition)
{
	for (int i = 1; i < condition->noperands; i++)
		if (condition->operands[i]->kind != DYN_OPERAND_VALUE)
			return false;
	return true;
}

const DynCondition *
dyn_where_equality(const DynCondition *where, const char *name, uint32 name_len)
{
	if (where == NULL)
		return NULL;
	if (where->kind == DYN_CONDITION_AND)
	{
		for (int i = 0; i < where->nconditions; i++)
		{
			const DynCondition *found = dyn_where_equality(where->conditions[i],
														   name, name_len);

			if (found != NULL)
				return found;
		}
		return NULL;
	}
	if (where->kind == DYN_CONDITION_EQ &&
		((is_attribute(where->operands[0], name, name_len) &&
		  where->operands[1]->kind == DYN_OPERAND_VALUE) ||
		 (is_attribute(where->operands[1], name, name_len) &&
		  where->operands[0]->kind == DYN_OPERAND_VALUE)))
		return where;
	if (where->kind == DYN_CONDITION_IN &&
		is_attribute(where->operands[0], name, name_len) && all_values(where))
		return where;
	return NULL;
}

int
dyn_where_values(const DynCondition *equality, DynValue *values, int room)
{
	int			n = 0;

	if (equality->kind == DYN_CONDITION_EQ)
	{
		Assert(room > 0);
		values[0] = equality->operands[0]->kind == DYN_OPERAND_VALUE ?
			equality->operands[0]->value : equality->operands[1]->value;
		return 1;
	}
	for (int i = 1; i < equality->noperands && n < room; i++)
		values[n++] = equality->operands[i]->value;
	return n;
}

/* All conjuncts about a sort attribute that an index can answer. */
typedef struct SortBounds
{
	const DynKeyAttribute *attribute;
	const DynValue *low;		/* or NULL */
	const DynValue *high;
	const DynValue *prefix;
	bool		low_open;		/* the bound itself is out of it */
	bool		high_open;
} SortBounds;

static void
add_low(SortBounds *bounds, const DynValue *value, bool open)
{
	int			order = bounds->low == NULL ? 1 : dyn_value_compare(value, bounds->low);

	if (order > 0 || (order == 0 && open))
	{
		bounds->low = value;
		bounds->low_open = open;
	}
}

static void
add_high(SortBounds *bounds, const DynValue *value, bool open)
{
	int			order = bounds->high == NULL ? -1 : dyn_value_compare(value, bounds->high);

	if (order < 0 || (order == 0 && open))
	{
		bounds->high = value;
		bounds->high_open = open;
	}
}

/* Does a condition compare the attribute, its first operand, with values of its type? */
static bool
compares_attribute(const SortBounds *bounds, DynOperand *const *operands, int count)
{
	if (!is_attribute(operands[0], bounds->attribute->name, bounds->attribute->name_len))
		return false;
	for (int i = 1; i < count; i++)
		if (operands[i]->kind != DYN_OPERAND_VALUE ||
			operands[i]->value.type != bounds->attribute->type)
			return false;
	return true;
}

static void
add_comparison(SortBounds *bounds, DynConditionKind kind, DynOperand *const *operands)
{
	DynOperand *turned[2] = {operands[1], operands[0]};
	bool		forward = compares_attribute(bounds, operands, 2);
	const DynValue *value;

	if (!forward && !compares_attribute(bounds, turned, 2))
		return;
	value = &operands[forward ? 1 : 0]->value;
	if (kind == DYN_CONDITION_EQ)
	{
		add_low(bounds, value, false);
		add_high(bounds, value, false);
	}
	else if ((kind == DYN_CONDITION_GT || kind == DYN_CONDITION_GE) == forward)
		add_low(bounds, value, kind == DYN_CONDITION_GT || kind == DYN_CONDITION_LT);
	else
		add_high(bounds, value, kind == DYN_CONDITION_GT || kind == DYN_CONDITION_LT);
}

static void
collect_bounds(SortBounds *bounds, const DynCondition *where)
{
	DynOperand *const *operands = where->operands;

	switch (where->kind)
	{
		case DYN_CONDITION_AND:
			for (int i = 0; i < where->nconditions; i++)
				collect_bounds(bounds, where->conditions[i]);
			break;
		case DYN_CONDITION_EQ:
		case DYN_CONDITION_LT:
		case DYN_CONDITION_LE:
		case DYN_CONDITION_GT:
		case DYN_CONDITION_GE:
			add_comparison(bounds, where->kind, operands);
			break;
		case DYN_CONDITION_BETWEEN:
			if (!compares_attribute(bounds, operands, 3))
				break;
			add_low(bounds, &operands[1]->value, false);
			add_high(bounds, &operands[2]->value, false);
			break;
		case DYN_CONDITION_FUNCTION:
			if (operands[0]->function == DYN_FUNCTION_BEGINS_WITH &&
				compares_attribute(bounds, operands[0]->args, 2))
				bounds->prefix = &operands[0]->args[1]->value;
			break;
		default:
			break;
	}
}

bool
dyn_where_sort(const DynCondition *where, const DynKeyAttribute *attribute,
			   DynKeyCondition *condition)
{
	SortBounds	bounds = {attribute};
	DynValue   *operand = &condition->sort[condition->nsort];
	DynSortOperator *operator = &condition->sort_operator;

	if (where != NULL)
		collect_bounds(&bounds, where);
	if (bounds.low != NULL && bounds.high != NULL)
	{
		bool		one_value = !bounds.low_open && !bounds.high_open &&
			dyn_value_equal(bounds.low, bounds.high);

		*operator = one_value ? DYN_SORT_EQ : DYN_SORT_BETWEEN;
		*operand = *bounds.low;
		condition->sort_upper = *bounds.high;
		condition->lower_open = bounds.low_open;
		condition->upper_open = bounds.high_open;
	}
	else if (bounds.prefix != NULL)
	{
		*operator = DYN_SORT_BEGINS_WITH;
		*operand = *bounds.prefix;
	}
	else if (bounds.low != NULL)
	{
		*operator = bounds.low_open ? DYN_SORT_GT : DYN_SORT_GE;
		*operand = *bounds.low;
	}
	else if (bounds.high != NULL)
	{
		*operator = bounds.high_open ? DYN_SORT_LT : DYN_SORT_LE;
		*operand = *bounds.high;
	}
	else
		return false;
	condition->nsort++;
	return true;
}

void
dyn_statement_print(StringInfo out, const DynStatement *statement)
{
	static const char *const kinds[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "EXISTS"};

	appendStringInfo(out, "%s %s", kinds[statement->kind], statement->table);
	if (statement->index != NULL)
		appendStringInfo(out, ".%s", statement->index);
	for (int i = 0; i < statement->ncolumns; i++)
	{
		appendStringInfo(out, " %s=", statement->columns[i].label);
		dyn_path_describe(out, &statement->columns[i].path);
	}
	if (statement->update != NULL)
	{
		appendStringInfoChar(out, ' ');
		dyn_update_print(out, statement->update);
	}
	if (statement->where != NULL)
	{
		appendStringInfoString(out, " WHERE ");
		dyn_condition_print(out, statement->where);
	}
	for (int i = 0; i < statement->norder; i++)
		appendStringInfo(out, " ORDER %.*s%s", (int) statement->order[i].name_len,
						 statement->order[i].name,
						 statement->order[i].descending ? " DESC" : "");
}
