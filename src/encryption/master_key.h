/*-------------------------------------------------------------------------
 *
 * master_key.h
 *		The keys that data keys are wrapped with, kept outside the database.
 *
 * They come from dynamo.master_key_file or dynamo.master_key_command: lines of
 * an id and 64 hexadecimal digits.  The first one wraps, each can unwrap.
 * A process reads them when it first needs one, and again after each reload of
 * the configuration.
 *
 * src/encryption/master_key.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_MASTER_KEY_H
#define DYN_MASTER_KEY_H

#include "datatype/timestamp.h"

#define DYN_KEY_SIZE 32			/* of AES-256 */
#define DYN_MASTER_KEY_ID_LENGTH 64

typedef struct DynMasterKey
{
	char		id[DYN_MASTER_KEY_ID_LENGTH + 1];
	unsigned char key[DYN_KEY_SIZE];
} DynMasterKey;

/*
 * The master key of that id, or (NULL) the first one; NULL if it is not to be
 * had.  Valid until the next call.  Does not raise: why there are none is said in
 * the server's log, once, and by dyn_master_keys_trouble().
 */
extern const DynMasterKey *dyn_master_key_find(const char *id);

/* For a hint: why a key is not to be had. */
extern const char *dyn_master_keys_trouble(void);

/* When they were last looked for in this process. */
extern TimestampTz dyn_master_keys_read_at(void);

/*
 * Counts how often the keys have been read: what was unwrapped with keys that
 * were read before is good no more.
 */
extern uint64 dyn_master_keys_generation(void);

#endif							/* DYN_MASTER_KEY_H */
