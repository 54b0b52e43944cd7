/*-------------------------------------------------------------------------
 *
 * tls.c
 *		The endpoint's certificate and how TLS is spoken: one context a worker.
 *
 * TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers only; no
 * renegotiation, no compression, no early data (it can be replayed, and a
 * PutItem is not harmless the second time).
 *
 * Sessions are resumed by tickets alone: a cache would have to be shared, a
 * ticket brings everything along.  Whoever steals a ticket key can read TLS 1.2
 * sessions whose tickets were made with it (1.3 agrees on new keys at each
 * resumption), so a key lives for an hour and is overwritten by the next one.
 * Tickets of the last hour's key are then no good and cost a whole handshake:
 * keeping the key would double the time for which it can be stolen.
 *
 * src/http/tls.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "utils/memutils.h"

#include "http/http_shared.h"
#include "http/tls.h"

/* AES-128 first: as safe for this purpose as AES-256, and a third faster. */
#define CIPHERS_1_3 \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define CIPHERS_1_2 \
	"ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS "X25519:P-256:P-384"

const char *
dyn_tls_error(void)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	if (reason == NULL && ERR_SYSTEM_ERROR(code))
		reason = strerror(ERR_GET_REASON(code));
	return reason != NULL ? reason : "unknown error";
}

static void
complain(const char *what, const char *file)
{
	ereport(LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("could not load %s \"%s\" of the DynamoDB endpoint: %s",
					what, file, dyn_tls_error())));
}

/*
 * Nobody is there to be asked at a reload, and a passphrase in a file beside the
 * key would protect nothing: encrypted keys are refused.
 */
static int
refuse_passphrase(char *buffer, int size, int for_writing, void *asked)
{
	*(bool *) asked = true;
	return -1;
}

/* Clients that know ALPN must speak what we do; SDKs offer http/1.1 or h2. */
static int
select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
				const unsigned char *offered, unsigned int offered_len,
				void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";

	if (SSL_select_next_proto((unsigned char **) out, out_len, ours,
							  sizeof(ours) - 1, offered, offered_len) ==
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Certificate chain and key. */
static bool
load_certificate(SSL_CTX *ssl, const DynTlsOptions *options)
{
	bool		asked = false;
	bool		good;

	if (SSL_CTX_use_certificate_chain_file(ssl, options->cert_file) != 1)
	{
		complain("certificate file", options->cert_file);
		return false;
	}
	if (!check_ssl_key_file_permissions(options->key_file, false))
		return false;
	SSL_CTX_set_default_passwd_cb(ssl, refuse_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ssl, &asked);
	good = SSL_CTX_use_PrivateKey_file(ssl, options->key_file,
									   SSL_FILETYPE_PEM) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL);
	if (asked)
	{
		ERR_clear_error();
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("private key file \"%s\" is protected by a passphrase",
						options->key_file),
				 errhint("The DynamoDB endpoint takes unencrypted keys only, in files that nobody else may read.")));
		return false;
	}
	if (!good)
	{
		complain("private key file", options->key_file);
		return false;
	}
	if (SSL_CTX_check_private_key(ssl) != 1)
	{
		/* OpenSSL has dropped the certificate, and would say there is none. */
		ERR_clear_error();
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("private key file \"%s\" does not belong to certificate file \"%s\"",
						options->key_file, options->cert_file)));
		return false;
	}
	return true;
}

