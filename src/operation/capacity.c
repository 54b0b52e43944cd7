/*-------------------------------------------------------------------------
 *
 * capacity.c
 *		Consumed capacity: units of one table and its indexes, and their member
 *		of a reply.
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
charge_index(DynCapacity *capacity, const char *name, bool local, double units)
{
	DynIndexCapacity *arm;

	for (int i = 0; i < capacity->nindexes; i++)
	{
		if (strcmp(capacity->indexes[i].name, name) == 0)
		{
			capacity->indexes[i].units += units;
			return;
		}
	}
	if (capacity->indexes == NULL)
		capacity->indexes = palloc(sizeof(DynIndexCapacity) * DYN_INDEX_SLOTS);
	Assert(capacity->nindexes < DYN_INDEX_SLOTS);
	arm = &capacity->indexes[capacity->nindexes++];
	arm->name = pstrdup(name);
	arm->local = local;
	arm->units = units;
}

void
dyn_capacity_charge_index(DynCapacity *capacity, const DynIndex *index,
						  double units)
{
	charge_index(capacity, index->definition.name,
				 index->definition.kind == DYN_INDEX_LOCAL, units);
}

void
dyn_capacity_add(DynCapacity *capacity, const DynCapacity *charge)
{
	capacity->table_units += charge->table_units;
	for (int i = 0; i < charge->nindexes; i++)
		charge_index(capacity, charge->indexes[i].name, charge->indexes[i].local,
					 charge->indexes[i].units);
}

/* again: the member that says the same once more, or NULL. */
static void
write_units(DynJsonWriter *w, double units, const char *again)
{
	dyn_json_write_key(w, "CapacityUnits");
	dyn_json_write_double(w, units);
	if (again != NULL)
	{
		dyn_json_write_key(w, again);
		dyn_json_write_double(w, units);
	}
}

static void
write_arm(DynJsonWriter *w, double units, const char *again)
{
	dyn_json_begin_object(w);
	write_units(w, units, again);
	dyn_json_end_object(w);
}

/* The arms of one kind; no member where there are none. */
static void
write_indexes(DynJsonWriter *w, const DynCapacity *capacity, bool local)
{
	bool		any = false;

	for (int i = 0; i < capacity->nindexes; i++)
	{
		const DynIndexCapacity *arm = &capacity->indexes[i];

		if (arm->local != local)
			continue;
		if (!any)
		{
			dyn_json_write_key(w, local ? "LocalSecondaryIndexes" :
							   "GlobalSecondaryIndexes");
			dyn_json_begin_object(w);
			any = true;
		}
		dyn_json_write_key_bytes(w, arm->name, strlen(arm->name));
		write_arm(w, arm->units, NULL);
	}
	if (any)
		dyn_json_end_object(w);
}

static void
write_capacity(DynJsonWriter *w, DynReturnCapacity mode,
			   const DynCapacity *capacity)
{
	double		total = capacity->table_units;

	for (int i = 0; i < capacity->nindexes; i++)
		total += capacity->indexes[i].units;

	dyn_json_begin_object(w);
	dyn_json_write_key(w, "TableName");
	dyn_json_write_string(w, capacity->table_name, capacity->table_name_len);
	write_units(w, total, capacity->of_transaction);
	if (mode == DYN_RETURN_CAPACITY_INDEXES)
	{
		/* It is there even if the whole charge went to an index. */
		dyn_json_write_key(w, "Table");
		write_arm(w, capacity->table_units, capacity->of_transaction);
		write_indexes(w, capacity, true);
		write_indexes(w, capacity, false);
	}
	dyn_json_end_object(w);
}

void
dyn_capacity_write(DynJsonWriter *w, DynReturnCapacity mode,
				   const DynJson *request, DynCapacity *capacity)
{
	if (mode == DYN_RETURN_CAPACITY_NONE)
		return;
	capacity->table_name = dyn_request_string(request, "TableName",
											  &capacity->table_name_len);
	dyn_capacity_write_one(w, mode, capacity);
}

void
dyn_capacity_write_one(DynJsonWriter *w, DynReturnCapacity mode,
					   const DynCapacity *capacity)
{
	if (mode == DYN_RETURN_CAPACITY_NONE)
		return;
	dyn_json_write_key(w, "ConsumedCapacity");
	write_capacity(w, mode, capacity);
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
