/*-------------------------------------------------------------------------
 *
 * compression.c
 *		gzip and deflate bodies, both ways.
 *
 * src/http/compression.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <zlib.h>

#include "utils/memutils.h"

#include "http/compression.h"
#include "http/http_parser.h"

/* zlib's window arguments: plus 16 is a gzip wrapper, minus is no wrapper. */
#define WINDOW_ZLIB		MAX_WBITS
#define WINDOW_GZIP		(MAX_WBITS + 16)
#define WINDOW_RAW		(-MAX_WBITS)

/*
 * The loop waits while we compress: the fastest level still takes JSON down to
 * a quarter.
 */
#define COMPRESSION_LEVEL	1

/* Some microseconds of work. */
#define PIECE			((size_t) 8192)

static void *
zlib_alloc(void *opaque, uInt items, uInt size)
{
	return MemoryContextAllocExtended((MemoryContext) opaque,
									  (Size) items * size,
									  MCXT_ALLOC_NO_OOM);
}

static void
zlib_free(void *opaque, void *pointer)
{
	pfree(pointer);
}

static bool
coding_of_name(const char *name, size_t len, DynCoding *coding)
{
	if ((len == 4 && pg_strncasecmp(name, "gzip", 4) == 0) ||
		(len == 6 && pg_strncasecmp(name, "x-gzip", 6) == 0))
		*coding = DYN_CODING_GZIP;
	else if (len == 7 && pg_strncasecmp(name, "deflate", 7) == 0)
		*coding = DYN_CODING_DEFLATE;
	else if (len == 8 && pg_strncasecmp(name, "identity", 8) == 0)
		*coding = DYN_CODING_IDENTITY;
	else
		return false;
	return true;
}

/*
 * "deflate" is a zlib stream by its definition, and a raw one by some clients'
 * misunderstanding; a zlib header tells (RFC 1950 2.2).
 */
static int
window_of_body(DynCoding coding, const unsigned char *body, uint32 len)
{
	if (coding == DYN_CODING_GZIP)
		return WINDOW_GZIP;
	if (len >= 2 && (body[0] & 0x0f) == Z_DEFLATED &&
		(body[0] * 256 + body[1]) % 31 == 0)
		return WINDOW_ZLIB;
	return WINDOW_RAW;
}

/* Undo one coding.  Returns 0 or a status, as dyn_decompress_body() does. */
static int
inflate_body(MemoryContext memory, DynCoding coding,
			 const char *body, uint32 len, uint32 max_body, void (*pause) (void),
			 char **decoded, uint32 *decoded_len)
{
	z_stream	z = {.zalloc = zlib_alloc, .zfree = zlib_free, .opaque = memory};
	Size		size = Min((Size) len * 4 + 1024, (Size) max_body) + 1;
	char	   *out;
	int			status = 500;
	int			rc;

	if (inflateInit2(&z, window_of_body(coding, (const unsigned char *) body,
										len)) != Z_OK)
		return 500;
	out = MemoryContextAllocExtended(memory, size, MCXT_ALLOC_NO_OOM |
									 MCXT_ALLOC_HUGE);
	z.next_in = (Bytef *) body;
	z.avail_in = len;
	z.next_out = (Bytef *) out;
	while (out != NULL)
	{
		Size		room = out + size - 1 - (char *) z.next_out;	/* and a NUL */

		if (pause != NULL)
			pause();
		z.avail_out = Min(room, PIECE);
		rc = inflate(&z, Z_NO_FLUSH);
		if ((char *) z.next_out - out > max_body)
		{
			status = 413;
			break;
		}
		if (rc == Z_STREAM_END)
		{
			if (z.avail_in == 0)
			{
				*decoded = out;
				*decoded_len = (char *) z.next_out - out;
				out[*decoded_len] = '\0';
				status = 0;
				break;
			}
			/* A gzip body may have several members, one behind the other. */
			if (coding != DYN_CODING_GZIP || inflateReset(&z) != Z_OK)
				break;
		}
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			break;
		else if (z.avail_out == 0 && room > PIECE)
			continue;
		else if (z.avail_out == 0)
		{
			Size		used = (char *) z.next_out - out;
			char	   *larger;

			/* One byte beyond the limit tells whether this is the end. */
			size = Min(size * 2, (Size) max_body + 2);
			larger = MemoryContextAllocExtended(memory, size,
												MCXT_ALLOC_NO_OOM |
												MCXT_ALLOC_HUGE);
			if (larger != NULL)
				memcpy(larger, out, used);
			pfree(out);
			out = larger;
			z.next_out = (Bytef *) out + used;
		}
		else
			break;				/* truncated */
	}
	inflateEnd(&z);
	return status;
}

