/*-------------------------------------------------------------------------
 *
 * value.c
 *		An attribute value, looked at in place.
 *
 * src/item/value.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "item/container.h"
#include "item/number.h"
#include "item/value.h"
#include "miscadmin.h"

static const char *const type_names[] = {
	[DYN_TYPE_S] = "S",
	[DYN_TYPE_N] = "N",
	[DYN_TYPE_B] = "B",
	[DYN_TYPE_BOOL] = "BOOL",
	[DYN_TYPE_NULL] = "NULL",
	[DYN_TYPE_M] = "M",
	[DYN_TYPE_L] = "L",
	[DYN_TYPE_SS] = "SS",
	[DYN_TYPE_NS] = "NS",
	[DYN_TYPE_BS] = "BS"
};

void
dyn_container_corrupted(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored item is corrupted")));
}

const char *
dyn_type_name(DynType type)
{
	if (type < DYN_TYPE_S || type > DYN_TYPE_BS)
		elog(ERROR, "unrecognized item value type: %d", (int) type);
	return type_names[type];
}

DynType
dyn_type_from_name(const char *name, uint32 len)
{
	/* Asked for every value of a request: one comparison of the name, if any. */
	if (len == 1)
	{
		switch (name[0])
		{
			case 'S':
				return DYN_TYPE_S;
			case 'N':
				return DYN_TYPE_N;
			case 'B':
				return DYN_TYPE_B;
			case 'M':
				return DYN_TYPE_M;
			case 'L':
				return DYN_TYPE_L;
		}
	}
	else if (len == 2 && name[1] == 'S')
	{
		switch (name[0])
		{
			case 'S':
				return DYN_TYPE_SS;
			case 'N':
				return DYN_TYPE_NS;
			case 'B':
				return DYN_TYPE_BS;
		}
	}
	else if (len == 4 && memcmp(name, "BOOL", 4) == 0)
		return DYN_TYPE_BOOL;
	else if (len == 4 && memcmp(name, "NULL", 4) == 0)
		return DYN_TYPE_NULL;
	return 0;
}

uint32
dyn_value_count(const DynValue *container)
{
	DynContainer c;

	dyn_container_open(container, &c);
	return c.count;
}

void
dyn_map_entry(const DynValue *map, uint32 i,
			  const char **name, uint32 *name_len, DynValue *value)
{
	DynContainer c;
	uint32		start;
	uint32		end;
	const char *p;

	dyn_container_open(map, &c);
	dyn_container_entry(&c, i, &start, &end);
	p = c.entries + start;
	dyn_container_name(&p, c.entries + end, name, name_len);
	dyn_container_value(p, c.entries + end, value);
}

bool
dyn_map_find(const DynValue *map, const char *name, uint32 name_len,
			 DynValue *value)
{
	DynContainer c;
	uint32		low = 0;
	uint32		high;

	dyn_container_open(map, &c);
	high = c.count;
	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;
		uint32		start;
		uint32		end;
		const char *p;
		const char *entry_name;
		uint32		entry_name_len;
		int			cmp;

		dyn_container_entry(&c, middle, &start, &end);
		p = c.entries + start;
		dyn_container_name(&p, c.entries + end, &entry_name, &entry_name_len);
		cmp = dyn_compare_bytes(name, name_len, entry_name, entry_name_len);
		if (cmp == 0)
		{
			dyn_container_value(p, c.entries + end, value);
			return true;
		}
		if (cmp < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

void
dyn_list_element(const DynValue *list, uint32 i, DynValue *value)
{
	DynContainer c;
	uint32		start;
	uint32		end;

	dyn_container_open(list, &c);
	dyn_container_entry(&c, i, &start, &end);
	if (list->type == DYN_TYPE_L)
		dyn_container_value(c.entries + start, c.entries + end, value);
	else
	{
		value->type = dyn_set_member_type(list->type);
		value->boolean = false;
		value->size = end - start;
		value->data = c.entries + start;
	}
}

bool
dyn_set_contains(const DynValue *set, const DynValue *member)
{
	uint32		low = 0;
	uint32		high = dyn_value_count(set);

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;
		DynValue	element;
		int			cmp;

		dyn_list_element(set, middle, &element);
		cmp = dyn_value_compare(member, &element);
		if (cmp == 0)
			return true;
		if (cmp < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* The stored form is canonical, so equal values have equal bytes. */
bool
dyn_value_equal(const DynValue *a, const DynValue *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == DYN_TYPE_BOOL)
		return a->boolean == b->boolean;
	if (a->type == DYN_TYPE_NULL)
		return true;
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

int
dyn_value_compare(const DynValue *a, const DynValue *b)
{
	return dyn_compare_bytes(a->data, a->size, b->data, b->size);
}

uint32
dyn_value_size(const DynValue *value)
{
	uint32		size;
	uint32		count;

	switch (value->type)
	{
		case DYN_TYPE_S:
		case DYN_TYPE_B:
			return value->size;
		case DYN_TYPE_N:
			return dyn_number_size(value->data, value->size);
		case DYN_TYPE_BOOL:
		case DYN_TYPE_NULL:
			return 1;
		case DYN_TYPE_SS:
		case DYN_TYPE_NS:
		case DYN_TYPE_BS:
		case DYN_TYPE_L:
			check_stack_depth();
			count = dyn_value_count(value);
			size = value->type == DYN_TYPE_L ? 3 + count : 0;
			for (uint32 i = 0; i < count; i++)
			{
				DynValue	element;

				dyn_list_element(value, i, &element);
				size += dyn_value_size(&element);
			}
			return size;
		case DYN_TYPE_M:
			check_stack_depth();
			count = dyn_value_count(value);
			size = 3 + count;
			for (uint32 i = 0; i < count; i++)
			{
				const char *name;
				uint32		name_len;
				DynValue	entry;

				dyn_map_entry(value, i, &name, &name_len, &entry);
				size += name_len + dyn_value_size(&entry);
			}
			return size;
	}
	elog(ERROR, "unrecognized item value type: %d", (int) value->type);
}

int
dyn_value_depth(const DynValue *value)
{
	int			deepest = 0;
	uint32		count;

	if (value->type != DYN_TYPE_M && value->type != DYN_TYPE_L)
		return 1;

	check_stack_depth();
	count = dyn_value_count(value);
	for (uint32 i = 0; i < count; i++)
	{
		const char *name;
		uint32		name_len;
		DynValue	member;
		int			depth;

		if (value->type == DYN_TYPE_M)
			dyn_map_entry(value, i, &name, &name_len, &member);
		else
			dyn_list_element(value, i, &member);
		/* Not inside Max(), which would descend twice at every level. */
		depth = dyn_value_depth(&member);
		deepest = Max(deepest, depth);
	}
	return 1 + deepest;
}

DynValue
dyn_value_copy(const DynValue *value)
{
	DynValue	copy = *value;

	if (value->size > 0)
	{
		char	   *data = palloc(value->size);

		memcpy(data, value->data, value->size);
		copy.data = data;
	}
	return copy;
}
