/*-------------------------------------------------------------------------
 *
 * statement.h
 *		PartiQL: a statement's text becomes the trees that expressions use.
 *
 *		SELECT * | path, ... FROM table[.index] [WHERE condition]
 *			[ORDER BY name [ASC | DESC], ...]
 *		INSERT INTO table VALUE {'name': value, ...}
 *		UPDATE table {SET path = operand | REMOVE path} ... [WHERE condition]
 *			[RETURNING {ALL | MODIFIED} {OLD | NEW} *]
 *		DELETE FROM table [WHERE condition] [RETURNING ALL OLD *]
 *		EXISTS(SELECT ...)
 *
 * A tree lives in the memory context current when it was parsed, and points
 * into the text and the parameters.
 *
 * src/partiql/statement.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_STATEMENT_H
#define DYN_STATEMENT_H

#include "expression/expression.h"

#define DYN_MAX_STATEMENT_LENGTH 8192	/* characters */

typedef enum DynStatementKind
{
	DYN_STATEMENT_SELECT,
	DYN_STATEMENT_INSERT,
	DYN_STATEMENT_UPDATE,
	DYN_STATEMENT_DELETE,
	DYN_STATEMENT_EXISTS		/* a SELECT of which only that matters */
} DynStatementKind;

typedef enum DynReturning
{
	DYN_RETURNING_NOTHING,
	DYN_RETURNING_ALL_OLD,
	DYN_RETURNING_ALL_NEW,
	DYN_RETURNING_MODIFIED_OLD,
	DYN_RETURNING_MODIFIED_NEW
} DynReturning;

/* "a.b[0]": value at the path, called "b[0]" in the answer. */
typedef struct DynColumn
{
	const char *label;
	uint32		label_len;
	DynDocumentPath path;
} DynColumn;

typedef struct DynOrder
{
	const char *name;
	uint32		name_len;
	bool		descending;
} DynOrder;

typedef struct DynStatement
{
	DynStatementKind kind;
	const char *table;			/* NUL-terminated; a name or an ARN */
	uint32		table_len;
	const char *index;			/* the same, or NULL */
	uint32		index_len;

	int			ncolumns;		/* SELECT; 0: all attributes */
	DynColumn  *columns;
	const DynProjection *projection;	/* their paths, to be visited; or NULL */
	DynCondition *where;		/* or NULL */
	int			norder;
	DynOrder   *order;
	DynItem    *item;			/* INSERT */
	DynUpdate  *update;			/* UPDATE */
	DynReturning returning;
} DynStatement;

/*
 * Parse a statement in UTF-8.  Its "?" stand for the parameters, of which there
 * must be as many.  Raises ValidationException.
 */
extern DynStatement *dyn_statement_parse(const char *text, uint32 len,
										 const DynValue *parameters,
										 int nparameters);

/*
 * Does a text begin as a SELECT does?  If not, it is none; if it does, it is
 * one or not well formed.  Raises nothing.
 */
extern bool dyn_statement_is_select(const char *text, uint32 len);

/*
 * What WHERE says of one attribute in a conjunct of its own, one or more of
 * them joined by AND: "name = value" (a single value), "name IN (values)", or
 * NULL.
 */
extern const DynCondition *dyn_where_equality(const DynCondition *where,
											  const char *name, uint32 name_len);
extern int	dyn_where_values(const DynCondition *equality, DynValue *values,
							 int room);

/*
 * Add what an index can answer about a sort attribute to a condition: the range
 * that all conjuncts of comparisons, BETWEEN and begins_with with constants of
 * the right type leave, or a wider one.  False if there are none.
 */
extern bool dyn_where_sort(const DynCondition *where,
						   const DynKeyAttribute *attribute,
						   DynKeyCondition *condition);

/* "There is no such attribute", alone or as the other side of an OR. */
extern DynCondition *dyn_where_absent(const char *name, uint32 name_len,
									  DynCondition *otherwise);

/* The tree as text, for test functions. */
extern void dyn_statement_print(StringInfo out, const DynStatement *statement);

#endif							/* DYN_STATEMENT_H */
