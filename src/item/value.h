/*-------------------------------------------------------------------------
 *
 * value.h
 *		An attribute value, looked at in place.
 *
 * A DynValue never owns memory: data points into an item (or a builder's
 * result, or a parsed expression's constants) and is valid as long as that is.
 *
 * src/item/value.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_VALUE_H
#define DYN_VALUE_H

#include "lib/stringinfo.h"

/* Stored in every item and index: never renumber. */
typedef enum DynType
{
	DYN_TYPE_S = 1,
	DYN_TYPE_N = 2,
	DYN_TYPE_B = 3,
	DYN_TYPE_BOOL = 4,
	DYN_TYPE_NULL = 5,
	DYN_TYPE_M = 6,
	DYN_TYPE_L = 7,
	DYN_TYPE_SS = 8,
	DYN_TYPE_NS = 9,
	DYN_TYPE_BS = 10
} DynType;

/*
 * What data holds:
 *	 S		UTF-8 bytes, may contain NUL
 *	 B		raw bytes
 *	 N		the number encoding of item/number.h (memcmp order is numeric order)
 *	 BOOL	nothing; see boolean
 *	 NULL	nothing
 *	 M, L, SS, NS, BS	the container encoding of item/item_format.h
 */
typedef struct DynValue
{
	DynType		type;
	bool		boolean;
	uint32		size;			/* bytes at data */
	const char *data;
} DynValue;

/* "S", "N", ... as in the JSON form. */
extern const char *dyn_type_name(DynType type);

/* DYN_TYPE_* for a name of one or more letters, or 0. */
extern DynType dyn_type_from_name(const char *name, uint32 len);

/* SS, NS or BS. */
static inline bool
dyn_type_is_set(DynType type)
{
	return type == DYN_TYPE_SS || type == DYN_TYPE_NS || type == DYN_TYPE_BS;
}

/* S, N or B: what keys are and what "<" compares. */
static inline bool
dyn_type_is_ordered(DynType type)
{
	return type == DYN_TYPE_S || type == DYN_TYPE_N || type == DYN_TYPE_B;
}

/* Members of an M, elements of an L or a set. */
extern uint32 dyn_value_count(const DynValue *container);

/* Entry i of a map in stored (byte) order. */
extern void dyn_map_entry(const DynValue *map, uint32 i,
						  const char **name, uint32 *name_len,
						  DynValue *value);

/* Find a map's entry by name; binary search, no decoding of the others. */
extern bool dyn_map_find(const DynValue *map, const char *name, uint32 name_len,
						 DynValue *value);

/* Element i of an L, SS, NS or BS (sets are kept sorted). */
extern void dyn_list_element(const DynValue *list, uint32 i, DynValue *value);

/* True if a set holds member, which has the set's element type. */
extern bool dyn_set_contains(const DynValue *set, const DynValue *member);

/* DynamoDB's "=": deep, numbers by value, maps and sets without order. */
extern bool dyn_value_equal(const DynValue *a, const DynValue *b);

/*
 * Compare two values of one scalar type S, N or B: <0, 0, >0.  The caller has
 * checked that the types are equal and ordered.
 */
extern int	dyn_value_compare(const DynValue *a, const DynValue *b);

/* The size the service charges for a value, without its attribute name. */
extern uint32 dyn_value_size(const DynValue *value);

/* 1 for a scalar or set, 1 + the deepest member for M and L. */
extern int	dyn_value_depth(const DynValue *value);

/* How more than DYN_MAX_NESTING_DEPTH levels are refused. */
#define DYN_NESTED_TOO_DEEP \
	"Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"

/* A copy of value and its bytes in CurrentMemoryContext. */
extern DynValue dyn_value_copy(const DynValue *value);

#endif							/* DYN_VALUE_H */
