/*-------------------------------------------------------------------------
 *
 * capacity.h
 *		Consumed capacity: units of one table and its indexes, and their member
 *		of a reply.
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
#include "table/table.h"

/* What one index was charged. */
typedef struct DynIndexCapacity
{
	const char *name;
	bool		local;
	double		units;
} DynIndexCapacity;

/* Zero it first. */
typedef struct DynCapacity
{
	const char *table_name;		/* as the request names it: a name or an ARN */
	uint32		table_name_len;
	double		table_units;	/* of the table itself */
	int			nindexes;		/* those charged, in the order of the charges */
	DynIndexCapacity *indexes;
	const char *of_transaction; /* the member that says a transaction's units
								 * again, or NULL */
} DynCapacity;

/*
 * size: of one item, or of all items a Query or Scan evaluated, which are
 * rounded once.
 */
extern double dyn_read_units(uint64 size, bool consistent);

/* Sizes of the item before and after; 0 for none. */
extern double dyn_write_units(uint32 old_size, uint32 new_size);

/* Add to what an index was charged.  Its name need not outlive the call. */
extern void dyn_capacity_charge_index(DynCapacity *capacity,
									  const DynIndex *index, double units);

/* Add one charge of a table to another. */
extern void dyn_capacity_add(DynCapacity *capacity, const DynCapacity *charge);

/*
 * Member "ConsumedCapacity" of a reply about one table, whose name is taken
 * from the request; nothing for NONE.
 */
extern void dyn_capacity_write(DynJsonWriter *w, DynReturnCapacity mode,
							   const DynJson *request, DynCapacity *capacity);

/* The same where capacity says which table. */
extern void dyn_capacity_write_one(DynJsonWriter *w, DynReturnCapacity mode,
								   const DynCapacity *capacity);

/* The same of a batch: an array.  Nothing for NONE. */
extern void dyn_capacity_write_array(DynJsonWriter *w, DynReturnCapacity mode,
									 const DynCapacity *capacities, int count);

#endif							/* DYN_CAPACITY_H */