int
dyn_decompress_body(MemoryContext memory, const DynHttpHeader *content_encoding,
					const char *body, uint32 len, uint32 max_body,
					void (*pause) (void), const char **decoded, uint32 *decoded_len)
{
	DynCoding	coding = DYN_CODING_IDENTITY;
	size_t		pos = 0;
	const char *name;
	size_t		name_len;
	char	   *out;
	int			status;

	*decoded = body;
	*decoded_len = len;
	if (content_encoding == NULL)
		return 0;
	while (dyn_http_list_next(content_encoding->value,
							  content_encoding->value_len, &pos,
							  &name, &name_len))
	{
		/* Nobody compresses twice but who wants our memory. */
		if (coding != DYN_CODING_IDENTITY ||
			!coding_of_name(name, name_len, &coding))
			return 400;
	}
	if (coding == DYN_CODING_IDENTITY)
		return 0;
	status = inflate_body(memory, coding, body, len, max_body, pause,
						  &out, decoded_len);
	if (status == 0)
		*decoded = out;
	return status;
}

/*
 * The quality behind a list element's ";q=", in thousandths, and the length of
 * the element without its parameters.
 */
static int
element_quality(const char *element, size_t *len)
{
	const char *end = element + *len;
	const char *p = memchr(element, ';', *len);
	int			quality = 0;
	int			unit = 1000;

	if (p == NULL)
		return 1000;
	*len = p - element;
	while (*len > 0 && (element[*len - 1] == ' ' || element[*len - 1] == '\t'))
		(*len)--;
	for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	if (end - p < 2 || (*p != 'q' && *p != 'Q') || p[1] != '=')
		return 1000;
	for (p += 2; p < end && unit > 0; p++)
	{
		if (*p == '.')
			continue;
		if (*p < '0' || *p > '9')
			break;
		quality += (*p - '0') * unit;
		unit /= 10;
	}
	return Min(quality, 1000);
}

DynCoding
dyn_accepted_coding(const DynHttpHeader *accept_encoding)
{
	int			quality[3] = {-1, -1, -1};	/* by DynCoding; -1: not named */
	int			others = -1;	/* the quality of "*" */
	size_t		pos = 0;
	const char *name;
	size_t		len;
	DynCoding	best;

	if (accept_encoding == NULL)
		return DYN_CODING_IDENTITY;
	while (dyn_http_list_next(accept_encoding->value,
							  accept_encoding->value_len, &pos, &name, &len))
	{
		int			q = element_quality(name, &len);
		DynCoding	coding;

		if (len == 1 && name[0] == '*')
			others = q;
		else if (coding_of_name(name, len, &coding))
			quality[coding] = q;
	}
	for (DynCoding coding = DYN_CODING_GZIP; coding <= DYN_CODING_DEFLATE; coding++)
		if (quality[coding] < 0)
			quality[coding] = Max(others, 0);
	best = quality[DYN_CODING_DEFLATE] > quality[DYN_CODING_GZIP] ?
		DYN_CODING_DEFLATE : DYN_CODING_GZIP;

	/* A client that names identity means to compare; else it comes last. */
	if (quality[best] == 0 || quality[DYN_CODING_IDENTITY] > quality[best])
		return DYN_CODING_IDENTITY;
	return best;
}

bool
dyn_compress_body(MemoryContext memory, DynCoding coding,
				  const char *body, size_t len, void (*pause) (void),
				  char **compressed, size_t *compressed_len)
{
	z_stream	z = {.zalloc = zlib_alloc, .zfree = zlib_free, .opaque = memory};
	char	   *out;
	bool		done;

	if (len > UINT_MAX ||
		deflateInit2(&z, COMPRESSION_LEVEL, Z_DEFLATED,
					 coding == DYN_CODING_GZIP ? WINDOW_GZIP : WINDOW_ZLIB,
					 MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	/* No more room than the plain body takes: if it does not fit, no gain. */
	out = MemoryContextAllocExtended(memory, len,
									 MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
	if (out == NULL)
	{
		deflateEnd(&z);
		return false;
	}
	z.next_in = (Bytef *) body;
	z.next_out = (Bytef *) out;
	z.avail_out = len;
	do
	{
		size_t		left = body + len - (const char *) z.next_in;

		if (pause != NULL)
			pause();
		z.avail_in = Min(left, PIECE);
		done = deflate(&z, left <= PIECE ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
	} while (!done && z.avail_in == 0 && z.avail_out > 0);
	deflateEnd(&z);
	if (!done)
	{
		pfree(out);
		return false;
	}
	*compressed = out;
	*compressed_len = (char *) z.next_out - out;
	return true;
}
