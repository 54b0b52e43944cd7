/*-------------------------------------------------------------------------
 *
 * literal.c
 *		Values in PartiQL: literals and parameters.
 *
 *		value := string | ['+' | '-'] number | TRUE | FALSE | NULL | '?'
 *			   | '[' [value (',' value)*] ']'
 *			   | '<<' value (',' value)* '>>'
 *			   | '{' [string ':' value (',' string ':' value)*] '}'
 *
 * src/partiql/literal.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "item/number.h"
#include "partiql/parser.h"

#define INVALID "One or more parameter values were invalid: "

static void build_literal(DynParser *parser, DynItemBuilder *b, int level);

bool
dyn_parser_at_literal(const DynParser *parser)
{
	switch (parser->token)
	{
		case DYN_PARTIQL_STRING:
		case DYN_PARTIQL_NUMBER:
		case DYN_PARTIQL_PARAMETER:
		case DYN_PARTIQL_SET_BEGIN:
			return true;
		case DYN_PARTIQL_WORD:
			return dyn_parser_is_word(parser, "TRUE") ||
				dyn_parser_is_word(parser, "FALSE") ||
				dyn_parser_is_word(parser, "NULL");
		case DYN_PARTIQL_SIGN:
			return strchr("[{+-", *parser->start) != NULL;
		default:
			return false;
	}
}

static void
build_number(DynParser *parser, DynItemBuilder *b)
{
	StringInfoData text;
	DynNumberStatus status;
	DynNumber	number;
	DynValue	value;

	initStringInfo(&text);
	if (dyn_parser_is_sign(parser, '+') || dyn_parser_is_sign(parser, '-'))
	{
		if (*parser->start == '-')
			appendStringInfoChar(&text, '-');
		dyn_parser_next(parser);
		if (parser->token != DYN_PARTIQL_NUMBER)
			dyn_parser_error("Expected number");
	}
	/* The service's numbers have a digit before the point. */
	if (*parser->start == '.')
		appendStringInfoChar(&text, '0');
	appendBinaryStringInfo(&text, parser->start, parser->len);
	status = dyn_number_parse(text.data, text.len, &number);
	if (status != DYN_NUMBER_OK)
		dyn_raise(VALIDATION, "%s under %s",
				  dyn_number_complaint(status, text.data, text.len),
				  parser->place.len > 0 ? parser->place.data : "root");
	value = dyn_number_value(&number);
	dyn_builder_value(b, &value);
	dyn_parser_next(parser);
}

static void
build_parameter(DynParser *parser, DynItemBuilder *b)
{
	if (parser->used == parser->nparameters)
		dyn_raise(VALIDATION, "Number of parameters in request and statement don't match.");
	dyn_builder_value(b, &parser->parameters[parser->used++]);
	dyn_parser_next(parser);
}

/* Note where we are for a complaint, until the place is cut again. */
static int
enter_place(DynParser *parser)
{
	if (parser->place.len == 0)
		appendStringInfoString(&parser->place, "root");
	return parser->place.len;
}

static void
cut_place(DynParser *parser, int len)
{
	parser->place.len = len;
	parser->place.data[len] = '\0';
}

static void
build_list(DynParser *parser, DynItemBuilder *b, int level)
{
	int			place = enter_place(parser);
	int			n = 0;

	dyn_builder_begin(b, DYN_TYPE_L);
	dyn_parser_expect_sign(parser, '[');
	if (!dyn_parser_is_sign(parser, ']'))
		do
		{
			appendStringInfo(&parser->place, "[%d]", n++);
			build_literal(parser, b, level + 1);
			cut_place(parser, place);
		} while (dyn_parser_accept_sign(parser, ','));
	dyn_parser_expect_sign(parser, ']');
	dyn_builder_end(b);
}

static void
build_map(DynParser *parser, DynItemBuilder *b, int level)
{
	int			place = enter_place(parser);

	dyn_builder_begin(b, DYN_TYPE_M);
	dyn_parser_expect_sign(parser, '{');
	if (!dyn_parser_is_sign(parser, '}'))
		do
		{
			if (parser->token != DYN_PARTIQL_STRING)
				dyn_parser_error("Expected a string as a member's name");
			if (parser->value_len > DYN_MAX_ATTRIBUTE_NAME_SIZE)
				dyn_raise(VALIDATION, INVALID "Attribute name is too large, must be less than %d bytes",
						  DYN_MAX_ATTRIBUTE_NAME_SIZE + 1);
			if (level == 0 && parser->value_len == 0)
				dyn_raise(VALIDATION, "Empty attribute name");
			dyn_builder_name(b, parser->value, parser->value_len);
			appendStringInfo(&parser->place, ".%.*s", (int) parser->value_len,
							 parser->value);
			dyn_parser_next(parser);
			dyn_parser_expect_sign(parser, ':');
			build_literal(parser, b, level + 1);
			cut_place(parser, place);
		} while (dyn_parser_accept_sign(parser, ','));
	dyn_parser_expect_sign(parser, '}');
	dyn_builder_end(b);
}

