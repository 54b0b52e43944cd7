/*-------------------------------------------------------------------------
 *
 * sigv4.c
 *		AWS Signature Version 4: verify one request's signature.
 *
 *	canonical request	= method LF path LF query LF headers LF names LF
 *						  hex(SHA256(body))
 *	string to sign		= "AWS4-HMAC-SHA256" LF time LF scope LF
 *						  hex(SHA256(canonical request))
 *	signing key			= HMAC(HMAC(HMAC(HMAC("AWS4" secret, date), region),
 *						  service), "aws4_request")
 *	signature			= hex(HMAC(signing key, string to sign))
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * A signing key is good for one access key, date, region and service.  Those
 * that were used are cached, as are the roles behind them and what a session's
 * token says: a request with a known one costs four hashes and no look at the
 * catalog.
 *
 * Where the service's texts quote the request, bytes that are not printable
 * ASCII become '?'.
 *
 * src/auth/sigv4.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "catalog/pg_authid.h"
#include "common/hashfn.h"
#include "datatype/timestamp.h"
#include "utils/datetime.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "auth/access_key.h"
#include "auth/auth_catalog.h"
#include "auth/key_use.h"
#include "auth/session.h"
#include "auth/sigv4.h"
#include "base/error.h"
#include "base/fiber.h"

#define ALGORITHM		"AWS4-HMAC-SHA256"
#define TERMINATOR		"aws4_request"

#define DIGEST_SIZE		32
#define HEX_SIZE		(DIGEST_SIZE * 2)
#define BLOCK_SIZE		64		/* of SHA-256 */
#define HASH_PIECE		(16 * 1024) /* between two pauses */

#define VALID_SECONDS	(15 * 60)
#define MAX_REGION		64
#define MAX_SERVICE		8
#define MAX_SIGNED_HEADERS	128
#define MAX_QUERY_PARAMETERS 256

#define ISO_SIZE		17		/* "20261120T222028Z" and a NUL */

typedef struct Slice
{
	const char *data;			/* NULL: absent */
	size_t		len;
} Slice;

/* What a request says about its signature. */
typedef struct DynCredentials
{
	bool		in_query;		/* not in the Authorization header */
	Slice		authorization;	/* the whole header */
	Slice		algorithm;
	Slice		credential;		/* without trailing slashes */
	Slice		signature;
	Slice		signed_headers;
	Slice		date;
	Slice		expires;		/* in_query only */
	Slice		token;			/* X-Amz-Security-Token */

	/* The credential's parts. */
	int			nparts;
	Slice		key_id;
	Slice		scope_date;
	Slice		region;
	Slice		service;
	Slice		terminator;
	Slice		signer;			/* key_id/scope_date/region/service */
	Slice		scope;			/* all behind key_id/ */
} Credentials;

/*
 * What a token says.  Requests that use it may outlive its place in the cache:
 * they wait for other transactions.
 */
typedef struct KnownSession
{
	MemoryContext context;		/* all of it */
	int			users;			/* the cache and requests */
	const DynSession *session;
	char	   *token;
	uint32		token_len;
} KnownSession;

/*
 * A known signer: the HMAC key prepared as the two blocks its hashes start
 * with.  Four-way associative, so that a few busy keys never displace each
 * other.
 */
#define CACHE_SETS		128
#define CACHE_WAYS		4
#define MAX_SIGNER		(DYN_MAX_ACCESS_KEY_ID + 1 + 8 + 1 + MAX_REGION + 1 + MAX_SERVICE)

typedef struct Signer
{
	uint32		hash;
	uint16		len;			/* of name; 0: free */
	char		name[MAX_SIGNER];
	Oid			role;			/* of a session, see there */
	int64		valid_until;	/* Unix seconds; of a session, see there */
	DynKeyUse  *use;			/* or NULL */
	KnownSession *session;		/* NULL: an access key, or a session whose
								 * token has not been seen yet */
	unsigned char inner[BLOCK_SIZE];
	unsigned char outer[BLOCK_SIZE];
} Signer;

static Signer *cache = NULL;

/*
 * A session's until it is proven: everybody can make up an id, and what is made
 * up must not displace what is known.
 */
static Signer unproven;

static uint64 cache_generation = 0;

static EVP_MD *sha256 = NULL;
static EVP_MD_CTX *digest = NULL;

/* Scratch for the canonical request; kept, because each request needs one. */
static StringInfoData canonical;

static const char hex_digits[] = "0123456789abcdef";

static void
initialize(void)
{
	MemoryContext old;

	if (cache != NULL)
		return;
	/* Looked up once: that is what makes a hash in OpenSSL 3 slow. */
	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (digest == NULL)
		digest = EVP_MD_CTX_new();
	if (sha256 == NULL || digest == NULL)
		elog(ERROR, "could not initialize SHA-256");
	old = MemoryContextSwitchTo(TopMemoryContext);
	initStringInfo(&canonical);
	cache = palloc0(sizeof(Signer) * CACHE_SETS * CACHE_WAYS);
	MemoryContextSwitchTo(old);
}

/*---- bytes ----*/

static bool
slice_is(Slice slice, const char *text)
{
	return slice.len == strlen(text) && memcmp(slice.data, text, slice.len) == 0;
}

