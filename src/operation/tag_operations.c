/*-------------------------------------------------------------------------
 *
 * tag_operations.c
 *		TagResource, UntagResource, ListTagsOfResource.
 *
 * Tags are there, or gone, when the call returns; the service takes a while.
 *
 * src/operation/tag_operations.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "operation/arn.h"
#include "operation/table_request.h"
#include "operation/tag_request.h"

/* As many as the service puts on a page. */
#define TAGS_PER_PAGE 10

/* ResourceArn, of a kind of thing that may have tags. */
static const char *
read_arn(const DynJson *request, uint32 *len)
{
	const char *arn = dyn_request_string(request, "ResourceArn", len);

	if (arn == NULL)
		dyn_raise(VALIDATION, "Invalid TableArn");
	switch (dyn_arn_kind(arn, *len))
	{
		case DYN_ARN_NONE:
			dyn_raise(VALIDATION, "Invalid TableArn: an ARN must start with arn: %s", arn);
			break;
		case DYN_ARN_MALFORMED:
			dyn_raise(VALIDATION,
					  "Invalid TableArn: Invalid ResourceArn provided as input %s", arn);
			break;
		case DYN_ARN_INDEX:
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: %s",
					  arn);
			break;
		case DYN_ARN_STREAM:
		case DYN_ARN_TABLE:
			break;
	}
	return arn;
}

/*
 * The table an ARN means, for who may; streams have no tags here.  A name that
 * is an ARN of a table's is found, any other is not.
 */
static const DynTable *
find_resource(DynOperationContext *context, const char *arn, uint32 len,
			  DynAuthorization *authorization)
{
	const DynTable *table;

	dyn_authorization_begin(authorization, context, arn, len);
	dyn_authorization_finish(authorization);
	table = authorization->table;

	/* The misspelling is the service's. */
	if (table == NULL)
		dyn_raise(RESOURCE_NOT_FOUND,
				  "Requested resource not found: ResourcArn: %s not found", arn);
	context->table_name = pstrdup(table->name);
	return table;
}

DynOutcome
dyn_tag_resource(DynOperationContext *context, const DynJson *request,
				 StringInfo reply)
{
	DynAuthorization authorization = {.permission = DYN_MAY_TagResource};
	DynViolations v = {0};
	const DynTable *table;
	DynTag	   *tags;
	int			count;
	const char *arn;
	uint32		len;

	dyn_request_check_tags(&v, request, true);
	dyn_violations_raise(&v);
	arn = read_arn(request, &len);
	tags = dyn_request_tags(request, &count);
	if (count == 0)
		dyn_raise(VALIDATION, "Atleast one Tag needs to be provided as Input.");
	authorization.tags = tags;
	authorization.ntags = count;
	table = find_resource(context, arn, len, &authorization);
	dyn_tags_put(table, tags, count);
	return DYN_OUTCOME_DONE;
}

DynOutcome
dyn_untag_resource(DynOperationContext *context, const DynJson *request,
				   StringInfo reply)
{
	const DynJson *list = dyn_request_member(request, "TagKeys");
	DynAuthorization authorization = {.permission = DYN_MAY_UntagResource};
	DynViolations v = {0};
	const DynTable *table;
	const DynJson *element;
	DynTag	   *tags;
	const char **keys;
	int			count = 0;
	const char *arn;
	uint32		arn_len;
	uint32		len;

	if (dyn_member_require(&v, list, "tagKeys"))
		for (element = dyn_json_first(list); element; element = dyn_json_next(element))
			dyn_member_length(&v, element, 1, 128, "tagKeys.%d.member", ++count);
	dyn_violations_raise(&v);
	arn = read_arn(request, &arn_len);
	if (count == 0)
		dyn_raise(VALIDATION, "Atleast one Tag Key needs to be provided as Input.");

	tags = palloc0(count * sizeof(DynTag));
	keys = palloc(count * sizeof(char *));
	count = 0;
	for (element = dyn_json_first(list); element; element = dyn_json_next(element))
	{
		const char *key = dyn_json_string(element, &len);

		/* No tag has a NUL in its key. */
		if (strlen(key) == len)
		{
			tags[count].key = key;
			keys[count++] = key;
		}
	}
	authorization.tags = tags;
	authorization.ntags = count;
	table = find_resource(context, arn, arn_len, &authorization);
	dyn_tags_delete(table, keys, count);
	return DYN_OUTCOME_DONE;
}

/*
 * NextToken is the last key of the page before, in hexadecimal: opaque enough,
 * and right whatever happens to the tags in between.
 */
static const char *
encode_token(const char *key)
{
	StringInfoData out;

	initStringInfo(&out);
	for (; *key != '\0'; key++)
		appendStringInfo(&out, "%02x", (unsigned char) *key);
	return out.data;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *
decode_token(const DynJson *request)
{
	uint32		len;
	const char *token = dyn_request_string(request, "NextToken", &len);
	char	   *key;
	bool		valid;

	if (token == NULL)
		return NULL;
	valid = len > 0 && len % 2 == 0;
	key = palloc0(len / 2 + 1);
	for (uint32 i = 0; i < len / 2; i++)
	{
		int			high = hex_digit(token[2 * i]);
		int			low = hex_digit(token[2 * i + 1]);

		valid = valid && high >= 0 && low >= 0 && high + low > 0;
		key[i] = high * 16 + low;
	}
	if (!valid || !pg_verify_mbstr(PG_UTF8, key, len / 2, true))
		dyn_raise(VALIDATION, DYN_INVALID_VALUES "Invalid NextToken: %s", token);
	return key;
}

DynOutcome
dyn_list_tags_of_resource(DynOperationContext *context, const DynJson *request,
						  StringInfo reply)
{
	DynAuthorization authorization = {.permission = DYN_MAY_ListTagsOfResource};
	uint32		len;
	const char *arn = read_arn(request, &len);
	const DynTable *table = find_resource(context, arn, len, &authorization);
	List	   *tags = dyn_tags_list(table, decode_token(request), TAGS_PER_PAGE + 1);
	DynJsonWriter w;

	dyn_json_writer_init(&w, reply);
	dyn_json_begin_object(&w);
	dyn_json_write_key(&w, "Tags");
	dyn_json_begin_array(&w);
	for (int i = 0; i < Min(TAGS_PER_PAGE, list_length(tags)); i++)
	{
		const DynTag *tag = list_nth(tags, i);

		dyn_json_begin_object(&w);
		dyn_json_write_text(&w, "Key", tag->key);
		dyn_json_write_text(&w, "Value", tag->value);
		dyn_json_end_object(&w);
	}
	dyn_json_end_array(&w);
	if (list_length(tags) > TAGS_PER_PAGE)
	{
		const DynTag *last = list_nth(tags, TAGS_PER_PAGE - 1);

		dyn_json_write_text(&w, "NextToken", encode_token(last->key));
	}
	dyn_json_end_object(&w);
	return DYN_OUTCOME_DONE;
}
