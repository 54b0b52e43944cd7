/*-------------------------------------------------------------------------
 *
 * session.c
 *		Temporary credentials, made and read without writing anything.
 *
 *	access key id	= "ASIA", two characters of A-Z2-7 that are the number of a
 *					  session key, 14 random ones
 *	secret			= base64 of the first 30 bytes of
 *					  HMAC-SHA256(session key, "secret" id)
 *	token			= base64(nonce AES-256-GCM(HMAC-SHA256(session key, "token"
 *					  id), nonce, contents))
 *
 * The token's key is the id's own, so a token is of no use with another id.
 *
 *	OFFSET	SIZE	CONTENTS (numbers in network byte order)
 *	0		1		version: 1
 *	1		4		OID of the role
 *	5		8		issued, TimestampTz
 *	13		4		seconds it is good for
 *	17		1		1: an assumed role's, 0: a user's own
 *	18		1		number of tags
 *	19		1		how many of them are transitive
 *	20				texts, each behind its size in 2 bytes: name, source
 *					identity, policy, then key and value of each tag
 *
 * src/auth/session.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/base64.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "auth/auth_catalog.h"
#include "auth/principal_settings.h"
#include "auth/session.h"
#include "base/error.h"
#include "base/settings.h"

#define ID_PREFIX		"ASIA"
#define ID_NUMBER		4		/* where the session key's number is in an id */
#define ID_RANDOM		6

#define KEY_SIZE		32
#define NONCE_SIZE		12
#define TAG_SIZE		16
#define SECRET_BYTES	30		/* 40 characters of base64 */

#define VERSION			1
#define FIXED_SIZE		20

/*
 * A token goes into a header, and all headers of a request have 16 KB; the
 * service's own limit is not told.
 */
#define MAX_CONTENTS	6000
#define MAX_TOKEN		((NONCE_SIZE + MAX_CONTENTS + TAG_SIZE + 2) / 3 * 4)

/* A session key is kept as long as a token made with it may count: 36 hours. */
#define KEEP_KEYS		"2 days"
#define SESSION_KEYS	1024

PG_FUNCTION_INFO_V1(dyn_rotate_session_key);

typedef struct SessionKey
{
	int			number;			/* -1: none found */
	TimestampTz created;
	unsigned char secret[KEY_SIZE];
} SessionKey;

/*---- session keys ----*/

static void
read_key(void *arg, const Datum *values, const bool *nulls)
{
	SessionKey *key = arg;
	bytea	   *secret = DatumGetByteaPP(values[1]);
	TimestampTz created = DatumGetTimestampTz(values[2]);

	if (VARSIZE_ANY_EXHDR(secret) != KEY_SIZE)
		return;					/* a constraint prevents that */
	if (key->number >= 0 && key->created >= created)
		return;
	key->number = DatumGetInt32(values[0]);
	key->created = created;
	memcpy(key->secret, VARDATA_ANY(secret), KEY_SIZE);
}

static bool
newest_key(SessionKey *key)
{
	key->number = -1;
	dyn_auth_scan_all(DYN_SESSION_KEYS, read_key, key);
	return key->number >= 0;
}

static bool
find_key(int number, SessionKey *key)
{
	key->number = -1;
	dyn_auth_scan(DYN_SESSION_KEYS, F_INT4EQ, Int32GetDatum(number), read_key,
				  key);
	return key->number >= 0;
}

/*
 * dynamo.rotate_session_key(end_sessions boolean) returns void
 */
