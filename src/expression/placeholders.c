/*-------------------------------------------------------------------------
 *
 * placeholders.c
 *		ExpressionAttributeNames and ExpressionAttributeValues.
 *
 * src/expression/placeholders.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/error.h"
#include "base/limits.h"
#include "expression/tree.h"
#include "item/item_json.h"

typedef struct Placeholder
{
	const char *key;			/* with its marker */
	uint32		key_len;
	bool		used;
	const char *name;			/* of a #name */
	uint32		name_len;
	DynValue	value;			/* of a :value */
} Placeholder;

struct DynPlaceholders
{
	int			nnames;
	Placeholder *names;
	int			nvalues;
	Placeholder *values;
};

/* A marker, then at least one letter, digit or underscore. */
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

static Placeholder *
read_keys(const DynJson *map, char marker, const char *member, int *count)
{
	Placeholder *placeholders;
	const DynJson *json;
	int			n = 0;

	if (map == NULL)
		return NULL;
	placeholders = palloc0(sizeof(Placeholder) * dyn_json_count(map));
	for (json = dyn_json_first(map); json; json = dyn_json_next(json))
	{
		Placeholder *placeholder = &placeholders[n++];

		placeholder->key = dyn_json_name(json, &placeholder->key_len);
		if (!is_placeholder(placeholder->key, placeholder->key_len, marker))
			dyn_raise(VALIDATION, "%s contains invalid key: Syntax error; key: \"%s\"",
					  member, placeholder->key);
		if (placeholder->key_len > DYN_MAX_PLACEHOLDER_SIZE)
			dyn_raise(VALIDATION,
					  "%s contains invalid key: The key has exceeded the maximum allowed size; key size: %u",
					  member, placeholder->key_len);
	}
	*count = n;
	return placeholders;
}

static void
read_names(DynPlaceholders *placeholders, const DynJson *names)
{
	const DynJson *json;
	int			i = 0;
	uint64		total = 0;

	for (json = dyn_json_first(names); json; json = dyn_json_next(json))
	{
		Placeholder *placeholder = &placeholders->names[i++];

		if (dyn_json_kind(json) != DYN_JSON_STRING)
			dyn_raise(VALIDATION,
					  "ExpressionAttributeNames contains invalid value: null for key %s",
					  placeholder->key);
		placeholder->name = dyn_json_string(json, &placeholder->name_len);
		total += placeholder->name_len;
		if (placeholder->name_len == 0)
			dyn_raise(VALIDATION,
					  "ExpressionAttributeNames contains invalid value: Empty attribute name for key %s",
					  placeholder->key);
		if (placeholder->name_len > DYN_MAX_ATTRIBUTE_NAME_SIZE)
			dyn_raise(VALIDATION,
					  "ExpressionAttributeNames contains invalid value: "
					  "Attribute name is too large, must be less than 65536 bytes for key %s",
					  placeholder->key);
	}
	if (total > DYN_MAX_PLACEHOLDERS_SIZE)
		dyn_raise(VALIDATION,
				  "ExpressionAttributeNames has exceeded the maximum allowed size of 2 MB");
}

/* Put where a value stands around a complaint about it. */
static void
read_values(DynPlaceholders *placeholders, const DynJson *values)
{
	MemoryContext context = CurrentMemoryContext;
	volatile int i = 0;

	PG_TRY();
	{
		const DynJson *json;

		for (json = dyn_json_first(values); json; json = dyn_json_next(json))
		{
			placeholders->values[i].value = dyn_value_from_json(json);
			i++;
		}
	}
	PG_CATCH();
	{
		ErrorData  *error;

		/* The conversion holds nothing but memory. */
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode != dyn_errcode(VALIDATION))
			PG_RE_THROW();
		FlushErrorState();
		dyn_raise(VALIDATION,
				  "ExpressionAttributeValues contains invalid value: %s for key %s",
				  error->message, placeholders->values[i].key);
	}
	PG_END_TRY();
}

static void
check_size_of_values(const DynPlaceholders *placeholders)
{
	uint64		total = 0;

	for (int i = 0; i < placeholders->nvalues; i++)
		total += placeholders->values[i].value.size;
	if (total > DYN_MAX_PLACEHOLDERS_SIZE)
		dyn_raise(VALIDATION,
				  "ExpressionAttributeValues has exceeded the maximum allowed size of 2 MB");
}

DynPlaceholders *
dyn_placeholders_create(const DynJson *names, const DynJson *values)
{
	DynPlaceholders *placeholders = palloc0(sizeof(DynPlaceholders));

	if (names != NULL && dyn_json_first(names) == NULL)
		dyn_raise(VALIDATION, "ExpressionAttributeNames must not be empty");
	if (values != NULL && dyn_json_first(values) == NULL)
		dyn_raise(VALIDATION, "ExpressionAttributeValues must not be empty");
	placeholders->names = read_keys(names, '#', "ExpressionAttributeNames",
									&placeholders->nnames);
	placeholders->values = read_keys(values, ':', "ExpressionAttributeValues",
									 &placeholders->nvalues);
	if (names != NULL)
		read_names(placeholders, names);
	if (values != NULL)
	{
		read_values(placeholders, values);
		check_size_of_values(placeholders);
	}
	return placeholders;
}

static Placeholder *
use(Placeholder *placeholders, int count, const char *key, uint32 key_len)
{
	for (int i = 0; i < count; i++)
		if (placeholders[i].key_len == key_len &&
			memcmp(placeholders[i].key, key, key_len) == 0)
		{
			placeholders[i].used = true;
			return &placeholders[i];
		}
	return NULL;
}

const char *
dyn_placeholders_name(DynPlaceholders *placeholders, const char *key,
					  uint32 key_len, uint32 *len)
{
	Placeholder *found = use(placeholders->names, placeholders->nnames,
							 key, key_len);

	if (found == NULL)
		return NULL;
	*len = found->name_len;
	return found->name;
}

const DynValue *
dyn_placeholders_value(DynPlaceholders *placeholders, const char *key,
					   uint32 key_len)
{
	Placeholder *found = use(placeholders->values, placeholders->nvalues,
							 key, key_len);

	return found == NULL ? NULL : &found->value;
}

static void
check_used(const Placeholder *placeholders, int count, const char *member)
{
	StringInfoData keys;
	int			unused = 0;

	for (int i = 0; i < count; i++)
	{
		if (placeholders[i].used)
			continue;
		if (unused++ == 0)
			initStringInfo(&keys);
		else
			appendStringInfoString(&keys, ", ");
		appendStringInfoString(&keys, placeholders[i].key);
	}
	if (unused > 0)
		dyn_raise(VALIDATION,
				  "Value provided in %s unused in expressions: keys: {%s}",
				  member, keys.data);
}

void
dyn_placeholders_check_used(const DynPlaceholders *placeholders)
{
	check_used(placeholders->names, placeholders->nnames,
			   "ExpressionAttributeNames");
	check_used(placeholders->values, placeholders->nvalues,
			   "ExpressionAttributeValues");
}