/* A copy fit for a message. */
static char *
printable(const char *data, size_t len)
{
	char	   *text = palloc(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (data[i] >= ' ' && data[i] <= '~') || data[i] == '\n' ?
			data[i] : '?';
	text[len] = '\0';
	return text;
}

static char *
slice_text(Slice slice)
{
	return printable(slice.data, slice.len);
}

/*
 * Cut the next part off *rest, up to one of separators; false at the end.
 * Parts may be empty.
 */
static bool
next_part(Slice *rest, char separator, Slice *part)
{
	const char *end;

	if (rest->data == NULL)
		return false;
	end = memchr(rest->data, separator, rest->len);
	part->data = rest->data;
	if (end == NULL)
	{
		part->len = rest->len;
		rest->data = NULL;
		return true;
	}
	part->len = end - rest->data;
	rest->len -= part->len + 1;
	rest->data = end + 1;
	return true;
}

/* Split "name=value"; without '=' the value is absent. */
static void
split_pair(Slice pair, Slice *name, Slice *value)
{
	const char *equals = memchr(pair.data, '=', pair.len);

	*name = pair;
	*value = (Slice) {NULL, 0};
	if (equals != NULL)
	{
		name->len = equals - pair.data;
		value->data = equals + 1;
		value->len = pair.len - name->len - 1;
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undo %xx into fresh memory; a lone '%' stands for itself. */
static Slice
percent_decode(Slice text)
{
	char	   *out = palloc(text.len + 1);
	size_t		n = 0;

	for (size_t i = 0; i < text.len; i++)
	{
		char		c = text.data[i];

		if (c == '%' && i + 2 < text.len &&
			hex_value(text.data[i + 1]) >= 0 && hex_value(text.data[i + 2]) >= 0)
		{
			c = hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]);
			i += 2;
		}
		out[n++] = c;
	}
	return (Slice) {out, n};
}

/* Append with everything but A-Z a-z 0-9 - . _ ~ as %XX. */
static void
append_percent_encoded(StringInfo out, Slice text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++)
	{
		unsigned char c = text.data[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') ||
			c == '-' || c == '.' || c == '_' || c == '~')
			appendStringInfoCharMacro(out, c);
		else
		{
			appendStringInfoCharMacro(out, '%');
			appendStringInfoCharMacro(out, digits[c >> 4]);
			appendStringInfoCharMacro(out, digits[c & 15]);
		}
	}
}

/*---- hashes ----*/

/* SHA-256 of two pieces; the first may be empty. */
static void
hash2(const void *a, size_t a_len, const void *b, size_t b_len,
	  unsigned char *out)
{
	if (EVP_DigestInit_ex2(digest, sha256, NULL) != 1 ||
		EVP_DigestUpdate(digest, a, a_len) != 1 ||
		EVP_DigestUpdate(digest, b, b_len) != 1 ||
		EVP_DigestFinal_ex(digest, out, NULL) != 1)
		elog(ERROR, "could not compute SHA-256");
}

static void
to_hex(const unsigned char *out, char *hex)
{
	for (int i = 0; i < DIGEST_SIZE; i++)
	{
		hex[2 * i] = hex_digits[out[i] >> 4];
		hex[2 * i + 1] = hex_digits[out[i] & 15];
	}
}

static void
hash_hex(const void *data, size_t len, char *hex)
{
	unsigned char out[DIGEST_SIZE];

	hash2(NULL, 0, data, len, out);
	to_hex(out, hex);
}

void
dyn_sigv4_hash_body(DynSignedRequest *request)
{
	/* The common one is used by others while this pauses. */
	EVP_MD_CTX *own = EVP_MD_CTX_new();
	unsigned char out[DIGEST_SIZE];
	char	   *hex = palloc(HEX_SIZE);
	bool		good;

	good = own != NULL && EVP_DigestInit_ex2(own, EVP_sha256(), NULL) == 1;
	for (uint32 done = 0; good && done < request->body_len;)
	{
		uint32		piece = Min(request->body_len - done, HASH_PIECE);

		good = EVP_DigestUpdate(own, request->body + done, piece) == 1;
		done += piece;
		dyn_fiber_pause();
	}
	good = good && EVP_DigestFinal_ex(own, out, NULL) == 1;
	EVP_MD_CTX_free(own);
	if (!good)
		elog(ERROR, "could not compute SHA-256");
	to_hex(out, hex);
	request->body_hash = hex;
}

/* The two blocks HMAC (RFC 2104) makes of a key. */
static void
hmac_prepare(const void *key, size_t len, unsigned char *inner,
			 unsigned char *outer)
{
	unsigned char block[BLOCK_SIZE] = {0};

	if (len > BLOCK_SIZE)
		hash2(NULL, 0, key, len, block);
	else
		memcpy(block, key, len);
	for (int i = 0; i < BLOCK_SIZE; i++)
	{
		inner[i] = block[i] ^ 0x36;
		outer[i] = block[i] ^ 0x5c;
	}
	explicit_bzero(block, sizeof(block));
}

static void
hmac_finish(const unsigned char *inner, const unsigned char *outer,
			const void *data, size_t len, unsigned char *out)
{
	unsigned char first[DIGEST_SIZE];

	hash2(inner, BLOCK_SIZE, data, len, first);
	hash2(outer, BLOCK_SIZE, first, DIGEST_SIZE, out);
}

