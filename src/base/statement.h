/*-------------------------------------------------------------------------
 *
 * statement.h
 *		The one door to SQL.
 *
 * What goes through it is written down in the source or quoted by PostgreSQL's
 * functions (.ci/check_sql.py reads the source for that); values are parameters.
 *
 * src/base/statement.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_STATEMENT_H
#define DYN_STATEMENT_H

/*
 * Run one statement as a role, between SPI_connect() and SPI_finish(), which has
 * its result.  The search path is fixed for as long as that: the role may have more
 * rights than the caller, whose operators and functions must not be taken for
 * PostgreSQL's own.  nulls as of SPI_execute_with_args(), NULL: none.  Returns the
 * number of rows.  An error restores role and path with the (sub)transaction.
 */
extern uint64 dyn_statement_run(Oid role, const char *statement, int nargs,
								Oid *types, Datum *values, const char *nulls);

#endif							/* DYN_STATEMENT_H */
