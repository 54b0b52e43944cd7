/*-------------------------------------------------------------------------
 *
 * http_parser.h
 *		HTTP/1.x text: message heads and chunked bodies.
 *
 * Pure functions over bytes: no memory, no sockets, no state but the caller's,
 * so that the whole of it can be fuzzed.  Strict where leniency has led to
 * request smuggling: lines end with CRLF and nothing else, no blank before a
 * header's colon, no folded lines, one Content-Length, never together with
 * Transfer-Encoding.
 *
 * src/http/http_parser.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_HTTP_PARSER_H
#define DYN_HTTP_PARSER_H

#include "http/http.h"

#define DYN_HTTP_MAX_REQUEST_LINE	(16 * 1024)
#define DYN_HTTP_MAX_HEADER_BLOCK	(16 * 1024)
#define DYN_HTTP_MAX_HEADERS		100
/* The longest head: request line, headers, their line ends. */
#define DYN_HTTP_MAX_HEAD \
	(DYN_HTTP_MAX_REQUEST_LINE + DYN_HTTP_MAX_HEADER_BLOCK + 4)

typedef struct DynHttpHead
{
	const char *method;			/* NUL-terminated, like path and query */
	const char *path;
	const char *query;
	bool		http10;
	bool		keep_alive;
	bool		expect_continue;
	bool		chunked;
	bool		has_content_length;
	uint64		content_length;
	int			nheaders;
	DynHttpHeader headers[DYN_HTTP_MAX_HEADERS];
} DynHttpHead;

/*
 * The length of the message head at the start of data, its empty line
 * included; 0 if its end has not arrived yet; or the negated status to refuse
 * it with.  Looks at no more than is needed for that.
 */
extern int	dyn_http_head_length(const char *data, size_t len);

/*
 * Parse a head of which dyn_http_head_length() has said that it is complete.
 * Writes NUL bytes into data; *head points into it.  Returns 0, or the status
 * to refuse the message with; *head then has at least method, path and query.
 */
extern int	dyn_http_head_parse(char *data, size_t len, DynHttpHead *head);

/* The value of the first header of a name (any case), or NULL. */
extern const DynHttpHeader *dyn_http_find_header(const DynHttpHeader *headers,
												 int nheaders,
												 const char *name);

/*
 * Step through a comma-separated list: sets *item and *item_len to the next
 * element that is not empty, without outer blanks.  *pos starts at 0.
 */
extern bool dyn_http_list_next(const char *list, size_t len, size_t *pos,
							   const char **item, size_t *item_len);

typedef enum DynChunkState
{
	DYN_CHUNK_SIZE,				/* in a chunk's size line */
	DYN_CHUNK_DATA,
	DYN_CHUNK_DATA_END,			/* at the CRLF behind the data */
	DYN_CHUNK_TRAILER,			/* in the lines behind the last chunk */
	DYN_CHUNK_DONE
} DynChunkState;

/* Decoder of one chunked body; starts zeroed. */
typedef struct DynChunkDecoder
{
	DynChunkState state;
	uint32		line_len;		/* bytes of the current line so far */
	uint32		digits;			/* of the chunk's size */
	uint32		overhead;		/* extension and trailer bytes so far */
	uint64		left;			/* of the chunk */
	bool		extension;		/* behind the size's digits */
	bool		colon;			/* behind the name in a trailer line */
	bool		cr;				/* the last byte was a CR */
} DynChunkDecoder;

typedef enum DynChunkResult
{
	DYN_CHUNK_NEED_MORE,		/* all input is used up */
	DYN_CHUNK_PIECE,			/* *piece is body; call again */
	DYN_CHUNK_END,				/* the body is complete */
	DYN_CHUNK_MALFORMED
} DynChunkResult;

/*
 * Decode some of data.  *used: how much of it is consumed, *piece: a part of
 * the body, pointing into data.
 */
extern DynChunkResult dyn_chunk_decode(DynChunkDecoder *decoder,
									   const char *data, size_t len,
									   size_t *used,
									   const char **piece, size_t *piece_len);

#endif							/* DYN_HTTP_PARSER_H */
