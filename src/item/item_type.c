/*-------------------------------------------------------------------------
 *
 * item_type.c
 *		The SQL type dynamo.item: input, output, casts, operators.
 *
 * The text form is DynamoDB's JSON, the binary form the stored bytes.  -> and
 * #> answer a json AttributeValue, whose type members PostgreSQL's own json
 * operators can go on with; ->> and #>> answer the plain text of a scalar.
 *
 * src/item/item_type.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/detoast.h"
#include "base/compat.h"
#include "base/limits.h"
#include "catalog/pg_type.h"
#include "commands/vacuum.h"
#include "common/base64.h"
#include "common/hashfn.h"
#include "item/document_path.h"
#include "item/item_json.h"
#include "item/number.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(dyn_item_in);
PG_FUNCTION_INFO_V1(dyn_item_out);
PG_FUNCTION_INFO_V1(dyn_item_recv);
PG_FUNCTION_INFO_V1(dyn_item_send);
PG_FUNCTION_INFO_V1(dyn_item_to_json);
PG_FUNCTION_INFO_V1(dyn_item_to_jsonb);
PG_FUNCTION_INFO_V1(dyn_json_to_item);
PG_FUNCTION_INFO_V1(dyn_jsonb_to_item);
PG_FUNCTION_INFO_V1(dyn_item_to_plain_json);
PG_FUNCTION_INFO_V1(dyn_item_attribute);
PG_FUNCTION_INFO_V1(dyn_item_attribute_text);
PG_FUNCTION_INFO_V1(dyn_item_path);
PG_FUNCTION_INFO_V1(dyn_item_path_text);
PG_FUNCTION_INFO_V1(dyn_item_exists);
PG_FUNCTION_INFO_V1(dyn_item_contains);
PG_FUNCTION_INFO_V1(dyn_item_contained);
PG_FUNCTION_INFO_V1(dyn_item_eq);
PG_FUNCTION_INFO_V1(dyn_item_ne);
PG_FUNCTION_INFO_V1(dyn_item_hash);
PG_FUNCTION_INFO_V1(dyn_item_hash_extended);
PG_FUNCTION_INFO_V1(dyn_item_size_sql);
PG_FUNCTION_INFO_V1(dyn_item_is_sealed);
PG_FUNCTION_INFO_V1(dyn_item_typanalyze);

static DynItem *
item_from_text(const char *text, int len)
{
	char	   *utf8 = pg_server_to_any(text, len, PG_UTF8);
	DynJson    *json;

	if (utf8 != text)
		len = strlen(utf8);
	json = dyn_json_parse(utf8, len);
	if (json == NULL || dyn_json_kind(json) != DYN_JSON_OBJECT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", "dynamo.item"),
				 errdetail("An item is a JSON object of attribute values."),
				 errhint("For example: {\"name\": {\"S\": \"x\"}, \"price\": {\"N\": \"1.5\"}}.")));
	return dyn_item_from_json(json);
}

/*
 * The text form of a sealed item is {"sealed": "<base64>"}, which is no item's:
 * an attribute's value is an object.  It is what a dump has.
 */
#define SEALED_MEMBER "sealed"

