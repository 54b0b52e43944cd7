/*-------------------------------------------------------------------------
 *
 * http_parser.c
 *		HTTP/1.x text: message heads and chunked bodies.
 *
 * A head is parsed only when it is complete.  Until then each arriving piece is
 * scanned from the head's start again: a head is at most 32 KB, so this costs
 * a client that sends it byte by byte more than it costs us.
 *
 *	head	= method SP target SP "HTTP/1." digit CRLF { header CRLF } CRLF
 *	header	= token ":" { blank } value { blank }
 *	body	= { size [ ";" extension ] CRLF data CRLF } "0" ... { header CRLF }
 *			  CRLF
 *
 * src/http/http_parser.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/http_parser.h"

/* Extensions and trailers of a chunked body are read and thrown away. */
#define MAX_CHUNK_OVERHEAD	(16 * 1024)
#define MAX_CHUNK_SIZE_DIGITS	15

#define TOKEN	1				/* method, header name */
#define TARGET	2				/* request target */
#define VALUE	4				/* header value */
#define HOST	8				/* host and port */

/* What a byte may be part of; RFC 9110 5.6.2, RFC 9112 3.2, RFC 9110 5.5, RFC 3986 3.2.2. */
static const uint8 byte_class[256] = {
	['\t'] = VALUE,
	[' '] = VALUE,
	['!'] = TOKEN | TARGET | VALUE | HOST,
	['"'] = TARGET | VALUE,
	['#'] = TOKEN | VALUE,		/* a fragment is never sent */
	['$'] = TOKEN | TARGET | VALUE | HOST,
	['%'] = TOKEN | TARGET | VALUE | HOST,
	['&'] = TOKEN | TARGET | VALUE | HOST,
	['\''] = TOKEN | TARGET | VALUE | HOST,
	['('] = TARGET | VALUE | HOST,
	[')'] = TARGET | VALUE | HOST,
	['*'] = TOKEN | TARGET | VALUE | HOST,
	['+'] = TOKEN | TARGET | VALUE | HOST,
	[','] = TARGET | VALUE,		/* in a host: what was two headers */
	['-'] = TOKEN | TARGET | VALUE | HOST,
	['.'] = TOKEN | TARGET | VALUE | HOST,
	['/'] = TARGET | VALUE,
	['0' ... '9'] = TOKEN | TARGET | VALUE | HOST,
	[':'] = TARGET | VALUE | HOST,
	[';'] = TARGET | VALUE | HOST,
	['<'] = TARGET | VALUE,
	['='] = TARGET | VALUE | HOST,
	['>'] = TARGET | VALUE,
	['?'] = TARGET | VALUE,
	['@'] = TARGET | VALUE,
	['A' ... 'Z'] = TOKEN | TARGET | VALUE | HOST,
	['['] = TARGET | VALUE | HOST,
	['\\'] = TARGET | VALUE,
	[']'] = TARGET | VALUE | HOST,
	['^'] = TOKEN | TARGET | VALUE,
	['_'] = TOKEN | TARGET | VALUE | HOST,
	['`'] = TOKEN | TARGET | VALUE,
	['a' ... 'z'] = TOKEN | TARGET | VALUE | HOST,
	['{'] = TARGET | VALUE,
	['|'] = TOKEN | TARGET | VALUE,
	['}'] = TARGET | VALUE,
	['~'] = TOKEN | TARGET | VALUE | HOST,
	[0x80 ... 0xff] = VALUE,
};

static inline bool
is_class(char c, uint8 class)
{
	return (byte_class[(unsigned char) c] & class) != 0;
}

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Does a text of len bytes equal word, in any case? */
static bool
equals_nocase(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && pg_strncasecmp(text, word, len) == 0;
}

