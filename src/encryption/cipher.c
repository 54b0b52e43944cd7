/*-------------------------------------------------------------------------
 *
 * cipher.c
 *		AES-256-GCM by OpenSSL.
 *
 * src/encryption/cipher.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "encryption/cipher.h"

/* Random bytes are fetched for so many nonces at once. */
#define NONCES 64

static void
failed(const char *what)
{
	elog(ERROR, "could not %s with AES-256-GCM", what);
}

EVP_CIPHER_CTX *
dyn_cipher_create(const unsigned char *key, bool to_seal)
{
	static EVP_CIPHER *cipher = NULL;
	EVP_CIPHER_CTX *context;

	/* Looked up once, as OpenSSL 3 is slow at that. */
	if (cipher == NULL)
		cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	context = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();
	if (context == NULL ||
		EVP_CipherInit_ex2(context, cipher, key, NULL, to_seal, NULL) != 1)
	{
		EVP_CIPHER_CTX_free(context);
		failed("set up a key");
	}
	return context;
}

void
dyn_cipher_nonce(void *nonce)
{
	static unsigned char block[NONCES * DYN_NONCE_SIZE];
	static int	left = 0;

	if (left == 0)
	{
		if (!pg_strong_random(block, sizeof(block)))
			elog(ERROR, "could not generate random nonces");
		left = NONCES;
	}
	left--;
	memcpy(nonce, block + left * DYN_NONCE_SIZE, DYN_NONCE_SIZE);
}

static bool
authenticate(EVP_CIPHER_CTX *context, const DynBytes *parts, int nparts)
{
	int			len;

	for (int i = 0; i < nparts; i++)
		if (EVP_CipherUpdate(context, NULL, &len, parts[i].data, parts[i].size) != 1)
			return false;
	return true;
}

void
dyn_cipher_seal(EVP_CIPHER_CTX *context, const void *nonce,
				const DynBytes *authenticated, int nparts, const void *plain,
				int size, void *out)
{
	unsigned char *end = (unsigned char *) out + size;
	int			len;

	if (EVP_CipherInit_ex2(context, NULL, NULL, nonce, -1, NULL) != 1 ||
		!authenticate(context, authenticated, nparts) ||
		EVP_CipherUpdate(context, out, &len, plain, size) != 1 ||
		EVP_CipherFinal_ex(context, end, &len) != 1 ||
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, DYN_TAG_SIZE, end) != 1)
		failed("seal");
}

bool
dyn_cipher_open(EVP_CIPHER_CTX *context, const void *nonce,
				const DynBytes *authenticated, int nparts, const void *sealed,
				int size, void *out)
{
	unsigned char tag[DYN_TAG_SIZE];
	int			len;

	memcpy(tag, (const char *) sealed + size, DYN_TAG_SIZE);
	return EVP_CipherInit_ex2(context, NULL, NULL, nonce, -1, NULL) == 1 &&
		authenticate(context, authenticated, nparts) &&
		EVP_CipherUpdate(context, out, &len, sealed, size) == 1 &&
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, DYN_TAG_SIZE, tag) == 1 &&
		EVP_CipherFinal_ex(context, (unsigned char *) out + size, &len) == 1;
}
