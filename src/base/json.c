/*-------------------------------------------------------------------------
 *
 * json.c
 *		The one door to JSON: reading through cJSON, writing straight to text.
 *
 * Reading takes three steps.  scan_text() copies the text once and, while at
 * it, refuses what cJSON lets pass and rewrites the two things cJSON cannot
 * carry: \u0000 becomes the bytes C0 80 (impossible in the valid UTF-8 that
 * scan_text() has just proven, so never ambiguous), and a number too long for
 * cJSON's buffer becomes its nearest double.  Long strings without an escape
 * don't go through cJSON at all, which looks at each byte three times: FF, as
 * impossible in UTF-8, stands for one.  cJSON then builds the tree in a bump
 * arena; its own check of the structure is strict.  Last, the long strings are
 * put into the tree, and of duplicate members all but the last are unlinked.
 *
 * src/base/json.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <cjson/cJSON.h>
#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/fiber.h"
#include "base/json.h"
#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* cJSON copies a number into 64 bytes and stops there. */
#define MAX_CJSON_NUMBER	60

/* Objects with more members are searched for duplicates by sorting. */
#define MAX_PAIRWISE_MEMBERS	16

/* Some microseconds of scanning: see base/fiber.h. */
#define PAUSE_BYTES	4096

/* From this length on a string stays out of what cJSON reads. */
#define MIN_LONG_STRING	48

#define LONG_STRING_MARK	"\xFF"

#define ARENA_FIRST_CHUNK	((size_t) 4096)
#define ARENA_LAST_CHUNK	((size_t) 4 * 1024 * 1024)

/*
 * Where cJSON's allocations go during a parse.  Nothing is ever given back
 * singly, so an allocation is an addition; the chunks are palloc'd and go with
 * the caller's memory context.
 */
typedef struct Arena
{
	char	   *next;
	char	   *end;
	size_t		chunk_size;
	bool		failed;
} Arena;

static Arena *arena = NULL;

#define ONES	UINT64CONST(0x0101010101010101)
#define HIGHS	UINT64CONST(0x8080808080808080)

/* High bit set in some byte if any of the 8 bytes is smaller than n. */
#define ANY_BELOW(word, n)	(((word) - ONES * (n)) & ~(word) & HIGHS)
#define ANY_EQUAL(word, c)	ANY_BELOW((word) ^ (ONES * (c)), 1)

/*
 * cJSON's hooks are one global for everybody in this process who uses it, so
 * outside of a parse of ours they do what cJSON does without hooks.
 */
static void *
hook_malloc(size_t size)
{
	char	   *result;

	if (arena == NULL)
		return malloc(size);

	/* Nothing of cJSON's is global: others may use it meanwhile. */
	if (dyn_fiber_is_over())
	{
		Arena	   *mine = arena;

		arena = NULL;
		dyn_fiber_leave();
		arena = mine;
	}

	size = MAXALIGN(size);
	if (unlikely(size > arena->end - arena->next))
	{
		size_t		chunk = Max(arena->chunk_size, size);

		/* No error may jump out of cJSON: remember the failure instead. */
		result = palloc_extended(chunk,
								 MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
		if (result == NULL)
		{
			arena->failed = true;
			return NULL;
		}
		arena->next = result;
		arena->end = result + chunk;
		arena->chunk_size = Min(chunk * 2, ARENA_LAST_CHUNK);
	}
	result = arena->next;
	arena->next += size;
	return result;
}

static void
hook_free(void *pointer)
{
	if (arena == NULL)
		free(pointer);
}

/*
 * First byte of [p, end) that needs an escape within a JSON string, or, if
 * ascii, that is not ASCII.  An item's text passes here on its way in and on
 * its way out, so it goes by as many bytes as a register holds.
 */
static inline const char *
skip_text(const char *p, const char *end, bool ascii)
{
#ifdef __SSE2__
	const __m128i control = _mm_set1_epi8(0x1F);
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');

	for (; end - p >= sizeof(__m128i); p += sizeof(__m128i))
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) p);
		__m128i		odd = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
		int			found;

		odd = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, quote));
		odd = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, backslash));
		if (ascii)
			odd = _mm_or_si128(odd, bytes);
		found = _mm_movemask_epi8(odd);
		if (found != 0)
			return p + pg_rightmost_one_pos32(found);
	}
