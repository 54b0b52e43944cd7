/*-------------------------------------------------------------------------
 *
 * arn.c
 *		ARNs in requests: what kind of thing one names.
 *
 *		arn:<partition>:dynamodb:<region>:<account>:table/<name>
 *												   [/index/<name>]
 *												   [/stream/<label>]
 *
 * src/operation/arn.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "operation/arn.h"
#include "operation/request.h"

#define ACCOUNT_DIGITS 12

/* The length of what stands before the next stop, or -1 without one. */
static int
part_length(const char *text, const char *end, char stop)
{
	const char *found = memchr(text, stop, end - text);

	return found == NULL ? -1 : found - text;
}

/* Skip "arn:aws:dynamodb:us-east-1:000000000000:"; NULL if it is not that. */
static const char *
skip_owner(const char *at, const char *end)
{
	for (int part = 0; part < 5; part++)
	{
		int			len = part_length(at, end, ':');

		if (len < 1 ||
			(part == 2 && (len != 8 || memcmp(at, "dynamodb", 8) != 0)) ||
			(part == 4 && (len != ACCOUNT_DIGITS ||
						   strspn(at, "0123456789") != ACCOUNT_DIGITS)))
			return NULL;
		at += len + 1;
	}
	return at;
}

DynArnKind
dyn_arn_kind(const char *arn, uint32 len)
{
	const char *end = arn + len;
	const char *at;
	int			name_len;

	if (len < 4 || memcmp(arn, "arn:", 4) != 0)
		return DYN_ARN_NONE;
	at = skip_owner(arn, end);
	if (at == NULL || end - at < 6 || memcmp(at, "table/", 6) != 0)
		return DYN_ARN_MALFORMED;
	at += 6;
	name_len = part_length(at, end, '/');
	if (name_len < 0)
		name_len = end - at;
	if (name_len < 1 || name_len > DYN_MAX_TABLE_NAME_LENGTH ||
		!dyn_name_is_well_formed(at, name_len))
		return DYN_ARN_MALFORMED;
	at += name_len;
	if (at == end)
		return DYN_ARN_TABLE;
	if (end - at > 7 && memcmp(at, "/index/", 7) == 0)
		return DYN_ARN_INDEX;
	if (end - at > 8 && memcmp(at, "/stream/", 8) == 0)
		return DYN_ARN_STREAM;
	return DYN_ARN_MALFORMED;
}

void
dyn_arn_check_table(const char *name, uint32 len)
{
	DynArnKind	kind = dyn_arn_kind(name, len);

	if (kind != DYN_ARN_NONE && kind != DYN_ARN_TABLE)
		dyn_raise(VALIDATION,
				  "Invalid TableArn: Invalid ResourceArn provided as input %s", name);
}
