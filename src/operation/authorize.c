/*-------------------------------------------------------------------------
 *
 * authorize.c
 *		May the caller do this?
 *
 * First it is asked with nothing known but who asks for what of which table:
 * most policies say no more, and the answer is good until something changes, so
 * it is kept per role, table and action.  What depends on the request is decided
 * once more with all it says, each time.
 *
 * SQL's privileges are one source of allowance among others.  Where it is not
 * they that allow it, the store is told to let it through (DynStorePermit), and
 * DDL runs as the table's owner; that ends with the operation.  Who has some of
 * the privileges an action may need (INSERT and not UPDATE, for PutItem) may try;
 * the store then knows which one is needed.
 *
 * src/operation/authorize.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "common/base64.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "auth/caller.h"
#include "base/settings.h"
#include "base/shared_state.h"
#include "item/number.h"
#include "operation/arn.h"
#include "operation/authorize.h"
#include "store/store.h"
#include "table/catalog.h"
#include "table/resource_policy.h"

/* ----- what SQL grants ----- */

typedef enum Privilege
{
	PRIVILEGE_NONE,				/* takes none: it tells nothing of any table */
	PRIVILEGE_SEE,				/* any privilege on the relation */
	PRIVILEGE_READ,				/* SELECT */
	PRIVILEGE_INSERT,			/* for this and the next ones SELECT, too: every
								 * write reads what is there */
	PRIVILEGE_UPDATE,
	PRIVILEGE_DELETE,
	PRIVILEGE_PUT,				/* INSERT or UPDATE, by what is there */
	PRIVILEGE_WRITE,			/* INSERT, UPDATE or DELETE */
	PRIVILEGE_OWN,				/* of the relation */
	PRIVILEGE_CREATE,			/* on schema dynamo_data */
	PRIVILEGE_STREAM,			/* SELECT, without row-level security */
	PRIVILEGE_LIST				/* of what is listed, each */
} Privilege;

static const AclMode modes[] = {
	[PRIVILEGE_SEE] = ACL_ALL_RIGHTS_RELATION,
	[PRIVILEGE_READ] = ACL_SELECT,
	[PRIVILEGE_INSERT] = ACL_SELECT | ACL_INSERT,
	[PRIVILEGE_UPDATE] = ACL_SELECT | ACL_UPDATE,
	[PRIVILEGE_DELETE] = ACL_SELECT | ACL_DELETE,
	[PRIVILEGE_PUT] = ACL_SELECT | ACL_INSERT | ACL_UPDATE,
	[PRIVILEGE_WRITE] = ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE,
	[PRIVILEGE_LIST] = 0
};

static const struct
{
	const char *action;
	Privilege	privilege;
}			permissions[] = {
#define DYN_PERMISSION(action, privilege) \
	{"dynamodb:" #action, PRIVILEGE_##privilege},
#include "operation/permission_list.h"
#undef DYN_PERMISSION
};

bool
dyn_permission_find(const char *name, DynPermission *permission)
{
	for (int i = 0; i < DYN_PERMISSION_COUNT; i++)
		if (pg_strcasecmp(permissions[i].action + strlen("dynamodb:"), name) == 0)
		{
			*permission = (DynPermission) i;
			return true;
		}
	return false;
}

typedef enum Grant
{
	GRANT_NONE,
	GRANT_PARTLY,				/* some of it; who grants the rest goes first */
	GRANT_FULLY
} Grant;

static bool
may_create(void)
{
	Oid			schema = get_namespace_oid("dynamo_data", true);

	return OidIsValid(schema) &&
		pg_namespace_aclcheck(schema, GetUserId(), ACL_CREATE) == ACLCHECK_OK;
}

/*
 * Of a table that isn't there, or whose relation has just been dropped: who may
 * make tables may know which there are not.
 */
static Grant
grant_on_table(const DynTable *table, Privilege privilege)
{
	AclMode		held;

	if (table == NULL ||
		!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table->relation)))
		return may_create() ? GRANT_FULLY : GRANT_NONE;
	if (privilege == PRIVILEGE_OWN)
		return pg_class_ownercheck(table->relation, GetUserId()) ? GRANT_FULLY : GRANT_NONE;
	held = pg_class_aclmask(table->relation, GetUserId(), modes[privilege], ACLMASK_ALL);
	if (privilege == PRIVILEGE_SEE)
		return held != 0 ? GRANT_FULLY : GRANT_NONE;
	if (held == modes[privilege])
		return GRANT_FULLY;
	return (held & ACL_SELECT) != 0 && (held & ~ACL_SELECT) != 0 ?
		GRANT_PARTLY : GRANT_NONE;
}

