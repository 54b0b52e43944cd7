/*-------------------------------------------------------------------------
 *
 * key_schema_request.c
 *		KeySchema and AttributeDefinitions of requests.
 *
 * src/operation/key_schema_request.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/key_schema_request.h"
#include "operation/table_request.h"

typedef enum KeyRole
{
	KEY_HASH,
	KEY_RANGE
} KeyRole;

#define ENUM(name, text, ...) \
	static const char *const name##_values[] = {__VA_ARGS__, NULL}; \
	static const DynEnum name##_enum = {text, name##_values}

/* In the order of KeyRole. */
ENUM(key_type, "[HASH, RANGE]", "HASH", "RANGE");
ENUM(attribute_type, "[B, N, S]", "B", "N", "S");

void
dyn_request_check_definitions(DynViolations *v, const DynJson *list, bool required)
{
	const DynJson *element;
	int			n = 0;

	if (list == NULL)
	{
		if (required)
			dyn_member_require(v, NULL, "attributeDefinitions");
		return;
	}
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
	{
		const DynJson *name = dyn_request_member(element, "AttributeName");
		const DynJson *type = dyn_request_member(element, "AttributeType");

		n++;
		if (dyn_member_require(v, name, "attributeDefinitions.%d.member.attributeName", n))
			dyn_member_length(v, name, 1, DYN_MAX_KEY_NAME_SIZE,
							  "attributeDefinitions.%d.member.attributeName", n);
		if (dyn_member_require(v, type, "attributeDefinitions.%d.member.attributeType", n))
			dyn_member_enum(v, type, &attribute_type_enum, 0,
							"attributeDefinitions.%d.member.attributeType", n);
	}
}

void
dyn_request_check_key_schema(DynViolations *v, const DynJson *list, int max,
							 const char *path)
{
	const DynJson *element;
	int			n = 0;

	if (!dyn_member_require(v, list, "%skeySchema", path))
		return;
	v->element = "KeySchemaElement";
	dyn_member_length(v, list, 1, max, "%skeySchema", path);
	v->element = NULL;
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
	{
		const DynJson *name = dyn_request_member(element, "AttributeName");
		const DynJson *type = dyn_request_member(element, "KeyType");

		n++;
		if (dyn_member_require(v, name, "%skeySchema.%d.member.attributeName", path, n))
			dyn_member_length(v, name, 1, DYN_MAX_KEY_NAME_SIZE,
							  "%skeySchema.%d.member.attributeName", path, n);
		if (dyn_member_require(v, type, "%skeySchema.%d.member.keyType", path, n))
			dyn_member_enum(v, type, &key_type_enum, 0,
							"%skeySchema.%d.member.keyType", path, n);
	}
}

/* The element of a list that has this AttributeName, or NULL. */
static const DynJson *
find_name(const DynJson *list, const char *name, uint32 len)
{
	const DynJson *element;

	if (list == NULL)
		return NULL;
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
	{
		uint32		other_len;
		const char *other = dyn_request_string(element, "AttributeName", &other_len);

		if (other_len == len && memcmp(other, name, len) == 0)
			return element;
	}
	return NULL;
}

const DynJson *
dyn_definitions_find(const DynJson *definitions, const char *name, uint32 len)
{
	return find_name(definitions, name, len);
}

static int
compare_names(const void *a, const void *b)
{
	uint32		left_len;
	uint32		right_len;
	const char *left = dyn_request_string(*(const DynJson *const *) a,
										  "AttributeName", &left_len);
	const char *right = dyn_request_string(*(const DynJson *const *) b,
										   "AttributeName", &right_len);
	int			cmp = memcmp(left, right, Min(left_len, right_len));

	return cmp != 0 ? cmp : (int) left_len - (int) right_len;
}

/* Sorted, because nothing bounds the number of definitions. */
void
dyn_definitions_check_duplicates(const DynJson *definitions)
{
	uint32		count = 0;
	const DynJson **sorted = palloc_extended((dyn_json_count(definitions) + 1) *
											 sizeof(DynJson *), MCXT_ALLOC_HUGE);
	const DynJson *element;
	uint32		len;

	for (element = dyn_json_first(definitions); element; element = dyn_json_next(element))
		sorted[count++] = element;
	qsort(sorted, count, sizeof(DynJson *), compare_names);
	for (uint32 i = 1; i < count; i++)
		if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "Duplicate AttributeName in AttributeDefinitions: %s",
					  dyn_request_string(sorted[i], "AttributeName", &len));
}

