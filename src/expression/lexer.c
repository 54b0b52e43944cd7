/*-------------------------------------------------------------------------
 *
 * lexer.c
 *		Tokens of all expression languages, and their syntax errors.
 *
 *		identifier := letter (letter | digit | '_')*
 *		name       := '#' (letter | digit | '_')+
 *		value      := ':' (letter | digit | '_')+
 *		digits     := digit+
 *		others     := '(' ')' '[' ']' '.' ',' '+' '-' '=' '<>' '<' '<=' '>' '>='
 *
 * Blanks are space, tab, CR and LF.  Keywords are identifiers that a parser
 * asks about; function names are too, but their case counts.
 *
 * src/expression/lexer.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/error.h"
#include "base/limits.h"
#include "expression/tree.h"

/* Deeper than any expression of 4096 bytes needs, shallower than the stack. */
#define MAX_DEPTH 500

const char *
dyn_expression_prefix(DynExpressionKind kind)
{
	switch (kind)
	{
		case DYN_EXPRESSION_CONDITION:
			return "Invalid ConditionExpression: ";
		case DYN_EXPRESSION_UPDATE:
			return "Invalid UpdateExpression: ";
		case DYN_EXPRESSION_FILTER:
			return "Invalid FilterExpression: ";
		case DYN_EXPRESSION_KEY_CONDITION:
			return "Invalid KeyConditionExpression: ";
		case DYN_EXPRESSION_PROJECTION:
			return "Invalid ProjectionExpression: ";
		case DYN_EXPRESSION_STATEMENT:
			return "";
	}
	elog(ERROR, "unrecognized expression kind: %d", (int) kind);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_word(const char *p, const char *end)
{
	while (p < end && (is_letter(*p) || is_digit(*p) || *p == '_'))
		p++;
	return p;
}

/* The token that starts at or after p; *start is where. */
static DynToken
scan(const char *p, const char *end, const char **start, uint32 *len)
{
	DynToken	token;
	const char *stop;

	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	*start = p;
	*len = 0;
	if (p == end)
		return DYN_TOKEN_EOF;

	stop = p + 1;
	switch (*p)
	{
		case '(':
			token = DYN_TOKEN_LPAREN;
			break;
		case ')':
			token = DYN_TOKEN_RPAREN;
			break;
		case '[':
			token = DYN_TOKEN_LBRACKET;
			break;
		case ']':
			token = DYN_TOKEN_RBRACKET;
			break;
		case '.':
			token = DYN_TOKEN_DOT;
			break;
		case ',':
			token = DYN_TOKEN_COMMA;
			break;
		case '+':
			token = DYN_TOKEN_PLUS;
			break;
		case '-':
			token = DYN_TOKEN_MINUS;
			break;
		case '=':
			token = DYN_TOKEN_EQ;
			break;
		case '<':
			token = DYN_TOKEN_LT;
			if (stop < end && *stop == '>')
				token = DYN_TOKEN_NE;
			else if (stop < end && *stop == '=')
				token = DYN_TOKEN_LE;
			stop += token != DYN_TOKEN_LT;
			break;
		case '>':
			token = DYN_TOKEN_GT;
			if (stop < end && *stop == '=')
			{
				token = DYN_TOKEN_GE;
				stop++;
			}
			break;
		case '#':
		case ':':
			stop = skip_word(stop, end);
			token = stop == p + 1 ? DYN_TOKEN_UNKNOWN :
				*p == '#' ? DYN_TOKEN_NAME : DYN_TOKEN_VALUE;
			break;
		default:
			if (is_letter(*p))
			{
				token = DYN_TOKEN_IDENTIFIER;
				stop = skip_word(p, end);
			}
			else if (is_digit(*p))
			{
				token = DYN_TOKEN_DIGITS;
				while (stop < end && is_digit(*stop))
					stop++;
			}
			else
			{
				/* A whole character, for the message. */
				token = DYN_TOKEN_UNKNOWN;
				while (stop < end && ((unsigned char) *stop & 0xC0) == 0x80)
					stop++;
			}
			break;
	}
	*len = stop - p;
	return token;
}

void
dyn_lexer_init(DynLexer *lexer, DynExpressionKind kind, const char *text,
			   uint32 len)
{
	memset(lexer, 0, sizeof(*lexer));
	lexer->kind = kind;
	lexer->text = text;
	lexer->end = text + len;
	if (len == 0)
		dyn_expression_raise(kind, "The expression can not be empty;");
	if (len > DYN_MAX_EXPRESSION_SIZE)
		dyn_expression_raise(kind,
							 "Expression size has exceeded the maximum allowed size; expression size: %u",
							 len);
	lexer->token = scan(text, lexer->end, &lexer->start, &lexer->len);
	if (lexer->token == DYN_TOKEN_EOF)
		dyn_expression_raise(kind, "The expression can not be empty;");
}

void
dyn_lexer_next(DynLexer *lexer)
{
	lexer->previous = lexer->start;
	lexer->token = scan(lexer->start + lexer->len, lexer->end, &lexer->start,
						&lexer->len);
}

bool
dyn_lexer_is_keyword(const DynLexer *lexer, const char *keyword)
{
	return lexer->token == DYN_TOKEN_IDENTIFIER &&
		lexer->len == strlen(keyword) &&
		pg_strncasecmp(lexer->start, keyword, lexer->len) == 0;
}

bool
dyn_lexer_accept(DynLexer *lexer, DynToken token)
{
	if (lexer->token != token)
		return false;
	dyn_lexer_next(lexer);
	return true;
}

bool
dyn_lexer_accept_keyword(DynLexer *lexer, const char *keyword)
{
	if (!dyn_lexer_is_keyword(lexer, keyword))
		return false;
	dyn_lexer_next(lexer);
	return true;
}

void
dyn_lexer_expect(DynLexer *lexer, DynToken token)
{
	if (!dyn_lexer_accept(lexer, token))
		dyn_lexer_syntax_error(lexer);
}

void
dyn_lexer_syntax_error(DynLexer *lexer)
{
	const char *near = lexer->previous != NULL ? lexer->previous : lexer->start;
	const char *next_start;
	uint32		next_len;
	const char *near_end;

	if (lexer->token == DYN_TOKEN_EOF)
	{
		/* The window ends with the last token, without the blanks after it. */
		near_end = lexer->end;
		while (near_end > near && strchr(" \t\r\n", near_end[-1]) != NULL)
			near_end--;
	}
	else
	{
		DynToken	next = scan(lexer->start + lexer->len, lexer->end,
								&next_start, &next_len);

		near_end = next == DYN_TOKEN_EOF ? lexer->start + lexer->len :
			next_start + next_len;
	}
	dyn_expression_raise(lexer->kind, "Syntax error; token: \"%.*s\", near: \"%.*s\"",
						 lexer->token == DYN_TOKEN_EOF ? 5 : (int) lexer->len,
						 lexer->token == DYN_TOKEN_EOF ? "<EOF>" : lexer->start,
						 (int) (near_end - near), near);
}

void
dyn_lexer_finish(DynLexer *lexer)
{
	if (lexer->token != DYN_TOKEN_EOF)
		dyn_lexer_syntax_error(lexer);
	if (lexer->operators > DYN_MAX_EXPRESSION_OPERATORS)
		dyn_expression_raise(lexer->kind,
							 "The expression contains too many operators; operator count: %d",
							 lexer->operators);
	if (lexer->redundant)
		dyn_expression_raise(lexer->kind, "The expression has redundant parentheses;");
}

void
dyn_lexer_enter(DynLexer *lexer)
{
	check_stack_depth();
	if (++lexer->depth > MAX_DEPTH)
		dyn_expression_raise(lexer->kind, "The expression is nested too deeply;");
}

void
dyn_lexer_leave(DynLexer *lexer)
{
	lexer->depth--;
}
