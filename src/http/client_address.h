/*-------------------------------------------------------------------------
 *
 * client_address.h
 *		What clients at one address do, counted over all workers.
 *
 * An address is one of IPv4, or a /64 of IPv6: that is what one customer of a
 * provider has, with more addresses in it than there are connections.
 *
 * src/http/client_address.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CLIENT_ADDRESS_H
#define DYN_CLIENT_ADDRESS_H

#include <netinet/in.h>

#include "storage/lwlock.h"

/* 0: none, not counted. */
typedef uint64 DynAddressKey;

extern DynAddressKey dyn_address_key_v4(const struct in_addr *address);
extern DynAddressKey dyn_address_key_v6(const struct in6_addr *address);

/*
 * Count a connection.  Returns false if the address has max (0: no limit) already;
 * it is counted all the same, and dyn_address_disconnected() has to be called.
 * *key is set to 0 if there is no room to count it, which is no reason to refuse
 * it.  *slow: the address has had too many failures lately.
 */
extern bool dyn_address_connected(DynAddressKey *key, int max, int64 now,
								  bool *slow);
extern void dyn_address_disconnected(DynAddressKey key, int64 now);

/*
 * Count a failure.  Returns true if the address has had more than so many a
 * minute.  now: ms of the monotonic clock, here and above.
 */
extern bool dyn_address_failed(DynAddressKey key, int per_minute, int64 now);

/* For http_shared.c, which has the memory. */
extern Size dyn_client_address_size(void);
extern void dyn_client_address_init(LWLock *its_lock);

#endif							/* DYN_CLIENT_ADDRESS_H */