int
dyn_http_head_length(const char *data, size_t len)
{
	size_t		line = 0;		/* where the current line starts */
	size_t		headers = 0;	/* where the second line starts */

	for (;;)
	{
		size_t		limit = headers == 0 ? DYN_HTTP_MAX_REQUEST_LINE :
			headers + DYN_HTTP_MAX_HEADER_BLOCK;
		const char *lf = memchr(data + line, '\n', len - line);
		size_t		end = lf == NULL ? len : lf - data;

		/* The line end itself does not count. */
		if (end > limit + 1)
			return -400;
		if (lf == NULL)
			return 0;
		if (end == line || data[end - 1] != '\r')
			return -400;
		if (end == line + 1)
			return headers == 0 ? -400 : (int) end + 1;
		line = end + 1;
		if (headers == 0)
			headers = line;
	}
}

/*
 * The part of a request target behind scheme and authority: clients that
 * believe us to be a proxy send the whole URL.
 */
static char *
target_path(char *target)
{
	char	   *authority;

	if (target[0] == '/' || strcmp(target, "*") == 0)
		return target;
	if (pg_strncasecmp(target, "http://", 7) == 0)
		authority = target + 7;
	else if (pg_strncasecmp(target, "https://", 8) == 0)
		authority = target + 8;
	else
		return NULL;
	/* The path may be missing altogether. */
	target = authority + strcspn(authority, "/?");
	if (target == authority)
		return NULL;
	return target;
}

/*
 * Parse the request line, len bytes without its line end, of which one byte
 * beyond may be overwritten.
 */
static int
parse_request_line(char *line, size_t len, DynHttpHead *head)
{
	char	   *end = line + len;
	char	   *p = line;
	char	   *target;
	char	   *path;
	char	   *version;
	char	   *question;

	while (p < end && is_class(*p, TOKEN))
		p++;
	if (p == line || p == end || *p != ' ')
		return 400;
	*p++ = '\0';
	target = p;
	while (p < end && is_class(*p, TARGET))
		p++;
	if (p == target || p == end || *p != ' ')
		return 400;
	*p++ = '\0';
	version = p;
	if (end - version != 8 || memcmp(version, "HTTP/", 5) != 0 ||
		!isdigit((unsigned char) version[5]) || version[6] != '.' ||
		!isdigit((unsigned char) version[7]))
		return 400;
	head->method = line;
	if (version[5] != '1')
		return 505;
	head->http10 = version[7] == '0';

	path = target_path(target);
	if (path == NULL)
		return 400;
	question = strchr(path, '?');
	if (question != NULL)
	{
		*question = '\0';
		head->query = question + 1;
	}
	head->path = path[0] == '\0' ? "/" : path;
	return 0;
}

/* Does a header's comma-separated list have an element, in any case? */
static bool
list_has(const DynHttpHeader *header, const char *word)
{
	size_t		pos = 0;
	const char *item;
	size_t		item_len;

	while (dyn_http_list_next(header->value, header->value_len, &pos,
							  &item, &item_len))
		if (equals_nocase(item, item_len, word))
			return true;
	return false;
}

static int
parse_content_length(const DynHttpHeader *header, DynHttpHead *head)
{
	/*
	 * Repeated, even if equal, is refused: that two parties on the way read
	 * different ones is all that smuggling needs.
	 */
	if (head->has_content_length ||
		header->value_len == 0 || header->value_len > 18)
		return 400;
	head->has_content_length = true;
	for (uint32 i = 0; i < header->value_len; i++)
	{
		char		c = header->value[i];

		if (c < '0' || c > '9')
			return 400;
		head->content_length = head->content_length * 10 + (c - '0');
	}
	return 0;
}

/* Could this be a host, with or without a port?  It may be empty. */
static bool
is_host(const DynHttpHeader *header)
{
	for (uint32 i = 0; i < header->value_len; i++)
		if (!is_class(header->value[i], HOST))
			return false;
	return true;
}

