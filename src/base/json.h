/*-------------------------------------------------------------------------
 *
 * json.h
 *		The one door to JSON: reading through cJSON, writing straight to text.
 *
 * cJSON by itself cuts strings at \u0000, keeps duplicate keys, and accepts
 * invalid UTF-8, raw control characters, "01", trailing garbage and a BOM.
 * dyn_json_parse() refuses or repairs each of these before a caller sees the
 * tree.  Nobody else includes cJSON.h.
 *
 * src/base/json.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_JSON_H
#define DYN_JSON_H

#include "lib/stringinfo.h"

typedef struct cJSON DynJson;	/* a node of a parsed text; never freed alone */

typedef enum DynJsonKind
{
	DYN_JSON_NULL,
	DYN_JSON_FALSE,
	DYN_JSON_TRUE,
	DYN_JSON_NUMBER,
	DYN_JSON_STRING,
	DYN_JSON_ARRAY,
	DYN_JSON_OBJECT
} DynJsonKind;

/*
 * Parse len bytes of text (no terminating NUL needed).  Returns NULL if they
 * are not one JSON text in valid UTF-8, or if they nest deeper than cJSON's
 * limit of 1000.  The tree lives in CurrentMemoryContext and goes with it.  Of
 * duplicate members the last one counts.
 */
extern DynJson *dyn_json_parse(const char *text, size_t len);

/* The same, but NULL for duplicate members, too. */
extern DynJson *dyn_json_parse_unique(const char *text, size_t len);

extern DynJsonKind dyn_json_kind(const DynJson *node);

/* Member of an object by exact name; NULL if absent.  JSON null is a node. */
extern const DynJson *dyn_json_member(const DynJson *object, const char *name);

/* The same, but NULL for JSON null too: to the service that is absent. */
extern const DynJson *dyn_json_present(const DynJson *object, const char *name);

/*
 * A boolean that may be spelled as a word: "true", "1", "yes" and the rest,
 * which the caller has checked to be such a word.
 */
extern bool dyn_json_is_true(const DynJson *node);

/* First child of an array or object, its next sibling; NULL at the end. */
extern const DynJson *dyn_json_first(const DynJson *container);
extern const DynJson *dyn_json_next(const DynJson *node);
extern uint32 dyn_json_count(const DynJson *container);

/* Name of an object's member.  The bytes may contain NUL; also NUL-terminated. */
extern const char *dyn_json_name(const DynJson *node, uint32 *len);

/* Bytes of a string node.  They may contain NUL; also NUL-terminated. */
extern const char *dyn_json_string(const DynJson *node, uint32 *len);

extern double dyn_json_number(const DynJson *node);
extern bool dyn_json_number_is_integer(const DynJson *node);

/*
 * Decode base64 with mandatory padding, nothing else tolerated.  dst needs
 * room for len / 4 * 3 bytes.  Returns the decoded size, or -1.
 */
extern int	dyn_base64_decode(const char *src, uint32 len, char *dst);

/*
 * Writing.  The writer puts commas between the members of an object or array
 * by itself; it lives on the stack and appends to out.
 */
typedef struct DynJsonWriter
{
	StringInfo	out;
	bool		comma;			/* a member stands before the next one */
} DynJsonWriter;

extern void dyn_json_writer_init(DynJsonWriter *w, StringInfo out);
extern void dyn_json_begin_object(DynJsonWriter *w);
extern void dyn_json_end_object(DynJsonWriter *w);
extern void dyn_json_begin_array(DynJsonWriter *w);
extern void dyn_json_end_array(DynJsonWriter *w);

/* key: a C string; write_key_bytes: any bytes, escaped. */
extern void dyn_json_write_key(DynJsonWriter *w, const char *key);
extern void dyn_json_write_key_bytes(DynJsonWriter *w, const char *key, uint32 len);
extern void dyn_json_write_cstring(DynJsonWriter *w, const char *s);
extern void dyn_json_write_text(DynJsonWriter *w, const char *key, const char *s);	/* a member */
extern void dyn_json_write_string(DynJsonWriter *w, const char *s, uint32 len);
extern void dyn_json_write_base64(DynJsonWriter *w, const char *bytes, uint32 len);
extern void dyn_json_write_int(DynJsonWriter *w, int64 value);
extern void dyn_json_write_double(DynJsonWriter *w, double value);	/* "0.5", "1.0" */
extern void dyn_json_write_bool(DynJsonWriter *w, bool value);
extern void dyn_json_write_null(DynJsonWriter *w);
extern void dyn_json_write_raw(DynJsonWriter *w, const char *json, uint32 len); /* one ready value */

/* The escaped string with its quotes, without a writer. */
extern void dyn_json_escape(StringInfo out, const char *s, uint32 len);

#endif							/* DYN_JSON_H */
