/*-------------------------------------------------------------------------
 *
 * item_internal.c
 *		The parts of this layer one by one, as SQL functions for tests.
 *
 * src/item/item_internal.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "item/document_path.h"
#include "item/item_json.h"
#include "item/key.h"
#include "item/number.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(dyn_internal_json_normalize);
PG_FUNCTION_INFO_V1(dyn_internal_number_encode);
PG_FUNCTION_INFO_V1(dyn_internal_number_decode);
PG_FUNCTION_INFO_V1(dyn_internal_number_size);
PG_FUNCTION_INFO_V1(dyn_internal_number_add);
PG_FUNCTION_INFO_V1(dyn_internal_number_subtract);
PG_FUNCTION_INFO_V1(dyn_internal_item_from_bytes);
PG_FUNCTION_INFO_V1(dyn_internal_item_subset);
PG_FUNCTION_INFO_V1(dyn_internal_item_subset_size);
PG_FUNCTION_INFO_V1(dyn_internal_value_describe);
PG_FUNCTION_INFO_V1(dyn_internal_key_hash);
PG_FUNCTION_INFO_V1(dyn_internal_key_from_item);
PG_FUNCTION_INFO_V1(dyn_internal_key_from_argument);

static void
write_node(DynJsonWriter *w, const DynJson *node)
{
	uint32		len;
	const char *text;

	check_stack_depth();
	switch (dyn_json_kind(node))
	{
		case DYN_JSON_NULL:
			dyn_json_write_null(w);
			break;
		case DYN_JSON_FALSE:
		case DYN_JSON_TRUE:
			dyn_json_write_bool(w, dyn_json_kind(node) == DYN_JSON_TRUE);
			break;
		case DYN_JSON_NUMBER:
			if (dyn_json_number_is_integer(node) &&
				dyn_json_number(node) > -1e15 && dyn_json_number(node) < 1e15)
				dyn_json_write_int(w, (int64) dyn_json_number(node));
			else
				dyn_json_write_double(w, dyn_json_number(node));
			break;
		case DYN_JSON_STRING:
			text = dyn_json_string(node, &len);
			dyn_json_write_string(w, text, len);
			break;
		case DYN_JSON_ARRAY:
			dyn_json_begin_array(w);
			for (const DynJson *n = dyn_json_first(node); n != NULL; n = dyn_json_next(n))
				write_node(w, n);
			dyn_json_end_array(w);
			break;
		case DYN_JSON_OBJECT:
			dyn_json_begin_object(w);
			for (const DynJson *n = dyn_json_first(node); n != NULL; n = dyn_json_next(n))
			{
				text = dyn_json_name(n, &len);
				dyn_json_write_key_bytes(w, text, len);
				write_node(w, n);
			}
			dyn_json_end_object(w);
			break;
	}
}

/* Bytes -> tree -> text; NULL for bytes that are no JSON. */
Datum
dyn_internal_json_normalize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	DynJson    *json = dyn_json_parse(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	StringInfoData out;
	DynJsonWriter w;

	if (json == NULL)
		PG_RETURN_NULL();
	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	write_node(&w, json);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

static void
parse_number(text *t, DynNumber *number)
{
	DynNumberStatus status = dyn_number_parse(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t),
											  number);

	if (status != DYN_NUMBER_OK)
		dyn_number_raise(status, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}

static text *
number_text(const char *data, uint32 size)
{
	StringInfoData out;

	initStringInfo(&out);
	dyn_number_write(&out, data, size);
	return cstring_to_text_with_len(out.data, out.len);
}

Datum
dyn_internal_number_encode(PG_FUNCTION_ARGS)
{
	DynNumber	number;
	bytea	   *result;

	parse_number(PG_GETARG_TEXT_PP(0), &number);
	result = palloc(VARHDRSZ + number.size);
	SET_VARSIZE(result, VARHDRSZ + number.size);
	memcpy(VARDATA(result), number.data, number.size);
	PG_RETURN_BYTEA_P(result);
}

Datum
dyn_internal_number_decode(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	PG_RETURN_TEXT_P(number_text(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)));
}

Datum
dyn_internal_number_size(PG_FUNCTION_ARGS)
{
	DynNumber	number;

	parse_number(PG_GETARG_TEXT_PP(0), &number);
	PG_RETURN_INT32(dyn_number_size(number.data, number.size));
}

