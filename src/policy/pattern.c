/*-------------------------------------------------------------------------
 *
 * pattern.c
 *		Patterns with wildcards and variables, and ARNs made of them.
 *
 *		pattern = { "*" | "?" | variable | text }
 *		variable = "${" ( "*" | "?" | "$" | key [ "," "'" text "'" ] ) "}"
 *
 * Matching goes back to the last "*" only, never to an earlier one: what an
 * earlier one could still do, the last can do as well.  So it takes at most the
 * text's length times the pattern's, whatever the number of wildcards.  One that
 * must stay within a segment of an ARN comes to an end at its colon; then the
 * last that need not is tried, and there are at most five segments of the kind.
 *
 * src/policy/pattern.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "policy/policy_tree.h"

/* Variables of one pattern whose values have room without an allocation. */
#define USUAL_VARIABLES	4

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

/*
 * Read the variable whose "${" stands at p, into *variable.  Returns what
 * follows it, or NULL if it isn't one.  Of "${*}" and its like the fallback is
 * the character, and the key has no name.
 */
static const char *
read_variable(const char *p, const char *end, DynPolicyVariable *variable)
{
	const char *name = p + 2;

	memset(variable, 0, sizeof(DynPolicyVariable));
	if (end - name >= 2 && strchr("*?$", *name) != NULL && name[1] == '}')
	{
		variable->fallback.data = name;
		variable->fallback.len = 1;
		return name + 2;
	}

	for (p = name; p < end && *p != '}' && *p != ','; p++)
	{
		if (*p == '$' || *p == '{' || *p == '\'')
			return NULL;
	}
	if (p == end || p == name || *name == ' ' || p[-1] == ' ')
		return NULL;
	dyn_policy_key_parse(name, p - name, &variable->key);

	if (*p == ',')
	{
		p = skip_blanks(p + 1, end);
		if (p == end || *p++ != '\'')
			return NULL;
		variable->has_default = true;
		variable->fallback.data = p;
		while (p < end && *p != '\'')
			p++;
		variable->fallback.len = p - variable->fallback.data;
		if (p < end)
			p = skip_blanks(p + 1, end);
		if (p == end || *p != '}')
			return NULL;
	}
	return p + 1;
}

/*
 * Cut a text into parts or, if that is NULL, only count them; what else is known
 * of the pattern goes into *pattern.  Returns false if a variable isn't one.
 */
static bool
read_parts(const char *text, uint32 len, int flags, DynPattern *pattern,
		   DynPatternPart *parts)
{
	const char *p = text;
	const char *end = text + len;
	const char *run = text;
	int			n = 0;
	int			colons = 0;
	bool		is_resource = (flags & DYN_PATTERN_RESOURCE) != 0;
	bool		ends_in_any = false;

#define EMIT(part_kind, part_data, part_len) \
	do { \
		if (parts != NULL) \
		{ \
			parts[n].kind = (part_kind); \
			parts[n].len = (part_len); \
			parts[n].u.text = (part_data); \
		} \
		n++; \
	} while (0)
#define EMIT_RUN() \
	do { \
		if (p > run) \
			EMIT(DYN_PART_TEXT, run, p - run); \
	} while (0)

	pattern->nvariables = 0;
	while (p < end)
	{
		bool		within = is_resource && colons < DYN_ARN_RESOURCE;

		ends_in_any = false;
		if ((flags & DYN_PATTERN_WILDCARDS) != 0 && *p == '?')
		{
			EMIT_RUN();
			EMIT(within ? DYN_PART_ONE_WITHIN : DYN_PART_ONE, NULL, 0);
			run = ++p;
		}
		else if ((flags & DYN_PATTERN_WILDCARDS) != 0 && *p == '*')
		{
			EMIT_RUN();
			while (p < end && *p == '*')
				p++;
			ends_in_any = true;
			EMIT(within && p < end && *p != ':' ? DYN_PART_ANY_WITHIN : DYN_PART_ANY,
				 NULL, 0);
			run = p;
		}
		else if ((flags & DYN_PATTERN_VARIABLES) != 0 && *p == '$' &&
				 end - p >= 2 && p[1] == '{')
		{
			DynPolicyVariable variable;
			const char *next = read_variable(p, end, &variable);

			if (next == NULL)
				return false;
			EMIT_RUN();
			if (variable.key.name.data == NULL)
				EMIT(DYN_PART_TEXT, variable.fallback.data, 1);
			else
			{
				if (parts != NULL)
				{
					DynPolicyVariable *copy = palloc(sizeof(DynPolicyVariable));

					*copy = variable;
					parts[n].kind = DYN_PART_VARIABLE;
					parts[n].u.variable = copy;
				}
				n++;
				pattern->nvariables++;
			}
			run = p = next;
		}
		else
			colons += *p++ == ':';
	}
	EMIT_RUN();
#undef EMIT_RUN
#undef EMIT
	pattern->nparts = n;
	pattern->open = is_resource && colons < DYN_ARN_RESOURCE && !ends_in_any;
	return true;
}

