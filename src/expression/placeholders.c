/*-------------------------------------------------------------------------
 *
 * placeholders.c
 *		ExpressionAttributeNames and ExpressionAttributeValues.
 *
 * src/expression/placeholders.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "base/wording.h"
#include "expression/tree.h"
#include "item/item_json.h"

typedef struct Placeholder
{
	const char *key;			/* with its # or : */
	uint32		key_len;
	bool		used;
	uint32		name_len;
	const char *name;			/* of a #name */
	DynValue	value;			/* of a :value */
} Placeholder;

typedef struct PlaceholderMap
{
	const char *member;			/* of the request */
	char		marker;
	uint32		count;
	Placeholder *entries;		/* in the order of the request */
	Placeholder **sorted;		/* by key */
	uint64		size;			/* bytes of keys and what they stand for */
} PlaceholderMap;

struct DynPlaceholders
{
	PlaceholderMap names;
	PlaceholderMap values;
};

/* By bytes, the shorter prefix first: the order of a stored map. */
static int
compare_keys(const char *a, uint32 a_len, const char *b, uint32 b_len)
{
	int			cmp = memcmp(a, b, Min(a_len, b_len));

	return cmp != 0 ? cmp : (int) a_len - (int) b_len;
}

static int
compare_placeholders(const void *a, const void *b)
{
	const Placeholder *pa = *(Placeholder *const *) a;
	const Placeholder *pb = *(Placeholder *const *) b;

	return compare_keys(pa->key, pa->key_len, pb->key, pb->key_len);
}

static void
init_map(PlaceholderMap *map, const char *member, char marker,
		 const DynJson *json)
{
	memset(map, 0, sizeof(*map));
	map->member = member;
	map->marker = marker;
	if (json != NULL && dyn_json_first(json) == NULL)
		dyn_raise_request("%s must not be empty", member);
}

