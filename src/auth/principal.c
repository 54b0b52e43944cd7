/*-------------------------------------------------------------------------
 *
 * principal.c
 *		Who asks: a PostgreSQL role, with IAM's policies attached to it.
 *
 * Identities are kept in a context of their own, which is left behind when
 * anything they depend on has changed; it goes when the transaction in which
 * somebody may still hold one of them is over.
 *
 * A policy that does not parse (somebody has written to the table past the
 * functions) makes the identity an error: leaving it out might leave out a
 * denial.
 *
 * src/auth/principal.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "common/string.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "auth/auth_catalog.h"
#include "auth/principal.h"
#include "auth/principal_settings.h"
#include "base/compat.h"
#include "base/json.h"
#include "base/settings.h"

typedef struct CachedIdentity
{
	Oid			role;			/* hash key */
	DynIdentity *identity;
} CachedIdentity;

static MemoryContext identities_context = NULL;
static HTAB *identities = NULL;
static uint64 identities_generation = 0;

/* Left behind, and the transaction that may still look at it. */
static MemoryContext left_behind = NULL;
static LocalTransactionId left_behind_in = InvalidLocalTransactionId;

/*---- one role's row of table principals ----*/

#define PRINCIPAL_BOUNDARY	2
#define PRINCIPAL_TRUST		3
#define PRINCIPAL_DURATION	4
#define PRINCIPAL_TAGS		5
#define PRINCIPAL_REVOKED	6

static char *
text_of(Datum value, bool isnull)
{
	return isnull ? NULL : dyn_auth_text(value);
}

static void
read_settings(void *arg, const Datum *values, const bool *nulls)
{
	DynPrincipalSettings *settings = arg;

	settings->boundary = text_of(values[PRINCIPAL_BOUNDARY - 1],
								 nulls[PRINCIPAL_BOUNDARY - 1]);
	settings->trust_policy = text_of(values[PRINCIPAL_TRUST - 1],
									 nulls[PRINCIPAL_TRUST - 1]);
	settings->max_session_duration = DatumGetInt32(values[PRINCIPAL_DURATION - 1]);
	if (!nulls[PRINCIPAL_TAGS - 1])
	{
		Jsonb	   *tags = DatumGetJsonbP(values[PRINCIPAL_TAGS - 1]);

		settings->tags = JsonbToCString(NULL, &tags->root, VARSIZE(tags));
		settings->tags = pg_server_to_any(settings->tags,
										  strlen(settings->tags), PG_UTF8);
	}
	if (!nulls[PRINCIPAL_REVOKED - 1])
		settings->sessions_revoked =
			DatumGetTimestampTz(values[PRINCIPAL_REVOKED - 1]);
}

void
dyn_principal_settings(Oid role, DynPrincipalSettings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->max_session_duration = DYN_DEFAULT_SESSION_DURATION;
	settings->sessions_revoked = DT_NOBEGIN;
	dyn_auth_scan(DYN_PRINCIPALS, F_OIDEQ, ObjectIdGetDatum(role),
				  read_settings, settings);
}

/*---- building an identity; in its memory ----*/

typedef struct Builder
{
	DynIdentity *identity;
	DynNamedPolicy *policies;
	int			room;
	const char *attached_to;	/* the role being looked at */
} Builder;

static void
read_document(void *arg, const Datum *values, const bool *nulls)
{
	*(char **) arg = dyn_auth_text(values[1]);
}

char *
dyn_policy_document(const char *name)
{
	char	   *document = NULL;

	/* Names have nothing else. */
	if (!pg_is_ascii(name))
		return NULL;
	dyn_auth_scan(DYN_POLICIES, F_TEXTEQ, CStringGetTextDatum(name),
				  read_document, &document);
	return document;
}

