/*-------------------------------------------------------------------------
 *
 * resource_policy.h
 *		Resource policies: the catalog dynamo.resource_policies.
 *
 * A table's descriptor has its own and its streams', compiled.  They go with the
 * table.
 *
 * src/table/resource_policy.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_RESOURCE_POLICY_H
#define DYN_RESOURCE_POLICY_H

#include "table/table.h"

/* In bytes of the document, white space and all. */
#define DYN_MAX_RESOURCE_POLICY_SIZE (20 * 1024)

/* That of the table (label "") or of a stream, or NULL. */
extern const DynResourcePolicy *dyn_resource_policy(const DynTable *table,
													const char *stream_label);

/*
 * Store a document that has been found good, or delete what there is: it takes
 * the relation's owner, who has locked the table's row.  The same document again
 * changes nothing.  Returns the revision's id.
 */
extern const char *dyn_resource_policy_put(const DynTable *table,
										   const char *stream_label,
										   const char *document);
extern void dyn_resource_policy_delete(const DynTable *table,
									   const char *stream_label);

#endif							/* DYN_RESOURCE_POLICY_H */
