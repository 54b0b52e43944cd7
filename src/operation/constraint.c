/*-------------------------------------------------------------------------
 *
 * constraint.c
 *		Member constraints: collected, then raised together.
 *
 * src/operation/constraint.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/wording.h"
#include "miscadmin.h"
#include "operation/constraint.h"
#include "operation/request.h"

/* How many the service lists at most. */
static int
max_violations(void)
{
	return dyn_wording_is_newer() ? 1 : 10;
}

/* Every constraint text there is, but for the enum sets below. */
#define NOT_NULL "Member must not be null"
#define LENGTH_MIN "Member must have length greater than or equal to " INT64_FORMAT
#define LENGTH_MAX "Member must have length less than or equal to " INT64_FORMAT
#define VALUE_MIN "Member must have value greater than or equal to " INT64_FORMAT
#define VALUE_MAX "Member must have value less than or equal to " INT64_FORMAT
#define NAME_PATTERN "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
#define ENUM_SET "Member must satisfy enum value set: %s"

#define ENUM(name, text, ...) \
	static const char *const name##_values[] = {__VA_ARGS__, NULL}; \
	const DynEnum dyn_enum_##name = {text, name##_values}

ENUM(return_capacity, "[INDEXES, TOTAL, NONE]", "NONE", "TOTAL", "INDEXES");
ENUM(return_values, "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]",
	 "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW");
ENUM(conditional_operator, "[OR, AND]", "AND", "OR");
ENUM(comparison_operator,
	 "[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]",
	 "IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL",
	 "NE", "LE", "BEGINS_WITH", "GE", "CONTAINS");
ENUM(item_collection_metrics, "[SIZE, NONE]", "NONE", "SIZE");
ENUM(return_on_failure, "[ALL_OLD, NONE]", "NONE", "ALL_OLD");

static void append_value(StringInfo out, const DynJson *value,
						 const char *element);

/* Members of an object, or elements of an array, as Java prints them. */
static void
append_children(StringInfo out, const DynJson *value, const char *element)
{
	bool		is_object = dyn_json_kind(value) == DYN_JSON_OBJECT;
	const DynJson *child;

	for (child = dyn_json_first(value); child; child = dyn_json_next(child))
	{
		if (is_object)
		{
			uint32		len;
			const char *name = dyn_json_name(child, &len);

			appendBinaryStringInfo(out, name, len);
			/* Members of a struct are in lower camel case, map keys as given. */
			if (element != NULL && len > 0)
				out->data[out->len - len] = pg_tolower(name[0]);
			appendStringInfoChar(out, '=');
		}
		append_value(out, child, is_object ? NULL : element);
		if (dyn_json_next(child) != NULL)
			appendStringInfoString(out, ", ");
	}
}

/* A value as Java prints it. */
static void
append_value(StringInfo out, const DynJson *value, const char *element)
{
	const char *bytes;
	uint32		len;

	check_stack_depth();
	switch (dyn_json_kind(value))
	{
		case DYN_JSON_STRING:
			bytes = dyn_json_string(value, &len);
			appendBinaryStringInfo(out, bytes, len);
			break;
		case DYN_JSON_NUMBER:
			appendStringInfo(out, INT64_FORMAT, dyn_json_to_integer(value));
			break;
		case DYN_JSON_ARRAY:
			appendStringInfoChar(out, '[');
			append_children(out, value, element);
			appendStringInfoChar(out, ']');
			break;
		case DYN_JSON_OBJECT:
			if (element != NULL)
				appendStringInfoString(out, element);
			appendStringInfoChar(out, element ? '(' : '{');
			append_children(out, value, element);
			appendStringInfoChar(out, element ? ')' : '}');
			break;
		case DYN_JSON_TRUE:
			appendStringInfoString(out, "true");
			break;
		case DYN_JSON_FALSE:
			appendStringInfoString(out, "false");
			break;
		case DYN_JSON_NULL:
			appendStringInfoString(out, "null");
			break;
	}
}

static void append_format(StringInfo out, const char *format, va_list args)
			pg_attribute_printf(2, 0);

static void
append_format(StringInfo out, const char *format, va_list args)
{
	int			needed;

	for (;;)
	{
		va_list		copy;

		va_copy(copy, args);
		needed = appendStringInfoVA(out, format, copy);
		va_end(copy);
		if (needed == 0)
			break;
		enlargeStringInfo(out, needed);
	}
}

