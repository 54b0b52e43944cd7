/*-------------------------------------------------------------------------
 *
 * policy.c
 *		Parse a policy document.
 *
 *		policy = { [ "Version" : ... ], [ "Id" : text ],
 *				   "Statement" : statement | [ statement, ... ] }
 *		statement = { [ "Sid" : text ], "Effect" : "Allow" | "Deny",
 *				   [ "Principal" | "NotPrincipal" : "*" | { kind : texts, ... } ],
 *				   "Action" | "NotAction" : texts,
 *				   [ "Resource" | "NotResource" : texts ],
 *				   [ "Condition" : { operator : { key : values, ... }, ... } ] }
 *		texts = text | [ text, ... ]
 *		values = value | [ value, ... ]			value = text | number | boolean
 *
 * IAM looks at a document several times, each time for one kind of mistake, and
 * tells the first it meets.  Here all is done in one go: a mistake is noted with
 * the place its kind has in IAM's order, and the first in that order is told.
 * The order and the texts are those that moto recorded from IAM
 * (tests/test_iam/test_iam_policies.py); policies with principals have another
 * parser in IAM, with texts of its own.
 *
 * src/policy/policy.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "base/json.h"
#include "common/shortest_dec.h"
#include "policy/policy_tree.h"
#include "utils/memutils.h"

/* What IAM takes, before it asks what the document is for. */
#define MAX_DOCUMENT_SIZE	131072

/* A number of JSON beyond is another than the document says. */
#define MAX_EXACT_INTEGER	9007199254740992.0

/* In the order in which IAM finds them. */
typedef enum Mistake
{
	MISTAKE_SYNTAX,
	MISTAKE_VERSION,
	MISTAKE_PRINCIPAL,
	MISTAKE_LEGACY,
	MISTAKE_SID,
	MISTAKE_NO_ACTION,
	MISTAKE_RESOURCE,
	MISTAKE_ACTION,
	MISTAKE_NO_RESOURCE,
	MISTAKE_NONE
} Mistake;

typedef struct Parser
{
	DynPolicyKind kind;
	int			variables;		/* DYN_PATTERN_VARIABLES if the version has them */
	char	   *texts;			/* room for all texts of the document */
	uint64		keys;
	bool		bad_resource;	/* a MISTAKE_RESOURCE was met */
	Mistake		mistake;
	char	   *problem;
	MemoryContext caller;		/* where problem goes */
} Parser;

#define SYNTAX_ERROR	"Syntax errors in policy."
#define LEGACY_ERROR	"The policy failed legacy parsing"

static const struct
{
	const char *name;
	DynOperatorFamily family;
	DynComparison comparison;
	bool		negated;
	bool		wildcards;
}			operators[] =
{
	{"StringEquals", DYN_OPERATOR_STRING, DYN_COMPARE_EQUAL, false, false},
	{"StringNotEquals", DYN_OPERATOR_STRING, DYN_COMPARE_EQUAL, true, false},
	{"StringEqualsIgnoreCase", DYN_OPERATOR_STRING_FOLDED, DYN_COMPARE_EQUAL, false, false},
	{"StringNotEqualsIgnoreCase", DYN_OPERATOR_STRING_FOLDED, DYN_COMPARE_EQUAL, true, false},
	{"StringLike", DYN_OPERATOR_STRING, DYN_COMPARE_EQUAL, false, true},
	{"StringNotLike", DYN_OPERATOR_STRING, DYN_COMPARE_EQUAL, true, true},
	{"NumericEquals", DYN_OPERATOR_NUMERIC, DYN_COMPARE_EQUAL, false, false},
	{"NumericNotEquals", DYN_OPERATOR_NUMERIC, DYN_COMPARE_EQUAL, true, false},
	{"NumericLessThan", DYN_OPERATOR_NUMERIC, DYN_COMPARE_LESS, false, false},
	{"NumericLessThanEquals", DYN_OPERATOR_NUMERIC, DYN_COMPARE_LESS_EQUAL, false, false},
	{"NumericGreaterThan", DYN_OPERATOR_NUMERIC, DYN_COMPARE_GREATER, false, false},
	{"NumericGreaterThanEquals", DYN_OPERATOR_NUMERIC, DYN_COMPARE_GREATER_EQUAL, false, false},
	{"DateEquals", DYN_OPERATOR_DATE, DYN_COMPARE_EQUAL, false, false},
	{"DateNotEquals", DYN_OPERATOR_DATE, DYN_COMPARE_EQUAL, true, false},
	{"DateLessThan", DYN_OPERATOR_DATE, DYN_COMPARE_LESS, false, false},
	{"DateLessThanEquals", DYN_OPERATOR_DATE, DYN_COMPARE_LESS_EQUAL, false, false},
	{"DateGreaterThan", DYN_OPERATOR_DATE, DYN_COMPARE_GREATER, false, false},
	{"DateGreaterThanEquals", DYN_OPERATOR_DATE, DYN_COMPARE_GREATER_EQUAL, false, false},
	{"Bool", DYN_OPERATOR_STRING_FOLDED, DYN_COMPARE_EQUAL, false, false},
	{"BinaryEquals", DYN_OPERATOR_STRING, DYN_COMPARE_EQUAL, false, false},
	{"IpAddress", DYN_OPERATOR_IP, DYN_COMPARE_EQUAL, false, false},
	{"NotIpAddress", DYN_OPERATOR_IP, DYN_COMPARE_EQUAL, true, false},
	{"ArnEquals", DYN_OPERATOR_ARN, DYN_COMPARE_EQUAL, false, true},
	{"ArnLike", DYN_OPERATOR_ARN, DYN_COMPARE_EQUAL, false, true},
	{"ArnNotEquals", DYN_OPERATOR_ARN, DYN_COMPARE_EQUAL, true, true},
	{"ArnNotLike", DYN_OPERATOR_ARN, DYN_COMPARE_EQUAL, true, true},
	{"Null", DYN_OPERATOR_NULL, DYN_COMPARE_EQUAL, false, false},
};