bool
dyn_pattern_compile(const char *text, uint32 len, int flags, DynPattern *pattern)
{
	/* What most segments of ARNs are, and the empty text, take no memory. */
	static const DynPatternPart any = {.kind = DYN_PART_ANY};
	DynPatternPart *parts;

	if (!read_parts(text, len, flags, pattern, NULL))
		return false;
	pattern->parts = &any;
	if (pattern->nparts == 0 ||
		((flags & DYN_PATTERN_WILDCARDS) != 0 && len == 1 && *text == '*'))
		return true;
	parts = palloc(pattern->nparts * sizeof(DynPatternPart));
	(void) read_parts(text, len, flags, pattern, parts);
	pattern->parts = parts;
	return true;
}

void
dyn_policy_fold(char *text, uint32 len)
{
	for (uint32 i = 0; i < len; i++)
	{
		unsigned char c = text[i];

		if (c >= 'A' && c <= 'Z')
			text[i] = c + ('a' - 'A');
		else if (i > 0 && (unsigned char) text[i - 1] == 0xC3 &&
				 c >= 0x80 && c <= 0x9E && c != 0x97)
			text[i] = c + 0x20;
	}
}

/* Is a text, folded, the same as one that is folded already? */
static bool
equal_folded(const char *text, const char *folded, uint32 len)
{
	unsigned char before = 0;

	for (uint32 i = 0; i < len; i++)
	{
		unsigned char c = text[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		else if (before == 0xC3 && c >= 0x80 && c <= 0x9E && c != 0x97)
			c += 0x20;
		if (c != (unsigned char) folded[i])
			return false;
		before = text[i];
	}
	return true;
}

static inline bool
equal_text(const char *text, const char *part, uint32 len, bool fold)
{
	return fold ? equal_folded(text, part, len) : memcmp(text, part, len) == 0;
}

/* Length of the character at p, never beyond the end. */
static inline int
character_length(const char *p, const char *end)
{
	if ((*p & 0x80) == 0)
		return 1;
	return Min(pg_utf_mblen((const unsigned char *) p), end - p);
}

/* Where to go on when what follows a "*" does not fit. */
typedef struct Retry
{
	const DynPatternPart *part; /* what follows it; NULL: there was none */
	const DynPolicyText *value;
	const char *p;				/* what it has taken ends here */
} Retry;

/* A value without data may be any text. */
static bool
match_parts(const DynPattern *pattern, const DynPolicyText *values,
			const char *text, uint32 len, bool fold)
{
	const DynPatternPart *part = pattern->parts;
	const DynPatternPart *parts_end = part + pattern->nparts;
	const DynPolicyText *value = values;
	const char *p = text;
	const char *end = text + len;
	Retry		any = {NULL};
	Retry		within = {NULL};	/* after any */

	/* Most that do not fit are told by their end: the name of another table. */
	if (pattern->nparts > 1 && parts_end[-1].kind == DYN_PART_TEXT &&
		!pattern->open &&
		(len < parts_end[-1].len ||
		 !equal_text(end - parts_end[-1].len, parts_end[-1].u.text,
					 parts_end[-1].len, fold)))
		return false;

	for (;;)
	{
		if (part == parts_end)
		{
			if (p == end || (pattern->open && *p == ':'))
				return true;
		}
		else
		{
			const char *wanted = part->u.text;
			uint32		wanted_len = part->len;

			switch (part->kind)
			{
				case DYN_PART_ANY:
					if (++part == parts_end)
						return true;
					any = (Retry) {part, value, p};
					within.part = NULL;
					continue;
				case DYN_PART_ANY_WITHIN:
					within = (Retry) {++part, value, p};
					continue;
				case DYN_PART_ONE:
				case DYN_PART_ONE_WITHIN:
					if (p < end && (part->kind == DYN_PART_ONE || *p != ':'))
					{
						p += character_length(p, end);
						part++;
						continue;
					}
					break;
				case DYN_PART_VARIABLE:
					if (value->data == NULL)
					{
						value++;
						if (++part == parts_end)
							return true;
						any = (Retry) {part, value, p};
						within.part = NULL;
						continue;
					}
					wanted = value->data;
					wanted_len = value->len;
					/* FALLTHROUGH */
				case DYN_PART_TEXT:
					if (end - p >= wanted_len &&
						equal_text(p, wanted, wanted_len, fold))
					{
						p += wanted_len;
						value += part->kind == DYN_PART_VARIABLE;
						part++;
						continue;
					}
					break;
			}
		}

		/* Let a "*" take one character more, or as many as it must. */
		if (within.part != NULL && within.p < end && *within.p != ':')
		{
			within.p += character_length(within.p, end);
			part = within.part;
			value = within.value;
			p = within.p;
			continue;
		}
		within.part = NULL;
		if (any.part == NULL || any.p == end)
			return false;
		any.p += character_length(any.p, end);
		if (any.part->kind == DYN_PART_TEXT && !fold)
		{
			any.p = memchr(any.p, any.part->u.text[0], end - any.p);
			if (any.p == NULL)
				return false;
		}
		part = any.part;
		value = any.value;
		p = any.p;
	}
}

/* The value of a variable: TRUE if it has one, FALSE if not. */
static DynTruth
resolve_variable(const DynPolicyVariable *variable,
				 const DynPolicyContext *context, bool fold, DynPolicyText *value)
{
	DynPolicyValues values = {0};
	DynPolicyAnswer answer = DYN_ANSWER_ABSENT;

	if (variable->key.kind != DYN_KEY_OTHER)
		answer = context->lookup(context->arg, &variable->key, &values);
	if (answer == DYN_ANSWER_UNKNOWN)
	{
		value->data = NULL;
		return DYN_UNKNOWN;
	}

	/* A list has no place in a text, as of one member it would by accident. */
	if (answer == DYN_ANSWER_PRESENT && values.count == 1 && !values.multivalued)
		*value = values.values[0];
	else if (variable->has_default)
		*value = variable->fallback;
	else
		return DYN_FALSE;
	if (value->len == 0)
		value->data = "";

	if (fold)
	{
		char	   *folded = palloc(value->len + 1);

		memcpy(folded, value->data, value->len);
		dyn_policy_fold(folded, value->len);
		value->data = folded;
	}
	return DYN_TRUE;
}

DynTruth
dyn_pattern_match(const DynPattern *pattern, const DynPolicyContext *context,
				  const char *text, uint32 len, bool fold, DynTruth *lacking)
{
	DynPolicyText usual[USUAL_VARIABLES];
	DynPolicyText *values = usual;
	DynTruth	known = DYN_TRUE;

	if (pattern->nvariables > 0)
	{
		uint32		n = 0;

		if (pattern->nvariables > USUAL_VARIABLES)
			values = palloc(pattern->nvariables * sizeof(DynPolicyText));
		for (uint32 i = 0; i < pattern->nparts && known != DYN_FALSE; i++)
		{
			const DynPatternPart *part = &pattern->parts[i];
			DynTruth	has_value;

			if (part->kind != DYN_PART_VARIABLE)
				continue;
			has_value = resolve_variable(part->u.variable, context, fold,
										 &values[n++]);
			known = dyn_truth_and(known, has_value);
			if (!part->u.variable->has_default)
				*lacking = dyn_truth_or(*lacking, dyn_truth_not(has_value));
		}
		if (known == DYN_FALSE)
			return DYN_FALSE;
	}
	return match_parts(pattern, values, text, len, fold) ? known : DYN_FALSE;
}

static const char *
next_colon(const char *p, const char *end, bool variables)
{
	if (!variables)
		return p < end ? memchr(p, ':', end - p) : NULL;
	while (p < end && *p != ':')
	{
		DynPolicyVariable ignored;
		const char *after = NULL;

		if (*p == '$' && end - p >= 2 && p[1] == '{')
			after = read_variable(p, end, &ignored);
		p = after != NULL ? after : p + 1;
	}
	return p < end ? p : NULL;
}

void
dyn_arn_split(const char *text, uint32 len, bool variables, DynArn *arn)
{
	const char *start = text;
	const char *end = text + len;
	const char *colon;

	arn->count = 0;
	while (arn->count < DYN_ARN_RESOURCE &&
		   (colon = next_colon(start, end, variables)) != NULL)
	{
		arn->segments[arn->count].data = start;
		arn->segments[arn->count].len = colon - start;
		arn->count++;
		start = colon + 1;
	}
	arn->segments[arn->count].data = start;
	arn->segments[arn->count].len = end - start;
	arn->count++;
}

bool
dyn_arn_pattern_compile(const char *text, uint32 len, int flags,
						DynArnPattern *pattern)
{
	DynArn		arn;

	memset(pattern, 0, sizeof(DynArnPattern));
	if (len == 1 && *text == '*')
	{
		pattern->any = true;
		return true;
	}
	dyn_arn_split(text, len, (flags & DYN_PATTERN_VARIABLES) != 0, &arn);
	pattern->never = arn.count < DYN_ARN_SEGMENTS;
	for (int i = 0; i < arn.count; i++)
	{
		if (!dyn_pattern_compile(arn.segments[i].data, arn.segments[i].len, flags,
								 &pattern->segments[i]))
			return false;
		if (pattern->segments[i].nvariables > 0)
			pattern->has_variables = true;
	}
	return true;
}

DynTruth
dyn_arn_pattern_match(const DynArnPattern *pattern,
					  const DynPolicyContext *context, const DynArn *arn,
					  DynTruth *lacking)
{
	DynTruth	result = DYN_TRUE;

	if (pattern->any)
		return DYN_TRUE;
	if (pattern->never || arn->count != DYN_ARN_SEGMENTS)
		return DYN_FALSE;

	/*
	 * From the end: the resource's name tells most.  All variables are asked
	 * for, as one without a value counts wherever it stands.
	 */
	for (int i = DYN_ARN_RESOURCE; i >= 0; i--)
	{
		result = dyn_truth_and(result,
							   dyn_pattern_match(&pattern->segments[i], context,
												 arn->segments[i].data,
												 arn->segments[i].len, false,
												 lacking));
		if (result == DYN_FALSE && !pattern->has_variables)
			break;
	}
	return result;
}