static Grant
grant_of(const DynAuthorization *a)
{
	Privilege	privilege = permissions[a->permission].privilege;

	switch (privilege)
	{
		case PRIVILEGE_NONE:
			return GRANT_FULLY;
		case PRIVILEGE_CREATE:
			return may_create() ? GRANT_FULLY : GRANT_NONE;
		case PRIVILEGE_STREAM:
			if (a->stream == NULL)
				return may_create() ? GRANT_FULLY : GRANT_NONE;
			return dyn_stream_is_readable(a->stream) ? GRANT_FULLY : GRANT_NONE;
		case PRIVILEGE_SEE:
			/* Of no table in particular there is nothing to see. */
			return a->name == NULL ? GRANT_FULLY : grant_on_table(a->table, privilege);
		case PRIVILEGE_LIST:
			return may_create() || dyn_table_names(NULL, 1, true) != NIL ? GRANT_PARTLY : GRANT_NONE;
		default:
			return grant_on_table(a->table, privilege);
	}
}

/* ----- what a request says, for conditions ----- */

/* How much of it may be looked at. */
typedef enum Stage
{
	STAGE_NAME,					/* who, what and where; nothing of this request */
	STAGE_REQUEST,				/* all that can be said without the table */
	STAGE_ALL
} Stage;

typedef struct Question
{
	DynAuthorization *a;
	Stage		stage;
	const char *return_values;
	DynPolicyTexts tag_keys;
	DynPrincipal sql_principal; /* a call by SQL's */

	/* Last, as most of it is left as it is.  Its texts serve other keys, too. */
	DynCaller	caller;
} Question;

static DynPolicyAnswer
answer(DynPolicyValues *values, DynPolicyText *text, const char *data, uint32 len)
{
	if (data == NULL)
		return DYN_ANSWER_ABSENT;
	text->data = data;
	text->len = len;
	values->values = text;
	values->count = 1;
	values->multivalued = false;
	return DYN_ANSWER_PRESENT;
}

static DynPolicyAnswer
answer_text(DynPolicyValues *values, DynPolicyText *text, const char *data)
{
	return answer(values, text, data, data == NULL ? 0 : strlen(data));
}

static DynPolicyAnswer
answer_list(DynPolicyValues *values, const DynPolicyTexts *list)
{
	values->values = list->texts;
	values->count = list->count;
	values->multivalued = true;
	return list->count == 0 ? DYN_ANSWER_ABSENT : DYN_ANSWER_PRESENT;
}

static DynPolicyAnswer
answer_member(const DynAuthorization *a, DynPolicyValues *values,
			  DynPolicyText *text, const char *name)
{
	const DynJson *member = a->request == NULL ? NULL :
		dyn_json_present(a->request, name);
	const char *data;
	uint32		len;

	if (member == NULL || dyn_json_kind(member) != DYN_JSON_STRING)
		return DYN_ANSWER_ABSENT;
	data = dyn_json_string(member, &len);
	return answer(values, text, data, len);
}

/* Letters of tags' keys are the same in both cases, as of all condition keys. */
static DynPolicyAnswer
answer_tag(DynPolicyValues *values, const DynPolicyText *key, const DynTag *tag)
{
	if (strlen(tag->key) != key->len ||
		pg_strncasecmp(tag->key, key->data, key->len) != 0)
		return DYN_ANSWER_ABSENT;
	return answer_text(values, palloc(sizeof(DynPolicyText)), tag->value);
}

static DynPolicyAnswer
answer_request_tag(const DynAuthorization *a, DynPolicyValues *values,
				   const DynPolicyText *key)
{
	DynPolicyAnswer result = DYN_ANSWER_ABSENT;

	for (int i = 0; i < a->ntags && result == DYN_ANSWER_ABSENT; i++)
		result = answer_tag(values, key, &a->tags[i]);
	return result;
}