/*
 * Note a mistake, unless one was found that IAM would tell first.  Returns
 * false, as whoever found a mistake of syntax does.
 */
static bool
complain(Parser *parser, Mistake mistake, const char *format,...) pg_attribute_printf(3, 4);

static bool
complain(Parser *parser, Mistake mistake, const char *format,...)
{
	char		buffer[1024];
	int			len;
	va_list		args;

	if (mistake >= parser->mistake)
		return false;
	parser->mistake = mistake;
	va_start(args, format);
	len = vsnprintf(buffer, sizeof(buffer), format, args);
	va_end(args);
	if (len >= sizeof(buffer))
	{
		/* No character may be cut in two. */
		len = sizeof(buffer) - 2;
		while (len > 0 && ((unsigned char) buffer[len] & 0xC0) == 0x80)
			len--;
		buffer[len] = '\0';
	}
	parser->problem = MemoryContextStrdup(parser->caller, buffer);
	return false;
}

static bool
syntax_error(Parser *parser)
{
	return complain(parser, MISTAKE_SYNTAX, SYNTAX_ERROR);
}

static bool
has_principals(Parser *parser)
{
	return parser->kind != DYN_POLICY_IDENTITY;
}

/*
 * The children of an array, or the one value that stands for an array of it.
 */
static const DynJson *
first_value(const DynJson *list)
{
	return dyn_json_kind(list) == DYN_JSON_ARRAY ? dyn_json_first(list) : list;
}

static const DynJson *
next_value(const DynJson *list, const DynJson *value)
{
	return dyn_json_kind(list) == DYN_JSON_ARRAY ? dyn_json_next(value) : NULL;
}

static uint32
count_values(const DynJson *list)
{
	return dyn_json_kind(list) == DYN_JSON_ARRAY ? dyn_json_count(list) : 1;
}

/* Keep a text for as long as the policy; NUL-terminated, too. */
static char *
keep_text(Parser *parser, const char *text, uint32 len)
{
	char	   *kept = parser->texts;

	memcpy(kept, text, len);
	kept[len] = '\0';
	parser->texts += len + 1;
	return kept;
}

static bool
read_text(Parser *parser, const DynJson *value, DynPolicyText *text)
{
	const char *data;

	if (dyn_json_kind(value) != DYN_JSON_STRING)
		return syntax_error(parser);
	data = dyn_json_string(value, &text->len);
	if (memchr(data, '\0', text->len) != NULL)
		return syntax_error(parser);
	text->data = keep_text(parser, data, text->len);
	return true;
}

static bool
is_name(const DynJson *member, const char *name)
{
	uint32		len;
	const char *own = dyn_json_name(member, &len);

	return len == strlen(name) && memcmp(own, name, len) == 0;
}

/* A value of a condition as text. */
static bool
read_value(Parser *parser, const DynJson *value, DynPolicyText *text)
{
	double		number;
	char		buffer[DOUBLE_SHORTEST_DECIMAL_LEN];

	switch (dyn_json_kind(value))
	{
		case DYN_JSON_STRING:
			return read_text(parser, value, text);
		case DYN_JSON_TRUE:
		case DYN_JSON_FALSE:
			text->data = dyn_json_kind(value) == DYN_JSON_TRUE ? "true" : "false";
			text->len = strlen(text->data);
			return true;
		case DYN_JSON_NUMBER:
			number = dyn_json_number(value);
			if (fabs(number) >= MAX_EXACT_INTEGER)
				return syntax_error(parser);
			if (dyn_json_number_is_integer(value))
				text->len = snprintf(buffer, sizeof(buffer), "%.0f", number);
			else
				text->len = double_to_shortest_decimal_buf(number, buffer);
			text->data = pnstrdup(buffer, text->len);
			return true;
		default:
			return syntax_error(parser);
	}
}

