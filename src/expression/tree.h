/*-------------------------------------------------------------------------
 *
 * tree.h
 *		What the expression parsers share: tokens, operands, placeholders.
 *
 * For this directory's own files, and for src/partiql, which makes the same
 * trees of another text.
 *
 * src/expression/tree.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TREE_H
#define DYN_TREE_H

#include "base/wording.h"
#include "expression/expression.h"

/* "Invalid ConditionExpression: " and so on; nothing for a statement. */
extern const char *dyn_expression_prefix(DynExpressionKind kind);

/*
 * Raise "Invalid <Kind>: <message>".
 */
#define dyn_expression_raise(kind, format, ...) \
	dyn_raise_request("%s" format, dyn_expression_prefix(kind), ##__VA_ARGS__)

/* ----- lexer.c ----- */

typedef enum DynToken
{
	DYN_TOKEN_EOF,
	DYN_TOKEN_IDENTIFIER,		/* a keyword too: see dyn_lexer_is_keyword() */
	DYN_TOKEN_NAME,				/* #name */
	DYN_TOKEN_VALUE,			/* :value */
	DYN_TOKEN_DIGITS,
	DYN_TOKEN_LPAREN,
	DYN_TOKEN_RPAREN,
	DYN_TOKEN_LBRACKET,
	DYN_TOKEN_RBRACKET,
	DYN_TOKEN_DOT,
	DYN_TOKEN_COMMA,
	DYN_TOKEN_PLUS,
	DYN_TOKEN_MINUS,
	DYN_TOKEN_EQ,
	DYN_TOKEN_NE,
	DYN_TOKEN_LT,
	DYN_TOKEN_LE,
	DYN_TOKEN_GT,
	DYN_TOKEN_GE,
	DYN_TOKEN_UNKNOWN			/* a character that starts nothing */
} DynToken;

typedef struct DynLexer
{
	DynExpressionKind kind;
	const char *text;
	const char *end;

	/* The current token and, for "near", the one before it. */
	DynToken	token;
	const char *start;
	uint32		len;
	const char *previous;		/* NULL before the first */
	int			operators;		/* counted by the parsers */
	int			depth;			/* parentheses and calls that are open */
	bool		redundant;		/* "((a))" was seen */
} DynLexer;

/*
 * Start on text: raises for an empty or too long one; then the first token is
 * current.
 */
extern void dyn_lexer_init(DynLexer *lexer, DynExpressionKind kind,
						   const char *text, uint32 len);
extern void dyn_lexer_next(DynLexer *lexer);

/* Is the current token this keyword (given in upper case), in any case? */
extern bool dyn_lexer_is_keyword(const DynLexer *lexer, const char *keyword);

/* If token is current: go on to the next and return true. */
extern bool dyn_lexer_accept(DynLexer *lexer, DynToken token);
extern bool dyn_lexer_accept_keyword(DynLexer *lexer, const char *keyword);

/* The same, or a syntax error. */
extern void dyn_lexer_expect(DynLexer *lexer, DynToken token);

/* Raise 'Syntax error; token: "x", near: "a x b"' about the current token. */
extern void dyn_lexer_syntax_error(DynLexer *lexer) pg_attribute_noreturn();

/*
 * All of the text is parsed: raises for what is left of it, then for too many
 * operators, then for redundant parentheses.
 */
extern void dyn_lexer_finish(DynLexer *lexer);

/* Around everything that nests; raises beyond a limit of our own. */
extern void dyn_lexer_enter(DynLexer *lexer);
extern void dyn_lexer_leave(DynLexer *lexer);

/* ----- operand.c: paths, values and functions ----- */

typedef enum DynOperandKind
{
	DYN_OPERAND_PATH,
	DYN_OPERAND_VALUE,			/* :value */
	DYN_OPERAND_FUNCTION,
	DYN_OPERAND_PLUS,			/* of a SET: two arguments */
	DYN_OPERAND_MINUS
} DynOperandKind;

typedef enum DynFunction
{
	DYN_FUNCTION_ATTRIBUTE_EXISTS,
	DYN_FUNCTION_ATTRIBUTE_NOT_EXISTS,
	DYN_FUNCTION_ATTRIBUTE_TYPE,
	DYN_FUNCTION_BEGINS_WITH,
	DYN_FUNCTION_CONTAINS,
	DYN_FUNCTION_SIZE,
	DYN_FUNCTION_IF_NOT_EXISTS,
	DYN_FUNCTION_LIST_APPEND,
	DYN_FUNCTION_UNKNOWN
} DynFunction;

typedef struct DynOperand DynOperand;

struct DynOperand
{
	DynOperandKind kind;

	/* As parsed: a value's or function's text, a path's steps with #names. */
	const char *text;
	uint32		text_len;

	DynDocumentPath path;		/* PATH; names resolved by dyn_operand_resolve() */
	DynValue	value;			/* VALUE, after dyn_operand_resolve() */
	DynFunction function;		/* FUNCTION */
	int			nargs;			/* FUNCTION, PLUS, MINUS */
	DynOperand **args;
};

/* path := name ( '.' name | '[' digits ']' )* */
extern DynOperand *dyn_operand_parse_path(DynLexer *lexer);

/* operand := path | :value | function '(' operand, ... ')' | '(' operand ')' */
extern DynOperand *dyn_operand_parse(DynLexer *lexer);

/* ":value" alone, or a syntax error. */
extern DynOperand *dyn_operand_parse_value(DynLexer *lexer);

/* "size", "list_append", ... */
extern const char *dyn_function_name(DynFunction function);

/*
 * Refuse reserved words used bare as names anywhere in the operand.
 */
extern void dyn_operand_check_reserved(DynExpressionKind kind,
									   const DynOperand *operand);

/* Refuse functions whose name is unknown anywhere in the operand. */
extern void dyn_operand_check_functions(DynExpressionKind kind,
										const DynOperand *operand);

/*
 * Replace #names and :values, marking them as used; raises for undefined ones.
 */
extern void dyn_operand_resolve(DynExpressionKind kind, DynOperand *operand,
								DynPlaceholders *placeholders);

/* The operand's value against an item (NULL: no attributes); false if absent.
 * For PATH and VALUE only. */
extern bool dyn_operand_lookup(const DynOperand *operand, const DynItem *item,
							   DynValue *value);

/* Are both the same path? */
extern bool dyn_operand_same_path(const DynOperand *a, const DynOperand *b);

/* A path's or value's printed form, for test functions. */
extern void dyn_operand_print(StringInfo out, const DynOperand *operand);

/* An operand made by hand (legacy.c): an attribute's path, a ready value. */
extern DynOperand *dyn_operand_make_path(const char *name, uint32 len);
extern DynOperand *dyn_operand_make_value(const DynValue *value);

/* ----- path_tree.c: several paths at once ----- */

/*
 * The paths of one expression as a trie.  Children of a node are all names or
 * all indexes, sorted; a leaf carries the number of its path.
 */
typedef struct DynPathTree DynPathTree;

struct DynPathTree
{
	bool		is_leaf;
	int			leaf;			/* number of the path that ends here */
	bool		by_index;		/* children are list elements */
	int			nchildren;
	struct DynPathChild *children;
};

typedef struct DynPathChild
{
	DynPathStep step;
	DynPathTree tree;
} DynPathChild;

/*
 * Build it from the operands' paths; raises "Two document paths overlap with
 * each other; ..." and "... conflict with each other; ...", overlaps first.
 */
extern DynPathTree *dyn_path_tree_create(DynExpressionKind kind,
										 DynOperand **paths, int npaths);

/* The value a child's step leads to in a container; false if there is none. */
extern bool dyn_path_tree_child(const DynValue *container,
								const DynPathStep *step, DynValue *value);

/* Is there anything in value that the tree's paths lead to? */
extern bool dyn_path_tree_shows(const DynValue *value, const DynPathTree *tree);

/* ----- placeholders.c ----- */

/* The attribute name a #name stands for; marks it used.  NULL: undefined. */
extern const char *dyn_placeholders_name(DynPlaceholders *placeholders,
										 const char *key, uint32 key_len,
										 uint32 *len);

/* The value a :value stands for; marks it used.  NULL: undefined. */
extern const DynValue *dyn_placeholders_value(DynPlaceholders *placeholders,
											  const char *key, uint32 key_len);

/* ----- reserved_words.c ----- */

extern bool dyn_is_reserved_word(const char *word, uint32 len);

/* ----- condition.c: the tree, for legacy.c and key_condition.c ----- */

typedef enum DynConditionKind
{
	DYN_CONDITION_AND,
	DYN_CONDITION_OR,
	DYN_CONDITION_NOT,
	DYN_CONDITION_EQ,
	DYN_CONDITION_NE,
	DYN_CONDITION_LT,
	DYN_CONDITION_LE,
	DYN_CONDITION_GT,
	DYN_CONDITION_GE,
	DYN_CONDITION_BETWEEN,		/* operands: value, low, high */
	DYN_CONDITION_IN,			/* operands: value, members... */
	DYN_CONDITION_FUNCTION,		/* operands[0] is the function call */

	/* Legacy: like their expressions, but false when the attribute is missing. */
	DYN_CONDITION_NOT_CONTAINS
} DynConditionKind;

struct DynCondition
{
	DynConditionKind kind;
	int			nconditions;	/* AND, OR: two or more; NOT: one */
	DynCondition **conditions;
	int			noperands;
	DynOperand **operands;
};

/* Parse only: text -> tree; and resolve in place. */
extern DynCondition *dyn_condition_parse(DynExpressionKind kind,
										 const char *text, uint32 len);
extern void dyn_condition_resolve(DynExpressionKind kind, DynCondition *condition,
								  DynPlaceholders *placeholders);
extern void dyn_condition_print(StringInfo out, const DynCondition *condition);

/* The checks of dyn_condition_resolve() on a tree without placeholders. */
extern void dyn_condition_check(DynExpressionKind kind, DynCondition *condition);

/* True if a contains() of container holds member. */
extern bool dyn_value_contains(const DynValue *container, const DynValue *member);

/* ----- update.c: the tree, for legacy.c ----- */

typedef enum DynUpdateAction
{
	DYN_UPDATE_SET,
	DYN_UPDATE_REMOVE,
	DYN_UPDATE_ADD,
	DYN_UPDATE_DELETE
} DynUpdateAction;

extern void dyn_operand_visit_paths(const DynOperand *operand, DynPathVisitor visit,
									void *arg);

typedef struct DynUpdateClause
{
	DynUpdateAction action;
	DynOperand *target;			/* a path */
	DynOperand *operand;		/* SET's value; ADD's and DELETE's :value */
} DynUpdateClause;

struct DynUpdate
{
	int			nclauses;
	DynUpdateClause *clauses;
	DynPathTree *targets;		/* leaves are numbers of clauses */
	bool		legacy;			/* AttributeUpdates: ADD appends to lists, a
								 * type clash has words of its own */
};

/* Fill targets from the clauses; raises for overlaps and conflicts. */
extern void dyn_update_index_targets(DynUpdate *update);
/* Then the clauses' operands: number, types, nesting of functions. */
extern void dyn_update_check_clauses(const DynUpdate *update);
extern void dyn_update_print(StringInfo out, const DynUpdate *update);

/* ----- projection.c: the tree, for legacy.c ----- */

struct DynProjection
{
	int			npaths;
	DynOperand **paths;
	DynPathTree *tree;
};

/* ----- key_condition.c: the tree, for legacy.c ----- */

struct DynKeyConditionTree
{
	bool		legacy;
	int			nconditions;
	DynCondition **conditions;	/* each on one attribute, which is operands[0] or
								 * argument 0 of a begins_with */
};

#endif							/* DYN_TREE_H */