/* Bytes that came from outside; sealed ones must be the caller's to open. */
static Datum
sealed_datum(DynSealed *sealed)
{
	if (VARSIZE_ANY_EXHDR(sealed) <= DYN_SEALED_OVERHEAD ||
		*(unsigned char *) VARDATA_ANY(sealed) != DYN_SEALED_MAGIC ||
		dyn_item_sealing == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid sealed item")));
	dyn_item_sealing->admit(sealed);
	return PointerGetDatum(sealed);
}

/* NULL: the text is not that of a sealed item. */
static DynSealed *
sealed_from_text(const char *text)
{
	DynJson    *json;
	const DynJson *member;
	const char *base64;
	uint32		len;
	int			size;
	DynSealed  *sealed;

	/* Most text is not; don't parse that twice. */
	if (strncmp(text, "{\"" SEALED_MEMBER "\"", strlen(SEALED_MEMBER) + 3) != 0)
		return NULL;
	json = dyn_json_parse(text, strlen(text));
	if (json == NULL || dyn_json_count(json) != 1)
		return NULL;
	member = dyn_json_first(json);
	if (dyn_json_kind(member) != DYN_JSON_STRING)
		return NULL;
	base64 = dyn_json_string(member, &len);
	sealed = palloc(VARHDRSZ + pg_b64_dec_len(len));
	size = pg_b64_decode(base64, len, VARDATA(sealed), pg_b64_dec_len(len));
	SET_VARSIZE(sealed, VARHDRSZ + Max(size, 0));
	return sealed;
}

Datum
dyn_item_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	DynSealed  *sealed = sealed_from_text(text);

	if (sealed != NULL)
		return sealed_datum(sealed);
	PG_RETURN_DYN_ITEM(item_from_text(text, strlen(text)));
}

/* UTF-8 text of ours in the database's encoding. */
static char *
server_text(StringInfo text)
{
	return pg_any_to_server(text->data, text->len, PG_UTF8);
}

static char *
item_text(const DynItem *item)
{
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_write_item(&w, item);
	return server_text(&out);
}

/* Sealed items go out as they are: to a dump, or to a client's screen. */
Datum
dyn_item_out(PG_FUNCTION_ARGS)
{
	struct varlena *stored = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData out;
	DynJsonWriter w;

	/* Images of the change log can be looked at, but not read back. */
	if (!dyn_item_bytes_are_sealed(stored) &&
		(VARSIZE_ANY_EXHDR(stored) == 0 ||
		 *(unsigned char *) VARDATA_ANY(stored) != DYN_SEALED_IMAGE_MAGIC))
		PG_RETURN_CSTRING(item_text(dyn_item_from_datum(PointerGetDatum(stored))));
	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, SEALED_MEMBER);
	dyn_json_write_base64(&w, VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored));
	dyn_json_end_object(&w);
	PG_RETURN_CSTRING(out.data);
}

Datum
dyn_item_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	DynItem    *item = palloc(VARHDRSZ + len);

	SET_VARSIZE(item, VARHDRSZ + len);
	pq_copymsgbytes(buf, VARDATA(item), len);
	if (dyn_item_bytes_are_sealed(item))
		return sealed_datum((DynSealed *) item);
	dyn_item_check(item);
	PG_RETURN_DYN_ITEM(item);
}

Datum
dyn_item_send(PG_FUNCTION_ARGS)
{
	struct varlena *item = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0));
	StringInfoData buf;

	if (!dyn_item_bytes_are_sealed(item))
		item = (struct varlena *) dyn_item_from_datum(PointerGetDatum(item));

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(item), VARSIZE_ANY_EXHDR(item));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
dyn_item_to_json(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(item_text(PG_GETARG_DYN_ITEM(0))));
}

Datum
dyn_json_to_item(PG_FUNCTION_ARGS)
{
	text	   *json = PG_GETARG_TEXT_PP(0);

	PG_RETURN_DYN_ITEM(item_from_text(VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json)));
}

static void
refuse_nul(const char *data, uint32 size, const char *type)
{
	if (memchr(data, '\0', size) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
				 errmsg("item has a NUL character, which type %s cannot hold", type),
				 errhint("Type json can: it writes the character as \\u0000.")));
}

static void
refuse_nul_inside(const DynValue *value)
{
	uint32		count;

	switch (value->type)
	{
		case DYN_TYPE_S:
			refuse_nul(value->data, value->size, "jsonb");
			break;
		case DYN_TYPE_M:
		case DYN_TYPE_L:
		case DYN_TYPE_SS:
			check_stack_depth();
			count = dyn_value_count(value);
			for (uint32 i = 0; i < count; i++)
			{
				const char *name;
				uint32		name_len;
				DynValue	member;

				if (value->type == DYN_TYPE_M)
				{
					dyn_map_entry(value, i, &name, &name_len, &member);
					refuse_nul(name, name_len, "jsonb");
				}
				else
					dyn_list_element(value, i, &member);
				refuse_nul_inside(&member);
			}
			break;
		default:
			break;
	}
}

