/*-------------------------------------------------------------------------
 *
 * catalog.h
 *		Access to the catalog dynamo.tables, for this directory's own files.
 *
 * src/table/catalog.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CATALOG_H
#define DYN_CATALOG_H

#include "table/table.h"

/* Relation dynamo.tables; InvalidOid without the extension. */
extern Oid	dyn_catalog_relation(void);

/*
 * SPI_execute_with_args() as the catalog's owner, so that who may use a table
 * need not be able to write the catalog.  nulls as there.  Raises unless the
 * statement succeeds.
 */
extern void dyn_catalog_execute(const char *statement, int nargs, Oid *types,
								Datum *values, const char *nulls);

#endif							/* DYN_CATALOG_H */