/* *out = HMAC(key, data); out may be key. */
static void
hmac(const void *key, size_t key_len, Slice data, unsigned char *out)
{
	unsigned char inner[BLOCK_SIZE];
	unsigned char outer[BLOCK_SIZE];

	hmac_prepare(key, key_len, inner, outer);
	hmac_finish(inner, outer, data.data, data.len, out);
}

static void
derive_signing_key(const char *secret, const Credentials *c, Signer *signer)
{
	size_t		len = strlen(secret) + 4;
	char	   *key = palloc(len + 1);
	unsigned char step[DIGEST_SIZE];

	memcpy(key, "AWS4", 4);
	strcpy(key + 4, secret);
	hmac(key, len, c->scope_date, step);
	hmac(step, DIGEST_SIZE, c->region, step);
	hmac(step, DIGEST_SIZE, c->service, step);
	hmac(step, DIGEST_SIZE, (Slice) {TERMINATOR, strlen(TERMINATOR)}, step);
	hmac_prepare(step, DIGEST_SIZE, signer->inner, signer->outer);
	explicit_bzero(key, len);
	explicit_bzero(step, sizeof(step));
}

/*---- signers ----*/

static void
release_session(void *arg)
{
	KnownSession *session = arg;

	if (--session->users == 0)
		MemoryContextDelete(session->context);
}

static void
forget_signer(Signer *signer)
{
	if (signer->session != NULL)
		release_session(signer->session);
	explicit_bzero(signer, sizeof(Signer));
}

/* The cached signer of a name, or NULL. */
static Signer *
cache_find(Slice name, uint32 hash)
{
	Signer	   *set = cache + hash % CACHE_SETS * CACHE_WAYS;

	if (cache_generation != dyn_auth_generation())
	{
		for (int i = 0; i < CACHE_SETS * CACHE_WAYS; i++)
			forget_signer(&cache[i]);
		cache_generation = dyn_auth_generation();
		return NULL;
	}
	for (int i = 0; i < CACHE_WAYS; i++)
		if (set[i].hash == hash && set[i].len == name.len && name.len > 0 &&
			memcmp(set[i].name, name.data, name.len) == 0)
			return &set[i];
	return NULL;
}

/* A place for a new signer: a free one, or the oldest of its set. */
static Signer *
cache_place(uint32 hash)
{
	Signer	   *set = cache + hash % CACHE_SETS * CACHE_WAYS;

	for (int i = 0; i < CACHE_WAYS; i++)
		if (set[i].len == 0)
			return &set[i];
	forget_signer(&set[0]);
	memmove(&set[0], &set[1], sizeof(Signer) * (CACHE_WAYS - 1));
	memset(&set[CACHE_WAYS - 1], 0, sizeof(Signer));
	return &set[CACHE_WAYS - 1];
}

static uint32
signer_hash(Slice name)
{
	return hash_bytes((const unsigned char *) name.data, name.len);
}

static bool
is_session(const Credentials *c)
{
	return dyn_session_is_id(c->key_id.data, c->key_id.len);
}

/* Has the signer the session of this very token? */
static bool
knows_token(const Signer *signer, Slice token)
{
	return signer->session != NULL && signer->session->token_len == token.len &&
		memcmp(signer->session->token, token.data, token.len) == 0;
}

/*
 * The secret of an access key or a session, in CurrentMemoryContext, and what
 * else is known of the key; NULL if there is none.
 */
static char *
find_secret(const Credentials *c, DynAccessKey *key)
{
	if (is_session(c))
	{
		/* Its id alone is nobody's. */
		if (c->token.len == 0)
			return NULL;
		key->role = InvalidOid;
		key->valid_until = PG_INT64_MAX;
		key->secret = palloc(DYN_SECRET_ACCESS_KEY_LENGTH + 1);
		return dyn_session_secret(c->key_id.data, key->secret) ?
			key->secret : NULL;
	}
	return dyn_access_key_find(c->key_id.data, c->key_id.len, key) ?
		key->secret : NULL;
}

/*
 * The signer of a request, or NULL if there is no such key.  Of a session it may
 * have another token, or be unproven: then check_token() is to look.
 */
static Signer *
find_signer(const Credentials *c, int64 now)
{
	uint32		hash;
	uint64		read_at;
	Signer	   *signer;
	DynAccessKey key;

	/* What is longer is nobody we know; see the checks of the parts. */
	if (c->signer.len > MAX_SIGNER || (is_session(c) && c->token.len == 0))
		return NULL;
	hash = signer_hash(c->signer);
	signer = cache_find(c->signer, hash);
	if (signer == NULL)
	{
		read_at = dyn_auth_generation();
		if (find_secret(c, &key) == NULL)
			return NULL;
		signer = is_session(c) ? &unproven : cache_place(hash);
		derive_signing_key(key.secret, c, signer);
		explicit_bzero(key.secret, strlen(key.secret));
		signer->role = key.role;
		signer->valid_until = key.valid_until;
		signer->hash = hash;
		memcpy(signer->name, c->signer.data, c->signer.len);
		signer->len = c->signer.len;
		/* If something changed meanwhile, this is forgotten at the next look. */
		cache_generation = read_at;
	}
	return now < signer->valid_until ? signer : NULL;
}

/*
 * Read the token that came with a session's good signature, and give the signer
 * a place in the cache if it has none.  A wrong token leaves it as it is.  If
 * something changes meanwhile, the signer is forgotten at the next look.
 */