/* A policy looks at the keys of its variables, too. */
static void
note_keys(Parser *parser, const DynPattern *pattern)
{
	for (uint32 i = 0; i < pattern->nparts; i++)
	{
		if (pattern->parts[i].kind == DYN_PART_VARIABLE)
			parser->keys |= UINT64CONST(1) << pattern->parts[i].u.variable->key.kind;
	}
}

static bool
compile_pattern(Parser *parser, const char *text, uint32 len, int flags,
				DynPattern *pattern)
{
	if (!dyn_pattern_compile(text, len, flags, pattern))
		return syntax_error(parser);
	note_keys(parser, pattern);
	return true;
}

static bool
compile_arn(Parser *parser, const DynPolicyText *text, DynArnPattern *pattern)
{
	if (!dyn_arn_pattern_compile(text->data, text->len,
								 DYN_PATTERN_WILDCARDS | parser->variables,
								 pattern))
		return syntax_error(parser);
	for (int i = 0; pattern->has_variables && i < DYN_ARN_SEGMENTS; i++)
		note_keys(parser, &pattern->segments[i]);
	return true;
}

static bool
read_sid(Parser *parser, const DynJson *member, DynPolicyStatement *statement)
{
	DynPolicyText sid;

	if (!read_text(parser, member, &sid))
		return false;
	for (uint32 i = 0; i < sid.len && parser->kind == DYN_POLICY_IDENTITY; i++)
	{
		if (!isalnum((unsigned char) sid.data[i]) || IS_HIGHBIT_SET(sid.data[i]))
			complain(parser, MISTAKE_SID, "Statement IDs (SID) must be alpha-numeric. "
					 "Check that your input satisfies the regular expression [0-9A-Za-z]*");
	}
	statement->sid = sid.len > 0 ? sid.data : NULL;
	return true;
}

static bool
read_effect(Parser *parser, const DynJson *member, DynPolicyStatement *statement)
{
	DynPolicyText effect;

	if (!read_text(parser, member, &effect))
		return false;
	if (pg_strcasecmp(effect.data, "Allow") != 0 &&
		pg_strcasecmp(effect.data, "Deny") != 0)
		return syntax_error(parser);
	statement->deny = effect.data[0] == 'D';
	if (strcmp(effect.data, "Allow") != 0 && strcmp(effect.data, "Deny") != 0)
		complain(parser, MISTAKE_LEGACY, LEGACY_ERROR);
	return true;
}

static void
check_action(Parser *parser, const char *action)
{
	const char *colon = strchr(action, ':');
	uint32		vendor = colon != NULL ? colon - action : 0;

	if (parser->kind == DYN_POLICY_TRUST && pg_strncasecmp(action, "sts:", 4) != 0)
		complain(parser, MISTAKE_ACTION,
				 "AssumeRole policy may only specify STS AssumeRole actions.");
	if (strcmp(action, "*") == 0)
		return;
	if (colon == NULL)
		complain(parser, MISTAKE_ACTION,
				 "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
	else if (strchr(colon + 1, ':') != NULL)
		complain(parser, MISTAKE_ACTION,
				 "Actions/Condition can contain only one colon.");
	else
	{
		for (uint32 i = 0; i < vendor; i++)
		{
			char		c = pg_ascii_tolower(action[i]);

			if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
				c != '-' && c != '.')
			{
				complain(parser, MISTAKE_ACTION, "Vendor %.*s is not valid",
						 (int) vendor, action);
				break;
			}
		}
	}
}

