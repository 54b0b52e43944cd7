/*-------------------------------------------------------------------------
 *
 * constraint.h
 *		Member constraints: "Value null at 'key' failed to satisfy ...".
 *
 * The service collects these and reports up to ten of them in one
 * ValidationException, in an order of members that each operation has of its
 * own: the order in which its handler calls the checks.
 *
 *		DynViolations v = {0};
 *
 *		dyn_member_require(&v, key, "key");
 *		dyn_member_length(&v, names, "attributesToGet", 1, DYN_UNBOUNDED);
 *		dyn_violations_raise(&v);
 *
 * A check of an absent value (NULL) other than dyn_member_require() passes.
 * Paths are printf formats, used only when something is wrong.
 *
 * src/operation/constraint.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CONSTRAINT_H
#define DYN_CONSTRAINT_H

#include "base/json.h"

#define DYN_UNBOUNDED PG_INT64_MAX

typedef struct DynViolations
{
	int			count;
	StringInfoData list;		/* made when the first one is noted */
	const char *element;		/* Java class of the structs in a list that is
								 * being checked, or NULL */
	const char *prefix;			/* of all paths: "transactItems.1.member.put.",
								 * or NULL */
} DynViolations;

/* Values in the order of a C enum; text in the order messages print them. */
typedef struct DynEnum
{
	const char *text;			/* "[SIZE, NONE]" */
	const char *const *values;	/* ended by NULL */
} DynEnum;

/* Note that value (NULL: null) at path breaks constraint. */
extern void dyn_violations_add(DynViolations *v, const DynJson *value,
							   const char *constraint, const char *path, ...)
			pg_attribute_printf(4, 5);

/* Raise ValidationException if anything was noted. */
extern void dyn_violations_raise(const DynViolations *v);

/* False, and noted, if value is absent. */
extern bool dyn_member_require(DynViolations *v, const DynJson *value,
							   const char *path, ...) pg_attribute_printf(3, 4);

/* Characters of a string, elements of a list, entries of a map. */
extern void dyn_member_length(DynViolations *v, const DynJson *value,
							  int64 min, int64 max, const char *path, ...)
			pg_attribute_printf(5, 6);

extern void dyn_member_range(DynViolations *v, const DynJson *value,
							 int64 min, int64 max, const char *path, ...)
			pg_attribute_printf(5, 6);

/* "[a-zA-Z0-9_.-]+"; the empty string is the length check's to refuse. */
extern void dyn_member_name_pattern(DynViolations *v, const DynJson *value,
									const char *path, ...)
			pg_attribute_printf(3, 4);

/* Position of value in the enum, or absent if it is not there or not known. */
extern int	dyn_member_enum(DynViolations *v, const DynJson *value,
							const DynEnum *allowed, int absent,
							const char *path, ...) pg_attribute_printf(5, 6);

/* ----- the enums of the item operations ----- */

typedef enum DynReturnCapacity
{
	DYN_RETURN_CAPACITY_NONE,
	DYN_RETURN_CAPACITY_TOTAL,
	DYN_RETURN_CAPACITY_INDEXES
} DynReturnCapacity;

typedef enum DynReturnValues
{
	DYN_RETURN_NONE,
	DYN_RETURN_ALL_OLD,
	DYN_RETURN_UPDATED_OLD,
	DYN_RETURN_ALL_NEW,
	DYN_RETURN_UPDATED_NEW
} DynReturnValues;

typedef enum DynConditionalOperator
{
	DYN_OPERATOR_AND,
	DYN_OPERATOR_OR
} DynConditionalOperator;

extern const DynEnum dyn_enum_return_capacity;
extern const DynEnum dyn_enum_return_values;
extern const DynEnum dyn_enum_conditional_operator;
extern const DynEnum dyn_enum_comparison_operator;

/* NONE is 0, the other value 1. */
extern const DynEnum dyn_enum_item_collection_metrics;
extern const DynEnum dyn_enum_return_on_failure;

#endif							/* DYN_CONSTRAINT_H */
