/*-------------------------------------------------------------------------
 *
 * fuzz_http.c
 *		http/http_parser.c and http/compression.c: any bytes, in any pieces.
 *
 * The first byte chooses how the rest is cut.  However that is: a head that is
 * complete or refused in a part of the bytes is the same in all of them, and a
 * chunked body decodes to the same bytes.
 *
 * test/fuzz/fuzz_http.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/compression.h"
#include "http/http_parser.h"
#include "pg_shim.h"

#define MAX_BODY 65536

static bool
within(const char *part, size_t len, const char *whole, size_t whole_len)
{
	return part >= whole && part + len <= whole + whole_len;
}

/* Decode a body in pieces; returns the last result. */
static DynChunkResult
decode_chunks(const char *data, size_t len, size_t piece_size, StringInfo body,
			  size_t *total)
{
	DynChunkDecoder decoder = {0};
	DynChunkResult result = DYN_CHUNK_NEED_MORE;

	*total = 0;
	for (size_t start = 0; start < len; start += piece_size)
	{
		size_t		n = Min(piece_size, len - start);
		size_t		done = 0;

		do
		{
			size_t		used = 0;
			const char *piece;
			size_t		piece_len;

			result = dyn_chunk_decode(&decoder, data + start + done, n - done,
									  &used, &piece, &piece_len);
			FUZZ_REQUIRE(used <= n - done);
			if (result == DYN_CHUNK_PIECE)
			{
				FUZZ_REQUIRE(piece_len > 0 && within(piece, piece_len, data, len));
				appendBinaryStringInfo(body, piece, piece_len);
			}
			done += used;
		} while (result == DYN_CHUNK_PIECE);
		*total += done;
		if (result != DYN_CHUNK_NEED_MORE)
			break;
		FUZZ_REQUIRE(done == n);
	}
	return result;
}

static void
check_body(const char *data, size_t len, size_t piece_size)
{
	StringInfoData whole;
	StringInfoData pieces;
	size_t		whole_used;
	size_t		pieces_used;

	initStringInfo(&whole);
	initStringInfo(&pieces);
	FUZZ_REQUIRE(decode_chunks(data, len, Max(len, 1), &whole, &whole_used) ==
				 decode_chunks(data, len, piece_size, &pieces, &pieces_used));
	FUZZ_REQUIRE(whole_used == pieces_used && whole.len == pieces.len &&
				 memcmp(whole.data, pieces.data, whole.len) == 0);
}

static void
check_codings(const DynHttpHead *head, const char *body, size_t len)
{
	const char *decoded;
	uint32		decoded_len;
	char	   *compressed;
	size_t		compressed_len;
	DynCoding	coding;
	DynHttpHeader encoding = {"x", 1, "gzip", 4};

	if (dyn_decompress_body(CurrentMemoryContext,
							dyn_http_find_header(head->headers, head->nheaders,
												 "content-encoding"),
							body, len, MAX_BODY, NULL, &decoded, &decoded_len) == 0)
		FUZZ_REQUIRE(decoded_len <= Max(len, MAX_BODY));

	coding = dyn_accepted_coding(dyn_http_find_header(head->headers,
													  head->nheaders,
													  "accept-encoding"));
	if (coding == DYN_CODING_IDENTITY || len == 0 || len > MAX_BODY ||
		!dyn_compress_body(CurrentMemoryContext, coding, body, len, NULL,
						   &compressed, &compressed_len))
		return;
	FUZZ_REQUIRE(compressed_len <= len);
	if (coding == DYN_CODING_DEFLATE)
	{
		encoding.value = "deflate";
		encoding.value_len = 7;
	}
	FUZZ_REQUIRE(dyn_decompress_body(CurrentMemoryContext, &encoding,
									 compressed, compressed_len, MAX_BODY, NULL,
									 &decoded, &decoded_len) == 0);
	FUZZ_REQUIRE(decoded_len == len && memcmp(decoded, body, len) == 0);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	const char *text = (const char *) data + 1;
	size_t		len = size - 1;
	size_t		piece_size;
	int			length;
	char	   *copy;
	DynHttpHead head;

	if (size == 0)
		return;
	piece_size = data[0] + 1;
	length = dyn_http_head_length(text, len);
	FUZZ_REQUIRE(length <= (int) len);
	for (size_t n = piece_size; n < len; n += piece_size)
	{
		int			partial = dyn_http_head_length(text, n);

		FUZZ_REQUIRE(partial == 0 || partial == length);
	}
	if (length <= 0)
	{
		/* No head: then all of it is a body. */
		check_body(text, len, piece_size);
		return;
	}

	copy = palloc(length);
	memcpy(copy, text, length);
	(void) dyn_http_head_parse(copy, length, &head);
	/* Not all of these lie in copy: defaults are constants. */
	FUZZ_REQUIRE(strlen(head.method) + strlen(head.path) + strlen(head.query) <= length);
	FUZZ_REQUIRE(head.nheaders <= DYN_HTTP_MAX_HEADERS);
	FUZZ_REQUIRE(!(head.chunked && head.has_content_length) || !head.keep_alive);
	for (int i = 0; i < head.nheaders; i++)
	{
		const DynHttpHeader *header = &head.headers[i];
		size_t		pos = 0;
		const char *item;
		size_t		item_len;

		FUZZ_REQUIRE(within(header->name, header->name_len, copy, length));
		FUZZ_REQUIRE(within(header->value, header->value_len, copy, length));
		FUZZ_REQUIRE(memchr(header->value, '\n', header->value_len) == NULL);
		while (dyn_http_list_next(header->value, header->value_len, &pos,
								  &item, &item_len))
			FUZZ_REQUIRE(item_len > 0 &&
						 within(item, item_len, header->value, header->value_len));
	}
	check_body(text + length, len - length, piece_size);
	check_codings(&head, text + length, len - length);
}