static void
append_text(DynPolicyTexts *list, const char *data, uint32 len)
{
	if (list->count == list->room)
	{
		list->room = Max(8, 2 * list->room);
		list->texts = list->texts == NULL ?
			palloc(sizeof(DynPolicyText) * list->room) :
			repalloc(list->texts, sizeof(DynPolicyText) * list->room);
	}
	list->texts[list->count].data = data;
	list->texts[list->count].len = len;
	list->count++;
}

static DynPolicyAnswer
answer_tag_keys(Question *question, DynPolicyValues *values)
{
	const DynAuthorization *a = question->a;

	if (question->tag_keys.count == 0)
		for (int i = 0; i < a->ntags; i++)
			append_text(&question->tag_keys, a->tags[i].key, strlen(a->tags[i].key));
	return answer_list(values, &question->tag_keys);
}

/* The tags of the table that was asked about last, while nothing changes. */
static struct
{
	Oid			relation;
	uint64		invalidations;
	MemoryContext context;
	List	   *tags;
}			table_tags;

static List *
tags_of(const DynTable *table)
{
	MemoryContext caller;

	if (table_tags.relation == table->relation &&
		table_tags.invalidations == dyn_table_invalidations())
		return table_tags.tags;
	if (table_tags.context == NULL)
		table_tags.context = AllocSetContextCreate(CacheMemoryContext, "dynamo table tags",
												   ALLOCSET_SMALL_SIZES);
	table_tags.relation = InvalidOid;
	MemoryContextReset(table_tags.context);
	table_tags.invalidations = dyn_table_invalidations();
	caller = MemoryContextSwitchTo(table_tags.context);
	table_tags.tags = dyn_tags_list(table, NULL, DYN_MAX_TAGS);
	MemoryContextSwitchTo(caller);
	table_tags.relation = table->relation;
	return table_tags.tags;
}

static DynPolicyAnswer
answer_resource_tag(const DynAuthorization *a, DynPolicyValues *values,
					const DynPolicyText *key)
{
	DynPolicyAnswer result = DYN_ANSWER_ABSENT;
	ListCell   *cell;

	/* What is not there has no tags. */
	if (a->table == NULL)
		return DYN_ANSWER_ABSENT;
	foreach(cell, tags_of(a->table))
	{
		result = answer_tag(values, key, lfirst(cell));
		if (result == DYN_ANSWER_PRESENT)
			break;
	}
	return result;
}

/* What stays the same as long as the identity and the session do. */
static bool
is_of_identity(DynPolicyKeyKind kind)
{
	switch (kind)
	{
		case DYN_KEY_MULTI_FACTOR_AUTH_PRESENT:
		case DYN_KEY_PRINCIPAL_ACCOUNT:
		case DYN_KEY_PRINCIPAL_ARN:
		case DYN_KEY_PRINCIPAL_TAG:
		case DYN_KEY_PRINCIPAL_TYPE:
		case DYN_KEY_REQUESTED_REGION:
		case DYN_KEY_RESOURCE_ACCOUNT:
		case DYN_KEY_SOURCE_IDENTITY:
		case DYN_KEY_TOKEN_ISSUE_TIME:
		case DYN_KEY_USER_ID:
		case DYN_KEY_USER_NAME:
		case DYN_KEY_OTHER:
			return true;
		default:
			return false;
	}
}

/* What is known only once the key and the request's expressions are. */
#define LATE_KEYS \
	((UINT64CONST(1) << DYN_KEY_ATTRIBUTES) | \
	 (UINT64CONST(1) << DYN_KEY_FULL_TABLE_SCAN) | \
	 (UINT64CONST(1) << DYN_KEY_LEADING_KEYS) | \
	 (UINT64CONST(1) << DYN_KEY_FIRST_PARTITION_KEY_VALUES) | \
	 (UINT64CONST(1) << DYN_KEY_SECOND_PARTITION_KEY_VALUES) | \
	 (UINT64CONST(1) << DYN_KEY_THIRD_PARTITION_KEY_VALUES) | \
	 (UINT64CONST(1) << DYN_KEY_FOURTH_PARTITION_KEY_VALUES))

