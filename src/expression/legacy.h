/*-------------------------------------------------------------------------
 *
 * legacy.h
 *		The parameters from before expressions, made into the same trees.
 *
 * Each takes the request's member as JSON (shape already checked) and raises
 * the service's messages for it.  Member-constraint errors ("Member must
 * satisfy enum value set") are the operation's to check first.
 *
 * src/expression/legacy.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_LEGACY_H
#define DYN_LEGACY_H

#include "expression/expression.h"

/*
 * Expected of a write.  or_operator: ConditionalOperator is OR.  Returns NULL
 * for an empty map.
 */
extern DynCondition *dyn_legacy_expected(const DynJson *expected, bool or_operator);

/* QueryFilter, ScanFilter. */
extern DynCondition *dyn_legacy_filter(const DynJson *filter, bool or_operator);

extern DynKeyConditionTree *dyn_legacy_key_conditions(const DynJson *conditions);

/* AttributeUpdates; ADD also appends to lists. */
extern DynUpdate *dyn_legacy_attribute_updates(const DynJson *updates);

/* AttributesToGet: top-level names only. */
extern DynProjection *dyn_legacy_attributes_to_get(const DynJson *names);

#endif							/* DYN_LEGACY_H */