/* What the headers say about the message's framing and the connection. */
static int
interpret_headers(DynHttpHead *head)
{
	bool		host = false;
	bool		close = false;
	bool		keep_alive = false;
	bool		bad_expectation = false;
	bool		bad_coding = false;

	for (int i = 0; i < head->nheaders; i++)
	{
		const DynHttpHeader *header = &head->headers[i];
		const char *name = header->name;

		/* Nearly all headers are none of these: tell them by length first. */
		switch (header->name_len)
		{
			case 4:
				if (!equals_nocase(name, 4, "host"))
					break;
				if (host || !is_host(header))
					return 400;
				host = true;
				break;
			case 6:
				if (!equals_nocase(name, 6, "expect"))
					break;
				if (equals_nocase(header->value, header->value_len,
								  "100-continue"))
					head->expect_continue = true;
				else
					bad_expectation = true;
				break;
			case 10:
				if (!equals_nocase(name, 10, "connection"))
					break;
				close = close || list_has(header, "close");
				keep_alive = keep_alive || list_has(header, "keep-alive");
				break;
			case 14:
				if (equals_nocase(name, 14, "content-length"))
				{
					int			status = parse_content_length(header, head);

					if (status != 0)
						return status;
				}
				break;
			case 17:
				if (!equals_nocase(name, 17, "transfer-encoding"))
					break;
				if (head->chunked)
					return 400;
				if (equals_nocase(header->value, header->value_len, "chunked"))
					head->chunked = true;
				else
					bad_coding = true;
				break;
		}
	}
	/* HTTP/1.0 knows no chunked bodies: a proxy would see another message. */
	if (head->chunked || bad_coding)
	{
		if (head->has_content_length || head->http10)
			return 400;
		if (bad_coding)
			return 501;
	}
	if (!host && !head->http10)
		return 400;
	head->keep_alive = !close && (keep_alive || !head->http10);
	if (head->http10)
		head->expect_continue = false;
	else if (bad_expectation)
		return 417;
	return 0;
}

int
dyn_http_head_parse(char *data, size_t len, DynHttpHead *head)
{
	char	   *end = data + len - 2;	/* where the empty line starts */
	char	   *line = data;
	char	   *lf;
	int			status;

	head->method = head->path = head->query = "";
	head->http10 = false;
	head->keep_alive = false;
	head->expect_continue = false;
	head->chunked = false;
	head->has_content_length = false;
	head->content_length = 0;
	head->nheaders = 0;

	lf = memchr(line, '\n', len);
	status = parse_request_line(line, lf - line - 1, head);
	if (status != 0)
		return status;

	for (line = lf + 1; line < end; line = lf + 1)
	{
		DynHttpHeader *header;
		char	   *p = line;
		char	   *value_end;

		if (head->nheaders == DYN_HTTP_MAX_HEADERS)
			return 400;
		lf = memchr(line, '\n', end - line);
		value_end = lf - 1;		/* at the CR */
		while (is_class(*p, TOKEN))
			p++;
		if (p == line || *p != ':')
			return 400;
		header = &head->headers[head->nheaders];
		header->name = line;
		header->name_len = p - line;
		p++;
		while (is_blank(*p))
			p++;
		header->value = p;
		while (is_class(*p, VALUE))
			p++;
		if (p != value_end)
			return 400;
		while (p > header->value && is_blank(p[-1]))
			p--;
		header->value_len = p - header->value;
		head->nheaders++;
	}
	return interpret_headers(head);
}

const DynHttpHeader *
dyn_http_find_header(const DynHttpHeader *headers, int nheaders,
					 const char *name)
{
	size_t		len = strlen(name);

	for (int i = 0; i < nheaders; i++)
		if (headers[i].name_len == len &&
			pg_strncasecmp(headers[i].name, name, len) == 0)
			return &headers[i];
	return NULL;
}

const DynHttpHeader *
dyn_http_header(const DynHttpRequest *request, const char *name)
{
	return dyn_http_find_header(request->headers, request->nheaders, name);
}