static bool
is_late(DynPolicyKeyKind kind)
{
	return (LATE_KEYS & (UINT64CONST(1) << kind)) != 0;
}

static DynPolicyAnswer
look_up(Question *question, const DynPolicyKey *key, DynPolicyValues *values)
{
	const DynAuthorization *a = question->a;
	DynPolicyText *text = &question->caller.texts[key->kind];

	if (question->stage == STAGE_NAME ? !is_of_identity(key->kind) :
		question->stage == STAGE_REQUEST && is_late(key->kind))
		return DYN_ANSWER_UNKNOWN;
	switch (key->kind)
	{
		case DYN_KEY_ATTRIBUTES:
			return answer_list(values, &a->attributes);
		case DYN_KEY_LEADING_KEYS:
			return answer_list(values, &a->keys[0]);
		case DYN_KEY_FIRST_PARTITION_KEY_VALUES:
		case DYN_KEY_SECOND_PARTITION_KEY_VALUES:
		case DYN_KEY_THIRD_PARTITION_KEY_VALUES:
		case DYN_KEY_FOURTH_PARTITION_KEY_VALUES:
			return answer_list(values, &a->keys[key->kind - DYN_KEY_FIRST_PARTITION_KEY_VALUES]);
		case DYN_KEY_ENCLOSING_OPERATION:
			return answer_text(values, text, a->enclosing_operation);
		case DYN_KEY_FULL_TABLE_SCAN:
			return answer_text(values, text, a->full_table_scan);
		case DYN_KEY_RETURN_CONSUMED_CAPACITY:
			return answer_member(a, values, text, "ReturnConsumedCapacity");
		case DYN_KEY_RETURN_VALUES:
			return answer_text(values, text, question->return_values);
		case DYN_KEY_SELECT:
			return answer_text(values, text, a->select);
		case DYN_KEY_REQUEST_TAG:
			return answer_request_tag(a, values, &key->name);
		case DYN_KEY_TAG_KEYS:
			return answer_tag_keys(question, values);
		case DYN_KEY_RESOURCE_TAG:
			return answer_resource_tag(a, values, &key->name);
		case DYN_KEY_RESOURCE_ACCOUNT:
			return answer_text(values, text, dyn_account_id);
		default:
			return dyn_caller_key(&question->caller, key, values);
	}
}

static DynPolicyAnswer
lookup(void *arg, const DynPolicyKey *key, DynPolicyValues *values)
{
	Question   *question = arg;
	DynExplanation *explanation = question->a->context->explanation;
	DynPolicyAnswer result;

	if (explanation == NULL)
		return look_up(question, key, values);
	if (!dyn_explanation_says(explanation, key, values, &result))
		result = look_up(question, key, values);
	dyn_explanation_fact(explanation, key, result, values);
	return result;
}

/* ----- the decision ----- */

typedef struct Answer
{
	DynEffect	effect;
	bool		by_policy;		/* SQL's privileges alone would not do */
	bool		partly;			/* they do, as far as they go */
	uint64		keys;			/* of all the policies that have a say */
	Grant		grant;
	DynDecision decision;
} Answer;

static const char *
resource_of(DynAuthorization *a)
{
	const char *table_arn;

	if (a->resource != NULL)
		return a->resource;
	table_arn = dyn_arn_kind(a->name, a->name_len) != DYN_ARN_NONE ?
		pnstrdup(a->name, a->name_len) :
		dyn_table_arn(pnstrdup(a->name, a->name_len));
	a->resource = a->index == NULL ? table_arn :
		psprintf("%s/index/%.*s", table_arn, (int) a->index_len, a->index);
	return a->resource;
}

static const DynNamedPolicy *
resource_policy(const DynAuthorization *a)
{
	const DynResourcePolicy *policy;

	if (a->replacement != NULL)
		return a->replacement;
	if (a->table == NULL || a->table->npolicies == 0)
		return NULL;
	policy = dyn_resource_policy(a->table, a->stream_label == NULL ? "" : a->stream_label);
	return policy == NULL ? NULL : &policy->policy;
}

