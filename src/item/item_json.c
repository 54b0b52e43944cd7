/*-------------------------------------------------------------------------
 *
 * item_json.c
 *		Items and values in DynamoDB's JSON: {"S": "x"}.
 *
 * src/item/item_json.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "base/wording.h"
#include "item/item_json.h"
#include "item/number.h"
#include "miscadmin.h"

#define INVALID_VALUES "One or more parameter values were invalid: "

/* What is in a node whose text form the service would have to convert. */
static const char *
token_name(const DynJson *json)
{
	switch (dyn_json_kind(json))
	{
		case DYN_JSON_TRUE:
			return "TRUE_VALUE";
		case DYN_JSON_FALSE:
			return "FALSE_VALUE";
		case DYN_JSON_NUMBER:
			return dyn_json_number_is_integer(json) ? "NUMBER_VALUE" : "DECIMAL_VALUE";
		default:
			return "STRING_VALUE";
	}
}

/* Type of the member of an AttributeValue, or 0 for one that says nothing. */
static DynType
member_type(const DynJson *member)
{
	uint32		len;
	const char *name;

	/* A member that is null is taken for absent. */
	if (dyn_json_kind(member) == DYN_JSON_NULL)
		return 0;
	name = dyn_json_name(member, &len);
	return dyn_type_from_name(name, len);
}

static void
check_string(const DynJson *json)
{
	switch (dyn_json_kind(json))
	{
		case DYN_JSON_STRING:
		case DYN_JSON_NULL:
			return;
		case DYN_JSON_ARRAY:
			dyn_raise(SERIALIZATION, "Unrecognized collection type class java.lang.String");
			break;
		case DYN_JSON_OBJECT:
			dyn_raise(SERIALIZATION, "Start of structure or map found where not expected");
			break;
		default:
			dyn_raise(SERIALIZATION, "%s cannot be converted to String", token_name(json));
	}
}

static void
check_blob(const DynJson *json)
{
	const char *text;
	uint32		len;
	char	   *bytes;

	switch (dyn_json_kind(json))
	{
		case DYN_JSON_STRING:
			break;
		case DYN_JSON_NULL:
			return;
		case DYN_JSON_ARRAY:
			dyn_raise(SERIALIZATION, "Unrecognized collection type class java.nio.ByteBuffer");
			break;
		case DYN_JSON_OBJECT:
			dyn_raise(SERIALIZATION, "Start of structure or map found where not expected");
			break;
		default:
			dyn_raise(SERIALIZATION, "only base-64-encoded strings are convertible to bytes");
	}

	text = dyn_json_string(json, &len);
	if (len % 4 != 0)
		dyn_raise(SERIALIZATION, "Base64 encoded length is expected a multiple of 4 bytes but found: %u", len);
	bytes = palloc(len / 4 * 3 + 1);
	if (dyn_base64_decode(text, len, bytes) < 0)
		dyn_raise(SERIALIZATION, "Invalid last non-pad Base64 character dectected");
	pfree(bytes);
}

/* What a member of type BOOL or NULL says. */
static bool
read_boolean(const DynJson *json)
{
	const char *text;
	uint32		len;

	switch (dyn_json_kind(json))
	{
		case DYN_JSON_TRUE:
			return true;
		case DYN_JSON_FALSE:
			return false;
		case DYN_JSON_ARRAY:
			dyn_raise(SERIALIZATION, "Unrecognized collection type class java.lang.Boolean");
			break;
		case DYN_JSON_OBJECT:
			dyn_raise(SERIALIZATION, "Start of structure or map found where not expected");
			break;
		case DYN_JSON_STRING:
			text = dyn_json_string(json, &len);
			if (pg_strcasecmp(text, "true") == 0 || pg_strcasecmp(text, "yes") == 0 ||
				strcmp(text, "1") == 0)
				return true;
			if (pg_strcasecmp(text, "false") == 0 || pg_strcasecmp(text, "no") == 0 ||
				strcmp(text, "0") == 0)
				return false;
			dyn_raise(SERIALIZATION, "Unexpected token received from parser");
			break;
		default:
			dyn_raise(SERIALIZATION, "%s cannot be converted to Boolean", token_name(json));
	}
	pg_unreachable();
}

static void
check_list(const DynJson *json)
{
	if (dyn_json_kind(json) == DYN_JSON_OBJECT)
		dyn_raise(SERIALIZATION, "Start of structure or map found where not expected");
	if (dyn_json_kind(json) != DYN_JSON_ARRAY)
		dyn_raise(SERIALIZATION, "Unexpected field type");
}