Datum
dyn_rotate_session_key(PG_FUNCTION_ARGS)
{
	const char *command = PG_GETARG_BOOL(0) ?
	"DELETE FROM dynamo.session_keys" :
	"DELETE FROM dynamo.session_keys k WHERE EXISTS (SELECT FROM"
	" dynamo.session_keys n WHERE n.created_at > k.created_at"
	" AND n.created_at < now() - interval '" KEEP_KEYS "')";
	SessionKey	newest;
	bool		any = newest_key(&newest);
	Datum		values[3];
	bool		nulls[3] = {false, false, false};
	bytea	   *secret = palloc(VARHDRSZ + KEY_SIZE);
	TimestampTz now = GetCurrentTimestamp();

	dyn_auth_execute(command, 0, NULL, NULL, NULL);
	SET_VARSIZE(secret, VARHDRSZ + KEY_SIZE);
	if (!pg_strong_random(VARDATA(secret), KEY_SIZE))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	/* Two in a row have two numbers: an id names the key it was made with. */
	values[0] = Int32GetDatum(any ? (newest.number + 1) % SESSION_KEYS : 0);
	values[1] = PointerGetDatum(secret);
	/* The newest is the one that is used, even if the clock went back. */
	values[2] = TimestampTzGetDatum(any ? Max(now, newest.created + 1) : now);
	dyn_auth_insert(DYN_SESSION_KEYS, values, nulls);
	explicit_bzero(VARDATA(secret), KEY_SIZE);
	explicit_bzero(newest.secret, KEY_SIZE);
	PG_RETURN_VOID();
}

/*---- ids and secrets ----*/

static const char id_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

bool
dyn_session_is_id(const char *id, uint32 id_len)
{
	if (id_len != DYN_ACCESS_KEY_ID_LENGTH ||
		memcmp(id, ID_PREFIX, strlen(ID_PREFIX)) != 0)
		return false;
	for (uint32 i = 0; i < id_len; i++)
		if (id[i] == '\0' || strchr(id_digits, id[i]) == NULL)
			return false;
	return true;
}

static int
key_number(const char *id)
{
	return (strchr(id_digits, id[ID_NUMBER]) - id_digits) * 32 +
		(strchr(id_digits, id[ID_NUMBER + 1]) - id_digits);
}

/* HMAC-SHA256(session key, purpose id) */
static void
derive(const SessionKey *key, const char *purpose, const char *id,
	   unsigned char *out)
{
	char		text[16 + DYN_ACCESS_KEY_ID_LENGTH];
	int			len = snprintf(text, sizeof(text), "%s%.*s", purpose,
							   DYN_ACCESS_KEY_ID_LENGTH, id);

	if (HMAC(EVP_sha256(), key->secret, KEY_SIZE, (unsigned char *) text, len,
			 out, NULL) == NULL)
		elog(ERROR, "could not compute HMAC");
}

static void
derive_secret(const SessionKey *key, const char *id, char *secret)
{
	unsigned char bytes[KEY_SIZE];
	int			len;

	derive(key, "secret", id, bytes);
	len = pg_b64_encode((char *) bytes, SECRET_BYTES, secret,
						DYN_SECRET_ACCESS_KEY_LENGTH);
	if (len != DYN_SECRET_ACCESS_KEY_LENGTH)
		elog(ERROR, "unexpected length of a secret: %d", len);
	secret[len] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
}

bool
dyn_session_secret(const char *id, char *secret)
{
	SessionKey	key;

	if (!find_key(key_number(id), &key))
		return false;
	derive_secret(&key, id, secret);
	explicit_bzero(key.secret, KEY_SIZE);
	return true;
}

/*---- sealing ----*/

/*
 * AES-256-GCM in place; with the tag behind the text.  Returns false if what is
 * to be opened was not sealed with this key.
 */
static bool
seal(bool encrypt, const unsigned char *key, const unsigned char *nonce,
	 unsigned char *text, int len, unsigned char *tag)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	int			n;
	bool		ready;
	bool		done = false;

	ready = cipher != NULL &&
		EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce,
						  encrypt) == 1 &&
		EVP_CipherUpdate(cipher, text, &n, text, len) == 1 && n == len;
	if (ready && !encrypt)
		ready = EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_SIZE,
									tag) == 1;
	if (ready)
	{
		done = EVP_CipherFinal_ex(cipher, text + len, &n) == 1;
		if (encrypt)
			ready = done && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG,
												TAG_SIZE, tag) == 1;
	}
	EVP_CIPHER_CTX_free(cipher);
	if (!ready)
		elog(ERROR, "could not encrypt or decrypt a session token");
	return done;
}

