/*-------------------------------------------------------------------------
 *
 * lexer.c
 *		Tokens of PartiQL.
 *
 *		word      := letter (letter | digit | '_' | '$')*
 *		name      := '"' any '"', a quote in it written twice
 *		string    := "'" any "'", a quote in it written twice
 *		number    := digits ['.' digits] | '.' digits, [('e' | 'E') [sign] digits]
 *		comment   := '--' to the end of the line | '/' '*' ... '*' '/'
 *
 * src/partiql/lexer.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "partiql/parser.h"

/* Deeper than any statement of 8192 characters needs, shallower than the stack. */
#define MAX_DEPTH 500

void
dyn_parser_error(const char *detail)
{
	dyn_raise(VALIDATION, "Statement wasn't well formed, can't be processed: %s",
			  detail);
}

static bool
is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* Behind blanks and comments; NULL if the last of them does not end. */
static const char *
find_token(const char *p, const char *end)
{
	for (;;)
	{
		while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
			p++;
		if (end - p >= 2 && p[0] == '-' && p[1] == '-')
		{
			while (p < end && *p != '\n')
				p++;
		}
		else if (end - p >= 2 && p[0] == '/' && p[1] == '*')
		{
			const char *close = memmem(p + 2, end - p - 2, "*/", 2);

			if (close == NULL)
				return NULL;
			p = close + 2;
		}
		else
			return p;
	}
}

static const char *
skip_blanks(const char *p, const char *end)
{
	p = find_token(p, end);
	if (p == NULL)
		dyn_parser_error("");
	return p;
}

bool
dyn_statement_is_select(const char *text, uint32 len)
{
	const char *end = text + len;
	const char *p = find_token(text, end);

	return p != NULL && end - p >= 6 && pg_strncasecmp(p, "SELECT", 6) == 0;
}

/* A quoted token: its end, and what is between the quotes. */
static const char *
scan_quoted(DynParser *parser, char quote)
{
	const char *p = parser->start + 1;
	bool		doubled = false;

	for (;; p++)
	{
		p = memchr(p, quote, parser->end - p);
		if (p == NULL)
			dyn_parser_error("");
		if (p + 1 == parser->end || p[1] != quote)
			break;
		doubled = true;
		p++;
	}
	parser->value = parser->start + 1;
	parser->value_len = p - parser->value;
	if (doubled)
	{
		char	   *copy = palloc(parser->value_len);
		uint32		len = 0;

		for (const char *from = parser->value; from < p; from++)
		{
			copy[len++] = *from;
			if (*from == quote)
				from++;
		}
		parser->value = copy;
		parser->value_len = len;
	}
	return p + 1;
}

static const char *
scan_number(const char *p, const char *end)
{
	p = skip_digits(p, end);
	if (p < end && *p == '.')
		p = skip_digits(p + 1, end);
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		const char *digits = p + 1;

		if (digits < end && (*digits == '+' || *digits == '-'))
			digits++;
		p = skip_digits(digits, end);
		if (p == digits)
			dyn_parser_error("");
	}
	if (p < end && is_word_start(*p))
		dyn_parser_error("");
	return p;
}