static uint64
keys_of(const DynPolicySet *set)
{
	uint64		keys = 0;

	for (int i = 0; i < set->nidentity; i++)
		keys |= dyn_policy_keys(set->identity[i].policy);
	if (set->boundary != NULL)
		keys |= dyn_policy_keys(set->boundary->policy);
	if (set->session != NULL)
		keys |= dyn_policy_keys(set->session->policy);
	if (set->resource != NULL)
		keys |= dyn_policy_keys(set->resource->policy);
	return keys;
}

static void
init_question(Question *question, DynAuthorization *a, Stage stage)
{
	const DynOperationContext *context = a->context;
	DynCaller  *caller = &question->caller;

	question->a = a;
	question->stage = stage;
	question->return_values = a->return_values;
	question->tag_keys.count = question->tag_keys.room = 0;
	question->tag_keys.texts = NULL;
	question->sql_principal.access_key_id = NULL;
	question->sql_principal.role = GetUserId();
	question->sql_principal.session = NULL;
	caller->principal = context->principal != NULL ? context->principal :
		&question->sql_principal;
	caller->identity = dyn_identity(GetUserId());
	caller->source_address = context->source_address;
	caller->secure_transport = context->secure_transport;
	caller->user_agent = context->user_agent;
	caller->referer = context->referer;
}

static void
fill_context(Question *question, DynPolicyContext *context)
{
	context->action = permissions[question->a->permission].action;
	context->resource = resource_of(question->a);
	context->lookup = lookup;
	context->arg = question;
	dyn_caller_context(&question->caller, context);
}

/*
 * While policies are only tried out: what SQL's privileges grant is let through,
 * and the log says what would have been refused.  A session's own policy holds
 * all the same: its maker counts on it.
 */
static bool
let_through(const DynPolicySet *set, const DynPolicyContext *context, Grant grant,
			const DynDecision *decision)
{
	DynPolicySet bare = {.session = set->session,.granted = grant != GRANT_NONE};
	DynDecision again;

	if (dyn_policy_enforcement != DYN_POLICIES_WARN || grant == GRANT_NONE)
		return false;
	dyn_decide(&bare, context, &again);
	if (again.effect != DYN_EFFECT_ALLOW)
		return false;
	ereport(LOG,
			(errmsg("a policy would refuse: %s", dyn_decision_message(decision, context)),
			 errhint("dynamo.policy_enforcement is \"warn\".")));
	if (dyn_shared != NULL)
		pg_atomic_fetch_add_u64(&dyn_shared->metrics.policy_warnings, 1);
	return true;
}

static void
decide(Question *question, const DynPolicySet *policies, Answer *result)
{
	DynPolicySet set = *policies;
	DynPolicyContext context;
	Grant		grant = result->grant;

	fill_context(question, &context);
	set.granted = grant == GRANT_FULLY;
	dyn_decide(&set, &context, &result->decision);
	result->by_policy = !set.granted;
	result->partly = false;
	if (result->decision.effect == DYN_EFFECT_DENY && grant == GRANT_PARTLY &&
		!result->decision.is_explicit)
	{
		set.granted = true;
		dyn_decide(&set, &context, &result->decision);
		result->by_policy = false;
		result->partly = true;
	}
	if (result->decision.effect == DYN_EFFECT_DENY &&
		let_through(&set, &context, grant, &result->decision))
	{
		result->decision.effect = DYN_EFFECT_ALLOW;
		result->by_policy = false;
		result->partly = grant == GRANT_PARTLY;
	}
	result->effect = result->decision.effect;
	if (result->effect == DYN_EFFECT_DENY)
		question->a->refusal = dyn_decision_message(&result->decision, &context);
	if (question->a->context->explanation != NULL)
		dyn_explanation_note(question->a->context->explanation, &context,
							 &result->decision);
}

/*
 * The most reserved of the answers for all that the request lets be returned.
 * What can't have changed since the first stage isn't looked up again.
 */
