/*-------------------------------------------------------------------------
 *
 * capacity.c
 *		Consumed capacity: units of one table, and its member of a reply.
 *
 * src/operation/capacity.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/capacity.h"
#include "operation/request.h"

/* Steps of size begun; an empty read or write counts as one. */
static uint64
steps(uint64 size, uint64 step)
{
	return Max(1, (size + step - 1) / step);
}

double
dyn_read_units(uint64 size, bool consistent)
{
	return steps(size, DYN_READ_UNIT_SIZE) * (consistent ? 1.0 : 0.5);
}

double
dyn_write_units(uint32 old_size, uint32 new_size)
{
	return steps(Max(old_size, new_size), DYN_WRITE_UNIT_SIZE);
}

static void
write_capacity(DynJsonWriter *w, DynReturnCapacity mode,
			   const DynCapacity *capacity)
{
	dyn_json_begin_object(w);
	dyn_json_write_key(w, "TableName");
	dyn_json_write_string(w, capacity->table_name, capacity->table_name_len);
	dyn_json_write_key(w, "CapacityUnits");
	dyn_json_write_double(w, capacity->units);
	if (mode == DYN_RETURN_CAPACITY_INDEXES)
	{
		dyn_json_write_key(w, "Table");
		dyn_json_begin_object(w);
		dyn_json_write_key(w, "CapacityUnits");
		dyn_json_write_double(w, capacity->units);
		dyn_json_end_object(w);
	}
	dyn_json_end_object(w);
}

void
dyn_capacity_write(DynJsonWriter *w, DynReturnCapacity mode,
				   const DynJson *request, double units)
{
	DynCapacity capacity;

	if (mode == DYN_RETURN_CAPACITY_NONE)
		return;
	capacity.table_name = dyn_request_string(request, "TableName",
											 &capacity.table_name_len);
	capacity.units = units;
	dyn_json_write_key(w, "ConsumedCapacity");
	write_capacity(w, mode, &capacity);
}

void
dyn_capacity_write_array(DynJsonWriter *w, DynReturnCapacity mode,
						 const DynCapacity *capacities, int count)
{
	if (mode == DYN_RETURN_CAPACITY_NONE)
		return;
	dyn_json_write_key(w, "ConsumedCapacity");
	dyn_json_begin_array(w);
	for (int i = 0; i < count; i++)
		write_capacity(w, mode, &capacities[i]);
	dyn_json_end_array(w);
}
