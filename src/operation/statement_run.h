/*-------------------------------------------------------------------------
 *
 * statement_run.h
 *		What the PartiQL operations share: a statement, run as what it asks for.
 *
 * A statement is a Query, a Scan, a get or a write of one item in other words;
 * everything below the words is theirs.
 *
 * src/operation/statement_run.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_STATEMENT_RUN_H
#define DYN_STATEMENT_RUN_H

#include "operation/item_write.h"
#include "operation/page.h"
#include "partiql/statement.h"

/* Member constraints of Statement and Parameters. */
extern void dyn_statement_check_members(DynViolations *v, const DynJson *block);

/*
 * The same of a list of such blocks, called name in messages, and of its
 * length.
 */
extern void dyn_statement_check_list(DynViolations *v, const DynJson *list,
									 const char *name, int max);

/* The statement in members Statement and Parameters. */
extern DynStatement *dyn_statement_read(const DynJson *block);

/* A statement that only reads: SELECT or EXISTS. */
extern bool dyn_statement_reads(const DynStatement *statement);

/*
 * What the caller must be allowed, as far as it can be said without the table.
 * on_failure: ReturnValuesOnConditionCheckFailure is ALL_OLD.
 */
extern void dyn_statement_ask(DynAuthorization *a, const DynStatement *statement,
							  const DynJson *request,
							  const char *enclosing_operation, bool on_failure);

/*
 * The table, for what authorization asks; sets context->table_name as
 * dyn_operation_table() does.  Refuses an index where none can be named.
 */
extern const DynTable *dyn_statement_table(DynOperationContext *context,
										   const DynStatement *statement,
										   DynAuthorization *authorization);

/*
 * The key that WHERE pins by equality on all key attributes, as a Key argument;
 * NULL if it doesn't.
 */
extern DynItem *dyn_statement_key(const DynStatement *statement,
								  const DynTable *table);

/*
 * Make an INSERT, UPDATE or DELETE a write: zeroed but for what the request
 * says of its reply.  All but the key's value is checked; *argument is the item
 * of an INSERT, or the key.
 */
extern void dyn_statement_prepare(const DynStatement *statement,
								  const DynTable *table, DynItemWrite *write,
								  DynItem **argument);

/* Then run it: also checks the key, and whether the caller may. */
extern DynOutcome dyn_statement_write(DynOperationContext *context,
									  const DynStatement *statement,
									  DynItemWrite *write, const DynItem *argument);

/* What RETURNING shows, or NULL for nothing. */
extern const DynItem *dyn_statement_returned(const DynStatement *statement,
											 const DynItemWrite *write);

/* What SELECT shows of an item. */
extern void dyn_statement_write_item(DynJsonWriter *w, const DynItem *item,
									 const void *statement);

#endif							/* DYN_STATEMENT_RUN_H */
