/*-------------------------------------------------------------------------
 *
 * key_use.c
 *		When each access key was last used, and for what.
 *
 * A place belongs to a key from its first use on.  When all are taken, one is
 * given away that was not used for two days: a cached signer, which knows its
 * place, is good for one day's signatures only.  If there is none, the use of
 * the key is not noted.
 *
 * src/auth/key_use.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "auth/access_key.h"
#include "auth/auth_catalog.h"
#include "auth/key_use.h"

#define PLACES			1024
#define UNUSED_SECONDS	(2 * SECS_PER_DAY)
#define MAX_SCOPE_PART	64

struct DynKeyUse
{
	pg_atomic_uint64 used;		/* Unix seconds */
	pg_atomic_uint32 scope;

	/* Under the lock. */
	uint64		written;		/* what of used is in the table */
	char		id[DYN_MAX_ACCESS_KEY_ID + 1];	/* "": free */
	char		region[MAX_SCOPE_PART + 1];
	char		service[MAX_SCOPE_PART + 1];
};

typedef struct KeyUses
{
	LWLock		lock;
	DynKeyUse	uses[PLACES];
} KeyUses;

static KeyUses *shared = NULL;	/* NULL: not preloaded */
static DynKeyUse nowhere;		/* for keys there was no place for */

static shmem_request_hook_type previous_shmem_request_hook;
static shmem_startup_hook_type previous_shmem_startup_hook;

static void
request_memory(void)
{
	if (previous_shmem_request_hook)
		previous_shmem_request_hook();
	RequestAddinShmemSpace(sizeof(KeyUses));
}

static void
startup(void)
{
	bool		found;

	if (previous_shmem_startup_hook)
		previous_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("dynamo key uses", sizeof(KeyUses), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(KeyUses));
		LWLockInitialize(&shared->lock, LWLockNewTrancheId());
		for (int i = 0; i < PLACES; i++)
		{
			pg_atomic_init_u64(&shared->uses[i].used, 0);
			pg_atomic_init_u32(&shared->uses[i].scope, 0);
		}
	}
	LWLockRelease(AddinShmemInitLock);
	LWLockRegisterTranche(shared->lock.tranche, "DynamoKeyUses");
}

void
dyn_key_use_request_memory(void)
{
	previous_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup;
}

DynKeyUse *
dyn_key_use_find(const char *id, uint32 id_len, int64 now)
{
	DynKeyUse  *found = NULL;

	Assert(id_len <= DYN_MAX_ACCESS_KEY_ID);
	if (shared == NULL)
		return &nowhere;
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < PLACES; i++)
	{
		DynKeyUse  *use = &shared->uses[i];

		if (strlen(use->id) == id_len && memcmp(use->id, id, id_len) == 0)
		{
			found = use;
			break;
		}
		if (found == NULL &&
			(use->id[0] == '\0' ||
			 (int64) pg_atomic_read_u64(&use->used) < now - UNUSED_SECONDS))
			found = use;
	}
	if (found != NULL &&
		(strlen(found->id) != id_len || memcmp(found->id, id, id_len) != 0))
	{
		memcpy(found->id, id, id_len);
		found->id[id_len] = '\0';
		found->written = 0;
		pg_atomic_write_u32(&found->scope, 0);
		pg_atomic_write_u64(&found->used, now);
	}
	LWLockRelease(&shared->lock);
	return found != NULL ? found : &nowhere;
}

static void
copy_part(char *to, const char *from, uint32 len)
{
	len = Min(len, MAX_SCOPE_PART);
	memcpy(to, from, len);
	to[len] = '\0';
}

void
dyn_key_use_note(DynKeyUse *use, uint32 scope,
				 const char *region, uint32 region_len,
				 const char *service, uint32 service_len, int64 now)
{
	if (use == &nowhere)
		return;
	if (pg_atomic_read_u32(&use->scope) != scope)
	{
		LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
		copy_part(use->region, region, region_len);
		copy_part(use->service, service, service_len);
		pg_atomic_write_u32(&use->scope, scope);
		LWLockRelease(&shared->lock);
	}
	if ((int64) pg_atomic_read_u64(&use->used) < now)
		pg_atomic_write_u64(&use->used, now);
}

/* Write one place down, if there is something new. */
static void
write_use(DynKeyUse *place)
{
	Oid			types[4] = {TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID};
	Datum		values[4];
	DynKeyUse	use;
	uint64		used;

	LWLockAcquire(&shared->lock, LW_SHARED);
	use = *place;
	LWLockRelease(&shared->lock);
	used = pg_atomic_read_u64(&use.used);
	/* Between taking the place and noting the first use it has no region. */
	if (use.id[0] == '\0' || use.region[0] == '\0' || used <= use.written)
		return;

	values[0] = CStringGetTextDatum(use.id);
	values[1] = TimestampTzGetDatum(time_t_to_timestamptz((pg_time_t) used));
	values[2] = CStringGetTextDatum(use.region);
	values[3] = CStringGetTextDatum(use.service);
	dyn_auth_execute("INSERT INTO dynamo_internal.access_key_uses AS u"
					 " SELECT access_key_id, $2, $3, $4 FROM dynamo.access_keys"
					 " WHERE access_key_id = $1 FOR KEY SHARE"
					 " ON CONFLICT (access_key_id) DO UPDATE"
					 " SET last_used_at = $2, region = $3, service = $4"
					 " WHERE u.last_used_at < $2", 4, types, values, NULL);
	/* If this does not commit, the next use is written again. */
	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	if (strcmp(place->id, use.id) == 0)
		place->written = used;
	LWLockRelease(&shared->lock);
}

/* A role that is gone means nobody; its OID may be somebody else's one day. */
static void
forget_dropped_roles(void)
{
	static const char *const tables[] = {
		"attached_policies", "principals", "access_keys"
	};

	for (int i = 0; i < lengthof(tables); i++)
		dyn_auth_execute(psprintf("DELETE FROM dynamo.%s WHERE role::oid NOT IN"
								  " (SELECT oid FROM pg_catalog.pg_authid)",
								  tables[i]), 0, NULL, NULL, NULL);
}

void
dyn_auth_upkeep(void)
{
	Relation	relation = dyn_auth_open(DYN_ACCESS_KEYS, AccessShareLock);

	if (relation == NULL)
		return;					/* the extension is not here */
	relation_close(relation, NoLock);
	forget_dropped_roles();
	for (int i = 0; shared != NULL && i < PLACES; i++)
		write_use(&shared->uses[i]);
}
