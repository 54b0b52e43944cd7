/*-------------------------------------------------------------------------
 *
 * index_request.h
 *		Secondary indexes in CreateTable and UpdateTable requests.
 *
 * src/operation/index_request.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_INDEX_REQUEST_H
#define DYN_INDEX_REQUEST_H

#include "operation/request.h"

#define DYN_MAX_LOCAL_INDEXES	5
#define DYN_MAX_GLOBAL_INDEXES	20

/* Attributes that the indexes of a table may include in all. */
#define DYN_MAX_INCLUDED_ATTRIBUTES 100

/* In the order of DynProjectionType. */
extern const DynEnum dyn_enum_projection_type;

/* Member constraints of an index name, and of a definition. */
extern void dyn_request_check_index_name(DynViolations *v, const DynJson *holder,
										 const char *path);
extern void dyn_request_check_index(DynViolations *v, const DynJson *index,
									DynIndexKind kind, const char *path);

/* Member constraints of LocalSecondaryIndexes and GlobalSecondaryIndexes. */
extern void dyn_request_check_indexes(DynViolations *v, const DynJson *request);

/* Refuse numbers out of bounds in GlobalSecondaryIndexes. */
extern void dyn_request_check_index_bounds(const DynJson *request);

/*
 * Read the definition of a global index, to be made by CreateTable or (not
 * create) by UpdateTable.
 */
extern void dyn_request_global_index(const DynJson *index, const DynJson *definitions,
									 DynBillingMode mode, bool create,
									 DynIndexDefinition *result);

/*
 * Read LocalSecondaryIndexes, then GlobalSecondaryIndexes, by the rules among
 * them and with the table's key schema, which is the request's.
 */
extern void dyn_request_indexes(const DynJson *request, DynBillingMode mode,
								DynTableDefinition *table);

#endif							/* DYN_INDEX_REQUEST_H */