static void
evaluate(DynAuthorization *a, Stage stage, Answer *result)
{
	Question	question;
	const DynIdentity *identity;
	DynPolicySet set = {0};

	init_question(&question, a, stage);
	identity = question.caller.identity;

	/* The account's own: policies don't bind it, but a session's does. */
	if (!identity->is_superuser)
	{
		set.nidentity = identity->npolicies;
		set.identity = identity->policies;
		set.boundary = identity->boundary;
		set.resource = resource_policy(a);
	}
	if (question.caller.principal->session != NULL)
		set.session = question.caller.principal->session->policy;
	result->keys = stage == STAGE_NAME ? keys_of(&set) : a->policy_keys;
	result->grant = stage == STAGE_NAME ? grant_of(a) : (Grant) a->grant;

	decide(&question, &set, result);
	if (result->effect == DYN_EFFECT_ALLOW && stage != STAGE_NAME &&
		a->return_old_on_failure &&
		(a->return_values == NULL || strcmp(a->return_values, "ALL_OLD") != 0) &&
		(result->keys & (UINT64CONST(1) << DYN_KEY_RETURN_VALUES)) != 0)
	{
		question.return_values = "ALL_OLD";
		decide(&question, &set, result);
	}
	if (stage == STAGE_ALL && result->effect == DYN_EFFECT_DEPENDS)
		elog(ERROR, "a policy can't be decided");
}

/* ----- answers that are kept ----- */

#define CACHE_SIZE 512			/* a power of two */

typedef struct CacheKey
{
	Oid			role;
	Oid			relation;
	uint16		permission;
	uint16		slot;			/* of the index that is read; 0: the table */
} CacheKey;

typedef struct CacheEntry
{
	CacheKey	key;
	uint64		invalidations;	/* of relations, so of privileges and tables */
	uint64		generation;		/* of identities */
	Answer		answer;			/* ALLOW or DEPENDS; 0: none */
} CacheEntry;

static CacheEntry cache[CACHE_SIZE];

/* The place for an answer, or NULL if it can't be kept. */
static CacheEntry *
cache_place(const DynAuthorization *a, CacheKey *key)
{
	const DynPrincipal *principal = a->context->principal;

	if (a->table == NULL || a->stream_label != NULL || a->replacement != NULL ||
		a->context->explanation != NULL ||
		(principal != NULL && principal->session != NULL))
		return NULL;
	key->role = GetUserId();
	key->relation = a->table->relation;
	key->permission = a->permission;
	key->slot = 0;
	if (a->index != NULL)
	{
		const DynIndex *index = dyn_table_index(a->table, a->index, a->index_len);

		if (index == NULL)
			return NULL;
		key->slot = index->slot;
	}
	return &cache[hash_bytes((const unsigned char *) key, sizeof(*key)) % CACHE_SIZE];
}

static bool
cache_holds(const CacheEntry *entry, const CacheKey *key)
{
	return entry->answer.effect != DYN_EFFECT_NONE &&
		memcmp(&entry->key, key, sizeof(*key)) == 0 &&
		entry->invalidations == dyn_table_invalidations() &&
		entry->generation == dyn_identity_generation();
}

static void
evaluate_name(DynAuthorization *a, Answer *result)
{
	CacheKey	key;
	CacheEntry *entry = cache_place(a, &key);
	uint64		invalidations;
	uint64		generation;

	if (entry != NULL && cache_holds(entry, &key))
	{
		*result = entry->answer;
		return;
	}
	invalidations = dyn_table_invalidations();
	generation = dyn_identity_generation();
	evaluate(a, STAGE_NAME, result);

	/* A refusal has to be worded anyway, and a warning to be logged. */
	if (entry == NULL || result->effect == DYN_EFFECT_DENY ||
		dyn_policy_enforcement == DYN_POLICIES_WARN)
		return;
	entry->key = key;
	entry->invalidations = invalidations;
	entry->generation = generation;
	entry->answer = *result;
	memset(&entry->answer.decision, 0, sizeof(DynDecision));
}

/* ----- acting on it ----- */

static void pg_attribute_noreturn()
raise_denied(const char *message)
{
	ereport(ERROR,
			(errcode(dyn_errcode(ACCESS_DENIED)),
			 errmsg_internal("%s", message),
			 errhint("A privilege on the table's relation or a policy can allow it; see dynamo.explain_access().")));
}

