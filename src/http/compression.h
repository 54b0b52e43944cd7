/*-------------------------------------------------------------------------
 *
 * compression.h
 *		gzip and deflate bodies, both ways.
 *
 * src/http/compression.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_COMPRESSION_H
#define DYN_COMPRESSION_H

#include "http/http.h"

typedef enum DynCoding
{
	DYN_CODING_IDENTITY,
	DYN_CODING_GZIP,
	DYN_CODING_DEFLATE
} DynCoding;

/*
 * Undo the codings of a Content-Encoding header (NULL: none) on a body.
 * Returns 0 with the decoded bytes in *decoded (in memory, or body itself), or
 * the status to refuse the request with: 500 for a broken stream, 413 if more
 * than max_body bytes come out, 400 for an unknown coding.  pause: called every
 * few microseconds, or NULL.
 */
extern int	dyn_decompress_body(MemoryContext memory,
								const DynHttpHeader *content_encoding,
								const char *body, uint32 len, uint32 max_body,
								void (*pause) (void), const char **decoded, uint32 *decoded_len);

/* Which coding an Accept-Encoding header (NULL: none) lets us answer with. */
extern DynCoding dyn_accepted_coding(const DynHttpHeader *accept_encoding);

/*
 * Compress into *compressed, in memory.  Returns false if that did not make it
 * smaller or there is no memory: send it as it is.
 */
extern bool dyn_compress_body(MemoryContext memory, DynCoding coding,
							  const char *body, size_t len, void (*pause) (void),
							  char **compressed, size_t *compressed_len);

#endif							/* DYN_COMPRESSION_H */