#endif
	while (end - p >= sizeof(uint64))
	{
		uint64		word;

		memcpy(&word, p, sizeof(word));
		if ((ascii ? word & HIGHS : 0) | ANY_BELOW(word, 0x20) |
			ANY_EQUAL(word, '"') | ANY_EQUAL(word, '\\'))
			break;
		p += sizeof(word);
	}
	while (p < end && (unsigned char) *p >= 0x20 && *p != '"' && *p != '\\' &&
		   !(ascii && (unsigned char) *p >= 0x80))
		p++;
	return p;
}

/* JSON has no infinity, but 1e400 is read as one. */
static inline double
clamp_finite(double value)
{
	return Max(Min(value, 1e308), -1e308);
}

/* Value of the four hex digits at p, or -1. */
static int
read_hex4(const char *p, const char *end)
{
	int			value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		char		c = p[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* End of the number that starts at p, or NULL if it is not one. */
static const char *
scan_number(const char *p, const char *end)
{
	const char *digits;

	if (*p == '-')
		p++;
	digits = p;
	p = skip_digits(p, end);
	if (p == digits || (*digits == '0' && p - digits > 1))
		return NULL;
	if (p < end && *p == '.')
	{
		digits = ++p;
		p = skip_digits(p, end);
		if (p == digits)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		digits = p;
		p = skip_digits(p, end);
		if (p == digits)
			return NULL;
	}
	return p;
}

/* A string that cJSON doesn't see; they are in the order of the text. */
typedef struct LongString
{
	struct LongString *next;
	char		bytes[FLEXIBLE_ARRAY_MEMBER];
} LongString;

static LongString *
copy_long_string(const char *s, size_t len)
{
	LongString *copy = palloc_extended(offsetof(LongString, bytes) + len + 1,
									   MCXT_ALLOC_HUGE);

	copy->next = NULL;
	memcpy(copy->bytes, s, len);
	copy->bytes[len] = '\0';
	return copy;
}

/*
 * Copy text to dst, which has room for len + 1 bytes, rewritten as the file
 * header says, and what stays out of it to *strings.  Returns the length of
 * the copy, or -1 if the text has something in it that is not JSON and that
 * cJSON would let pass.
 */
static ssize_t
scan_text(const char *text, size_t len, char *dst, LongString **strings)
{
	const char *p = text;
	const char *end = text + len;
	const char *run = text;		/* start of what is still to be copied */
	const char *pause = text + PAUSE_BYTES;
	char	   *out = dst;

#define FLUSH_RUN(upto) \
	do { \
		memcpy(out, run, (upto) - run); \
		out += (upto) - run; \
	} while (0)

	*strings = NULL;
	while (p < end)
	{
		unsigned char c = *p;
		const char *string;
		bool		escapes = false;

		if (unlikely(p >= pause))
		{
			dyn_fiber_pause();
			pause = p + PAUSE_BYTES;
		}
		if (c == '-' || (c >= '0' && c <= '9'))
		{
			const char *number = p;

			p = scan_number(number, end);
			if (p == NULL)
				return -1;
			if (p - number > MAX_CJSON_NUMBER)
			{
				char	   *copy = pnstrdup(number, p - number);

				FLUSH_RUN(number);
				out += sprintf(out, "%.17g", clamp_finite(strtod(copy, NULL)));
				run = p;
				pfree(copy);
			}
			continue;
		}
		if (c != '"')
		{
			/* cJSON takes every byte up to 32 for a blank. */
			if (c >= 0x80 ||
				(c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
				return -1;
			p++;
			continue;
		}

		string = p + 1;
		for (p = skip_text(string, end, true);; p = skip_text(p, end, true))
		{
			if (p == end)
				return -1;
			c = *p;
			if (c == '"')
				break;
			else if (c == '\\')
			{
				int			code;

				escapes = true;
				if (end - p < 2)
					return -1;
				if (p[1] != 'u')
				{
					p += 2;		/* cJSON knows which ones there are */
					continue;
				}
				code = read_hex4(p + 2, end);
				if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF))
					return -1;
				if (code >= 0xD800 && code <= 0xDBFF)
				{
					if (end - p < 12 || p[6] != '\\' || p[7] != 'u')
						return -1;
					code = read_hex4(p + 8, end);
					if (code < 0xDC00 || code > 0xDFFF)
						return -1;
					p += 12;
					continue;
				}
				if (code == 0)
				{
					FLUSH_RUN(p);
					*out++ = (char) 0xC0;
					*out++ = (char) 0x80;
					run = p + 6;
				}
				p += 6;
			}
			else if (c >= 0x80)
			{
				int			l = pg_utf_mblen((const unsigned char *) p);

				if (l > end - p ||
					!pg_utf8_islegal((const unsigned char *) p, l))
					return -1;
				p += l;
			}
			else
				return -1;
		}
		if (!escapes && p - string >= MIN_LONG_STRING)
		{
			FLUSH_RUN(string);
			*out++ = LONG_STRING_MARK[0];
			run = p;
			*strings = copy_long_string(string, p - string);
			strings = &(*strings)->next;
		}
		p++;
	}
	FLUSH_RUN(end);
#undef FLUSH_RUN

	*out = '\0';
	return out - dst;
}

/*
 * Put the long strings where their marks are: a walk of the tree meets them in
 * the order of the text.  Returns those that are left.  Recursion is bounded by
 * cJSON's nesting limit.
 */
static LongString *
restore_long_strings(cJSON *node, LongString *strings)
{
	dyn_fiber_pause();
	for (; node != NULL && strings != NULL; node = node->next)
	{
		if (node->string != NULL && strcmp(node->string, LONG_STRING_MARK) == 0)
		{
			node->string = strings->bytes;
			strings = strings->next;
		}
		if (node->child != NULL)
			strings = restore_long_strings(node->child, strings);
		else if (node->valuestring != NULL &&
				 strcmp(node->valuestring, LONG_STRING_MARK) == 0)
		{
			node->valuestring = strings->bytes;
			strings = strings->next;
		}
	}
	return strings;
}

typedef struct MemberPosition
{
	cJSON	   *member;
	uint32		position;
} MemberPosition;

/* May leave the fiber: to sort 25,000 members takes 4 ms. */
static int
compare_members(const void *a, const void *b)
{
	const MemberPosition *ma = a;
	const MemberPosition *mb = b;
	int			cmp = strcmp(ma->member->string, mb->member->string);

	dyn_fiber_pause();
	if (cmp == 0)
		cmp = ma->position < mb->position ? -1 : 1;
	return cmp;
}

/*
 * Unlink all but the last of an object's members of one name.  Returns whether
 * there was one to unlink.
 */
static bool
remove_duplicates(cJSON *object)
{
	bool		found = false;
	MemberPosition *members;
	uint32		count = 0;
	cJSON	   *member;

	for (member = object->child; member != NULL; member = member->next)
		count++;

	if (count <= MAX_PAIRWISE_MEMBERS)
	{
		cJSON	   *next;

		for (member = object->child; member != NULL; member = next)
		{
			next = member->next;
			for (cJSON *later = next; later != NULL; later = later->next)
			{
				if (member->string[0] == later->string[0] &&
					strcmp(member->string, later->string) == 0)
				{
					cJSON_DetachItemViaPointer(object, member);
					found = true;
					break;
				}
			}
		}
		return found;
	}

	members = palloc_extended(count * sizeof(MemberPosition), MCXT_ALLOC_HUGE);
	count = 0;
	for (member = object->child; member != NULL; member = member->next)
	{
		members[count].member = member;
		members[count].position = count;
		count++;
	}
	qsort(members, count, sizeof(MemberPosition), compare_members);
	for (uint32 i = 0; i + 1 < count; i++)
	{
		if (strcmp(members[i].member->string,
				   members[i + 1].member->string) == 0)
		{
			cJSON_DetachItemViaPointer(object, members[i].member);
			found = true;
		}
	}
	pfree(members);
	return found;
}

/*
 * Remove duplicates everywhere; returns whether there were any.  Recursion is
 * bounded by cJSON's nesting limit.
 */
static bool
clean_tree(cJSON *node)
{
	bool		found = false;

	dyn_fiber_pause();
	if (cJSON_IsObject(node) && node->child != NULL &&
		node->child->next != NULL)
		found = remove_duplicates(node);
	for (cJSON *child = node->child; child != NULL; child = child->next)
	{
		if (child->child != NULL)
			found |= clean_tree(child);
	}
	return found;
}

static DynJson *
parse(const char *text, size_t len, bool *had_duplicates)
{
	static bool hooks_set = false;
	Arena		parse_arena;
	char	   *copy;
	ssize_t		copy_len;
	LongString *strings;
	DynJson    *result;

	if (!hooks_set)
	{
		cJSON_Hooks hooks = {.malloc_fn = hook_malloc, .free_fn = hook_free};

		cJSON_InitHooks(&hooks);
		hooks_set = true;
	}

	*had_duplicates = false;

	/* cJSON recurses up to its limit without looking at the stack. */
	check_stack_depth();

	copy = palloc_extended(len + 1, MCXT_ALLOC_HUGE);
	copy_len = scan_text(text, len, copy, &strings);
	if (copy_len < 0)
	{
		pfree(copy);
		return NULL;
	}

	memset(&parse_arena, 0, sizeof(parse_arena));
	parse_arena.chunk_size = ARENA_FIRST_CHUNK;
	arena = &parse_arena;
	/* The NUL is part of the length: "true" asks that it ends the text. */
	result = cJSON_ParseWithLengthOpts(copy, copy_len + 1, NULL, true);
	arena = NULL;
	pfree(copy);

	if (parse_arena.failed)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	if (result != NULL)
	{
		strings = restore_long_strings(result, strings);
		Assert(strings == NULL);
		*had_duplicates = clean_tree(result);
	}
	return result;
}

DynJson *
dyn_json_parse(const char *text, size_t len)
{
	bool		had_duplicates;

	return parse(text, len, &had_duplicates);
}

DynJson *
dyn_json_parse_unique(const char *text, size_t len)
{
	bool		had_duplicates;
	DynJson    *result = parse(text, len, &had_duplicates);

	return had_duplicates ? NULL : result;
}

DynJsonKind
dyn_json_kind(const DynJson *node)
{
	switch (node->type & 0xFF)
	{
		case cJSON_False:
			return DYN_JSON_FALSE;
		case cJSON_True:
			return DYN_JSON_TRUE;
		case cJSON_NULL:
			return DYN_JSON_NULL;
		case cJSON_Number:
			return DYN_JSON_NUMBER;
		case cJSON_String:
			return DYN_JSON_STRING;
		case cJSON_Array:
			return DYN_JSON_ARRAY;
		case cJSON_Object:
			return DYN_JSON_OBJECT;
	}
	elog(ERROR, "unrecognized cJSON node type: %d", node->type);
}

const DynJson *
dyn_json_member(const DynJson *object, const char *name)
{
	for (const DynJson *m = object->child; m != NULL; m = m->next)
	{
		/* Most differ in their first letter. */
		if (m->string != NULL && m->string[0] == name[0] &&
			strcmp(m->string, name) == 0)
			return m;
	}
	return NULL;
}

const DynJson *
dyn_json_present(const DynJson *object, const char *name)
{
	const DynJson *value = dyn_json_member(object, name);

	return value == NULL || dyn_json_kind(value) == DYN_JSON_NULL ? NULL : value;
}

bool
dyn_json_is_true(const DynJson *node)
{
	uint32		len;
	const char *word;

	if (dyn_json_kind(node) != DYN_JSON_STRING)
		return dyn_json_kind(node) == DYN_JSON_TRUE;
	word = dyn_json_string(node, &len);
	return len > 0 && strchr("tTyY1", word[0]) != NULL;
}

const DynJson *
dyn_json_first(const DynJson *container)
{
	return container->child;
}

const DynJson *
dyn_json_next(const DynJson *node)
{
	return node->next;
}

uint32
dyn_json_count(const DynJson *container)
{
	uint32		count = 0;

	for (const DynJson *n = container->child; n != NULL; n = n->next)
		count++;
	return count;
}

/* Turn C0 80 back into NUL, in a copy if there is any. */
static const char *
restore_nuls(const char *s, uint32 *len)
{
	size_t		n = strlen(s);
	char	   *copy;
	uint32		copy_len = 0;

	if (likely(memchr(s, 0xC0, n) == NULL))
	{
		*len = n;
		return s;
	}

	copy = palloc_extended(n + 1, MCXT_ALLOC_HUGE);
	for (size_t i = 0; i < n; i++)
	{
		if ((unsigned char) s[i] == 0xC0)
		{
			copy[copy_len++] = '\0';
			i++;
		}
		else
			copy[copy_len++] = s[i];
	}
	copy[copy_len] = '\0';
	*len = copy_len;
	return copy;
}

const char *
dyn_json_name(const DynJson *node, uint32 *len)
{
	return restore_nuls(node->string, len);
}

const char *
dyn_json_string(const DynJson *node, uint32 *len)
{
	return restore_nuls(node->valuestring, len);
}

double
dyn_json_number(const DynJson *node)
{
	return clamp_finite(node->valuedouble);
}

bool
dyn_json_number_is_integer(const DynJson *node)
{
	return floor(node->valuedouble) == node->valuedouble;
}

/* 0x40 + the value of a base64 letter; 0 for every other byte. */
static const uint8 base64_value[256] = {
	['A'] = 0x40, ['B'] = 0x41, ['C'] = 0x42, ['D'] = 0x43, ['E'] = 0x44, ['F'] = 0x45,
	['G'] = 0x46, ['H'] = 0x47, ['I'] = 0x48, ['J'] = 0x49, ['K'] = 0x4A, ['L'] = 0x4B,
	['M'] = 0x4C, ['N'] = 0x4D, ['O'] = 0x4E, ['P'] = 0x4F, ['Q'] = 0x50, ['R'] = 0x51,
	['S'] = 0x52, ['T'] = 0x53, ['U'] = 0x54, ['V'] = 0x55, ['W'] = 0x56, ['X'] = 0x57,
	['Y'] = 0x58, ['Z'] = 0x59, ['a'] = 0x5A, ['b'] = 0x5B, ['c'] = 0x5C, ['d'] = 0x5D,
	['e'] = 0x5E, ['f'] = 0x5F, ['g'] = 0x60, ['h'] = 0x61, ['i'] = 0x62, ['j'] = 0x63,
	['k'] = 0x64, ['l'] = 0x65, ['m'] = 0x66, ['n'] = 0x67, ['o'] = 0x68, ['p'] = 0x69,
	['q'] = 0x6A, ['r'] = 0x6B, ['s'] = 0x6C, ['t'] = 0x6D, ['u'] = 0x6E, ['v'] = 0x6F,
	['w'] = 0x70, ['x'] = 0x71, ['y'] = 0x72, ['z'] = 0x73, ['0'] = 0x74, ['1'] = 0x75,
	['2'] = 0x76, ['3'] = 0x77, ['4'] = 0x78, ['5'] = 0x79, ['6'] = 0x7A, ['7'] = 0x7B,
	['8'] = 0x7C, ['9'] = 0x7D, ['+'] = 0x7E, ['/'] = 0x7F
};

int
dyn_base64_decode(const char *src, uint32 len, char *dst)
{
	const unsigned char *s = (const unsigned char *) src;
	char	   *out = dst;
	uint32		padding = 0;
	uint32		full;

	if (len % 4 != 0)
		return -1;
	if (len == 0)
		return 0;
	if (s[len - 1] == '=')
		padding = s[len - 2] == '=' ? 2 : 1;

	full = len - (padding > 0 ? 4 : 0);
	for (uint32 i = 0; i < full; i += 4)
	{
		uint8		a = base64_value[s[i]];
		uint8		b = base64_value[s[i + 1]];
		uint8		c = base64_value[s[i + 2]];
		uint8		d = base64_value[s[i + 3]];

		if ((a & b & c & d & 0x40) == 0)
			return -1;
		*out++ = a << 2 | (b & 0x30) >> 4;
		*out++ = b << 4 | (c & 0x3C) >> 2;
		*out++ = c << 6 | (d & 0x3F);
	}
	if (padding > 0)
	{
		uint8		a = base64_value[s[full]];
		uint8		b = base64_value[s[full + 1]];
		uint8		c = padding == 1 ? base64_value[s[full + 2]] : 0x40;

		if ((a & b & c & 0x40) == 0)
			return -1;
		/* Bits that belong to no byte must be zero: one text, one value. */
		if (padding == 2 ? (b & 0x0F) != 0 : (c & 0x03) != 0)
			return -1;
		*out++ = a << 2 | (b & 0x30) >> 4;
		if (padding == 1)
			*out++ = b << 4 | (c & 0x3C) >> 2;
	}
	return out - dst;
}

void
dyn_json_writer_init(DynJsonWriter *w, StringInfo out)
{
	w->out = out;
	w->comma = false;
}

/* What stands before each value and each key. */
static void
separate(DynJsonWriter *w)
{
	if (w->comma)
		appendStringInfoCharMacro(w->out, ',');
	w->comma = true;
}

void
dyn_json_begin_object(DynJsonWriter *w)
{
	separate(w);
	appendStringInfoCharMacro(w->out, '{');
	w->comma = false;
}

void
dyn_json_end_object(DynJsonWriter *w)
{
	appendStringInfoCharMacro(w->out, '}');
	w->comma = true;
}

void
dyn_json_begin_array(DynJsonWriter *w)
{
	separate(w);
	appendStringInfoCharMacro(w->out, '[');
	w->comma = false;
}

void
dyn_json_end_array(DynJsonWriter *w)
{
	appendStringInfoCharMacro(w->out, ']');
	w->comma = true;
}

void
dyn_json_write_key(DynJsonWriter *w, const char *key)
{
	dyn_json_write_key_bytes(w, key, strlen(key));
}

void
dyn_json_write_key_bytes(DynJsonWriter *w, const char *key, uint32 len)
{
	separate(w);
	dyn_json_escape(w->out, key, len);
	appendStringInfoCharMacro(w->out, ':');
	w->comma = false;
}

void
dyn_json_write_cstring(DynJsonWriter *w, const char *s)
{
	dyn_json_write_string(w, s, strlen(s));
}

void
dyn_json_write_text(DynJsonWriter *w, const char *key, const char *s)
{
	dyn_json_write_key(w, key);
	dyn_json_write_cstring(w, s);
}

void
dyn_json_write_string(DynJsonWriter *w, const char *s, uint32 len)
{
	separate(w);
	dyn_json_escape(w->out, s, len);
}

void
dyn_json_write_base64(DynJsonWriter *w, const char *bytes, uint32 len)
{
	static const char letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = (const unsigned char *) bytes;
	char	   *out;

	separate(w);
	enlargeStringInfo(w->out, (len + 2) / 3 * 4 + 2);
	out = w->out->data + w->out->len;
	*out++ = '"';
	for (; len >= 3; len -= 3, s += 3)
	{
		*out++ = letters[s[0] >> 2];
		*out++ = letters[(s[0] & 0x03) << 4 | s[1] >> 4];
		*out++ = letters[(s[1] & 0x0F) << 2 | s[2] >> 6];
		*out++ = letters[s[2] & 0x3F];
	}
	if (len > 0)
	{
		*out++ = letters[s[0] >> 2];
		*out++ = letters[(s[0] & 0x03) << 4 | (len > 1 ? s[1] >> 4 : 0)];
		*out++ = len > 1 ? letters[(s[1] & 0x0F) << 2] : '=';
		*out++ = '=';
	}
	*out++ = '"';
	*out = '\0';
	w->out->len = out - w->out->data;
}

void
dyn_json_write_int(DynJsonWriter *w, int64 value)
{
	char		text[MAXINT8LEN + 1];

	separate(w);
	appendBinaryStringInfo(w->out, text, pg_lltoa(value, text));
}

void
dyn_json_write_double(DynJsonWriter *w, double value)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];
	int			len = double_to_shortest_decimal_buf(value, text);

	separate(w);
	appendBinaryStringInfo(w->out, text, len);
	if (strspn(text, "-0123456789") == len)
		appendStringInfoString(w->out, ".0");
}

