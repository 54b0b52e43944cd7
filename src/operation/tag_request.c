/*-------------------------------------------------------------------------
 *
 * tag_request.c
 *		Tags in requests: of CreateTable and TagResource.
 *
 * src/operation/tag_request.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <locale.h>
#include <wctype.h>

#include "mb/pg_wchar.h"
#include "operation/table_request.h"
#include "operation/tag_request.h"

#define MAX_KEY_LENGTH 128
#define MAX_VALUE_LENGTH 256

void
dyn_request_check_tags(DynViolations *v, const DynJson *request, bool required)
{
	const DynJson *list = dyn_request_member(request, "Tags");
	const DynJson *tag;
	int			n = 0;

	if (list == NULL)
	{
		if (required)
			dyn_member_require(v, NULL, "tags");
		return;
	}
	for (tag = dyn_json_first(list); tag; tag = dyn_json_next(tag))
	{
		const DynJson *key = dyn_request_member(tag, "Key");
		const DynJson *value = dyn_request_member(tag, "Value");

		n++;
		if (dyn_member_require(v, key, "tags.%d.member.key", n))
			dyn_member_length(v, key, 1, MAX_KEY_LENGTH, "tags.%d.member.key", n);
		if (dyn_member_require(v, value, "tags.%d.member.value", n))
			dyn_member_length(v, value, 0, MAX_VALUE_LENGTH, "tags.%d.member.value", n);
	}
}

/*
 * Letters and digits of any script.  By the C library, in a locale that does
 * not depend on the server's; where it has none, what is not ASCII passes.
 */
static bool
is_letter(pg_wchar c)
{
	static locale_t unicode = (locale_t) 0;
	static bool tried = false;

	if (!tried)
		unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
	tried = true;
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	return unicode == (locale_t) 0 || iswalnum_l(c, unicode) || iswspace_l(c, unicode);
}

static void
check_characters(const char *text, uint32 len)
{
	uint32		at = 0;

	while (at < len)
	{
		pg_wchar	c = utf8_to_unicode((const unsigned char *) text + at);

		if (!is_letter(c) && (c >= 0x80 || c == 0 || strchr(" +-=._:/@", c) == NULL))
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "A tag may contain letters, digits, whitespace and + - = . _ : / @ only: %s",
					  text);
		at += pg_utf_mblen((const unsigned char *) text + at);
	}
}

static void
add_tag(DynTag *tags, int *count, DynTag tag)
{
	for (int i = 0; i < *count; i++)
	{
		if (strcmp(tags[i].key, tag.key) == 0)
		{
			tags[i].value = tag.value;
			return;
		}
	}
	if (*count == DYN_MAX_TAGS)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Too many tags: a table can have up to %d",
				  DYN_MAX_TAGS);
	tags[(*count)++] = tag;
}

DynTag *
dyn_request_tags(const DynJson *request, int *count)
{
	const DynJson *list = dyn_request_member(request, "Tags");
	DynTag	   *tags = palloc(DYN_MAX_TAGS * sizeof(DynTag));
	const DynJson *element;

	*count = 0;
	for (element = list ? dyn_json_first(list) : NULL; element;
		 element = dyn_json_next(element))
	{
		uint32		key_len;
		uint32		value_len;
		DynTag		tag;

		tag.key = dyn_request_string(element, "Key", &key_len);
		tag.value = dyn_request_string(element, "Value", &value_len);
		check_characters(tag.key, key_len);
		check_characters(tag.value, value_len);
		if (pg_strncasecmp(tag.key, "aws:", 4) == 0)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "Tag keys that start with aws: are reserved: %s",
					  tag.key);
		add_tag(tags, count, tag);
	}
	return tags;
}
