/*-------------------------------------------------------------------------
 *
 * data_key.h
 *		The keys that items are sealed with, one table's each.
 *
 * A data key is 32 random bytes, stored in dynamo.data_keys wrapped by a master
 * key: AES-256-GCM, authenticated together with what the row says of it.  It is
 * known by a random number, so that the keys of two databases can be brought
 * together.  A table has one for what is written now, and those before, which
 * are its older generations.
 *
 * src/encryption/data_key.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_DATA_KEY_H
#define DYN_DATA_KEY_H

#include <openssl/evp.h>

#include "utils/uuid.h"

#include "encryption/master_key.h"

/* Nonce, ciphertext, tag. */
#define DYN_WRAPPED_KEY_SIZE (12 + DYN_KEY_SIZE + 16)

/* What a row of dynamo.data_keys says of a key, but for the key. */
typedef struct DynDataKeyName
{
	int64		id;
	pg_uuid_t	table_id;
	int32		generation;
} DynDataKeyName;

/* What is authenticated with each item: the head of the sealed form, and the name. */
#define DYN_SEAL_NAME_SIZE (UUID_LEN + sizeof(int32))

/* A key that can be used; belongs to the cache. */
typedef struct DynDataKey
{
	int64		id;				/* hash key */
	DynDataKeyName name;
	unsigned char name_bytes[DYN_SEAL_NAME_SIZE];
	EVP_CIPHER_CTX *seal;		/* these have the key, and nothing else has */
	EVP_CIPHER_CTX *open;
} DynDataKey;

/*
 * A data key, valid until the next call.  Raises ERRCODE_DATA_CORRUPTED if there
 * is none of that id, and ValidationException, as the service does of a disabled
 * key, if its master key is not to be had.
 */
extern DynDataKey *dyn_data_key_get(int64 id);

/* The id of the master key it is wrapped with, palloc'd; *accessible: it is to be had. */
extern char *dyn_data_key_master(int64 id, bool *accessible);

/* Which table it belongs to; false if there is no such key. */
extern bool dyn_data_key_table(int64 id, pg_uuid_t *table_id);

/* A new one, random, wrapped. */
extern void dyn_data_key_make(const DynDataKeyName *name, const DynMasterKey *master,
							  unsigned char *wrapped);

/* A number that no other data key has. */
extern int64 dyn_data_key_new_id(void);

/* Raise what the service says of a key that is not to be had. */
extern void dyn_master_key_refuse(const char *id, const char *hint) pg_attribute_noreturn();

/* "arn:aws:kms:<region>:<account>:key/<id>" in CurrentMemoryContext. */
extern char *dyn_master_key_arn(const char *id);

#endif							/* DYN_DATA_KEY_H */
