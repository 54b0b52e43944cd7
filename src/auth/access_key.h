/*-------------------------------------------------------------------------
 *
 * access_key.h
 *		Access keys: who may sign requests, and the role each acts as.
 *
 * They lie in table dynamo.access_keys, which no ordinary role can read; the
 * functions dynamo.create_access_key() and its kin are the way to it.
 *
 * src/auth/access_key.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_ACCESS_KEY_H
#define DYN_ACCESS_KEY_H

/* As in IAM: 16 to 128 word characters; ours have 20. */
#define DYN_MAX_ACCESS_KEY_ID	128
#define DYN_ACCESS_KEY_ID_LENGTH	20
#define DYN_SECRET_ACCESS_KEY_LENGTH	40

typedef struct DynAccessKey
{
	Oid			role;
	char	   *secret;			/* NUL-terminated, in CurrentMemoryContext */
	int64		valid_until;	/* Unix seconds */
} DynAccessKey;

/*
 * Read an access key from the catalog.  Returns false if there is no such key,
 * it is disabled, or its role is gone.  Needs a transaction.
 */
extern bool dyn_access_key_find(const char *id, uint32 id_len,
								DynAccessKey *key);

/*
 * Fill text with random characters of A-Z2-7, of which ids consist; adds a NUL.
 */
extern void dyn_random_id(char *text, int len);

#endif							/* DYN_ACCESS_KEY_H */