static void
load_policy(const char *name, const char *attached_to, DynNamedPolicy *policy)
{
	char	   *document = dyn_policy_document(name);
	const char *problem;

	/* A foreign key prevents that, unless somebody has switched it off. */
	if (document == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("policy \"%s\" does not exist", name)));
	policy->name = pstrdup(name);
	policy->attached_to = attached_to;
	policy->policy = dyn_policy_parse(document, strlen(document),
									  DYN_POLICY_IDENTITY, &problem);
	if (policy->policy == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("policy \"%s\" is malformed: %s", name, problem)));
	pfree(document);
}

static void
add_policy(void *arg, const Datum *values, const bool *nulls)
{
	Builder    *builder = arg;
	DynIdentity *identity = builder->identity;
	char	   *name = TextDatumGetCString(values[1]);

	/* Attached to two of the roles it is asked once. */
	for (int i = 0; i < identity->npolicies; i++)
		if (strcmp(builder->policies[i].name, name) == 0)
			return;
	if (identity->npolicies == builder->room)
	{
		builder->room = Max(8, builder->room * 2);
		builder->policies = builder->policies == NULL ?
			palloc(sizeof(DynNamedPolicy) * builder->room) :
			repalloc(builder->policies,
					 sizeof(DynNamedPolicy) * builder->room);
	}
	load_policy(name, builder->attached_to,
				&builder->policies[identity->npolicies]);
	identity->npolicies++;
}

/*
 * The role itself and the roles whose privileges it inherits.  Superusers have
 * everybody's privileges, but belong only where they were put.
 */
static List *
inherited_roles(Oid role)
{
	List	   *roles = list_make1_oid(role);
	ListCell   *cell;

	foreach(cell, roles)
	{
		Oid			member = lfirst_oid(cell);
		HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(member));
		bool		inherits;
		CatCList   *memberships;

		if (!HeapTupleIsValid(tuple))
			continue;
		inherits = ((Form_pg_authid) GETSTRUCT(tuple))->rolinherit;
		ReleaseSysCache(tuple);
		memberships = SearchSysCacheList1(AUTHMEMMEMROLE,
										  ObjectIdGetDatum(member));
		for (int i = 0; i < memberships->n_members; i++)
		{
			Form_pg_auth_members membership = (Form_pg_auth_members)
			GETSTRUCT(&memberships->members[i]->tuple);

			if (dyn_membership_inherits(membership, inherits))
				roles = list_append_unique_oid(roles, membership->roleid);
		}
		ReleaseSysCacheList(memberships);
	}
	return roles;
}

static void
load_policies(DynIdentity *identity)
{
	Builder		builder = {.identity = identity};
	List	   *roles = inherited_roles(identity->role);
	ListCell   *cell;

	foreach(cell, roles)
	{
		Oid			role = lfirst_oid(cell);

		/* Gone meanwhile: the next look shows it. */
		builder.attached_to = dyn_role_name(role);
		if (builder.attached_to == NULL)
			continue;
		dyn_auth_scan(DYN_ATTACHED_POLICIES, F_OIDEQ, ObjectIdGetDatum(role),
					  add_policy, &builder);
	}
	list_free(roles);
	identity->policies = builder.policies;
}

static DynPolicyText
text_node(const char *bytes, uint32 len)
{
	return (DynPolicyText) {bytes, len};
}

static void
load_tags(DynIdentity *identity, const char *text)
{
	DynJson    *object = dyn_json_parse(text, strlen(text));
	DynPrincipalTag *tags;

	if (object == NULL || dyn_json_kind(object) != DYN_JSON_OBJECT)
		elog(ERROR, "tags of role \"%s\" are no object", identity->name);
	tags = palloc(sizeof(DynPrincipalTag) * Max(1, dyn_json_count(object)));
	for (const DynJson *node = dyn_json_first(object); node != NULL;
		 node = dyn_json_next(node))
	{
		DynPrincipalTag *tag = &tags[identity->ntags];
		uint32		len;
		const char *bytes = dyn_json_name(node, &len);

		tag->key = text_node(bytes, len);
		if (dyn_json_kind(node) != DYN_JSON_STRING)
			elog(ERROR, "tag of role \"%s\" is no string", identity->name);
		bytes = dyn_json_string(node, &len);
		tag->value = text_node(bytes, len);
		identity->ntags++;
	}
	identity->tags = tags;
}

