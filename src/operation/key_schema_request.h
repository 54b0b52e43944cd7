/*-------------------------------------------------------------------------
 *
 * key_schema_request.h
 *		KeySchema and AttributeDefinitions of requests.
 *
 * src/operation/key_schema_request.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_KEY_SCHEMA_REQUEST_H
#define DYN_KEY_SCHEMA_REQUEST_H

#include "operation/request.h"

/* Member constraints; path stands before "keySchema": "" or "x.". */
extern void dyn_request_check_definitions(DynViolations *v, const DynJson *list,
										  bool required);
extern void dyn_request_check_key_schema(DynViolations *v, const DynJson *list,
										 int max, const char *path);

/* Refuse a name that is defined twice. */
extern void dyn_definitions_check_duplicates(const DynJson *definitions);

/* The definition of an attribute, or NULL; definitions may be NULL. */
extern const DynJson *dyn_definitions_find(const DynJson *definitions,
										   const char *name, uint32 len);

/* "[a, b]" of the AttributeName members; list may be NULL. */
extern const char *dyn_attribute_names(const DynJson *list);

/* A table's key: HASH, then RANGE or nothing. */
extern void dyn_key_schema_resolve(const DynJson *elements,
								   const DynJson *definitions,
								   DynKeySchema *schema);

/*
 * An index's.  With more than two elements, up to four HASH, then up to four
 * RANGE attributes: global indexes only.
 */
extern void dyn_index_schema_resolve(const DynJson *elements,
									 const DynJson *definitions, bool global,
									 DynIndexSchema *schema);

#endif							/* DYN_KEY_SCHEMA_REQUEST_H */