static bool
is_placeholder(const char *key, uint32 len, char marker)
{
	if (len < 2 || key[0] != marker)
		return false;
	for (uint32 i = 1; i < len; i++)
	{
		char		c = key[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

static void
read_keys(PlaceholderMap *map, const DynJson *json)
{
	uint32		count;
	uint32		i = 0;

	if (json == NULL)
		return;
	count = dyn_json_count(json);
	map->entries = palloc_extended(count * sizeof(Placeholder), MCXT_ALLOC_HUGE);
	map->sorted = palloc_extended(count * sizeof(Placeholder *), MCXT_ALLOC_HUGE);
	for (const DynJson *entry = dyn_json_first(json); entry != NULL;
		 entry = dyn_json_next(entry), i++)
	{
		Placeholder *p = &map->entries[i];

		memset(p, 0, sizeof(*p));
		p->key = dyn_json_name(entry, &p->key_len);
		if (!is_placeholder(p->key, p->key_len, map->marker))
			dyn_raise_request("%s contains invalid key: Syntax error; key: \"%.*s\"",
					  map->member, (int) p->key_len, p->key);
		if (p->key_len > DYN_MAX_PLACEHOLDER_SIZE)
			dyn_raise_request("%s contains invalid key: Key size has exceeded the maximum allowed size; key size: %u",
					  map->member, p->key_len);
		map->sorted[i] = p;
	}
	map->count = count;
	qsort(map->sorted, count, sizeof(Placeholder *), compare_placeholders);
}

static void
set_total_size(PlaceholderMap *map, uint64 size)
{
	map->size = size;
	if (size > DYN_MAX_PLACEHOLDERS_SIZE)
		dyn_raise_request("%s exceeds max size", map->member);
}

static void
read_names(PlaceholderMap *map, const DynJson *json)
{
	uint64		size = 0;
	uint32		i = 0;

	if (json == NULL)
		return;
	for (const DynJson *entry = dyn_json_first(json); entry != NULL;
		 entry = dyn_json_next(entry), i++)
	{
		Placeholder *p = &map->entries[i];

		if (dyn_json_kind(entry) == DYN_JSON_STRING)
			p->name = dyn_json_string(entry, &p->name_len);
		if (p->name_len == 0)
			dyn_raise_request("Empty attribute name");
		if (p->name_len > DYN_MAX_ATTRIBUTE_NAME_SIZE)
			dyn_raise_request("One or more parameter values were invalid: Attribute name is too large, must be less than %d bytes",
					  DYN_MAX_ATTRIBUTE_NAME_SIZE + 1);
		size += p->key_len + p->name_len;
	}
	set_total_size(map, size);
}

/* Say for which key a value is wrong. */
static void pg_attribute_noreturn()
rethrow_for_key(MemoryContext context, const char *key, uint32 key_len)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (error->sqlerrcode != dyn_errcode(VALIDATION))
		PG_RE_THROW();
	FlushErrorState();
	error->message = psprintf("ExpressionAttributeValues contains invalid value: %s for key %.*s",
							  error->message, (int) key_len, key);
	ReThrowError(error);
}

/* All values as one map, sorted by their keys. */
static DynValue
build_values(const DynJson *json)
{
	MemoryContext context = CurrentMemoryContext;
	DynItemBuilder *b = dyn_builder_create();
	const DynJson *volatile entry = dyn_json_first(json);

	dyn_builder_begin(b, DYN_TYPE_M);
	PG_TRY();
	{
		for (; entry != NULL; entry = dyn_json_next(entry))
		{
			uint32		len;
			const char *key = dyn_json_name(entry, &len);

			dyn_builder_name(b, key, len);
			dyn_json_build_value(b, entry);
		}
	}
	PG_CATCH();
	{
		uint32		len;
		const char *key = dyn_json_name(entry, &len);

		rethrow_for_key(context, key, len);
	}
	PG_END_TRY();
	dyn_builder_end(b);
	return dyn_builder_result(b);
}

static void
read_values(PlaceholderMap *map, const DynJson *json)
{
	DynValue	values;
	uint64		size = 0;

	if (json == NULL)
		return;
	values = build_values(json);
	for (uint32 i = 0; i < map->count; i++)
	{
		const char *key;
		uint32		len;

		dyn_map_entry(&values, i, &key, &len, &map->sorted[i]->value);
		size += len + map->sorted[i]->value.size;
	}
	set_total_size(map, size);
}

DynPlaceholders *
dyn_placeholders_create(const DynJson *names, const DynJson *values)
{
	DynPlaceholders *placeholders = palloc(sizeof(DynPlaceholders));

	init_map(&placeholders->names, "ExpressionAttributeNames", '#', names);
	init_map(&placeholders->values, "ExpressionAttributeValues", ':', values);
	read_keys(&placeholders->names, names);
	read_keys(&placeholders->values, values);
	read_names(&placeholders->names, names);
	read_values(&placeholders->values, values);
	return placeholders;
}

/* Marks it as used.  A request may have very many: no walk through all. */
static Placeholder *
find(PlaceholderMap *map, const char *key, uint32 key_len)
{
	uint32		low = 0;
	uint32		high = map->count;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;
		Placeholder *p = map->sorted[middle];
		int			cmp = compare_keys(key, key_len, p->key, p->key_len);

		if (cmp == 0)
		{
			p->used = true;
			return p;
		}
		if (cmp < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *
dyn_placeholders_name(DynPlaceholders *placeholders, const char *key,
					  uint32 key_len, uint32 *len)
{
	const Placeholder *p = find(&placeholders->names, key, key_len);

	if (p == NULL)
		return NULL;
	*len = p->name_len;
	return p->name;
}

const DynValue *
dyn_placeholders_value(DynPlaceholders *placeholders, const char *key,
					   uint32 key_len)
{
	const Placeholder *p = find(&placeholders->values, key, key_len);

	return p == NULL ? NULL : &p->value;
}

static void
check_map_used(const PlaceholderMap *map)
{
	StringInfoData keys;

	keys.data = NULL;
	for (uint32 i = 0; i < map->count; i++)
	{
		const Placeholder *p = &map->entries[i];

		if (p->used)
			continue;
		if (keys.data == NULL)
			initStringInfo(&keys);
		else
			appendStringInfoString(&keys, ", ");
		appendBinaryStringInfo(&keys, p->key, p->key_len);
	}
	if (keys.data != NULL)
		dyn_raise_request("Value provided in %s unused in expressions: keys: {%s}",
				  map->member, keys.data);
}

void
dyn_placeholders_check_used(const DynPlaceholders *placeholders)
{
	check_map_used(&placeholders->names);
	check_map_used(&placeholders->values);
}

uint64
dyn_placeholders_values_size(const DynPlaceholders *placeholders)
{
	return placeholders->values.size;
}
