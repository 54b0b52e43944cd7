/*-------------------------------------------------------------------------
 *
 * parser.h
 *		What the parts of the PartiQL parser share.
 *
 * For this directory's own files.
 *
 * src/partiql/parser.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_PARTIQL_PARSER_H
#define DYN_PARTIQL_PARSER_H

#include "base/error.h"
#include "expression/tree.h"
#include "partiql/statement.h"

/* ----- lexer.c ----- */

typedef enum DynPartiqlToken
{
	DYN_PARTIQL_EOF,
	DYN_PARTIQL_WORD,			/* bare: a keyword, a function or a name */
	DYN_PARTIQL_NAME,			/* "quoted" */
	DYN_PARTIQL_STRING,			/* 'quoted' */
	DYN_PARTIQL_NUMBER,
	DYN_PARTIQL_PARAMETER,		/* ? */
	DYN_PARTIQL_SET_BEGIN,		/* << */
	DYN_PARTIQL_SET_END,		/* >> */
	DYN_PARTIQL_NE,				/* <> or != */
	DYN_PARTIQL_LE,
	DYN_PARTIQL_GE,
	DYN_PARTIQL_SIGN			/* any other: one character of ()[]{}.,:=<>+-* */
} DynPartiqlToken;

typedef struct DynParser
{
	const char *text;
	const char *end;

	/* The current token. */
	DynPartiqlToken token;
	const char *start;
	uint32		len;
	const char *value;			/* WORD, NAME, STRING: without quotes */
	uint32		value_len;

	const DynValue *parameters;
	int			nparameters;
	int			used;			/* parameters so far */
	int			depth;			/* of what is open */
	StringInfoData place;		/* of a literal's value: "root.a[1]" */
} DynParser;

extern void dyn_parser_init(DynParser *parser, const char *text, uint32 len,
							const DynValue *parameters, int nparameters);
extern void dyn_parser_next(DynParser *parser);

/* Is the current token this keyword (given in upper case), in any case? */
extern bool dyn_parser_is_word(const DynParser *parser, const char *word);
extern bool dyn_parser_is_sign(const DynParser *parser, char sign);

/* If so: go on to the next token and return true. */
extern bool dyn_parser_accept_word(DynParser *parser, const char *word);
extern bool dyn_parser_accept_sign(DynParser *parser, char sign);

/* The same, or an error that says what was expected. */
extern void dyn_parser_expect_word(DynParser *parser, const char *word);
extern void dyn_parser_expect_sign(DynParser *parser, char sign);

/* "Statement wasn't well formed, can't be processed: <detail>". */
extern void dyn_parser_error(const char *detail) pg_attribute_noreturn();

/* "<line>:<column>:<length>" of the current token. */
extern char *dyn_parser_position(const DynParser *parser);

/* Around everything that nests; raises beyond a limit of our own. */
extern void dyn_parser_enter(DynParser *parser);
extern void dyn_parser_leave(DynParser *parser);

/* ----- literal.c ----- */

/* Does a value start here? */
extern bool dyn_parser_at_literal(const DynParser *parser);

/* A literal or a parameter. */
extern DynValue dyn_parser_literal(DynParser *parser);

/* ----- condition.c ----- */

/* A name: quoted, or a word that is none of the language's. */
extern bool dyn_parser_at_name(const DynParser *parser);

/* path := name ('.' name | '[' digits ']')* */
extern DynOperand *dyn_parser_path(DynParser *parser);
extern DynOperand *dyn_parser_operand(DynParser *parser);
extern DynCondition *dyn_parser_condition(DynParser *parser);

/* The function a word names where it is a call, or UNKNOWN. */
extern DynFunction dyn_parser_function(const DynParser *parser);

/* The next token without going there. */
extern bool dyn_parser_before_paren(const DynParser *parser);

#endif							/* DYN_PARTIQL_PARSER_H */
