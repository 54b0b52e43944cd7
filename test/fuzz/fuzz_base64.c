/*-------------------------------------------------------------------------
 *
 * fuzz_base64.c
 *		base/json.c: base64 in both directions.
 *
 * test/fuzz/fuzz_base64.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/json.h"
#include "pg_shim.h"

/* "..." */
static void
encode(const char *bytes, uint32 len, StringInfo out)
{
	DynJsonWriter w;

	initStringInfo(out);
	dyn_json_writer_init(&w, out);
	dyn_json_write_base64(&w, bytes, len);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	char	   *bytes = palloc(size / 4 * 3);
	int			len;
	StringInfoData text;

	/* A text has one value, and the value one text. */
	len = dyn_base64_decode((const char *) data, size, bytes);
	if (len >= 0)
	{
		encode(bytes, len, &text);
		FUZZ_REQUIRE(text.len == size + 2 && memcmp(text.data + 1, data, size) == 0);
	}

	encode((const char *) data, size, &text);
	bytes = palloc((text.len - 2) / 4 * 3);
	len = dyn_base64_decode(text.data + 1, text.len - 2, bytes);
	FUZZ_REQUIRE(len == size && memcmp(bytes, data, size) == 0);
}