static bool
read_actions(Parser *parser, const DynJson *list, DynPolicyStatement *statement)
{
	uint32		count = count_values(list);
	DynPattern *actions = palloc((count + 1) * sizeof(DynPattern));
	DynPattern *first = actions;
	DynPattern *last = actions + count;

	if (count == 0)
		complain(parser, MISTAKE_NO_ACTION, "Policy statement must contain actions.");
	for (const DynJson *value = first_value(list); value != NULL;
		 value = next_value(list, value))
	{
		DynPolicyText text;
		DynPattern	pattern;

		if (!read_text(parser, value, &text))
			return false;
		check_action(parser, text.data);
		for (uint32 i = 0; i < text.len; i++)
			((char *) text.data)[i] = pg_ascii_tolower(text.data[i]);
		(void) dyn_pattern_compile(text.data, text.len, DYN_PATTERN_WILDCARDS,
								   &pattern);
		if (strcmp(text.data, "*") == 0)
			statement->any_action = true;
		if (pattern.nparts == 1 && pattern.parts[0].kind == DYN_PART_TEXT)
		{
			statement->action_bits |= dyn_action_bit(text.data, text.len);
			*--last = pattern;
		}
		else
			*first++ = pattern;
	}
	statement->actions = actions;
	statement->nactions = count;
	statement->nwildcards = first - actions;
	return true;
}

static bool
is_partition(const DynPolicyText *name)
{
	static const char *const partitions[] = {"aws", "aws-cn", "aws-us-gov",
	"aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc", "*"};

	for (int i = 0; i < lengthof(partitions); i++)
	{
		if (name->len == strlen(partitions[i]) &&
			memcmp(name->data, partitions[i], name->len) == 0)
			return true;
	}
	return false;
}

/* IAM's looks at the form of a resource. */
static void
check_resource(Parser *parser, const char *resource)
{
	DynArn		arn;
	DynPolicyText shown[DYN_ARN_SEGMENTS];

	if (strcmp(resource, "*") == 0)
		return;
	dyn_arn_split(resource, strlen(resource), parser->variables != 0, &arn);
	if (arn.count == 1)
	{
		parser->bad_resource = true;
		complain(parser, MISTAKE_RESOURCE,
				 "Resource %s must be in ARN format or \"*\".", resource);
		return;
	}
	if (!is_partition(&arn.segments[1]))
	{
		for (int i = 2; i < DYN_ARN_SEGMENTS; i++)
		{
			shown[i].data = i < arn.count ? arn.segments[i].data : "*";
			shown[i].len = i < arn.count ? arn.segments[i].len : 1;
		}
		parser->bad_resource = true;
#define SHOW(text)	(int) (text).len, (text).data
		complain(parser, MISTAKE_RESOURCE,
				 "Partition \"%.*s\" is not valid for resource "
				 "\"arn:%.*s:%.*s:%.*s:%.*s:%.*s\".",
				 SHOW(arn.segments[1]), SHOW(arn.segments[1]), SHOW(shown[2]),
				 SHOW(shown[3]), SHOW(shown[4]), SHOW(shown[5]));
#undef SHOW
		return;
	}
	if (arn.count == 2 || memchr(arn.segments[2].data, '*', arn.segments[2].len) ||
		memchr(arn.segments[2].data, '?', arn.segments[2].len))
	{
		parser->bad_resource = true;
		complain(parser, MISTAKE_RESOURCE, "Resource vendor must be fully "
				 "qualified and cannot contain regexes.");
		return;
	}

	/*
	 * What is left out at the end is "*", but nothing that stands empty.  IAM
	 * does not look any more once a resource has another fault.
	 */
	if (!parser->bad_resource &&
		((arn.count < DYN_ARN_SEGMENTS && strstr(resource, "::") != NULL) ||
		 arn.segments[2].len == 0))
		complain(parser, MISTAKE_LEGACY, LEGACY_ERROR);
}

static bool
read_resources(Parser *parser, const DynJson *list, DynPolicyStatement *statement)
{
	uint32		count = count_values(list);
	DynPattern *resources = palloc((count + 1) * sizeof(DynPattern));
	int			n = 0;

	if (parser->kind == DYN_POLICY_TRUST)
		return complain(parser, MISTAKE_SYNTAX,
						statement->not_resource ?
						"AssumeRole policy must not contain resources." :
						"Has prohibited field Resource");
	if (count == 0)
		complain(parser, MISTAKE_NO_RESOURCE, "Policy statement must contain resources.");
	for (const DynJson *value = first_value(list); value != NULL;
		 value = next_value(list, value))
	{
		DynPolicyText text;

		if (!read_text(parser, value, &text))
			return false;
		check_resource(parser, text.data);
		if (!compile_pattern(parser, text.data, text.len,
							 DYN_PATTERN_WILDCARDS | DYN_PATTERN_RESOURCE |
							 parser->variables, &resources[n++]))
			return false;
		if (strcmp(text.data, "*") == 0)
			statement->any_resource = true;
	}
	statement->resources = resources;
	statement->nresources = n;
	return true;
}

static bool
is_account(const char *text, uint32 len)
{
	return len == 12 && strspn(text, "0123456789") >= len;
}