static Signer *
learn_session(const Credentials *c, Signer *signer)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "dynamo session",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	KnownSession *known = palloc(sizeof(KnownSession));

	known->context = context;
	known->users = 1;
	known->session = dyn_session_open(c->key_id.data, c->token.data,
									  c->token.len);
	if (known->session == NULL)
		dyn_raise(UNRECOGNIZED_CLIENT,
				  "The security token included in the request is invalid");
	known->token = pnstrdup(c->token.data, c->token.len);
	known->token_len = c->token.len;
	MemoryContextSwitchTo(old_context);
	MemoryContextSetParent(context, TopMemoryContext);

	if (signer == &unproven)
	{
		signer = cache_place(unproven.hash);
		*signer = unproven;
		explicit_bzero(&unproven, sizeof(unproven));
	}
	if (signer->session != NULL)
		release_session(signer->session);
	signer->session = known;
	signer->role = known->session->role;
	return signer;
}

/*---- time ----*/

static int64
unix_time(int year, int month, int day, int hour, int minute, int second)
{
	return ((int64) date2j(year, month, day) - UNIX_EPOCH_JDATE) *
		SECS_PER_DAY + hour * 3600 + minute * 60 + second;
}

static char *
two_digits(char *out, int value)
{
	*out++ = '0' + value / 10;
	*out++ = '0' + value % 10;
	return out;
}

/* "20261120T222028Z", for each request: snprintf() would take 2,000 instructions. */
static void
iso_format(int64 time, char *out)
{
	int64		day = time / SECS_PER_DAY;
	int			second = time % SECS_PER_DAY;
	int			year,
				month,
				mday;

	if (second < 0)
	{
		second += SECS_PER_DAY;
		day--;
	}
	j2date(day + UNIX_EPOCH_JDATE, &year, &month, &mday);
	out = two_digits(out, year / 100 % 100);
	out = two_digits(out, year % 100);
	out = two_digits(out, month);
	out = two_digits(out, mday);
	*out++ = 'T';
	out = two_digits(out, second / SECS_PER_HOUR);
	out = two_digits(out, second / SECS_PER_MINUTE % MINS_PER_HOUR);
	out = two_digits(out, second % SECS_PER_MINUTE);
	*out++ = 'Z';
	*out = '\0';
}

static bool
digits(const char **p, int n, int *value)
{
	*value = 0;
	for (; n > 0; n--, (*p)++)
	{
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return true;
}

static bool
valid_time(int year, int month, int day, int hour, int minute, int second)
{
	return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
		day <= day_tab[isleap(year)][month - 1] &&
		hour <= 23 && minute <= 59 && second <= 60;
}

static bool
parse_iso(const char *p, int64 *time)
{
	int			year,
				month,
				day,
				hour,
				minute,
				second;

	if (!digits(&p, 4, &year) || !digits(&p, 2, &month) ||
		!digits(&p, 2, &day) || *p++ != 'T' ||
		!digits(&p, 2, &hour) || !digits(&p, 2, &minute) ||
		!digits(&p, 2, &second) || *p++ != 'Z' || *p != '\0' ||
		!valid_time(year, month, day, hour, minute, second))
		return false;
	*time = unix_time(year, month, day, hour, minute, second);
	return true;
}

/*
 * The three forms of an HTTP date (RFC 9110 5.6.7).
 */
static bool
parse_http_date(const char *text, int64 *time)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char		name[4] = "";
	const char *found;
	int			year,
				day,
				hour,
				minute,
				second;
	int			end = 0;

	if (sscanf(text, "%*[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n",
			   &day, name, &year, &hour, &minute, &second, &end) != 6 &&
		sscanf(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%4d %2d:%2d:%2d GMT%n",
			   &day, name, &year, &hour, &minute, &second, &end) != 6 &&
		sscanf(text, "%*[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n",
			   name, &day, &hour, &minute, &second, &year, &end) != 6)
		return false;
	if (end == 0 || text[end] != '\0')
		return false;
	/* RFC 850 has two digits of the year; it did not outlive the century. */
	if (year >= 0 && year < 100)
		year += year < 70 ? 2000 : 1900;
	found = strstr(months, name);
	if (strlen(name) != 3 || found == NULL || (found - months) % 3 != 0 ||
		hour < 0 || minute < 0 || second < 0 ||
		!valid_time(year, (found - months) / 3 + 1, day, hour, minute, second))
		return false;
	*time = unix_time(year, (found - months) / 3 + 1, day, hour, minute,
					  second);
	return true;
}

static bool
parse_date(Slice date, int64 *time)
{
	char		text[64];

	if (date.len >= sizeof(text))
		return false;
	memcpy(text, date.data, date.len);
	text[date.len] = '\0';
	return strlen(text) == date.len &&
		(parse_iso(text, time) || parse_http_date(text, time));
}

/*---- what the request says ----*/

static Slice
header_value(const DynSignedRequest *request, const char *name)
{
	size_t		len = strlen(name);

	for (int i = 0; i < request->nheaders; i++)
	{
		const DynSignedHeader *header = &request->headers[i];

		if (header->name_len == len &&
			pg_strncasecmp(header->name, name, len) == 0)
			return (Slice) {header->value, header->value_len};
	}
	return (Slice) {NULL, 0};
}