static void
refuse(const DynStorePermit *permit)
{
	const DynAuthorization *a = permit->authorization;
	DynDecision nobody = {.effect = DYN_EFFECT_DENY,.statement = -1};
	DynPolicyContext context;
	Question	question;

	init_question(&question, (DynAuthorization *) a, STAGE_ALL);
	fill_context(&question, &context);
	raise_denied(dyn_decision_message(&nobody, &context));
}

/* Let the store know what SQL's privileges would not, or not all, let through. */
static void
permit(DynAuthorization *a, const Answer *result)
{
	DynStorePermit *permit;
	AclMode		wanted = modes[permissions[a->permission].privilege];

	for (permit = dyn_store_permits; permit != NULL; permit = permit->next)
		if (permit->relation == a->table->relation)
			break;
	if (permit == NULL)
	{
		permit = palloc0(sizeof(DynStorePermit));
		permit->relation = a->table->relation;
		permit->refuse = refuse;
		permit->authorization = a;
		permit->next = dyn_store_permits;
		dyn_store_permits = permit;
	}
	if (result->by_policy)
		permit->allowed |= wanted;
	else
		permit->withheld |= wanted & ~pg_class_aclmask(a->table->relation, GetUserId(),
													   wanted, ACLMASK_ALL);
}

static Oid
owner_of(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		dyn_raise(RESOURCE_NOT_FOUND, "Requested resource not found");
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* To the end of the operation; dyn_operation_run() takes it back. */
static void
act_as(Oid role)
{
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(role, security | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
}

static void
act_on(DynAuthorization *a, const Answer *result)
{
	a->effect = result->effect;
	a->by_policy = result->by_policy;
	if (a->effect != DYN_EFFECT_ALLOW || (!a->by_policy && !result->partly) ||
		a->context->explanation != NULL)
		return;
	switch (permissions[a->permission].privilege)
	{
		case PRIVILEGE_READ:
		case PRIVILEGE_INSERT:
		case PRIVILEGE_UPDATE:
		case PRIVILEGE_DELETE:
		case PRIVILEGE_PUT:
		case PRIVILEGE_WRITE:
			if (a->table != NULL)
				permit(a, result);
			break;
		default:
			break;
	}
}

/* What the current user may not change, its owner changes for him. */
static void
change_owner(const DynAuthorization *a)
{
	Privilege	privilege = permissions[a->permission].privilege;

	if (!a->by_policy)
		return;
	if (privilege == PRIVILEGE_OWN && a->table != NULL)
		act_as(owner_of(a->table->relation));
	else if (privilege == PRIVILEGE_CREATE)
		act_as(dyn_catalog_owner());
}

static void
begin(DynAuthorization *a)
{
	Answer		result;

	evaluate_name(a, &result);
	if (result.effect == DYN_EFFECT_DEPENDS && !a->name_only)
	{
		bool		is_missing = a->name != NULL && a->table == NULL;
		bool		has_keys = a->name != NULL && (result.keys & LATE_KEYS) != 0;

		a->policy_keys = result.keys;
		a->grant = result.grant;

		if (is_missing)
			evaluate(a, STAGE_REQUEST, &result);
		else if (!has_keys)
			evaluate(a, STAGE_ALL, &result);

		/* Whom a key might have let in may know that there is no table. */
		if (is_missing && result.effect == DYN_EFFECT_DEPENDS)
			result.effect = DYN_EFFECT_ALLOW;
	}
	act_on(a, &result);
}

void
dyn_authorization_begin(DynAuthorization *a, DynOperationContext *context,
						const char *name, uint32 name_len)
{
	a->context = context;
	a->name = name;
	a->name_len = name_len;
	a->table = dyn_table_find(name, name_len);
	begin(a);
}

void
dyn_authorization_create(DynAuthorization *a, DynOperationContext *context,
						 const char *name)
{
	a->context = context;
	a->resource = dyn_table_arn(name);
	begin(a);
}

void
dyn_authorization_stream(DynAuthorization *a, DynOperationContext *context,
						 const char *table_name, const char *label,
						 const DynStreamInfo *stream)
{
	const DynTable *table = dyn_table_find(table_name, strlen(table_name));

	a->context = context;
	a->stream = stream;
	a->stream_label = label;
	a->resource = dyn_stream_arn(table_name, label);

	/* The table of that name may be another one than the stream's by now. */
	if (table != NULL && stream != NULL &&
		memcmp(&table->table_id, &stream->table_id, sizeof(pg_uuid_t)) == 0)
		a->table = table;
	begin(a);
}

void
dyn_authorization_policy(DynAuthorization *a, DynOperationContext *context,
						 const char *arn, uint32 arn_len, const DynTable *table,
						 const char *stream_label)
{
	a->context = context;
	a->name = arn;
	a->name_len = arn_len;
	a->resource = pnstrdup(arn, arn_len);
	a->table = table;
	a->stream_label = stream_label[0] == '\0' ? NULL : stream_label;
	begin(a);
}

void
dyn_authorization_account(DynAuthorization *a, DynOperationContext *context)
{
	a->context = context;
	a->resource = "*";
	begin(a);
}

void
dyn_authorization_check(const DynAuthorization *a)
{
	if (a->effect != DYN_EFFECT_DENY)
		return;
	if (a->context->explanation != NULL)
		dyn_explanation_end(a->context->explanation);
	raise_denied(a->refusal);
}

void
dyn_authorization_decide(DynAuthorization *a)
{
	Answer		result;

	if (a->effect != DYN_EFFECT_DEPENDS)
		return;
	evaluate(a, STAGE_ALL, &result);
	act_on(a, &result);
}

void
dyn_authorization_end(const DynOperationContext *context)
{
	if (context->explanation != NULL)
		dyn_explanation_end(context->explanation);
}

void
dyn_authorization_finish(DynAuthorization *a)
{
	dyn_authorization_decide(a);
	dyn_authorization_check(a);
	dyn_authorization_end(a->context);
	change_owner(a);
}

/* ----- what it depends on ----- */

void
dyn_authorization_key(DynAuthorization *a, int part, const DynValue *value)
{
	StringInfoData text;
	char	   *encoded;

	switch (value->type)
	{
		case DYN_TYPE_N:
			initStringInfo(&text);
			dyn_number_write(&text, value->data, value->size);
			append_text(&a->keys[part], text.data, text.len);
			break;
		case DYN_TYPE_B:
			encoded = palloc(pg_b64_enc_len(value->size));
			append_text(&a->keys[part], encoded,
						pg_b64_encode(value->data, value->size, encoded,
									  pg_b64_enc_len(value->size)));
			break;
		default:
			append_text(&a->keys[part], value->data, value->size);
			break;
	}
}

void
dyn_authorization_name(DynAuthorization *a, const char *name, uint32 len)
{
	append_text(&a->attributes, name, len);
}

void
dyn_authorization_item(DynAuthorization *a, const DynItem *item)
{
	DynValue	map = dyn_item_value(item);

	for (uint32 i = 0; i < dyn_value_count(&map); i++)
	{
		const char *name;
		uint32		len;
		DynValue	value;

		dyn_map_entry(&map, i, &name, &len, &value);
		append_text(&a->attributes, name, len);
	}
}

static void
name_path(const DynDocumentPath *path, void *arg)
{
	append_text(&((DynAuthorization *) arg)->attributes, path->steps[0].name,
				path->steps[0].name_len);
}

void
dyn_authorization_condition(DynAuthorization *a, const DynCondition *condition)
{
	if (condition != NULL)
		dyn_condition_visit_paths(condition, name_path, a);
}

void
dyn_authorization_projection(DynAuthorization *a, const DynProjection *projection)
{
	if (projection != NULL)
		dyn_projection_visit_paths(projection, name_path, a);
}

void
dyn_authorization_update(DynAuthorization *a, const DynUpdate *update)
{
	if (update == NULL)
		return;
	dyn_update_visit_targets(update, name_path, a);
	dyn_update_visit_operands(update, name_path, a);
}

void
dyn_authorization_get(DynAuthorization *a, const DynKey *key,
					  const DynItem *argument, const DynProjection *projection)
{
	if (!dyn_authorization_depends(a))
		return;
	dyn_authorization_key(a, 0, &key->partition);
	dyn_authorization_item(a, argument);
	dyn_authorization_projection(a, projection);
}