bool
dyn_http_list_next(const char *list, size_t len, size_t *pos,
				   const char **item, size_t *item_len)
{
	while (*pos < len)
	{
		const char *start = list + *pos;
		const char *comma = memchr(start, ',', len - *pos);
		const char *end = comma == NULL ? list + len : comma;

		*pos = end - list + 1;
		while (start < end && is_blank(*start))
			start++;
		while (end > start && is_blank(end[-1]))
			end--;
		if (end > start)
		{
			*item = start;
			*item_len = end - start;
			return true;
		}
	}
	return false;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of a chunk's size line.  False if it is malformed. */
static bool
chunk_size_byte(DynChunkDecoder *decoder, char c)
{
	int			digit;

	if (decoder->cr)
	{
		if (c != '\n')
			return false;
		decoder->cr = false;
		decoder->extension = false;
		decoder->digits = 0;
		decoder->state = decoder->left > 0 ? DYN_CHUNK_DATA :
			DYN_CHUNK_TRAILER;
		return true;
	}
	if (c == '\r')
	{
		decoder->cr = true;
		return decoder->digits > 0;
	}
	if (decoder->extension)
	{
		decoder->overhead++;
		return is_class(c, VALUE) && decoder->overhead <= MAX_CHUNK_OVERHEAD;
	}
	digit = hex_digit(c);
	if (digit >= 0)
	{
		decoder->left = decoder->left * 16 + digit;
		return ++decoder->digits <= MAX_CHUNK_SIZE_DIGITS;
	}
	decoder->extension = true;
	return decoder->digits > 0 && c == ';';
}

/* One byte of the trailer section.  False if it is malformed. */
static bool
trailer_byte(DynChunkDecoder *decoder, char c)
{
	if (decoder->cr)
	{
		if (c != '\n')
			return false;
		decoder->cr = false;
		if (decoder->line_len == 0)
			decoder->state = DYN_CHUNK_DONE;
		decoder->line_len = 0;
		decoder->colon = false;
		return true;
	}
	if (c == '\r')
	{
		decoder->cr = true;
		return decoder->line_len == 0 || decoder->colon;
	}
	decoder->line_len++;
	if (++decoder->overhead > MAX_CHUNK_OVERHEAD)
		return false;
	if (decoder->colon)
		return is_class(c, VALUE);
	decoder->colon = c == ':' && decoder->line_len > 1;
	return decoder->colon || is_class(c, TOKEN);
}

DynChunkResult
dyn_chunk_decode(DynChunkDecoder *decoder, const char *data, size_t len,
				 size_t *used, const char **piece, size_t *piece_len)
{
	size_t		i = 0;

	while (decoder->state != DYN_CHUNK_DONE)
	{
		bool		good = true;

		if (i == len)
		{
			*used = i;
			return DYN_CHUNK_NEED_MORE;
		}
		switch (decoder->state)
		{
			case DYN_CHUNK_SIZE:
				good = chunk_size_byte(decoder, data[i++]);
				break;
			case DYN_CHUNK_DATA:
				*piece = data + i;
				*piece_len = Min((uint64) (len - i), decoder->left);
				decoder->left -= *piece_len;
				if (decoder->left == 0)
					decoder->state = DYN_CHUNK_DATA_END;
				*used = i + *piece_len;
				return DYN_CHUNK_PIECE;
			case DYN_CHUNK_DATA_END:
				good = data[i++] == (decoder->cr ? '\n' : '\r');
				if (decoder->cr)
					decoder->state = DYN_CHUNK_SIZE;
				decoder->cr = !decoder->cr;
				break;
			case DYN_CHUNK_TRAILER:
				good = trailer_byte(decoder, data[i++]);
				break;
			case DYN_CHUNK_DONE:
				break;
		}
		if (!good)
		{
			*used = i;
			return DYN_CHUNK_MALFORMED;
		}
	}
	*used = i;
	return DYN_CHUNK_END;
}