/* A query parameter's raw value by exact name. */
static Slice
query_parameter(const DynSignedRequest *request, const char *wanted)
{
	Slice		rest = {request->query, strlen(request->query)};
	Slice		pair;

	while (next_part(&rest, '&', &pair))
	{
		Slice		name;
		Slice		value;

		split_pair(pair, &name, &value);
		if (slice_is(name, wanted))
			return value.data != NULL ? value : (Slice) {"", 0};
	}
	return (Slice) {NULL, 0};
}

/* The same, decoded; an empty value counts as absent. */
static Slice
decoded_parameter(const DynSignedRequest *request, const char *name)
{
	Slice		value = query_parameter(request, name);

	if (value.len == 0)
		return (Slice) {NULL, 0};
	if (memchr(value.data, '%', value.len) != NULL)
		return percent_decode(value);
	return value;
}

static void
split_credential(Credentials *c)
{
	Slice		parts[5];
	Slice		part;
	Slice		rest;

	while (c->credential.len > 0 &&
		   c->credential.data[c->credential.len - 1] == '/')
		c->credential.len--;
	rest = c->credential;
	for (c->nparts = 0; next_part(&rest, '/', &part); c->nparts++)
		if (c->nparts < 5)
			parts[c->nparts] = part;
	if (c->nparts != 5)
		return;
	c->key_id = parts[0];
	c->scope_date = parts[1];
	c->region = parts[2];
	c->service = parts[3];
	c->terminator = parts[4];
	c->signer.data = parts[0].data;
	c->signer.len = parts[3].data + parts[3].len - parts[0].data;
	c->scope.data = parts[1].data;
	c->scope.len = parts[4].data + parts[4].len - parts[1].data;
}

/*
 * Authorization: AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...
 *
 * Parts may be separated by commas, blanks or both.
 */
static void
parse_authorization(Slice header, Credentials *c)
{
	const char *p = header.data;
	const char *end = p + header.len;
	bool		first = true;

	while (p < end)
	{
		Slice		part = {p, 0};
		Slice		name;
		Slice		value;

		while (p < end && *p != ' ' && *p != '\t' && *p != ',')
			p++;
		part.len = p - part.data;
		if (p < end)
			p++;
		if (first)
		{
			c->algorithm = part;
			first = false;
			continue;
		}
		split_pair(part, &name, &value);
		if (value.len == 0)
			continue;
		if (slice_is(name, "Credential"))
			c->credential = value;
		else if (slice_is(name, "SignedHeaders"))
			c->signed_headers = value;
		else if (slice_is(name, "Signature"))
			c->signature = value;
	}
}

/*
 * Collect what the request says about its signature.  Raises nothing; what is
 * missing is absent.
 */
static void
read_credentials(const DynSignedRequest *request, Credentials *c)
{
	memset(c, 0, sizeof(*c));
	c->authorization = header_value(request, "authorization");
	c->in_query = request->query[0] != '\0' &&
		query_parameter(request, "X-Amz-Algorithm").data != NULL;
	if (c->in_query)
	{
		c->algorithm = decoded_parameter(request, "X-Amz-Algorithm");
		c->credential = decoded_parameter(request, "X-Amz-Credential");
		c->signature = decoded_parameter(request, "X-Amz-Signature");
		c->signed_headers = decoded_parameter(request, "X-Amz-SignedHeaders");
		c->date = decoded_parameter(request, "X-Amz-Date");
		c->expires = decoded_parameter(request, "X-Amz-Expires");
		c->token = decoded_parameter(request, "X-Amz-Security-Token");
	}
	else if (c->authorization.len > 0)
	{
		parse_authorization(c->authorization, c);
		c->date = header_value(request, "x-amz-date");
		if (c->date.len == 0)
			c->date = header_value(request, "date");
		c->token = header_value(request, "x-amz-security-token");
	}
	if (c->credential.data != NULL)
		split_credential(c);
}

/*
 * The same, once for each request: it is asked whether that needs the catalog,
 * perhaps twice, before it is verified.
 */
static const Credentials *
credentials_of(DynSignedRequest *request)
{
	if (request->credentials == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(request->memory);
		Credentials *c = palloc(sizeof(Credentials));

		read_credentials(request, c);
		request->credentials = c;
		MemoryContextSwitchTo(caller);
	}
	return request->credentials;
}

/*---- checks, in the service's order ----*/

