/*-------------------------------------------------------------------------
 *
 * fuzz_json.c
 *		base/json.c: any bytes.
 *
 * A text that is taken for JSON is written again, and that text must be read
 * as the same tree: its own writing must be equal.
 *
 * test/fuzz/fuzz_json.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/json.h"
#include "pg_shim.h"

static void
write_node(DynJsonWriter *w, const DynJson *node)
{
	uint32		len;
	uint32		count = 0;
	const char *text;

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
			dyn_json_write_double(w, dyn_json_number(node));
			break;
		case DYN_JSON_STRING:
			text = dyn_json_string(node, &len);
			FUZZ_REQUIRE(text[len] == '\0');
			dyn_json_write_string(w, text, len);
			break;
		case DYN_JSON_ARRAY:
			dyn_json_begin_array(w);
			for (const DynJson *n = dyn_json_first(node); n != NULL; n = dyn_json_next(n))
			{
				write_node(w, n);
				count++;
			}
			dyn_json_end_array(w);
			FUZZ_REQUIRE(count == dyn_json_count(node));
			break;
		case DYN_JSON_OBJECT:
			dyn_json_begin_object(w);
			for (const DynJson *n = dyn_json_first(node); n != NULL; n = dyn_json_next(n))
			{
				text = dyn_json_name(n, &len);
				FUZZ_REQUIRE(text[len] == '\0');
				FUZZ_REQUIRE(strlen(text) < len || dyn_json_member(node, text) == n);
				dyn_json_write_key_bytes(w, text, len);
				write_node(w, n);
				count++;
			}
			dyn_json_end_object(w);
			FUZZ_REQUIRE(count == dyn_json_count(node));
			break;
	}
}

static void
write_text(const DynJson *json, StringInfo out)
{
	DynJsonWriter w;

	initStringInfo(out);
	dyn_json_writer_init(&w, out);
	write_node(&w, json);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	DynJson    *json = dyn_json_parse((const char *) data, size);
	StringInfoData first;
	StringInfoData second;

	if (json == NULL)
		return;
	write_text(json, &first);
	json = dyn_json_parse(first.data, first.len);
	FUZZ_REQUIRE(json != NULL);
	write_text(json, &second);
	FUZZ_REQUIRE(first.len == second.len &&
				 memcmp(first.data, second.data, first.len) == 0);
}