static void
put_text(StringInfo out, const char *data, size_t len)
{
	pq_sendint16(out, (uint16) len);
	appendBinaryStringInfo(out, data, len);
}

static void
put_cstring(StringInfo out, const char *text)
{
	put_text(out, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void
put_contents(StringInfo out, const DynSessionTerms *terms, TimestampTz issued)
{
	pq_sendint8(out, VERSION);
	pq_sendint32(out, terms->role);
	pq_sendint64(out, issued);
	pq_sendint32(out, terms->seconds);
	pq_sendint8(out, terms->name != NULL);
	pq_sendint8(out, terms->ntags);
	pq_sendint8(out, terms->ntransitive);
	put_cstring(out, terms->name);
	put_cstring(out, terms->source_identity);
	put_cstring(out, terms->policy);
	for (int i = 0; i < terms->ntags; i++)
	{
		put_text(out, terms->tags[i].key.data, terms->tags[i].key.len);
		put_text(out, terms->tags[i].value.data, terms->tags[i].value.len);
	}
}

void
dyn_session_issue(const DynSessionTerms *terms,
				  DynSessionCredentials *credentials)
{
	char	   *id = credentials->access_key_id;
	TimestampTz issued = GetCurrentTimestamp();
	SessionKey	key;
	StringInfoData out;
	unsigned char token_key[KEY_SIZE];
	unsigned char *nonce;
	int			len;

	if (!newest_key(&key))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no session key"),
				 errhint("Make one with dynamo.rotate_session_key().")));
	memcpy(id, ID_PREFIX, strlen(ID_PREFIX));
	id[ID_NUMBER] = id_digits[key.number / 32];
	id[ID_NUMBER + 1] = id_digits[key.number % 32];
	dyn_random_id(id + ID_RANDOM, DYN_ACCESS_KEY_ID_LENGTH - ID_RANDOM);
	derive_secret(&key, id, credentials->secret);
	derive(&key, "token", id, token_key);
	explicit_bzero(key.secret, KEY_SIZE);

	initStringInfo(&out);
	appendStringInfoSpaces(&out, NONCE_SIZE);
	put_contents(&out, terms, issued);
	len = out.len - NONCE_SIZE;
	credentials->packed_percent = (len * 100 + MAX_CONTENTS - 1) / MAX_CONTENTS;
	if (len > MAX_CONTENTS)
		dyn_raise(PACKED_POLICY_TOO_LARGE,
				  "Serialized token too large for session: %d%% of the limit",
				  credentials->packed_percent);
	appendStringInfoSpaces(&out, TAG_SIZE);
	nonce = (unsigned char *) out.data;
	if (!pg_strong_random(nonce, NONCE_SIZE))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	(void) seal(true, token_key, nonce, nonce + NONCE_SIZE, len,
				nonce + NONCE_SIZE + len);
	explicit_bzero(token_key, KEY_SIZE);

	credentials->token = palloc(pg_b64_enc_len(out.len) + 1);
	len = pg_b64_encode(out.data, out.len, credentials->token,
						pg_b64_enc_len(out.len));
	if (len < 0)
		elog(ERROR, "could not encode a session token");
	credentials->token[len] = '\0';
	credentials->expires = timestamptz_to_time_t(issued) + terms->seconds;
}

/*---- opening ----*/

/* What is left of a token's contents. */
typedef struct Reader
{
	const char *p;
	const char *end;
	bool		failed;
} Reader;

static uint64
get_number(Reader *reader, int size)
{
	uint64		value = 0;

	if (reader->end - reader->p < size)
	{
		reader->failed = true;
		return 0;
	}
	for (; size > 0; size--)
		value = value << 8 | (unsigned char) *reader->p++;
	return value;
}

static DynPolicyText
get_text(Reader *reader)
{
	uint32		len = get_number(reader, 2);
	DynPolicyText text = {reader->p, len};

	if (reader->end - reader->p < len)
	{
		reader->failed = true;
		text.len = 0;
	}
	reader->p += text.len;
	return text;
}