/* Read a principal of AWS: an account, "*" or an ARN. */
static bool
read_aws_principal(DynPolicyPrincipal *principal)
{
	const char *text = principal->text.data;
	const DynPolicyText *service;
	const DynPolicyText *name;
	DynArn		arn;

	principal->kind = DYN_PRINCIPAL_EVERYBODY;
	if (strcmp(text, "*") == 0)
		return true;
	principal->kind = DYN_PRINCIPAL_ACCOUNT;
	if (is_account(text, principal->text.len))
		return true;

	dyn_arn_split(text, principal->text.len, false, &arn);
	if (arn.count != DYN_ARN_SEGMENTS || strncmp(text, "arn:", 4) != 0 ||
		!is_partition(&arn.segments[1]) || arn.segments[3].len != 0 ||
		!is_account(arn.segments[4].data, arn.segments[4].len) ||
		strpbrk(text, "*?") != NULL)
		return false;
	service = &arn.segments[2];
	name = &arn.segments[DYN_ARN_RESOURCE];
	principal->kind = DYN_PRINCIPAL_DIRECT;
	if (service->len == 3 && memcmp(service->data, "iam", 3) == 0)
	{
		if (strcmp(name->data, "root") == 0)
		{
			principal->kind = DYN_PRINCIPAL_ACCOUNT;
			principal->text = arn.segments[4];
			return true;
		}
		if (strncmp(name->data, "role/", 5) == 0)
			principal->kind = DYN_PRINCIPAL_ROLE;
		else if (strncmp(name->data, "user/", 5) != 0)
			return false;
		return name->len > 5;
	}
	if (service->len == 3 && memcmp(service->data, "sts", 3) == 0)
	{
		const char *slash = strchr(name->data, '/');

		if (strncmp(name->data, "federated-user/", 15) == 0)
		{
			principal->kind = DYN_PRINCIPAL_ELSEWHERE;
			return name->len > 15;
		}
		if (strncmp(name->data, "assumed-role/", 13) != 0)
			return false;
		slash = strchr(slash + 1, '/');
		return slash != NULL && slash > name->data + 13 && slash[1] != '\0';
	}
	return false;
}

static bool
read_principals(Parser *parser, const DynJson *member, DynPolicyStatement *statement)
{
	uint32		count = 0;
	DynPolicyPrincipal *principals;
	int			n = 0;

	if (!has_principals(parser))
	{
		complain(parser, MISTAKE_PRINCIPAL,
				 "Policy document should not specify a principal.");
		return true;
	}
	if (dyn_json_kind(member) == DYN_JSON_STRING)
	{
		DynPolicyText text;

		if (!read_text(parser, member, &text))
			return false;
		if (strcmp(text.data, "*") != 0)
			return complain(parser, MISTAKE_SYNTAX,
							"Invalid principal in policy: \"%s\"", text.data);
		principals = palloc(sizeof(DynPolicyPrincipal));
		principals->kind = DYN_PRINCIPAL_EVERYBODY;
		principals->text = text;
		statement->principals = principals;
		statement->nprincipals = 1;
		return true;
	}
	if (dyn_json_kind(member) != DYN_JSON_OBJECT)
		return syntax_error(parser);

	for (const DynJson *list = dyn_json_first(member); list != NULL;
		 list = dyn_json_next(list))
		count += count_values(list);
	principals = palloc((count + 1) * sizeof(DynPolicyPrincipal));
	for (const DynJson *list = dyn_json_first(member); list != NULL;
		 list = dyn_json_next(list))
	{
		bool		is_aws = is_name(list, "AWS");

		if (!is_aws && !is_name(list, "Service") && !is_name(list, "Federated") &&
			!is_name(list, "CanonicalUser"))
			return complain(parser, MISTAKE_SYNTAX,
							"Unknown field %s", dyn_json_name(list, &(uint32) {0}));
		for (const DynJson *value = first_value(list); value != NULL;
			 value = next_value(list, value))
		{
			DynPolicyPrincipal *principal = &principals[n++];

			if (!read_text(parser, value, &principal->text))
				return false;
			principal->kind = DYN_PRINCIPAL_ELSEWHERE;
			if (is_aws && !read_aws_principal(principal))
				return complain(parser, MISTAKE_SYNTAX,
								"Invalid principal in policy: \"AWS\":\"%s\"",
								principal->text.data);
		}
	}
	if (n == 0)
		return complain(parser, MISTAKE_SYNTAX,
						"Missing required field Principal cannot be empty!");
	statement->principals = principals;
	statement->nprincipals = n;
	return true;
}

/*
 * Read an operator's name.  Returns -1 if there is none of that name, else its
 * place in operators[].
 */