Datum
dyn_item_to_jsonb(PG_FUNCTION_ARGS)
{
	DynItem    *item = PG_GETARG_DYN_ITEM(0);
	DynValue	attributes = dyn_item_value(item);

	refuse_nul_inside(&attributes);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(item_text(item)));
}

Datum
dyn_jsonb_to_item(PG_FUNCTION_ARGS)
{
	Jsonb	   *jsonb = PG_GETARG_JSONB_P(0);
	StringInfoData text;

	initStringInfo(&text);
	JsonbToCString(&text, &jsonb->root, VARSIZE(jsonb));
	PG_RETURN_DYN_ITEM(item_from_text(text.data, text.len));
}

/* A value as the JSON somebody would write who knows no DynamoDB. */
static void
write_plain(DynJsonWriter *w, const DynValue *value)
{
	uint32		count;

	switch (value->type)
	{
		case DYN_TYPE_S:
			dyn_json_write_string(w, value->data, value->size);
			break;
		case DYN_TYPE_N:
			dyn_json_write_raw(w, "", 0);
			dyn_number_write(w->out, value->data, value->size);
			break;
		case DYN_TYPE_B:
			dyn_json_write_base64(w, value->data, value->size);
			break;
		case DYN_TYPE_BOOL:
			dyn_json_write_bool(w, value->boolean);
			break;
		case DYN_TYPE_NULL:
			dyn_json_write_null(w);
			break;
		case DYN_TYPE_M:
			check_stack_depth();
			count = dyn_value_count(value);
			dyn_json_begin_object(w);
			for (uint32 i = 0; i < count; i++)
			{
				const char *name;
				uint32		name_len;
				DynValue	entry;

				dyn_map_entry(value, i, &name, &name_len, &entry);
				dyn_json_write_key_bytes(w, name, name_len);
				write_plain(w, &entry);
			}
			dyn_json_end_object(w);
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
				write_plain(w, &element);
			}
			dyn_json_end_array(w);
			break;
	}
}

Datum
dyn_item_to_plain_json(PG_FUNCTION_ARGS)
{
	DynValue	attributes = dyn_item_value(PG_GETARG_DYN_ITEM(0));
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	write_plain(&w, &attributes);
	PG_RETURN_TEXT_P(cstring_to_text(server_text(&out)));
}

/* {"S": "x"} */
static Datum
value_json(const DynValue *value)
{
	StringInfoData out;
	DynJsonWriter w;

	initStringInfo(&out);
	dyn_json_writer_init(&w, &out);
	dyn_json_write_value(&w, value);
	return PointerGetDatum(cstring_to_text(server_text(&out)));
}

/* A scalar's text; the plain JSON of everything else.  NULL has none. */
static Datum
value_text(FunctionCallInfo fcinfo, const DynValue *value)
{
	StringInfoData out;
	DynJsonWriter w;

	if (value->type == DYN_TYPE_NULL)
		PG_RETURN_NULL();

	initStringInfo(&out);
	if (value->type == DYN_TYPE_S)
	{
		refuse_nul(value->data, value->size, "text");
		appendBinaryStringInfo(&out, value->data, value->size);
	}
	else
	{
		dyn_json_writer_init(&w, &out);
		write_plain(&w, value);
		/* A binary is the one scalar left that JSON puts into quotes. */
		if (value->type == DYN_TYPE_B)
		{
			out.data[--out.len] = '\0';
			out.data++;
			out.len--;
		}
	}
	return PointerGetDatum(cstring_to_text(server_text(&out)));
}

/* A name from SQL, in UTF-8. */
static const char *
utf8_name(text *name, uint32 *len)
{
	char	   *server = VARDATA_ANY(name);
	char	   *utf8;

	*len = VARSIZE_ANY_EXHDR(name);
	utf8 = pg_server_to_any(server, *len, PG_UTF8);
	if (utf8 != server)
		*len = strlen(utf8);
	return utf8;
}

