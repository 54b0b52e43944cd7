/*-------------------------------------------------------------------------
 *
 * http_shared.c
 *		What the HTTP workers share in PostgreSQL's shared memory.
 *
 * Not the listening sockets' state, which has to live through a restart after a
 * crash (see http_listener.c); this must not: nobody knows then which of a dead
 * worker's connections were counted.
 *
 * src/http/http_shared.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "http/client_address.h"
#include "http/http_shared.h"
#include "http/tls.h"

typedef struct HttpShared
{
	LWLock		address_lock;	/* for the table of client_address.c */
	LWLock		lock;			/* for ticket_key and its time */
	pg_atomic_uint32 ticket_generation; /* 0: there is none yet */
	pg_atomic_uint64 ticket_until;	/* ms of the monotonic clock */
	unsigned char ticket_key[DYN_HTTP_TICKET_KEY_SIZE];
} HttpShared;

static HttpShared *shared = NULL;

static shmem_request_hook_type previous_shmem_request_hook;
static shmem_startup_hook_type previous_shmem_startup_hook;

static void
request_memory(void)
{
	if (previous_shmem_request_hook)
		previous_shmem_request_hook();
	RequestAddinShmemSpace(sizeof(HttpShared));
	RequestAddinShmemSpace(dyn_client_address_size());
}

static void
startup(void)
{
	bool		found;

	if (previous_shmem_startup_hook)
		previous_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("dynamo HTTP", sizeof(HttpShared), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(HttpShared));
		LWLockInitialize(&shared->lock, LWLockNewTrancheId());
		LWLockInitialize(&shared->address_lock, shared->lock.tranche);
		pg_atomic_init_u32(&shared->ticket_generation, 0);
		pg_atomic_init_u64(&shared->ticket_until, 0);
	}
	dyn_client_address_init(&shared->address_lock);
	LWLockRelease(AddinShmemInitLock);
	LWLockRegisterTranche(shared->lock.tranche, "dynamo HTTP");
}

void
dyn_http_shared_request(void)
{
	previous_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup;
}

int64
dyn_http_ticket_key(int64 now, uint32 have, unsigned char *key,
					uint32 *generation)
{
	int64		until = pg_atomic_read_u64(&shared->ticket_until);

	*generation = pg_atomic_read_u32(&shared->ticket_generation);
	if (now < until && *generation == have)
		return until;

	LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
	/* Another worker may have been first. */
	until = pg_atomic_read_u64(&shared->ticket_until);
	*generation = pg_atomic_read_u32(&shared->ticket_generation);
	if (now >= until &&
		pg_strong_random(shared->ticket_key, DYN_HTTP_TICKET_KEY_SIZE))
	{
		until = now + DYN_TLS_TICKET_PERIOD;
		*generation = *generation == PG_UINT32_MAX ? 1 : *generation + 1;
		pg_atomic_write_u64(&shared->ticket_until, until);
		pg_atomic_write_u32(&shared->ticket_generation, *generation);
	}
	memcpy(key, shared->ticket_key, DYN_HTTP_TICKET_KEY_SIZE);
	LWLockRelease(&shared->lock);
	/* Without random numbers the old key stays; not for long. */
	return Max(until, now + 1000);
}
