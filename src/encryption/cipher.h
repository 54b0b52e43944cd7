/*-------------------------------------------------------------------------
 *
 * cipher.h
 *		AES-256-GCM by OpenSSL.
 *
 * src/encryption/cipher.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CIPHER_H
#define DYN_CIPHER_H

#include <openssl/evp.h>

#define DYN_NONCE_SIZE 12
#define DYN_TAG_SIZE 16

typedef struct DynBytes
{
	const void *data;
	int			size;
} DynBytes;

/*
 * A context for one direction and one key of 32 bytes, of which no other copy is
 * kept.  The caller frees it by EVP_CIPHER_CTX_free(), which overwrites the key.
 */
extern EVP_CIPHER_CTX *dyn_cipher_create(const unsigned char *key, bool to_seal);

/* A nonce that was not used before: random. */
extern void dyn_cipher_nonce(void *nonce);

/*
 * Write size bytes of ciphertext and the tag to out.  What is to be authenticated
 * but not encrypted comes in nparts.
 */
extern void dyn_cipher_seal(EVP_CIPHER_CTX *context, const void *nonce,
							const DynBytes *authenticated, int nparts,
							const void *plain, int size, void *out);

/*
 * The reverse: size is that of the ciphertext, behind which stands the tag.
 * False if anything is not what was sealed; out is worthless then.
 */
extern bool dyn_cipher_open(EVP_CIPHER_CTX *context, const void *nonce,
							const DynBytes *authenticated, int nparts,
							const void *sealed, int size, void *out);

#endif							/* DYN_CIPHER_H */