static bool
find_attribute(FunctionCallInfo fcinfo, DynValue *value)
{
	uint32		len;
	const char *name = utf8_name(PG_GETARG_TEXT_PP(1), &len);

	return dyn_item_find(PG_GETARG_DYN_ITEM(0), name, len, value);
}

Datum
dyn_item_attribute(PG_FUNCTION_ARGS)
{
	DynValue	value;

	if (!find_attribute(fcinfo, &value))
		PG_RETURN_NULL();
	return value_json(&value);
}

Datum
dyn_item_attribute_text(PG_FUNCTION_ARGS)
{
	DynValue	value;

	if (!find_attribute(fcinfo, &value))
		PG_RETURN_NULL();
	return value_text(fcinfo, &value);
}

Datum
dyn_item_exists(PG_FUNCTION_ARGS)
{
	DynValue	value;

	PG_RETURN_BOOL(find_attribute(fcinfo, &value));
}

/* True if all of text is the index of a list's element. */
static bool
parse_index(const char *text, uint32 len, uint32 *index)
{
	uint64		value = 0;

	if (len == 0 || len > 10)
		return false;
	for (uint32 i = 0; i < len; i++)
	{
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*index = value;
	return value <= PG_UINT32_MAX;
}

/*
 * Follow a text[] path.  Whether a step is a name or an index depends on what
 * it meets, as with PostgreSQL's own #>.
 */
static bool
find_path(FunctionCallInfo fcinfo, DynValue *value)
{
	DynValue	at = dyn_item_value(PG_GETARG_DYN_ITEM(0));
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *steps;
	bool	   *nulls;
	int			nsteps;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT,
					  &steps, &nulls, &nsteps);
	for (int i = 0; i < nsteps; i++)
	{
		uint32		len;
		const char *step;
		DynDocumentPath path;
		DynPathStep path_step = {0};
		DynValue	next;

		if (nulls[i])
			return false;
		step = utf8_name(DatumGetTextPP(steps[i]), &len);
		if (at.type == DYN_TYPE_L)
		{
			if (!parse_index(step, len, &path_step.index))
				return false;
		}
		else
		{
			path_step.name = step;
			path_step.name_len = len;
		}
		path.nsteps = 1;
		path.steps = &path_step;
		if (!dyn_path_find(&at, &path, &next))
			return false;
		at = next;
	}
	*value = at;
	return true;
}

Datum
dyn_item_path(PG_FUNCTION_ARGS)
{
	DynValue	value;

	if (!find_path(fcinfo, &value))
		PG_RETURN_NULL();
	return value_json(&value);
}

Datum
dyn_item_path_text(PG_FUNCTION_ARGS)
{
	DynValue	value;

	if (!find_path(fcinfo, &value))
		PG_RETURN_NULL();
	return value_text(fcinfo, &value);
}

/*
 * Does a contain b: equal scalars; each entry of a map b in a; each member of
 * a set b in a; each element of a list b in some element of a, as jsonb does.
 */
static bool
value_contains(const DynValue *a, const DynValue *b)
{
	uint32		count;

	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case DYN_TYPE_M:
			check_stack_depth();
			count = dyn_value_count(b);
			for (uint32 i = 0; i < count; i++)
			{
				const char *name;
				uint32		name_len;
				DynValue	theirs;
				DynValue	ours;

				dyn_map_entry(b, i, &name, &name_len, &theirs);
				if (!dyn_map_find(a, name, name_len, &ours) ||
					!value_contains(&ours, &theirs))
					return false;
			}
			return true;
		case DYN_TYPE_SS:
		case DYN_TYPE_NS:
		case DYN_TYPE_BS:
			count = dyn_value_count(b);
			for (uint32 i = 0; i < count; i++)
			{
				DynValue	theirs;

				dyn_list_element(b, i, &theirs);
				if (!dyn_set_contains(a, &theirs))
					return false;
			}
			return true;
		case DYN_TYPE_L:
			check_stack_depth();
			count = dyn_value_count(b);
			for (uint32 i = 0; i < count; i++)
			{
				uint32		our_count = dyn_value_count(a);
				bool		found = false;
				DynValue	theirs;

				CHECK_FOR_INTERRUPTS();
				dyn_list_element(b, i, &theirs);
				for (uint32 j = 0; j < our_count && !found; j++)
				{
					DynValue	ours;

					dyn_list_element(a, j, &ours);
					found = value_contains(&ours, &theirs);
				}
				if (!found)
					return false;
			}
			return true;
		default:
			return dyn_value_equal(a, b);
	}
}