static int
read_operator(const char *name, DynPolicyCondition *condition)
{
	static const char if_exists[] = "IfExists";
	uint32		len;

	memset(condition, 0, sizeof(DynPolicyCondition));
	if (strncmp(name, "ForAllValues:", 13) == 0)
		condition->quantifier = DYN_QUANTIFIER_ALL;
	else if (strncmp(name, "ForAnyValue:", 12) == 0)
		condition->quantifier = DYN_QUANTIFIER_ANY;
	if (condition->quantifier != DYN_QUANTIFIER_NONE)
		name = strchr(name, ':') + 1;

	len = strlen(name);
	if (len > strlen(if_exists) &&
		strcmp(name + len - strlen(if_exists), if_exists) == 0)
	{
		condition->if_exists = true;
		len -= strlen(if_exists);
	}
	for (int i = 0; i < lengthof(operators); i++)
	{
		if (strlen(operators[i].name) != len ||
			strncmp(operators[i].name, name, len) != 0)
			continue;
		condition->family = operators[i].family;
		condition->comparison = operators[i].comparison;
		condition->negated = operators[i].negated;

		/* Whether a key is there has no "if it is there", and no values. */
		if (condition->family == DYN_OPERATOR_NULL &&
			(condition->if_exists || condition->quantifier != DYN_QUANTIFIER_NONE))
			return -1;
		return i;
	}
	return -1;
}

static size_t
value_size(DynOperatorFamily family)
{
	switch (family)
	{
		case DYN_OPERATOR_STRING:
		case DYN_OPERATOR_STRING_FOLDED:
			return sizeof(DynPattern);
		case DYN_OPERATOR_NUMERIC:
			return sizeof(DynDecimal);
		case DYN_OPERATOR_DATE:
			return sizeof(DynInstant);
		case DYN_OPERATOR_IP:
			return sizeof(DynNetwork);
		case DYN_OPERATOR_ARN:
			return sizeof(DynArnPattern);
		case DYN_OPERATOR_NULL:
			break;
	}
	return 0;
}

/* Compile a value into place; false if it isn't one for this operator. */
static bool
compile_value(Parser *parser, int operator, DynPolicyCondition *condition,
			  const DynPolicyText *text, void *place)
{
	int			flags = parser->variables |
	(operators[operator].wildcards ? DYN_PATTERN_WILDCARDS : 0);
	char	   *decoded;
	bool		valid;

	switch (condition->family)
	{
		case DYN_OPERATOR_STRING_FOLDED:
			decoded = pnstrdup(text->data, text->len);
			dyn_policy_fold(decoded, text->len);
			return compile_pattern(parser, decoded, text->len, flags, place);
		case DYN_OPERATOR_STRING:
			if (strcmp(operators[operator].name, "BinaryEquals") != 0)
				return compile_pattern(parser, text->data, text->len, flags, place);
			decoded = palloc(text->len + 1);
			valid = dyn_base64_decode(text->data, text->len, decoded) >= 0;
			pfree(decoded);
			return dyn_pattern_compile(text->data, text->len, 0, place) && valid;
		case DYN_OPERATOR_NUMERIC:
			return dyn_decimal_parse(text->data, text->len, place);
		case DYN_OPERATOR_DATE:
			return dyn_instant_parse(text->data, text->len, place);
		case DYN_OPERATOR_IP:
			return dyn_network_parse(text->data, text->len, place);
		case DYN_OPERATOR_ARN:
			return compile_arn(parser, text, place);
		case DYN_OPERATOR_NULL:
			if (pg_strcasecmp(text->data, "true") == 0)
				condition->u.null.if_absent = true;
			else if (pg_strcasecmp(text->data, "false") == 0)
				condition->u.null.if_present = true;
			else
				return false;
			return true;
	}
	return false;
}

static bool
read_condition(Parser *parser, int operator, const DynJson *list,
			   DynPolicyCondition *condition)
{
	uint32		count = count_values(list);
	uint32		len;
	const char *name = dyn_json_name(list, &len);
	size_t		size = value_size(condition->family);
	char	   *values = palloc((count + 1) * size);

	if (memchr(name, '\0', len) != NULL)
		return syntax_error(parser);
	dyn_policy_key_parse(keep_text(parser, name, len), len, &condition->key);
	parser->keys |= UINT64CONST(1) << condition->key.kind;

	for (const DynJson *value = first_value(list); value != NULL;
		 value = next_value(list, value))
	{
		DynPolicyText text;

		if (!read_value(parser, value, &text))
			return false;
		if (!compile_value(parser, operator, condition, &text,
						   values + condition->nvalues * size))
			complain(parser, MISTAKE_LEGACY, LEGACY_ERROR);
		condition->nvalues++;
	}
	if (size > 0)
		condition->u.patterns = (const DynPattern *) values;
	return true;
}

