/*-------------------------------------------------------------------------
 *
 * auth_catalog.h
 *		The tables that say who may sign requests, and what they may do.
 *
 * Nobody but superusers has privileges on them; the functions of schema dynamo
 * read and write them for others.  What a process caches of them is valid as
 * long as dyn_auth_generation() stays the same.
 *
 * src/auth/auth_catalog.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_AUTH_CATALOG_H
#define DYN_AUTH_CATALOG_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

typedef enum DynAuthTable
{
	DYN_ACCESS_KEYS,
	DYN_SESSION_KEYS,
	DYN_POLICIES,
	DYN_ATTACHED_POLICIES,
	DYN_PRINCIPALS,
	DYN_AUTH_TABLES
} DynAuthTable;

/*
 * A number that changes with every change of these tables, of roles and of
 * memberships.  Another session's change shows once this one has processed its
 * invalidation messages.
 */
extern uint64 dyn_auth_generation(void);

/*
 * Open one of the tables; NULL if the extension is not in this database.  Needs
 * a transaction.
 */
extern Relation dyn_auth_open(DynAuthTable table, LOCKMODE mode);

/*
 * A row of one of the tables by the first column of its primary key: calls
 * visit(arg, values, nulls) for each.  The values, detoasted, are good for the
 * call only.  Returns the number of rows.
 */
typedef void (*DynAuthVisitor) (void *arg, const Datum *values,
								const bool *nulls);
extern int	dyn_auth_scan(DynAuthTable table, Oid equality, Datum key,
						  DynAuthVisitor visit, void *arg);

/* A text of a row, in UTF-8 and CurrentMemoryContext. */
extern char *dyn_auth_text(Datum value);

/* All rows, in no order. */
extern int	dyn_auth_scan_all(DynAuthTable table, DynAuthVisitor visit,
							  void *arg);

/*
 * Insert a row without an SQL statement: none of its values can come up in a
 * log, a plan or a statistic.
 */
extern void dyn_auth_insert(DynAuthTable table, Datum *values, bool *nulls);

/*
 * Run one command as the owner of the tables, on which the caller has no
 * privileges.  Returns the number of rows.
 */
extern uint64 dyn_auth_execute(const char *command, int nargs, Oid *types,
							   Datum *values, const char *nulls);

#endif							/* DYN_AUTH_CATALOG_H */