static void pg_attribute_noreturn()
refuse_member(void)
{
	dyn_raise(VALIDATION, INVALID "The members of a set must be strings, numbers or binaries");
}

/* In the words that sets in JSON have; binary members as they are there. */
static void pg_attribute_noreturn()
refuse_duplicates(const DynValue *members, int nmembers)
{
	StringInfoData list;

	if (members[0].type == DYN_TYPE_N)
		dyn_raise(VALIDATION, "Input collection contains duplicates");
	initStringInfo(&list);
	for (int i = 0; i < nmembers; i++)
	{
		if (i > 0)
			appendStringInfoString(&list, ", ");
		if (members[0].type == DYN_TYPE_S)
			appendBinaryStringInfo(&list, members[i].data, members[i].size);
		else
		{
			StringInfoData quoted;
			DynJsonWriter w;

			initStringInfo(&quoted);
			dyn_json_writer_init(&w, &quoted);
			dyn_json_write_base64(&w, members[i].data, members[i].size);
			appendBinaryStringInfo(&list, quoted.data + 1, quoted.len - 2);
		}
	}
	dyn_raise(VALIDATION, INVALID "Input collection [%s]%s contains duplicates.", list.data,
			  members[0].type == DYN_TYPE_S ? "" : "of type BS");
}

static void
build_set(DynParser *parser, DynItemBuilder *b)
{
	int			room = 8;
	DynValue   *members = palloc(room * sizeof(DynValue));
	int			nmembers = 0;
	DynType		type;

	dyn_parser_next(parser);
	if (parser->token == DYN_PARTIQL_SET_END)
		dyn_raise(VALIDATION, INVALID "An set  may not be empty");
	do
	{
		if (nmembers == room)
		{
			room *= 2;
			members = repalloc(members, room * sizeof(DynValue));
		}
		/* Sets hold scalars alone: this goes no deeper. */
		if (parser->token == DYN_PARTIQL_SET_BEGIN ||
			dyn_parser_is_sign(parser, '[') || dyn_parser_is_sign(parser, '{'))
			refuse_member();
		members[nmembers++] = dyn_parser_literal(parser);
	} while (dyn_parser_accept_sign(parser, ','));
	if (parser->token != DYN_PARTIQL_SET_END)
		dyn_parser_error("Expected '>>'");
	dyn_parser_next(parser);

	switch (members[0].type)
	{
		case DYN_TYPE_S:
			type = DYN_TYPE_SS;
			break;
		case DYN_TYPE_N:
			type = DYN_TYPE_NS;
			break;
		case DYN_TYPE_B:
			type = DYN_TYPE_BS;
			break;
		default:
			refuse_member();
	}
	dyn_builder_begin(b, type);
	for (int i = 0; i < nmembers; i++)
	{
		if (members[i].type != members[0].type)
			dyn_raise(VALIDATION, INVALID "The members of a set must be of one type");
		dyn_builder_value(b, &members[i]);
	}
	if (!dyn_builder_end(b))
		refuse_duplicates(members, nmembers);
}

/* level: of the value, 0 for the outermost. */
static void
build_literal(DynParser *parser, DynItemBuilder *b, int level)
{
	if (level > DYN_MAX_NESTING_DEPTH)
		dyn_raise(VALIDATION, DYN_NESTED_TOO_DEEP);
	switch (parser->token)
	{
		case DYN_PARTIQL_STRING:
			dyn_builder_string(b, parser->value, parser->value_len);
			dyn_parser_next(parser);
			return;
		case DYN_PARTIQL_NUMBER:
			build_number(parser, b);
			return;
		case DYN_PARTIQL_PARAMETER:
			build_parameter(parser, b);
			return;
		case DYN_PARTIQL_SET_BEGIN:
			build_set(parser, b);
			return;
		case DYN_PARTIQL_WORD:
			if (dyn_parser_is_word(parser, "TRUE") || dyn_parser_is_word(parser, "FALSE"))
			{
				dyn_builder_bool(b, dyn_parser_is_word(parser, "TRUE"));
				dyn_parser_next(parser);
				return;
			}
			if (dyn_parser_accept_word(parser, "NULL"))
			{
				dyn_builder_null(b);
				return;
			}
			break;
		case DYN_PARTIQL_SIGN:
			if (*parser->start == '[')
			{
				build_list(parser, b, level);
				return;
			}
			if (*parser->start == '{')
			{
				build_map(parser, b, level);
				return;
			}
			if (strchr("+-", *parser->start) != NULL)
			{
				build_number(parser, b);
				return;
			}
			break;
		default:
			break;
	}
	dyn_parser_error("Expected a value");
}

DynValue
dyn_parser_literal(DynParser *parser)
{
	DynItemBuilder *b = dyn_builder_create();

	build_literal(parser, b, 0);
	return dyn_builder_result(b);
}