/* NULL for an empty one. */
static const char *
get_cstring(Reader *reader)
{
	DynPolicyText text = get_text(reader);

	return text.len > 0 ? pnstrdup(text.data, text.len) : NULL;
}

/* Decode and decrypt; NULL if it is not the id's token. */
static char *
open_token(const char *id, const char *token, uint32 token_len, int *len)
{
	SessionKey	key;
	unsigned char token_key[KEY_SIZE];
	unsigned char *bytes;
	int			size;
	bool		opened;

	if (token_len > MAX_TOKEN || !find_key(key_number(id), &key))
		return NULL;
	bytes = palloc(pg_b64_dec_len(token_len) + 1);
	size = pg_b64_decode(token, token_len, (char *) bytes,
						 pg_b64_dec_len(token_len));
	if (size < NONCE_SIZE + FIXED_SIZE + TAG_SIZE)
	{
		explicit_bzero(key.secret, KEY_SIZE);
		return NULL;
	}
	derive(&key, "token", id, token_key);
	explicit_bzero(key.secret, KEY_SIZE);
	*len = size - NONCE_SIZE - TAG_SIZE;
	opened = seal(false, token_key, bytes, bytes + NONCE_SIZE, *len,
				  bytes + NONCE_SIZE + *len);
	explicit_bzero(token_key, KEY_SIZE);
	return opened ? (char *) bytes + NONCE_SIZE : NULL;
}

static bool
parse_policy(const char *document, DynSession *session)
{
	DynNamedPolicy *policy = palloc(sizeof(DynNamedPolicy));
	const char *problem;

	policy->name = "session policy";
	policy->attached_to = session->arn;
	policy->policy = dyn_policy_parse(document, strlen(document),
									  DYN_POLICY_IDENTITY, &problem);
	session->policy = policy;
	return policy->policy != NULL;
}

const DynSession *
dyn_session_open(const char *id, const char *token, uint32 token_len)
{
	DynSession *session = palloc0(sizeof(DynSession));
	DynPrincipalSettings settings;
	Reader		reader = {0};
	int			len = 0;
	TimestampTz issued;
	DynPrincipalTag *tags;
	const char *policy;
	const char *role_name;
	bool		assumed;

	reader.p = open_token(id, token, token_len, &len);
	if (reader.p == NULL)
		return NULL;
	reader.end = reader.p + len;
	if (get_number(&reader, 1) != VERSION)
		return NULL;
	session->role = get_number(&reader, 4);
	issued = (TimestampTz) get_number(&reader, 8);
	session->issued = timestamptz_to_time_t(issued);
	session->expires = session->issued + (int64) get_number(&reader, 4);
	assumed = get_number(&reader, 1) != 0;
	session->ntags = get_number(&reader, 1);
	session->ntransitive = get_number(&reader, 1);
	session->name = get_cstring(&reader);
	session->source_identity = get_cstring(&reader);
	policy = get_cstring(&reader);
	session->tags = tags = palloc(sizeof(DynPrincipalTag) * (session->ntags + 1));
	for (int i = 0; i < session->ntags; i++)
	{
		tags[i].key = get_text(&reader);
		tags[i].value = get_text(&reader);
	}
	/* We have made it ourselves, so this can't be. */
	if (reader.failed || assumed != (session->name != NULL))
		return NULL;

	role_name = dyn_role_name(session->role);
	if (role_name == NULL)
		return NULL;
	dyn_principal_settings(session->role, &settings);
	if (issued <= settings.sessions_revoked ||
		assumed != (settings.trust_policy != NULL))
		return NULL;
	session->user_id = dyn_principal_id(session->role, assumed);
	if (assumed)
	{
		session->arn = psprintf("arn:aws:sts::%s:assumed-role/%s/%s",
								dyn_account_id, role_name, session->name);
		session->user_id = psprintf("%s:%s", session->user_id, session->name);
	}
	else
		session->arn = psprintf("arn:aws:iam::%s:user/%s", dyn_account_id,
								role_name);
	if (policy != NULL && !parse_policy(policy, session))
		return NULL;
	return session;
}