const char *
dyn_attribute_names(const DynJson *list)
{
	StringInfoData out;
	const DynJson *element;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (element = list ? dyn_json_first(list) : NULL; element;
		 element = dyn_json_next(element))
	{
		uint32		len;
		const char *name = dyn_request_string(element, "AttributeName", &len);

		appendBinaryStringInfo(&out, name, len);
		if (dyn_json_next(element) != NULL)
			appendStringInfoString(&out, ", ");
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}

static bool
has_key_type(const DynJson *element, KeyRole role)
{
	uint32		len;

	return strcmp(dyn_request_string(element, "KeyType", &len),
				  key_type_values[role]) == 0;
}

static void
fill_key_attribute(DynKeyAttribute *attribute, const DynJson *element,
				   const DynJson *definitions)
{
	uint32		len;
	const char *type;

	attribute->name = dyn_request_string(element, "AttributeName",
										 &attribute->name_len);
	type = dyn_request_string(find_name(definitions, attribute->name, attribute->name_len),
							  "AttributeType", &len);
	attribute->type = dyn_type_from_name(type, len);
}

static void
check_defined(const DynJson *elements, const DynJson *definitions)
{
	const DynJson *element;

	for (element = dyn_json_first(elements); element; element = dyn_json_next(element))
	{
		uint32		len;
		const char *name = dyn_request_string(element, "AttributeName", &len);

		if (find_name(definitions, name, len) == NULL)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s",
					  dyn_attribute_names(elements), dyn_attribute_names(definitions));
	}
}

static void
check_distinct(const DynJson *elements)
{
	const DynJson *element;

	for (element = dyn_json_first(elements); element; element = dyn_json_next(element))
	{
		uint32		len;
		const char *name = dyn_request_string(element, "AttributeName", &len);

		if (find_name(elements, name, len) != element)
			dyn_raise(VALIDATION,
					  "Both the Hash Key and the Range Key element in the KeySchema have the same name");
	}
}

/* The order of one HASH and perhaps one RANGE. */
static void
check_order_of_two(const DynJson *elements)
{
	const DynJson *first = dyn_json_first(elements);
	const DynJson *second = dyn_json_next(first);

	if (!has_key_type(first, KEY_HASH))
		dyn_raise(VALIDATION,
				  "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
	if (second != NULL && !has_key_type(second, KEY_RANGE))
		dyn_raise(VALIDATION,
				  "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
}

void
dyn_key_schema_resolve(const DynJson *elements, const DynJson *definitions,
					   DynKeySchema *schema)
{
	const DynJson *first = dyn_json_first(elements);
	const DynJson *second = dyn_json_next(first);

	if (dyn_json_count(elements) > dyn_json_count(definitions))
		dyn_raise(VALIDATION,
				  "Invalid KeySchema: Some index key attribute have no definition");
	check_defined(elements, definitions);
	check_distinct(elements);
	check_order_of_two(elements);
	fill_key_attribute(&schema->partition, first, definitions);
	if (second != NULL)
		fill_key_attribute(&schema->sort, second, definitions);
}

/* Up to four HASH, then up to four RANGE; the first one must be HASH. */
static void
check_order_of_many(const DynJson *elements)
{
	const DynJson *element = dyn_json_first(elements);
	int			nhash = 0;
	int			nrange = 0;

	if (!has_key_type(element, KEY_HASH))
		dyn_raise(VALIDATION,
				  "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
	for (; element; element = dyn_json_next(element))
	{
		if (has_key_type(element, KEY_RANGE))
			nrange++;
		else if (nrange > 0)
			dyn_raise(VALIDATION,
					  "Invalid KeySchema: All HASH key elements must precede all RANGE key elements");
		else
			nhash++;
	}
	if (nhash > DYN_MAX_INDEX_KEY_PARTS || nrange > DYN_MAX_INDEX_KEY_PARTS)
		dyn_raise(VALIDATION,
				  "Invalid KeySchema: The number of %s key elements exceeds the limit of %d",
				  nhash > DYN_MAX_INDEX_KEY_PARTS ? "HASH" : "RANGE",
				  DYN_MAX_INDEX_KEY_PARTS);
}

void
dyn_index_schema_resolve(const DynJson *elements, const DynJson *definitions,
						 bool global, DynIndexSchema *schema)
{
	const DynJson *element;

	check_defined(elements, definitions);
	check_distinct(elements);
	if (global)
		check_order_of_many(elements);
	else
		check_order_of_two(elements);
	for (element = dyn_json_first(elements); element; element = dyn_json_next(element))
		fill_key_attribute(has_key_type(element, KEY_HASH) ?
						   &schema->partition[schema->npartition++] :
						   &schema->sort[schema->nsort++],
						   element, definitions);
}