static Datum
number_arithmetic(FunctionCallInfo fcinfo,
				  DynNumberStatus (*f) (const DynValue *, const DynValue *, DynNumber *))
{
	DynNumber	a;
	DynNumber	b;
	DynNumber	result;
	DynValue	va;
	DynValue	vb;
	DynNumberStatus status;

	parse_number(PG_GETARG_TEXT_PP(0), &a);
	parse_number(PG_GETARG_TEXT_PP(1), &b);
	va = dyn_number_value(&a);
	vb = dyn_number_value(&b);
	status = f(&va, &vb, &result);
	if (status != DYN_NUMBER_OK)
		dyn_number_raise(status, "", 0);
	PG_RETURN_TEXT_P(number_text(result.data, result.size));
}

Datum
dyn_internal_number_add(PG_FUNCTION_ARGS)
{
	return number_arithmetic(fcinfo, dyn_number_add);
}

Datum
dyn_internal_number_subtract(PG_FUNCTION_ARGS)
{
	return number_arithmetic(fcinfo, dyn_number_subtract);
}

/* What the binary protocol's input does. */
Datum
dyn_internal_item_from_bytes(PG_FUNCTION_ARGS)
{
	DynItem    *item = (DynItem *) PG_GETARG_BYTEA_P_COPY(0);

	dyn_item_check(item);
	PG_RETURN_DYN_ITEM(item);
}

static DynJson *
parse_json(text *t)
{
	DynJson    *json = dyn_json_parse(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));

	if (json == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid JSON")));
	return json;
}

Datum
dyn_internal_value_describe(PG_FUNCTION_ARGS)
{
	DynValue	value = dyn_value_from_json(parse_json(PG_GETARG_TEXT_PP(0)));
	StringInfoData out;

	initStringInfo(&out);
	dyn_value_describe(&out, &value);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

Datum
dyn_internal_key_hash(PG_FUNCTION_ARGS)
{
	DynValue	value = dyn_value_from_json(parse_json(PG_GETARG_TEXT_PP(0)));

	PG_RETURN_INT64(dyn_key_hash(&value));
}

/* Arguments 1 to 4: partition name and type, sort name and type or NULL. */
static void
read_schema(FunctionCallInfo fcinfo, DynKeySchema *schema)
{
	DynKeyAttribute *attributes[] = {&schema->partition, &schema->sort};

	memset(schema, 0, sizeof(*schema));
	for (int i = 0; i < 2; i++)
	{
		if (!PG_ARGISNULL(1 + 2 * i))
		{
			char	   *type = text_to_cstring(PG_GETARG_TEXT_PP(2 + 2 * i));

			attributes[i]->name = text_to_cstring(PG_GETARG_TEXT_PP(1 + 2 * i));
			attributes[i]->name_len = strlen(attributes[i]->name);
			attributes[i]->type = dyn_type_from_name(type, strlen(type));
		}
	}
}

static Datum
make_key(FunctionCallInfo fcinfo,
		 void (*f) (const DynKeySchema *, const DynItem *, DynKey *))
{
	DynKeySchema schema;
	DynKey		key;

	read_schema(fcinfo, &schema);
	f(&schema, PG_GETARG_DYN_ITEM(0), &key);
	PG_RETURN_DYN_ITEM(dyn_key_item(&schema, &key));
}

Datum
dyn_internal_key_from_item(PG_FUNCTION_ARGS)
{
	return make_key(fcinfo, dyn_key_from_item);
}

Datum
dyn_internal_key_from_argument(PG_FUNCTION_ARGS)
{
	return make_key(fcinfo, dyn_key_from_argument);
}

/* Argument 1: names, sorted; NULL: all. */
static const DynAttributeName *
read_names(FunctionCallInfo fcinfo, int *count)
{
	Datum	   *datums;
	DynAttributeName *names;

	*count = 0;
	if (PG_ARGISNULL(1))
		return NULL;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT,
					  &datums, NULL, count);
	names = palloc((*count + 1) * sizeof(DynAttributeName));
	for (int i = 0; i < *count; i++)
	{
		names[i].name = text_to_cstring(DatumGetTextPP(datums[i]));
		names[i].name_len = strlen(names[i].name);
	}
	return names;
}

Datum
dyn_internal_item_subset(PG_FUNCTION_ARGS)
{
	int			count;
	const DynAttributeName *names = read_names(fcinfo, &count);

	PG_RETURN_DYN_ITEM(dyn_item_subset(PG_GETARG_DYN_ITEM(0), names, count));
}

Datum
dyn_internal_item_subset_size(PG_FUNCTION_ARGS)
{
	int			count;
	const DynAttributeName *names = read_names(fcinfo, &count);

	PG_RETURN_INT32(dyn_item_subset_size(PG_GETARG_DYN_ITEM(0), names, count));
}