static bool
read_conditions(Parser *parser, const DynJson *member, DynPolicyStatement *statement)
{
	DynPolicyCondition *conditions;
	uint32		count = 0;

	if (dyn_json_kind(member) != DYN_JSON_OBJECT)
		return syntax_error(parser);
	for (const DynJson *keys = dyn_json_first(member); keys != NULL;
		 keys = dyn_json_next(keys))
	{
		if (dyn_json_kind(keys) != DYN_JSON_OBJECT)
			return syntax_error(parser);
		count += dyn_json_count(keys);
	}

	conditions = palloc((count + 1) * sizeof(DynPolicyCondition));
	for (const DynJson *keys = dyn_json_first(member); keys != NULL;
		 keys = dyn_json_next(keys))
	{
		uint32		len;
		const char *name = dyn_json_name(keys, &len);
		DynPolicyCondition shape;
		int			operator = read_operator(name, &shape);

		/* IAM does not care how an operator is called that has no keys. */
		if (dyn_json_first(keys) == NULL)
			continue;
		if (operator < 0 || strlen(name) != len)
			return syntax_error(parser);
		for (const DynJson *list = dyn_json_first(keys); list != NULL;
			 list = dyn_json_next(list))
		{
			DynPolicyCondition *condition = &conditions[statement->nconditions++];

			*condition = shape;
			if (!read_condition(parser, operator, list, condition))
				return false;
		}
	}
	statement->conditions = conditions;
	return true;
}

static bool
missing_field(Parser *parser, Mistake mistake, const char *name, const char *text)
{
	if (has_principals(parser))
		return complain(parser, MISTAKE_SYNTAX, "Missing required field %s", name);
	return complain(parser, mistake, "%s", text);
}

static bool
read_statement(Parser *parser, const DynJson *json, DynPolicyStatement *statement)
{
	const DynJson *effect = NULL;
	const DynJson *actions = NULL;
	const DynJson *resources = NULL;
	const DynJson *principals = NULL;

	if (dyn_json_kind(json) != DYN_JSON_OBJECT)
		return syntax_error(parser);
	for (const DynJson *member = dyn_json_first(json); member != NULL;
		 member = dyn_json_next(member))
	{
		const DynJson **part = NULL;
		bool	   *not = NULL;
		bool		understood = true;

		if (is_name(member, "Sid"))
			understood = read_sid(parser, member, statement);
		else if (is_name(member, "Condition"))
			understood = read_conditions(parser, member, statement);
		else if (is_name(member, "Effect"))
			part = &effect;
		else if (is_name(member, "Action") || is_name(member, "NotAction"))
		{
			part = &actions;
			not = &statement->not_action;
		}
		else if (is_name(member, "Resource") || is_name(member, "NotResource"))
		{
			part = &resources;
			not = &statement->not_resource;
		}
		else if (is_name(member, "Principal") || is_name(member, "NotPrincipal"))
		{
			part = &principals;
			not = &statement->not_principal;
		}
		else
			return syntax_error(parser);
		if (!understood)
			return false;

		/* Of the two that exclude each other there is one. */
		if (part != NULL && *part != NULL)
			return syntax_error(parser);
		if (part != NULL)
			*part = member;
		if (not != NULL)
			*not = dyn_json_name(member, &(uint32) {0})[0] == 'N';
	}

	if (effect == NULL)
		return missing_field(parser, MISTAKE_SYNTAX, "Effect", SYNTAX_ERROR);
	if (!read_effect(parser, effect, statement))
		return false;

	if (principals != NULL)
	{
		if (!read_principals(parser, principals, statement))
			return false;
		if (statement->not_principal && !statement->deny)
			complain(parser, MISTAKE_PRINCIPAL, "Allow with NotPrincipal is not allowed.");
	}
	else if (has_principals(parser))
		return missing_field(parser, MISTAKE_SYNTAX, "Principal", NULL);

	if (actions == NULL)
	{
		if (!missing_field(parser, MISTAKE_NO_ACTION, "Action",
						   "Policy statement must contain actions.") &&
			has_principals(parser))
			return false;
	}
	else if (!read_actions(parser, actions, statement))
		return false;

	if (resources != NULL)
		return read_resources(parser, resources, statement);
	if (parser->kind == DYN_POLICY_RESOURCE)
		return missing_field(parser, MISTAKE_SYNTAX, "Resource", NULL);
	if (parser->kind == DYN_POLICY_IDENTITY)
		complain(parser, MISTAKE_NO_RESOURCE, "Policy statement must contain resources.");
	return true;
}

