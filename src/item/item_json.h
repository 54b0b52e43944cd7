/*-------------------------------------------------------------------------
 *
 * item_json.h
 *		Items and values in DynamoDB's JSON: {"S": "x"}.
 *
 * Conversion from JSON raises what the service raises, in its order: shape
 * errors as SerializationException, then rules (number range, sets, nesting,
 * empty AttributeValue) as ValidationException, depth first.
 *
 * src/item/item_json.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_ITEM_JSON_H
#define DYN_ITEM_JSON_H

#include "base/json.h"
#include "item/item_format.h"

/*
 * Only the shape of one AttributeValue ("type conversion" in the service's
 * order of checks): raises SerializationException or returns.
 */
extern void dyn_json_check_attribute_value(const DynJson *json);

/* One AttributeValue, appended to b.  Raises as above. */
extern void dyn_json_build_value(DynItemBuilder *b, const DynJson *json);

/*
 * A map of name -> AttributeValue (Item, Key).  Does not check the 400 KB
 * limit: who calls knows the wording.
 */
extern DynItem *dyn_item_from_json(const DynJson *json);

/* One AttributeValue as a value in CurrentMemoryContext. */
extern DynValue dyn_value_from_json(const DynJson *json);

/* Write {"S": "x"}; write {"a": {"S": "x"}, ...} for an item or an M. */
extern void dyn_json_write_value(DynJsonWriter *w, const DynValue *value);
extern void dyn_json_write_item(DynJsonWriter *w, const DynItem *item);
extern void dyn_json_write_map(DynJsonWriter *w, const DynValue *map);

/*
 * Append "{S:a}", "{N:1}": the Java toString form that messages such as
 * "AttributeValue: {S:a}" quote.
 */
extern void dyn_value_describe(StringInfo out, const DynValue *value);

#endif							/* DYN_ITEM_JSON_H */
