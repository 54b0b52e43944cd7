/*-------------------------------------------------------------------------
 *
 * fuzz_statement.c
 *		partiql/statement.c: a statement's tree, and what WHERE makes of an item.
 *
 * test/fuzz/fuzz_statement.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "expression_fixture.h"
#include "partiql/statement.h"

typedef struct Parsing
{
	const char *text;
	size_t		size;
} Parsing;

static void
parse(void *argument)
{
	Parsing    *parsing = argument;
	DynValue	parameters[] = {
		{.type = DYN_TYPE_S, .data = "x", .size = 1},
		dyn_item_value(fixture_item()),
	};
	StringInfoData out;

	/* As many parameters as the text has question marks, up to two. */
	for (int n = 0; n <= lengthof(parameters); n++)
	{
		int			marks = 0;
		DynStatement *statement;

		for (size_t i = 0; i < parsing->size; i++)
			marks += parsing->text[i] == '?';
		if (n != Min(marks, lengthof(parameters)))
			continue;
		statement = dyn_statement_parse(parsing->text, parsing->size, parameters, n);
		initStringInfo(&out);
		dyn_statement_print(&out, statement);
		if (statement->where != NULL)
			(void) dyn_condition_evaluate(statement->where, fixture_item());
		if (statement->update != NULL)
			(void) dyn_update_apply(statement->update, fixture_item(), fixture_item());
		if (statement->item != NULL)
			dyn_item_check(statement->item);
	}
}

void
fuzz_one(const uint8 *data, size_t size)
{
	Parsing		parsing = {(const char *) data, size};

	/* A request is UTF-8, or it is none. */
	if (pg_encoding_verifymbstr(PG_UTF8, parsing.text, size) != size)
		return;
	if (!fuzz_try(parse, &parsing))
		require_exception();
}