void
dyn_json_write_bool(DynJsonWriter *w, bool value)
{
	separate(w);
	appendStringInfoString(w->out, value ? "true" : "false");
}

void
dyn_json_write_null(DynJsonWriter *w)
{
	separate(w);
	appendStringInfoString(w->out, "null");
}

void
dyn_json_write_raw(DynJsonWriter *w, const char *json, uint32 len)
{
	separate(w);
	appendBinaryStringInfo(w->out, json, len);
}

void
dyn_json_escape(StringInfo out, const char *s, uint32 len)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *end = s + len;

	/* Room for a string without escapes: the appends below rarely enlarge. */
	enlargeStringInfo(out, len + 2);
	appendStringInfoCharMacro(out, '"');
	for (;;)
	{
		const char *run = s;
		unsigned char c;

		s = skip_text(s, end, false);
		if (s > run)
			appendBinaryStringInfo(out, run, s - run);
		if (s == end)
			break;
		c = *s++;
		switch (c)
		{
			case '"':
				appendBinaryStringInfo(out, "\\\"", 2);
				break;
			case '\\':
				appendBinaryStringInfo(out, "\\\\", 2);
				break;
			case '\b':
				appendBinaryStringInfo(out, "\\b", 2);
				break;
			case '\f':
				appendBinaryStringInfo(out, "\\f", 2);
				break;
			case '\n':
				appendBinaryStringInfo(out, "\\n", 2);
				break;
			case '\r':
				appendBinaryStringInfo(out, "\\r", 2);
				break;
			case '\t':
				appendBinaryStringInfo(out, "\\t", 2);
				break;
			default:
				{
					char		escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

					appendBinaryStringInfo(out, escape, sizeof(escape));
				}
		}
	}
	appendStringInfoCharMacro(out, '"');
}