/* Whose certificates clients may, or must, show. */
static bool
load_client_ca(SSL_CTX *ssl, const DynTlsOptions *options)
{
	STACK_OF(X509_NAME) * names;

	if (options->ca_file[0] == '\0')
		return true;
	if (SSL_CTX_load_verify_locations(ssl, options->ca_file, NULL) != 1 ||
		(names = SSL_load_client_CA_file(options->ca_file)) == NULL)
	{
		complain("certificate authority file", options->ca_file);
		return false;
	}
	SSL_CTX_set_client_CA_list(ssl, names);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER |
					   (options->client_certificate_required ?
						SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	return true;
}

/* Add a file to a digest. */
static bool
digest_file(EVP_MD_CTX *digest, const char *path)
{
	char		buffer[4096];
	int			n;
	BIO		   *file = BIO_new_file(path, "r");

	if (file == NULL)
		return false;
	while ((n = BIO_read(file, buffer, sizeof(buffer))) > 0)
		EVP_DigestUpdate(digest, buffer, n);
	BIO_free(file);
	return n == 0;
}

/*
 * A session is resumed only where it could have been made: not after the
 * authority of the clients' certificates has changed, which a resumption does
 * not look at again.  The same in all workers.
 */
static bool
set_session_context(SSL_CTX *ssl, const DynTlsOptions *options)
{
	unsigned char id[EVP_MAX_MD_SIZE];
	unsigned int len;
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool		good;

	good = digest != NULL &&
		EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
		digest_file(digest, options->cert_file) &&
		(options->ca_file[0] == '\0' ||
		 digest_file(digest, options->ca_file)) &&
		EVP_DigestUpdate(digest, &options->client_certificate_required,
						 sizeof(bool)) == 1 &&
		EVP_DigestFinal_ex(digest, id, &len) == 1 &&
		SSL_CTX_set_session_id_context(ssl, id, len) == 1;
	EVP_MD_CTX_free(digest);
	if (!good)
		complain("certificate file", options->cert_file);
	return good;
}

static bool
configure(SSL_CTX *ssl, const DynTlsOptions *options)
{
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
						SSL_OP_CIPHER_SERVER_PREFERENCE |
						SSL_OP_PRIORITIZE_CHACHA |
						SSL_OP_IGNORE_UNEXPECTED_EOF);

	/*
	 * Without AUTO_RETRY a call returns after each message that is no request's
	 * bytes, so that a client can't keep us in one call by sending such.
	 */
	SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					 SSL_MODE_RELEASE_BUFFERS);
	/* One recv() for a record, not one for its head and one for the rest. */
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ssl, DYN_TLS_TICKET_PERIOD / 1000);
	SSL_CTX_set_alpn_select_cb(ssl, select_protocol, NULL);
	if (SSL_CTX_set_min_proto_version(ssl, options->only_1_3 ? TLS1_3_VERSION :
									  TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_ciphersuites(ssl, CIPHERS_1_3) == 1 &&
		SSL_CTX_set_cipher_list(ssl, CIPHERS_1_2) == 1 &&
		SSL_CTX_set1_groups_list(ssl, GROUPS) == 1)
		return true;
	ereport(LOG, (errmsg("could not set up TLS for the DynamoDB endpoint: %s",
						 dyn_tls_error())));
	return false;
}

/* When the certificate ends, in seconds since 1970. */
static int64
certificate_end(SSL_CTX *ssl)
{
	ASN1_TIME  *epoch = ASN1_TIME_set(NULL, 0);
	int			days = 0;
	int			seconds = 0;

	if (epoch != NULL)
		(void) ASN1_TIME_diff(&days, &seconds, epoch,
							  X509_get0_notAfter(SSL_CTX_get0_certificate(ssl)));
	ASN1_TIME_free(epoch);
	return (int64) days * 86400 + seconds;
}

DynTlsContext *
dyn_tls_load(const DynTlsOptions *options)
{
	DynTlsContext *tls = MemoryContextAllocZero(TopMemoryContext,
												sizeof(DynTlsContext));
	SSL_CTX    *ssl;

	ERR_clear_error();
	ssl = SSL_CTX_new(TLS_server_method());
	if (ssl == NULL)
	{
		ereport(LOG, (errmsg("could not set up TLS for the DynamoDB endpoint: %s",
							 dyn_tls_error())));
		pfree(tls);
		return NULL;
	}
	if (!configure(ssl, options) || !load_certificate(ssl, options) ||
		!load_client_ca(ssl, options) || !set_session_context(ssl, options))
	{
		SSL_CTX_free(ssl);
		pfree(tls);
		return NULL;
	}
	tls->ssl = ssl;
	tls->expires = certificate_end(ssl);
	return tls;
}

void
dyn_tls_free(DynTlsContext *tls)
{
	unsigned char nobodys[DYN_HTTP_TICKET_KEY_SIZE];

	/* Connections may hold it for long; the key would outlive its hour. */
	if (pg_strong_random(nobodys, sizeof(nobodys)))
		SSL_CTX_set_tlsext_ticket_keys(tls->ssl, nobodys, sizeof(nobodys));
	SSL_CTX_free(tls->ssl);
	pfree(tls);
}

int64
dyn_tls_refresh_tickets(DynTlsContext *tls, int64 now)
{
	unsigned char key[DYN_HTTP_TICKET_KEY_SIZE];
	uint32		generation;
	int64		until;

	until = dyn_http_ticket_key(now, tls->ticket_generation, key, &generation);
	if (generation != tls->ticket_generation)
	{
		SSL_CTX_set_tlsext_ticket_keys(tls->ssl, key, sizeof(key));
		explicit_bzero(key, sizeof(key));
		tls->ticket_generation = generation;
	}
	return until;
}