static void
check_presence(const Credentials *c)
{
	StringInfoData missing;

	if (c->in_query && c->authorization.len > 0)
		dyn_raise(INVALID_SIGNATURE, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
	if (!c->in_query && (c->authorization.len < 5 ||
						 memcmp(c->authorization.data, "AWS4-", 5) != 0))
		dyn_raise(MISSING_AUTHENTICATION_TOKEN,
				  "Request is missing Authentication Token");

	if (c->credential.data != NULL && c->signature.data != NULL &&
		c->signed_headers.data != NULL && c->date.len > 0 &&
		c->algorithm.data != NULL)
		return;

	initStringInfo(&missing);
	if (c->in_query)
	{
		const struct
		{
			const char *name;
			Slice		value;
		}			wanted[] = {
			{"Algorithm", c->algorithm}, {"Credential", c->credential},
			{"Signature", c->signature}, {"SignedHeaders", c->signed_headers},
			{"Date", c->date}
		};

		for (int i = 0; i < lengthof(wanted); i++)
			if (wanted[i].value.data == NULL)
				appendStringInfo(&missing,
								 "AWS query-string parameters must include 'X-Amz-%s'. ",
								 wanted[i].name);
		appendStringInfoString(&missing, "Re-examine the query-string parameters.");
	}
	else
	{
		const struct
		{
			const char *name;
			Slice		value;
		}			wanted[] = {
			{"Credential", c->credential}, {"Signature", c->signature},
			{"SignedHeaders", c->signed_headers}
		};

		for (int i = 0; i < lengthof(wanted); i++)
			if (wanted[i].value.data == NULL)
				appendStringInfo(&missing,
								 "Authorization header requires '%s' parameter. ",
								 wanted[i].name);
		if (c->date.len == 0)
			appendStringInfoString(&missing,
								   "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
		appendStringInfo(&missing, "Authorization=%s",
						 slice_text(c->authorization));
	}
	dyn_raise(INCOMPLETE_SIGNATURE, "%s", missing.data);
}

/* How long a query-string signature is good for, in seconds. */
static int
validity(const Credentials *c)
{
	int			seconds = 0;

	if (c->expires.data == NULL)
		return VALID_SECONDS;
	/* Whoever asks for less than a quarter of an hour gets it. */
	for (size_t i = 0; i < c->expires.len; i++)
	{
		if (c->expires.data[i] < '0' || c->expires.data[i] > '9')
			return VALID_SECONDS;
		seconds = seconds * 10 + (c->expires.data[i] - '0');
		if (seconds >= VALID_SECONDS)
			return VALID_SECONDS;
	}
	return seconds;
}

static void
check_time(const Credentials *c, int64 now, char *iso)
{
	int			seconds = validity(c);
	char		limit[ISO_SIZE];
	char		now_iso[ISO_SIZE];
	char		span[32];
	int64		time;

	if (!parse_date(c->date, &time))
		dyn_raise(INCOMPLETE_SIGNATURE,
				  "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601",
				  slice_text(c->date));
	iso_format(time, iso);
	if (time >= now - seconds && time <= now + VALID_SECONDS)
		return;

	iso_format(now, now_iso);
	if (time > now)
	{
		iso_format(now + VALID_SECONDS, limit);
		dyn_raise(INVALID_SIGNATURE,
				  "Signature not yet current: %s is still later than %s (%s + 15 min.)",
				  iso, limit, now_iso);
	}
	iso_format(now - seconds, limit);
	if (seconds == VALID_SECONDS)
		strlcpy(span, "15 min.", sizeof(span));
	else
		snprintf(span, sizeof(span), "%d sec.", seconds);
	dyn_raise(INVALID_SIGNATURE,
			  "Signature expired: %s is now earlier than %s (%s - %s)",
			  iso, limit, now_iso, span);
}

static bool
is_valid_region(Slice region)
{
	if (region.len == 0 || region.len > MAX_REGION)
		return false;
	for (size_t i = 0; i < region.len; i++)
	{
		char		c = region.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

static void
check_scope(const Credentials *c, const char *service, const char *iso)
{
	bool		right_date = c->scope_date.len == 8 &&
	memcmp(c->scope_date.data, iso, 8) == 0;
	StringInfoData wrong;

	if (is_valid_region(c->region) && slice_is(c->service, service) &&
		slice_is(c->terminator, TERMINATOR) && right_date)
		return;
	initStringInfo(&wrong);
	if (!is_valid_region(c->region))
		appendStringInfo(&wrong, "Credential should be scoped to a valid region, not '%s'. ",
						 slice_text(c->region));
	if (!slice_is(c->service, service))
		appendStringInfo(&wrong, "Credential should be scoped to correct service: '%s'. ",
						 service);
	if (!slice_is(c->terminator, TERMINATOR))
		appendStringInfo(&wrong, "Credential should be scoped with a valid terminator: '" TERMINATOR "', not '%s'. ",
						 slice_text(c->terminator));
	if (!right_date)
		appendStringInfo(&wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%.8s', from '%s'.",
						 slice_text(c->scope_date), iso, iso);
	dyn_raise(INVALID_SIGNATURE, "%s", wrong.data);
}

/*---- the canonical request ----*/

static int
compare_slices(const void *a, const void *b)
{
	const Slice *x = a;
	const Slice *y = b;
	int			order = memcmp(x->data, y->data, Min(x->len, y->len));

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/*
 * The path with empty, "." and ".." segments resolved, and encoded once more
 * than it was sent: so do all services but S3.
 */
static void
append_canonical_path(StringInfo out, const char *path)
{
	Slice		rest = {path, strlen(path)};
	Slice		segment;
	int			start = out->len;
	bool		slash = true;	/* the path ends with one */

	if (rest.len <= 1)
	{
		appendStringInfoCharMacro(out, '/');
		return;
	}
	while (next_part(&rest, '/', &segment))
	{
		slash = segment.len == 0 || slice_is(segment, ".") ||
			slice_is(segment, "..");
		if (slice_is(segment, ".."))
		{
			while (out->len > start && out->data[--out->len] != '/')
				;
			out->data[out->len] = '\0';
		}
		else if (!slash)
		{
			appendStringInfoCharMacro(out, '/');
			append_percent_encoded(out, segment);
		}
	}
	if (slash || out->len == start)
		appendStringInfoCharMacro(out, '/');
}

/*
 * The parameters, each decoded and encoded anew, in order of name and value,
 * without the signature itself.
 */
static void
append_canonical_query(StringInfo out, const DynSignedRequest *request,
					   bool in_query)
{
	Slice		rest = {request->query, strlen(request->query)};
	Slice		pair;
	Slice	   *pairs;
	int			n = 0;

	if (rest.len == 0)
		return;
	pairs = palloc(sizeof(Slice) * MAX_QUERY_PARAMETERS);
	while (next_part(&rest, '&', &pair) && n < MAX_QUERY_PARAMETERS)
	{
		Slice		name;
		Slice		value;
		StringInfoData text;

		if (pair.len == 0)
			continue;
		split_pair(pair, &name, &value);
		if (in_query && slice_is(name, "X-Amz-Signature"))
			continue;
		initStringInfo(&text);
		append_percent_encoded(&text, percent_decode(name));

		/*
		 * A NUL instead of '=' makes whole pairs sort by name first: it comes
		 * before whatever a longer name goes on with.
		 */
		appendStringInfoChar(&text, '\0');
		if (value.data != NULL)
			append_percent_encoded(&text, percent_decode(value));
		pairs[n].data = text.data;
		pairs[n++].len = text.len;
	}
	qsort(pairs, n, sizeof(Slice), compare_slices);
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoCharMacro(out, '&');
		appendStringInfo(out, "%s=", pairs[i].data);
		appendBinaryStringInfo(out, pairs[i].data + strlen(pairs[i].data) + 1,
							   pairs[i].len - strlen(pairs[i].data) - 1);
	}
}

/* A header's value without outer blanks, inner runs of them made one. */
static void
append_trimmed(StringInfo out, const char *value, size_t len)
{
	const char *end = value + len;

	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	while (value < end)
	{
		const char *blank = memchr(value, ' ', end - value);
		const char *stop = blank == NULL ? end : blank;

		appendBinaryStringInfo(out, value, stop - value);
		value = stop;
		if (value < end)
			appendStringInfoCharMacro(out, ' ');
		while (value < end && *value == ' ')
			value++;
	}
}

/*
 * Split the list of signed headers, in lower case and sorted.  Returns their
 * number, -1 if there are too many.
 */
static int
split_signed_headers(Slice list, Slice *names)
{
	char	   *lower = palloc(list.len + 1);
	Slice		rest = {lower, list.len};
	Slice		name;
	bool		sorted = true;
	int			n = 0;

	for (size_t i = 0; i < list.len; i++)
		lower[i] = pg_ascii_tolower((unsigned char) list.data[i]);
	while (next_part(&rest, ';', &name))
	{
		if (n == MAX_SIGNED_HEADERS)
			return -1;
		if (n > 0 && compare_slices(&names[n - 1], &name) > 0)
			sorted = false;
		names[n++] = name;
	}
	if (!sorted)
		qsort(names, n, sizeof(Slice), compare_slices);
	return n;
}

static void
append_canonical_headers(StringInfo out, const DynSignedRequest *request,
						 const Slice *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		bool		first = true;

		appendBinaryStringInfo(out, names[i].data, names[i].len);
		appendStringInfoCharMacro(out, ':');
		for (int h = 0; h < request->nheaders; h++)
		{
			const DynSignedHeader *header = &request->headers[h];

			if (header->name_len != names[i].len ||
				pg_strncasecmp(header->name, names[i].data, names[i].len) != 0)
				continue;
			if (!first)
				appendStringInfoCharMacro(out, ',');
			first = false;
			append_trimmed(out, header->value, header->value_len);
		}
		appendStringInfoCharMacro(out, '\n');
	}
	appendStringInfoCharMacro(out, '\n');
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoCharMacro(out, ';');
		appendBinaryStringInfo(out, names[i].data, names[i].len);
	}
}

/*
 * Compute the signature and compare it.
 */
static void
check_signature(const DynSignedRequest *request, const Credentials *c,
				const Slice *names, int nnames, const char *iso,
				const Signer *signer)
{
	StringInfo	out = &canonical;
	unsigned char mac[DIGEST_SIZE];
	char		hex[HEX_SIZE];
	int			string_to_sign;

	/* A huge request must not keep its buffer for ever. */
	if (out->maxlen > 64 * 1024)
	{
		pfree(out->data);
		out->data = MemoryContextAlloc(TopMemoryContext, 1024);
		out->maxlen = 1024;
	}
	resetStringInfo(out);
	appendStringInfoString(out, request->method);
	appendStringInfoCharMacro(out, '\n');
	append_canonical_path(out, request->path);
	appendStringInfoCharMacro(out, '\n');
	append_canonical_query(out, request, c->in_query);
	appendStringInfoCharMacro(out, '\n');
	append_canonical_headers(out, request, names, nnames);
	appendStringInfoCharMacro(out, '\n');
	if (request->body_hash != NULL)
		appendBinaryStringInfo(out, request->body_hash, HEX_SIZE);
	else
	{
		hash_hex(request->body, request->body_len, hex);
		appendBinaryStringInfo(out, hex, HEX_SIZE);
	}
	hash_hex(out->data, out->len, hex);

	string_to_sign = out->len;
	appendStringInfoString(out, ALGORITHM "\n");
	appendBinaryStringInfo(out, iso, ISO_SIZE - 1);
	appendStringInfoCharMacro(out, '\n');
	appendBinaryStringInfo(out, c->scope.data, c->scope.len);
	appendStringInfoCharMacro(out, '\n');
	appendBinaryStringInfo(out, hex, HEX_SIZE);
	hmac_finish(signer->inner, signer->outer, out->data + string_to_sign,
				out->len - string_to_sign, mac);
	for (int i = 0; i < DIGEST_SIZE; i++)
	{
		hex[2 * i] = hex_digits[mac[i] >> 4];
		hex[2 * i + 1] = hex_digits[mac[i] & 15];
	}
	/* In constant time: how much of a guess was right must not show. */
	if (c->signature.len == HEX_SIZE &&
		CRYPTO_memcmp(hex, c->signature.data, HEX_SIZE) == 0)
		return;
	dyn_raise(INVALID_SIGNATURE,
			  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n"
			  "The Canonical String for this request should have been\n'%s'\n\n"
			  "The String-to-Sign should have been\n'%s'\n",
			  printable(out->data, string_to_sign),
			  printable(out->data + string_to_sign, out->len - string_to_sign));
}

/*
 * The token after the signature: only its holder is told what is wrong with it.
 * Returns the signer, which may have found its place only now.
 */
static Signer *
check_token(const Credentials *c, Signer *signer, int64 now)
{
	if (!is_session(c))
	{
		/* With an access key one is nobody's. */
		if (c->token.len > 0)
			dyn_raise(UNRECOGNIZED_CLIENT,
					  "The security token included in the request is invalid");
		return signer;
	}
	if (!knows_token(signer, c->token))
		signer = learn_session(c, signer);
	if (now >= signer->session->session->expires)
		dyn_raise(EXPIRED_TOKEN,
				  "The security token included in the request is expired");
	return signer;
}

/* The session stays as long as the request's memory. */
static void
use_session(KnownSession *session, DynPrincipal *principal)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = release_session;
	callback->arg = session;
	session->users++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	principal->session = session->session;
}

static void
note_use(Signer *signer, const Credentials *c, int64 now)
{
	if (signer->use == NULL)
		signer->use = dyn_key_use_find(c->key_id.data, c->key_id.len, now);
	if (signer->use != NULL)
		dyn_key_use_note(signer->use, signer->hash, c->region.data,
						 c->region.len, c->service.data, c->service.len, now);
}

/*---- interface ----*/

bool
dyn_sigv4_needs_catalog(DynSignedRequest *request)
{
	const Credentials *c;
	const Signer *signer;

	initialize();
	AcceptInvalidationMessages();
	c = credentials_of(request);
	if (c->nparts != 5 || c->signer.len > MAX_SIGNER)
		return false;
	signer = cache_find(c->signer, signer_hash(c->signer));
	return signer == NULL ||
		(is_session(c) && c->token.len > 0 && !knows_token(signer, c->token));
}

const char *
dyn_sigv4_claimed_key(DynSignedRequest *request)
{
	const Credentials *c = credentials_of(request);

	return c->nparts == 5 ? slice_text(c->key_id) : NULL;
}

void
dyn_sigv4_verify(DynSignedRequest *request, int64 now,
				 bool any_credentials, DynPrincipal *principal)
{
	const Credentials *c;
	Slice		names[MAX_SIGNED_HEADERS];
	int			nnames;
	bool		host = false;
	char		iso[ISO_SIZE];
	Signer	   *signer;

	initialize();
	c = credentials_of(request);
	check_presence(c);
	if (any_credentials)
	{
		principal->access_key_id =
			slice_text(c->nparts == 5 ? c->key_id : c->credential);
		principal->role = BOOTSTRAP_SUPERUSERID;
		principal->session = NULL;
		principal->is_unproven = true;
		return;
	}
	check_time(c, now, iso);

	nnames = split_signed_headers(c->signed_headers, names);
	for (int i = 0; i < nnames; i++)
		if (slice_is(names[i], "host"))
			host = true;
	if (!host)
		dyn_raise(INVALID_SIGNATURE, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
	if (!slice_is(c->algorithm, ALGORITHM))
		dyn_raise(INCOMPLETE_SIGNATURE,
				  "Unsupported AWS 'algorithm': '%s' (only " ALGORITHM " for now). ",
				  slice_text(c->algorithm));
	if (c->nparts != 5)
		dyn_raise(INCOMPLETE_SIGNATURE,
				  "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'",
				  slice_text(c->credential));
	check_scope(c, request->service, iso);

	signer = find_signer(c, now);
	if (signer == NULL)
		ereport(ERROR,
				(errcode(dyn_errcode(UNRECOGNIZED_CLIENT)),
				 errmsg_internal("The security token included in the request is invalid."),
				 errhint("dynamo.create_access_key() makes access keys; "
						 "with dynamo.accept_any_credentials = on this server takes any.")));
	check_signature(request, c, names, nnames, iso, signer);

	signer = check_token(c, signer, now);
	principal->access_key_id = pnstrdup(c->key_id.data, c->key_id.len);
	principal->role = signer->role;
	principal->session = NULL;
	principal->is_unproven = false;
	if (signer->session != NULL)
		use_session(signer->session, principal);
	else
		note_use(signer, c, now);
}