static void
scan(DynParser *parser, const char *p)
{
	const char *end = parser->end;
	const char *stop;

	p = skip_blanks(p, end);
	parser->start = p;
	parser->len = 0;
	parser->value = NULL;
	parser->value_len = 0;
	if (p == end)
	{
		parser->token = DYN_PARTIQL_EOF;
		return;
	}
	stop = p + 1;
	if (is_word_start(*p))
	{
		parser->token = DYN_PARTIQL_WORD;
		while (stop < end && (is_word_start(*stop) || is_digit(*stop)))
			stop++;
		parser->value = p;
		parser->value_len = stop - p;
	}
	else if (is_digit(*p) || (*p == '.' && stop < end && is_digit(*stop)))
	{
		parser->token = DYN_PARTIQL_NUMBER;
		stop = scan_number(p, end);
	}
	else if (*p == '"' || *p == '\'')
	{
		parser->token = *p == '"' ? DYN_PARTIQL_NAME : DYN_PARTIQL_STRING;
		stop = scan_quoted(parser, *p);
	}
	else if (*p == '?')
		parser->token = DYN_PARTIQL_PARAMETER;
	else
	{
		char		following = stop < end ? *stop : '\0';

		parser->token = DYN_PARTIQL_SIGN;
		if (*p == '<' && following == '<')
			parser->token = DYN_PARTIQL_SET_BEGIN;
		else if (*p == '>' && following == '>')
			parser->token = DYN_PARTIQL_SET_END;
		else if ((*p == '<' && following == '>') || (*p == '!' && following == '='))
			parser->token = DYN_PARTIQL_NE;
		else if (*p == '<' && following == '=')
			parser->token = DYN_PARTIQL_LE;
		else if (*p == '>' && following == '=')
			parser->token = DYN_PARTIQL_GE;
		else if (strchr("()[]{}.,:=<>+-*;", *p) == NULL || *p == '\0')
			dyn_parser_error("");
		stop += parser->token != DYN_PARTIQL_SIGN;
	}
	parser->len = stop - p;
}

void
dyn_parser_init(DynParser *parser, const char *text, uint32 len,
				const DynValue *parameters, int nparameters)
{
	memset(parser, 0, sizeof(*parser));
	parser->text = text;
	parser->end = text + len;
	parser->parameters = parameters;
	parser->nparameters = nparameters;
	initStringInfo(&parser->place);
	scan(parser, text);
}

void
dyn_parser_next(DynParser *parser)
{
	scan(parser, parser->start + parser->len);
}

bool
dyn_parser_is_word(const DynParser *parser, const char *word)
{
	return parser->token == DYN_PARTIQL_WORD &&
		parser->len == strlen(word) &&
		pg_strncasecmp(parser->start, word, parser->len) == 0;
}

bool
dyn_parser_is_sign(const DynParser *parser, char sign)
{
	return parser->token == DYN_PARTIQL_SIGN && *parser->start == sign;
}

bool
dyn_parser_accept_word(DynParser *parser, const char *word)
{
	if (!dyn_parser_is_word(parser, word))
		return false;
	dyn_parser_next(parser);
	return true;
}

bool
dyn_parser_accept_sign(DynParser *parser, char sign)
{
	if (!dyn_parser_is_sign(parser, sign))
		return false;
	dyn_parser_next(parser);
	return true;
}

void
dyn_parser_expect_word(DynParser *parser, const char *word)
{
	if (!dyn_parser_accept_word(parser, word))
		dyn_parser_error(psprintf("Expected %s", word));
}

void
dyn_parser_expect_sign(DynParser *parser, char sign)
{
	if (!dyn_parser_accept_sign(parser, sign))
		dyn_parser_error(psprintf("Expected '%c'", sign));
}

bool
dyn_parser_before_paren(const DynParser *parser)
{
	const char *p = skip_blanks(parser->start + parser->len, parser->end);

	return p < parser->end && *p == '(';
}

char *
dyn_parser_position(const DynParser *parser)
{
	int			line = 1;
	int			column = 1;		/* in characters */
	const char *line_start = parser->text;

	for (const char *p = parser->text; p < parser->start; p++)
	{
		if (*p != '\n')
			continue;
		line++;
		line_start = p + 1;
	}
	for (const char *p = line_start; p < parser->start; p++)
		column += ((unsigned char) *p & 0xC0) != 0x80;
	return psprintf("%d:%d:%u", line, column, parser->len);
}

void
dyn_parser_enter(DynParser *parser)
{
	check_stack_depth();
	if (++parser->depth > MAX_DEPTH)
		dyn_parser_error("Nested too deeply");
}

void
dyn_parser_leave(DynParser *parser)
{
	parser->depth--;
}