static bool
read_version(Parser *parser, const DynJson *member)
{
	DynPolicyText version;

	if (!read_text(parser, member, &version))
		return false;
	if (strcmp(version.data, "2012-10-17") == 0)
		parser->variables = DYN_PATTERN_VARIABLES;
	else if (strcmp(version.data, "2008-10-17") != 0)
		return syntax_error(parser);
	return true;
}

static void
check_sids(Parser *parser, DynPolicy *policy)
{
	for (int i = 1; i < policy->nstatements; i++)
	{
		const char *sid = policy->statements[i].sid;

		for (int j = 0; sid != NULL && j < i; j++)
		{
			if (policy->statements[j].sid != NULL &&
				strcmp(policy->statements[j].sid, sid) == 0)
			{
				complain(parser, MISTAKE_SID,
						 "Statement IDs (SID) in a single policy must be unique.");
				return;
			}
		}
	}
}

/* Returns false for a mistake of syntax; others are noted. */
static bool
read_document(Parser *parser, const DynJson *document, DynPolicy *policy)
{
	const DynJson *list = NULL;
	const DynJson *version = NULL;
	DynPolicyStatement *statements;

	if (document == NULL || dyn_json_kind(document) != DYN_JSON_OBJECT)
		return has_principals(parser) ?
			complain(parser, MISTAKE_SYNTAX, "This policy contains invalid Json") :
			syntax_error(parser);
	for (const DynJson *member = dyn_json_first(document); member != NULL;
		 member = dyn_json_next(member))
	{
		DynPolicyText id;

		if (is_name(member, "Version"))
			version = member;
		else if (is_name(member, "Statement"))
			list = member;
		else if (!is_name(member, "Id") || !read_text(parser, member, &id))
			return syntax_error(parser);
	}

	/* Versions say what the statements' texts mean, wherever they stand. */
	if (version != NULL && !read_version(parser, version))
		return false;
	if (parser->kind == DYN_POLICY_IDENTITY && parser->variables == 0)
		complain(parser, MISTAKE_VERSION,
				 "Policy document must be version 2012-10-17 or greater.");

	if (list == NULL)
		return missing_field(parser, MISTAKE_SYNTAX, "Statement", SYNTAX_ERROR);
	if (count_values(list) == 0)
		return has_principals(parser) ?
			complain(parser, MISTAKE_SYNTAX,
					 "Could not parse the policy: Statement is empty!") :
			syntax_error(parser);

	statements = palloc0(count_values(list) * sizeof(DynPolicyStatement));
	policy->statements = statements;
	for (const DynJson *value = first_value(list); value != NULL;
		 value = next_value(list, value))
	{
		if (!read_statement(parser, value, &statements[policy->nstatements++]))
			return false;
	}
	check_sids(parser, policy);
	return true;
}

DynPolicy *
dyn_policy_parse(const char *text, size_t len, DynPolicyKind kind,
				 const char **problem)
{
	Parser		parser = {.kind = kind,.mistake = MISTAKE_NONE};
	MemoryContext context;
	MemoryContext scratch;
	const DynJson *document;
	DynPolicy  *policy;

	parser.caller = CurrentMemoryContext;
	*problem = NULL;
	if (len > MAX_DOCUMENT_SIZE)
	{
		complain(&parser, MISTAKE_SYNTAX,
				 "Member must have length less than or equal to %d",
				 MAX_DOCUMENT_SIZE);
		*problem = parser.problem;
		return NULL;
	}

	context = AllocSetContextCreate(parser.caller, "dynamo policy",
									ALLOCSET_SMALL_SIZES);
	scratch = AllocSetContextCreate(parser.caller, "dynamo policy document",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	document = dyn_json_parse_unique(text, len);
	MemoryContextSwitchTo(context);

	/*
	 * No text grows by being read, each is kept once, and each stands between
	 * quotes, one of which pays for its NUL.
	 */
	parser.texts = palloc(len + 1);
	policy = palloc0(sizeof(DynPolicy));
	policy->kind = kind;
	if (!read_document(&parser, document, policy))
		Assert(parser.problem != NULL);
	policy->keys = parser.keys;

	MemoryContextSwitchTo(parser.caller);
	MemoryContextDelete(scratch);
	if (parser.problem != NULL)
	{
		MemoryContextDelete(context);
		*problem = parser.problem;
		return NULL;
	}
	return policy;
}

const char *
dyn_policy_sid(const DynPolicy *policy, int statement)
{
	Assert(statement >= -1 && statement < policy->nstatements);
	return statement >= 0 ? policy->statements[statement].sid : NULL;
}

uint64
dyn_policy_keys(const DynPolicy *policy)
{
	return policy->keys;
}
