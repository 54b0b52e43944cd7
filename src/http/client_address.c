/*-------------------------------------------------------------------------
 *
 * client_address.c
 *		What clients at one address do, counted over all workers.
 *
 * A hash table in shared memory with room for MAX_ADDRESSES.  When that is full,
 * entries that say nothing any more go; if there are none, new addresses are not
 * counted: dynamo.max_connections still bounds them all.
 *
 * Failures leak out of a bucket: due says when the last of them will have been
 * worked off, at so many a minute.  An address whose bucket holds more than a
 * minute's worth is slow, and never for more than a minute after the last failure.
 *
 * src/http/client_address.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/hsearch.h"

#include "http/client_address.h"
#include "http/http_private.h"
#include "http/http_shared.h"

#define MAX_ADDRESSES	16384
#define BUCKET			(60 * 1000) /* ms */
#define SWEEP_PAUSE		1000	/* ms between two attempts to find room */

/* IPv6's multicast addresses, which no client has, stand for IPv4's. */
#define V4_PREFIX		UINT64CONST(0xffffffff00000000)

typedef struct Address
{
	DynAddressKey key;
	int32		connections;
	int64		due;			/* ms of the monotonic clock */
} Address;

static HTAB *addresses = NULL;
static LWLock *lock;
static int64 swept;				/* when this process last looked for room */

Size
dyn_client_address_size(void)
{
	return hash_estimate_size(MAX_ADDRESSES, sizeof(Address));
}

void
dyn_client_address_init(LWLock *its_lock)
{
	HASHCTL		control = {
		.keysize = sizeof(DynAddressKey),.entrysize = sizeof(Address)
	};

	lock = its_lock;
	addresses = ShmemInitHash("dynamo client addresses", MAX_ADDRESSES,
							  MAX_ADDRESSES, &control,
							  HASH_ELEM | HASH_BLOBS | HASH_FIXED_SIZE);
}

DynAddressKey
dyn_address_key_v4(const struct in_addr *address)
{
	return V4_PREFIX | ntohl(address->s_addr);
}

DynAddressKey
dyn_address_key_v6(const struct in6_addr *address)
{
	uint64		key = 0;

	for (int i = 0; i < 8; i++)
		key = key << 8 | address->s6_addr[i];
	/* ::1 */
	return key == 0 ? 1 : key;
}

static bool
is_slow(const Address *address, int64 now)
{
	return address->due - now > BUCKET;
}

/* Has the address no connection, and nothing to work off? */
static bool
is_forgotten(const Address *address, int64 now)
{
	return address->connections == 0 && address->due <= now;
}

static void
forget(Address *address)
{
	(void) hash_search(addresses, &address->key, HASH_REMOVE, NULL);
}

/* Make room.  The lock is held. */
static void
sweep(int64 now)
{
	HASH_SEQ_STATUS scan;
	Address    *address;

	if (now - swept < SWEEP_PAUSE)
		return;
	swept = now;
	hash_seq_init(&scan, addresses);
	while ((address = hash_seq_search(&scan)) != NULL)
		if (is_forgotten(address, now))
			forget(address);
}

/* Find or make the entry of a key; NULL if there is no room.  The lock is held. */
static Address *
enter(DynAddressKey key, int64 now)
{
	bool		found;
	Address    *address = hash_search(addresses, &key, HASH_ENTER_NULL, &found);

	if (address == NULL)
	{
		sweep(now);
		address = hash_search(addresses, &key, HASH_ENTER_NULL, &found);
	}
	if (address != NULL && !found)
	{
		address->connections = 0;
		address->due = 0;
	}
	return address;
}

bool
dyn_address_connected(DynAddressKey *key, int max, int64 now, bool *slow)
{
	Address    *address;
	bool		allowed = true;

	*slow = false;
	if (*key == 0)
		return true;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	address = enter(*key, now);
	if (address == NULL)
		*key = 0;
	else
	{
		address->connections++;
		allowed = max == 0 || address->connections <= max;
		*slow = is_slow(address, now);
	}
	LWLockRelease(lock);
	return allowed;
}

void
dyn_address_disconnected(DynAddressKey key, int64 now)
{
	Address    *address;

	if (key == 0)
		return;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	address = hash_search(addresses, &key, HASH_FIND, NULL);
	if (address != NULL)
	{
		address->connections--;
		if (is_forgotten(address, now))
			forget(address);
	}
	LWLockRelease(lock);
}

bool
dyn_address_failed(DynAddressKey key, int per_minute, int64 now)
{
	Address    *address;
	bool		slow = false;

	if (key == 0 || per_minute == 0)
		return false;
	LWLockAcquire(lock, LW_EXCLUSIVE);
	address = enter(key, now);
	if (address != NULL)
	{
		address->due = Max(address->due, now) + BUCKET / per_minute;
		address->due = Min(address->due, now + 2 * BUCKET);
		slow = is_slow(address, now);
	}
	LWLockRelease(lock);
	return slow;
}

DynHttpAddress *
dyn_http_addresses(int *n)
{
	int64		now = dyn_http_now();
	DynHttpAddress *found = palloc(sizeof(DynHttpAddress) * MAX_ADDRESSES);
	HASH_SEQ_STATUS scan;
	Address    *address;

	*n = 0;
	if (addresses == NULL)
		return found;
	LWLockAcquire(lock, LW_SHARED);
	hash_seq_init(&scan, addresses);
	while ((address = hash_seq_search(&scan)) != NULL)
	{
		DynHttpAddress *one = &found[*n];
		unsigned char bytes[sizeof(struct in6_addr)] = {0};

		if (is_forgotten(address, now))
			continue;
		if ((address->key & V4_PREFIX) == V4_PREFIX)
		{
			uint32		v4 = htonl((uint32) address->key);

			(void) inet_ntop(AF_INET, &v4, one->address, sizeof(one->address));
		}
		else
		{
			uint64		prefix = address->key == 1 ? 0 : address->key;

			for (int i = 0; i < 8; i++)
				bytes[i] = prefix >> (56 - 8 * i);
			(void) inet_ntop(AF_INET6, bytes, one->address,
							 sizeof(one->address) - 3);
			strcat(one->address, "/64");
		}
		one->connections = address->connections;
		one->slow = is_slow(address, now);
		(*n)++;
	}
	LWLockRelease(lock);
	return found;
}
