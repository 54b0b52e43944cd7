/*-------------------------------------------------------------------------
 *
 * key_use.h
 *		When each access key was last used, and for what.
 *
 * Noted in shared memory by whoever verifies a signature, written to table
 * dynamo_internal.access_key_uses now and then by a background job.
 *
 * src/auth/key_use.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_KEY_USE_H
#define DYN_KEY_USE_H

typedef struct DynKeyUse DynKeyUse;

/* Called from _PG_init under shared_preload_libraries. */
extern void dyn_key_use_request_memory(void);

/*
 * The place of a key, which is its for at least a day after the last use.
 * now: Unix seconds.
 */
extern DynKeyUse *dyn_key_use_find(const char *id, uint32 id_len, int64 now);

/*
 * The key is used.  scope: a number that stands for the region and the service;
 * while it stays the same this costs two reads, and one write in a second.
 */
extern void dyn_key_use_note(DynKeyUse *use, uint32 scope,
							 const char *region, uint32 region_len,
							 const char *service, uint32 service_len,
							 int64 now);

/*
 * Write down what has been noted, and delete what dropped roles have left
 * behind.  Needs a transaction and a superuser.
 */
extern void dyn_auth_upkeep(void);

#endif							/* DYN_KEY_USE_H */
