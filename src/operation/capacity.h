/*-------------------------------------------------------------------------
 *
 * capacity.h
 *		Consumed capacity: units of one table, and its member of a reply.
 *
 * Reads cost one unit for each 4 KB begun (half a unit when eventually
 * consistent), writes one for each KB begun; nothing costs less than one step.
 *
 * src/operation/capacity.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CAPACITY_H
#define DYN_CAPACITY_H

#include "operation/constraint.h"

typedef struct DynCapacity
{
	const char *table_name;		/* as the request names it: a name or an ARN */
	uint32		table_name_len;
	double		units;
} DynCapacity;

/*
 * size: of one item, or of all items a Query or Scan evaluated, which are
 * rounded once.
 */
extern double dyn_read_units(uint64 size, bool consistent);

/* Sizes of the item before and after; 0 for none. */
extern double dyn_write_units(uint32 old_size, uint32 new_size);

/* Member "ConsumedCapacity" of a reply about one table; nothing for NONE. */
extern void dyn_capacity_write(DynJsonWriter *w, DynReturnCapacity mode,
							   const DynJson *request, double units);

/* The same of a batch: an array.  Nothing for NONE. */
extern void dyn_capacity_write_array(DynJsonWriter *w, DynReturnCapacity mode,
									 const DynCapacity *capacities, int count);

#endif							/* DYN_CAPACITY_H */