Datum
dyn_item_contains(PG_FUNCTION_ARGS)
{
	DynValue	a = dyn_item_value(PG_GETARG_DYN_ITEM(0));
	DynValue	b = dyn_item_value(PG_GETARG_DYN_ITEM(1));

	PG_RETURN_BOOL(value_contains(&a, &b));
}

Datum
dyn_item_contained(PG_FUNCTION_ARGS)
{
	DynValue	a = dyn_item_value(PG_GETARG_DYN_ITEM(0));
	DynValue	b = dyn_item_value(PG_GETARG_DYN_ITEM(1));

	PG_RETURN_BOOL(value_contains(&b, &a));
}

static bool
items_equal(Datum a, Datum b)
{
	Size		a_size = toast_raw_datum_size(a);
	Size		b_size = toast_raw_datum_size(b);
	DynValue	va;
	DynValue	vb;

	/*
	 * Often enough the sizes differ, and nothing needs to be detoasted or
	 * opened.  One of the two may be sealed.
	 */
	if (a_size != b_size && a_size + DYN_SEALED_OVERHEAD != b_size &&
		b_size + DYN_SEALED_OVERHEAD != a_size)
		return false;
	va = dyn_item_value(DatumGetDynItem(a));
	vb = dyn_item_value(DatumGetDynItem(b));
	return dyn_value_equal(&va, &vb);
}

Datum
dyn_item_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(items_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

Datum
dyn_item_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!items_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

Datum
dyn_item_hash(PG_FUNCTION_ARGS)
{
	DynValue	value = dyn_item_value(PG_GETARG_DYN_ITEM(0));

	return hash_any((const unsigned char *) value.data, value.size);
}

Datum
dyn_item_hash_extended(PG_FUNCTION_ARGS)
{
	DynValue	value = dyn_item_value(PG_GETARG_DYN_ITEM(0));

	return hash_any_extended((const unsigned char *) value.data, value.size,
							 PG_GETARG_INT64(1));
}

Datum
dyn_item_size_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(dyn_item_size(PG_GETARG_DYN_ITEM(0)));
}

Datum
dyn_item_is_sealed(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(dyn_item_datum_is_sealed(PG_GETARG_DATUM(0)));
}

/*
 * No two items of a table are equal, as their keys are not: so there is nothing
 * to be learnt from comparing a sample's, for which each would have to be opened
 * if they are sealed.
 */
static void
compute_statistics(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch, int nrows,
				   double total_rows)
{
	double		width = 0;
	int			nulls = 0;

	for (int i = 0; i < nrows; i++)
	{
		bool		isnull;
		Datum		item;

		CHECK_FOR_INTERRUPTS();
		item = fetch(stats, i, &isnull);
		if (isnull)
			nulls++;
		else
			width += VARSIZE_ANY(DatumGetPointer(item));
	}
	if (nrows == 0)
		return;
	stats->stats_valid = true;
	stats->stanullfrac = (double) nulls / nrows;
	stats->stawidth = nulls < nrows ? width / (nrows - nulls) : 0;
	stats->stadistinct = -1.0 * (1.0 - stats->stanullfrac);
}

Datum
dyn_item_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);

	stats->compute_stats = compute_statistics;
	if (dyn_statistics_target(stats) < 0)
		dyn_statistics_target(stats) = default_statistics_target;
	stats->minrows = 300 * dyn_statistics_target(stats);
	PG_RETURN_BOOL(true);
}