char *
dyn_role_name(Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	return name != NULL ? pg_server_to_any(name, strlen(name), PG_UTF8) : NULL;
}

char *
dyn_principal_id(Oid role, bool is_role)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char		id[] = "AIDAAAAAAAAAAAAAAAAAA";

	if (is_role)
		id[1] = 'R', id[2] = 'O';
	for (int i = strlen(id) - 1; role != 0; i--, role >>= 5)
		id[i] = digits[role & 31];
	return pstrdup(id);
}

static DynIdentity *
build_identity(Oid role)
{
	DynIdentity *identity = palloc0(sizeof(DynIdentity));
	DynPrincipalSettings settings;

	identity->role = role;
	identity->name = dyn_role_name(role);
	if (identity->name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u does not exist", role)));
	identity->is_superuser = superuser_arg(role);
	dyn_principal_settings(role, &settings);
	identity->is_role = settings.trust_policy != NULL;
	identity->arn = psprintf("arn:aws:iam::%s:%s/%s", dyn_account_id,
							 identity->is_role ? "role" : "user",
							 identity->name);
	identity->user_id = dyn_principal_id(role, identity->is_role);
	load_policies(identity);
	if (settings.boundary != NULL)
	{
		DynNamedPolicy *boundary = palloc(sizeof(DynNamedPolicy));

		load_policy(settings.boundary, identity->name, boundary);
		identity->boundary = boundary;
	}
	if (settings.tags != NULL)
		load_tags(identity, settings.tags);
	return identity;
}

/*---- interface ----*/

uint64
dyn_identity_generation(void)
{
	return dyn_auth_generation();
}

static void
forget_identities(void)
{
	LocalTransactionId transaction = dyn_local_transaction_id();

	if (left_behind != NULL && left_behind_in != transaction)
	{
		MemoryContextDelete(left_behind);
		left_behind = NULL;
	}
	if (identities != NULL && identities_generation == dyn_auth_generation())
		return;
	if (identities != NULL)
	{
		if (left_behind != NULL)
			MemoryContextSetParent(identities_context, left_behind);
		else
			left_behind = identities_context;
		left_behind_in = transaction;
		identities = NULL;
	}
}

/* An empty cache that is as new as the catalogs are now. */
static void
make_cache(void)
{
	HASHCTL		control = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(CachedIdentity)
	};

	identities_context = AllocSetContextCreate(CacheMemoryContext,
											   "dynamo identities",
											   ALLOCSET_DEFAULT_SIZES);
	control.hcxt = identities_context;
	identities_generation = dyn_auth_generation();
	identities = hash_create("dynamo identities", 32, &control,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

const DynIdentity *
dyn_identity(Oid role)
{
	CachedIdentity *cached;
	MemoryContext context;
	MemoryContext old_context;
	DynIdentity *identity;

	Assert(IsTransactionState());
	forget_identities();
	if (identities == NULL)
		make_cache();
	cached = hash_search(identities, &role, HASH_FIND, NULL);
	if (cached != NULL)
		return cached->identity;

	/*
	 * Reading may take in a change: what is built then is at least as new as
	 * the generation it goes by, and forgotten at the next look.
	 */
	context = AllocSetContextCreate(CurrentMemoryContext, "dynamo identity",
									ALLOCSET_SMALL_SIZES);
	old_context = MemoryContextSwitchTo(context);
	identity = build_identity(role);
	MemoryContextSwitchTo(old_context);
	MemoryContextSetParent(context, identities_context);
	cached = hash_search(identities, &role, HASH_ENTER, NULL);
	cached->identity = identity;
	return identity;
}