static void
check_map(const DynJson *json)
{
	if (dyn_json_kind(json) == DYN_JSON_ARRAY)
		dyn_raise(SERIALIZATION, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>");
	if (dyn_json_kind(json) != DYN_JSON_OBJECT)
		dyn_raise(SERIALIZATION, "Unexpected field type");
}

/* Depth is bounded by the parser. */
void
dyn_json_check_attribute_value(const DynJson *json)
{
	if (dyn_json_kind(json) == DYN_JSON_ARRAY)
		dyn_raise(SERIALIZATION, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue");
	if (dyn_json_kind(json) == DYN_JSON_NULL)
		return;
	if (dyn_json_kind(json) != DYN_JSON_OBJECT)
		dyn_raise(SERIALIZATION, "Unexpected value type in payload");

	for (const DynJson *member = dyn_json_first(json); member != NULL;
		 member = dyn_json_next(member))
	{
		DynType		type = member_type(member);

		switch (type)
		{
			case DYN_TYPE_S:
			case DYN_TYPE_N:
				check_string(member);
				break;
			case DYN_TYPE_B:
				check_blob(member);
				break;
			case DYN_TYPE_BOOL:
			case DYN_TYPE_NULL:
				(void) read_boolean(member);
				break;
			case DYN_TYPE_SS:
			case DYN_TYPE_NS:
			case DYN_TYPE_BS:
			case DYN_TYPE_L:
				check_list(member);
				for (const DynJson *element = dyn_json_first(member);
					 element != NULL; element = dyn_json_next(element))
				{
					if (type == DYN_TYPE_L)
						dyn_json_check_attribute_value(element);
					else if (type == DYN_TYPE_BS)
						check_blob(element);
					else
						check_string(element);
				}
				break;
			case DYN_TYPE_M:
				check_map(member);
				for (const DynJson *entry = dyn_json_first(member);
					 entry != NULL; entry = dyn_json_next(entry))
					dyn_json_check_attribute_value(entry);
				break;
			default:
				/* Unknown members count for nothing. */
				break;
		}
	}
}

static void
build_number(DynItemBuilder *b, const DynJson *json)
{
	uint32		len;
	const char *text = dyn_json_string(json, &len);
	DynNumber	number;
	DynNumberStatus status = dyn_number_parse(text, len, &number);
	DynValue	value;

	if (status != DYN_NUMBER_OK)
		dyn_number_raise(status, text, len);
	value = dyn_number_value(&number);
	dyn_builder_value(b, &value);
}

static void
build_binary(DynItemBuilder *b, const DynJson *json)
{
	uint32		len;
	const char *text = dyn_json_string(json, &len);
	char	   *bytes = palloc(len / 4 * 3 + 1);

	dyn_builder_binary(b, bytes, dyn_base64_decode(text, len, bytes));
	pfree(bytes);
}

static int
compare_strings(const void *a, const void *b)
{
	return dyn_value_compare(a, b);
}

static void pg_attribute_noreturn()
raise_duplicates(DynType type, const DynJson *members)
{
	bool		as_json = dyn_reworded >= DYN_REWORDED_DUPLICATES;
	const char *separator = as_json && type == DYN_TYPE_BS ? "," : ", ";
	StringInfoData list;
	DynValue   *strings;
	uint32		count = 0;

	if (type == DYN_TYPE_NS)
		dyn_raise_value("%s", dyn_wording_at(DYN_REWORDED_DUPLICATES,
											 DYN_WORDING_NUMBER_DUPLICATES));

	strings = palloc_extended(dyn_json_count(members) * sizeof(DynValue), MCXT_ALLOC_HUGE);
	for (const DynJson *member = dyn_json_first(members); member != NULL;
		 member = dyn_json_next(member))
	{
		DynValue   *string = &strings[count++];

		string->type = DYN_TYPE_S;
		string->data = dyn_json_string(member, &string->size);
	}
	if (as_json && type == DYN_TYPE_SS)
		qsort(strings, count, sizeof(DynValue), compare_strings);
	initStringInfo(&list);
	for (uint32 i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoString(&list, separator);
		if (as_json)
			appendStringInfoChar(&list, '"');
		appendBinaryStringInfo(&list, strings[i].data, strings[i].size);
		if (as_json)
			appendStringInfoChar(&list, '"');
	}
	if (type == DYN_TYPE_SS)
		dyn_raise_value(INVALID_VALUES "Input collection [%s] contains duplicates.", list.data);
	dyn_raise_value(INVALID_VALUES "Input collection [%s]of type BS contains duplicates.", list.data);
}

static void
build_set(DynItemBuilder *b, DynType type, const DynJson *members)
{
	if (dyn_json_first(members) == NULL)
	{
		if (type == DYN_TYPE_BS)
			dyn_raise_value(INVALID_VALUES "Binary sets should not be empty");
		dyn_raise_value(INVALID_VALUES "An %s set  may not be empty",
				  type == DYN_TYPE_SS ? "string" : "number");
	}

	dyn_builder_begin(b, type);
	for (const DynJson *member = dyn_json_first(members); member != NULL;
		 member = dyn_json_next(member))
	{
		uint32		len;
		const char *text;

		if (dyn_json_kind(member) == DYN_JSON_NULL)
			dyn_raise_value(INVALID_VALUES "An attribute value may not contain a null set member");
		switch (type)
		{
			case DYN_TYPE_SS:
				text = dyn_json_string(member, &len);
				dyn_builder_string(b, text, len);
				break;
			case DYN_TYPE_NS:
				build_number(b, member);
				break;
			default:
				build_binary(b, member);
		}
	}
	if (!dyn_builder_end(b))
		raise_duplicates(type, members);
}

static void build_value(DynItemBuilder *b, const DynJson *json, int depth);

/*
 * The entries of a map whose values are depth levels deep.  Names are checked
 * here: they have no shape to be wrong.
 */
static void
build_map(DynItemBuilder *b, const DynJson *map, int depth)
{
	dyn_builder_begin(b, DYN_TYPE_M);
	for (const DynJson *entry = dyn_json_first(map); entry != NULL;
		 entry = dyn_json_next(entry))
	{
		uint32		len;
		const char *name = dyn_json_name(entry, &len);

		if (len == 0)
			dyn_raise(VALIDATION, "Empty attribute name");
		if (len > DYN_MAX_ATTRIBUTE_NAME_SIZE)
			dyn_raise(VALIDATION, INVALID_VALUES "Attribute name is too large, must be less than %d bytes",
					  DYN_MAX_ATTRIBUTE_NAME_SIZE + 1);
		dyn_builder_name(b, name, len);
		build_value(b, entry, depth);
	}
	dyn_builder_end(b);
}

/* One AttributeValue of good shape, depth levels deep. */
static void
build_value(DynItemBuilder *b, const DynJson *json, int depth)
{
	const DynJson *member = NULL;
	DynType		type = 0;
	uint32		len;
	const char *text;

	if (depth > DYN_MAX_NESTING_DEPTH)
		dyn_raise(VALIDATION, DYN_NESTED_TOO_DEEP);

	for (const DynJson *m = dyn_json_first(json); m != NULL;
		 m = dyn_json_next(m))
	{
		DynType		t = member_type(m);

		if (t == 0)
			continue;
		if (type != 0)
			dyn_raise(VALIDATION, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes");
		type = t;
		member = m;
	}

	switch (type)
	{
		case DYN_TYPE_S:
			text = dyn_json_string(member, &len);
			dyn_builder_string(b, text, len);
			break;
		case DYN_TYPE_N:
			build_number(b, member);
			break;
		case DYN_TYPE_B:
			build_binary(b, member);
			break;
		case DYN_TYPE_BOOL:
			dyn_builder_bool(b, read_boolean(member));
			break;
		case DYN_TYPE_NULL:
			if (!read_boolean(member))
				dyn_raise_value(INVALID_VALUES "Null attribute value types must have the value of true");
			dyn_builder_null(b);
			break;
		case DYN_TYPE_SS:
		case DYN_TYPE_NS:
		case DYN_TYPE_BS:
			build_set(b, type, member);
			break;
		case DYN_TYPE_L:
			dyn_builder_begin(b, DYN_TYPE_L);
			for (const DynJson *element = dyn_json_first(member);
				 element != NULL; element = dyn_json_next(element))
				build_value(b, element, depth + 1);
			dyn_builder_end(b);
			break;
		case DYN_TYPE_M:
			build_map(b, member, depth + 1);
			break;
		default:
			dyn_raise(VALIDATION, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
	}
}

void
dyn_json_build_value(DynItemBuilder *b, const DynJson *json)
{
	dyn_json_check_attribute_value(json);
	build_value(b, json, 1);
}

DynItem *
dyn_item_from_json(const DynJson *json)
{
	DynItemBuilder *b = dyn_builder_create();

	check_map(json);
	for (const DynJson *entry = dyn_json_first(json); entry != NULL;
		 entry = dyn_json_next(entry))
		dyn_json_check_attribute_value(entry);
	build_map(b, json, 1);
	return dyn_builder_item(b);
}

DynValue
dyn_value_from_json(const DynJson *json)
{
	DynItemBuilder *b = dyn_builder_create();

	dyn_json_build_value(b, json);
	return dyn_builder_result(b);
}

static void
write_scalar(DynJsonWriter *w, const DynValue *value)
{
	switch (value->type)
	{
		case DYN_TYPE_S:
			dyn_json_write_string(w, value->data, value->size);
			break;
		case DYN_TYPE_N:
			/* A number is a string of JSON, and digits need no escape. */
			dyn_json_write_raw(w, "\"", 1);
			dyn_number_write(w->out, value->data, value->size);
			appendStringInfoCharMacro(w->out, '"');
			break;
		case DYN_TYPE_B:
			dyn_json_write_base64(w, value->data, value->size);
			break;
		case DYN_TYPE_BOOL:
			dyn_json_write_bool(w, value->boolean);
			break;
		default:
			dyn_json_write_bool(w, true);
	}
}

void
dyn_json_write_value(DynJsonWriter *w, const DynValue *value)
{
	uint32		count;

	dyn_json_begin_object(w);
	dyn_json_write_key(w, dyn_type_name(value->type));
	switch (value->type)
	{
		case DYN_TYPE_M:
			check_stack_depth();
			dyn_json_write_map(w, value);
			break;
		case DYN_TYPE_L:
		case DYN_TYPE_SS:
		case DYN_TYPE_NS:
		case DYN_TYPE_BS:
			check_stack_depth();
			count = dyn_value_count(value);
			dyn_json_begin_array(w);
			for (uint32 i = 0; i < count; i++)
			{
				DynValue	element;

				dyn_list_element(value, i, &element);
				if (value->type == DYN_TYPE_L)
					dyn_json_write_value(w, &element);
				else
					write_scalar(w, &element);
			}
			dyn_json_end_array(w);
			break;
		default:
			write_scalar(w, value);
	}
	dyn_json_end_object(w);
}

void
dyn_json_write_map(DynJsonWriter *w, const DynValue *map)
{
	uint32		count = dyn_value_count(map);

	dyn_json_begin_object(w);
	for (uint32 i = 0; i < count; i++)
	{
		const char *name;
		uint32		name_len;
		DynValue	value;

		dyn_map_entry(map, i, &name, &name_len, &value);
		dyn_json_write_key_bytes(w, name, name_len);
		dyn_json_write_value(w, &value);
	}
	dyn_json_end_object(w);
}

void
dyn_json_write_item(DynJsonWriter *w, const DynItem *item)
{
	DynValue	attributes = dyn_item_value(item);

	dyn_json_write_map(w, &attributes);
}

void
dyn_value_describe(StringInfo out, const DynValue *value)
{
	uint32		count;
	DynJsonWriter w;

	appendStringInfo(out, "{%s:", dyn_type_name(value->type));
	switch (value->type)
	{
		case DYN_TYPE_S:
			appendBinaryStringInfo(out, value->data, value->size);
			break;
		case DYN_TYPE_M:
			check_stack_depth();
			count = dyn_value_count(value);
			appendStringInfoChar(out, '{');
			for (uint32 i = 0; i < count; i++)
			{
				const char *name;
				uint32		name_len;
				DynValue	entry;

				dyn_map_entry(value, i, &name, &name_len, &entry);
				if (i > 0)
					appendStringInfoString(out, ", ");
				appendBinaryStringInfo(out, name, name_len);
				appendStringInfoChar(out, '=');
				dyn_value_describe(out, &entry);
			}
			appendStringInfoChar(out, '}');
			break;
		case DYN_TYPE_L:
		case DYN_TYPE_SS:
		case DYN_TYPE_NS:
		case DYN_TYPE_BS:
			check_stack_depth();
			count = dyn_value_count(value);
			appendStringInfoChar(out, '[');
			for (uint32 i = 0; i < count; i++)
			{
				DynValue	element;

				dyn_list_element(value, i, &element);
				if (i > 0)
					appendStringInfoChar(out, ',');
				if (value->type == DYN_TYPE_L)
					dyn_value_describe(out, &element);
				else if (element.type == DYN_TYPE_N)
					dyn_number_write(out, element.data, element.size);
				else
					appendBinaryStringInfo(out, element.data, element.size);
			}
			appendStringInfoChar(out, ']');
			break;
		case DYN_TYPE_N:
			dyn_number_write(out, value->data, value->size);
			break;
		case DYN_TYPE_B:
			/* What Java prints for a ByteBuffer. */
			appendStringInfo(out, "java.nio.HeapByteBuffer[pos=0 lim=%u cap=%u]",
							 value->size, value->size);
			break;
		default:
			dyn_json_writer_init(&w, out);
			write_scalar(&w, value);
	}
	appendStringInfoChar(out, '}');
}