static void add_violation(DynViolations *v, const DynJson *value,
						  const char *constraint, const char *path,
						  va_list args) pg_attribute_printf(4, 0);

/* "tableName" as "TableName"; positions and the keys of maps stay. */
static void
capitalize_path(char *path)
{
	for (char *name = path; name != NULL;)
	{
		char	   *dot = strchr(name, '.');

		if (strncmp(name, "member", 6) != 0 &&
			(dot == NULL || (strcmp(dot, ".member") != 0 &&
							 strncmp(dot, ".member.", 8) != 0)))
			name[0] = pg_toupper(name[0]);
		name = dot == NULL ? NULL : dot + 1;
	}
}

static void
add_violation(DynViolations *v, const DynJson *value, const char *constraint,
			  const char *path, va_list args)
{
	StringInfoData text;
	StringInfoData place;

	if (v->count++ >= max_violations())
		return;
	if (v->count == 1)
		initStringInfo(&v->list);
	else
		appendStringInfoString(&v->list, "; ");

	initStringInfo(&text);
	if (value == NULL)
		appendStringInfoString(&text, "null");
	else
	{
		appendStringInfoChar(&text, '\'');
		append_value(&text, value, v->element);
		appendStringInfoChar(&text, '\'');
	}
	initStringInfo(&place);
	appendStringInfoString(&place, v->prefix ? v->prefix : "");
	append_format(&place, path, args);
	if (dyn_wording_is_newer())
		capitalize_path(place.data);
	appendStringInfo(&v->list, dyn_wording(DYN_WORDING_MEMBER_CONSTRAINT),
					 text.data, place.data, constraint);
}

/* Inside a variadic function whose last named parameter is path. */
#define ADD(v, value, constraint) \
	do { \
		va_list args; \
		va_start(args, path); \
		add_violation(v, value, constraint, path, args); \
		va_end(args); \
	} while (0)

void
dyn_violations_add(DynViolations *v, const DynJson *value,
				   const char *constraint, const char *path, ...)
{
	ADD(v, value, constraint);
}

void
dyn_violations_raise(const DynViolations *v)
{
	int			listed = Min(v->count, max_violations());

	if (v->count > 0)
		dyn_raise(VALIDATION, "%d validation error%s detected: %s",
				  listed, listed == 1 ? "" : "s", v->list.data);
}

bool
dyn_member_require(DynViolations *v, const DynJson *value, const char *path, ...)
{
	if (value != NULL)
		return true;
	ADD(v, NULL, NOT_NULL);
	return false;
}

void
dyn_member_length(DynViolations *v, const DynJson *value, int64 min, int64 max,
				  const char *path, ...)
{
	int64		length;

	if (value == NULL)
		return;
	if (dyn_json_kind(value) == DYN_JSON_STRING)
	{
		uint32		len;
		const char *bytes = dyn_json_string(value, &len);

		length = 0;
		for (uint32 i = 0; i < len; i++)
			length += (bytes[i] & 0xC0) != 0x80;	/* not a continuation */
	}
	else
		length = dyn_json_count(value);

	if (length < min)
		ADD(v, value, psprintf(LENGTH_MIN, min));
	else if (length > max)
		ADD(v, value, psprintf(LENGTH_MAX, max));
}

void
dyn_member_range(DynViolations *v, const DynJson *value, int64 min, int64 max,
				 const char *path, ...)
{
	int64		number;

	if (value == NULL)
		return;
	number = dyn_json_to_integer(value);
	if (number < min)
		ADD(v, value, psprintf(VALUE_MIN, min));
	else if (number > max)
		ADD(v, value, psprintf(VALUE_MAX, max));
}

void
dyn_member_name_pattern(DynViolations *v, const DynJson *value,
						const char *path, ...)
{
	const char *bytes;
	uint32		len;

	if (value == NULL)
		return;
	bytes = dyn_json_string(value, &len);
	if (!dyn_name_is_well_formed(bytes, len))
		ADD(v, value, NAME_PATTERN);
}

int
dyn_member_enum(DynViolations *v, const DynJson *value, const DynEnum *allowed,
				int absent, const char *path, ...)
{
	const char *bytes;
	uint32		len;

	if (value == NULL)
		return absent;
	bytes = dyn_json_string(value, &len);
	for (int i = 0; allowed->values[i] != NULL; i++)
		if (strlen(allowed->values[i]) == len &&
			memcmp(allowed->values[i], bytes, len) == 0)
			return i;
	ADD(v, value, psprintf(ENUM_SET, allowed->text));
	return absent;
}
