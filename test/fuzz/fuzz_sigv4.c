/*-------------------------------------------------------------------------
 *
 * fuzz_sigv4.c
 *		auth/sigv4.c: any request.
 *
 * Lines: path, query, headers, an empty line, the body.  One access key and one
 * session are known; nobody guesses their signatures.
 *
 * test/fuzz/fuzz_sigv4.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "auth/access_key.h"
#include "auth/auth_catalog.h"
#include "auth/key_use.h"
#include "auth/session.h"
#include "auth/sigv4.h"
#include "pg_shim.h"

#define KNOWN_KEY "AKIAIOSFODNN7EXAMPLE"
#define KNOWN_SESSION "ASIAIOSFODNN7EXAMPLE"
#define NOW 1440938160			/* 2015-08-30 12:36:00 UTC */

bool
dyn_access_key_find(const char *id, uint32 id_len, DynAccessKey *key)
{
	if (id_len != strlen(KNOWN_KEY) || memcmp(id, KNOWN_KEY, id_len) != 0)
		return false;
	key->role = 1;
	key->secret = pstrdup("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
	key->valid_until = PG_INT64_MAX;
	return true;
}

uint64
dyn_auth_generation(void)
{
	return 1;
}

bool
dyn_session_is_id(const char *id, uint32 id_len)
{
	return id_len == DYN_ACCESS_KEY_ID_LENGTH && memcmp(id, "ASIA", 4) == 0;
}

bool
dyn_session_secret(const char *id, char *secret)
{
	if (memcmp(id, KNOWN_SESSION, strlen(KNOWN_SESSION)) != 0)
		return false;
	strcpy(secret, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
	return true;
}

/* What comes after the signature is for those who have the secret. */
const DynSession *
dyn_session_open(const char *id, const char *token, uint32 token_len)
{
	FUZZ_REQUIRE(!"a signature was guessed");
	return NULL;
}

DynKeyUse *
dyn_key_use_find(const char *id, uint32 id_len, int64 now)
{
	return NULL;
}

void
dyn_key_use_note(DynKeyUse *use, uint32 scope,
				 const char *region, uint32 region_len,
				 const char *service, uint32 service_len, int64 now)
{
}

void
MemoryContextSetParent(MemoryContext context, MemoryContext new_parent)
{
	FUZZ_REQUIRE(!"a signature was guessed");
}

/* Cut the next line off *text, NUL-terminated; "" at the end. */
static char *
next_line(char **text)
{
	char	   *line = *text;
	char	   *end = line + strcspn(line, "\n");

	*text = *end == '\n' ? end + 1 : end;
	*end = '\0';
	return line;
}

static void
verify(void *argument)
{
	DynPrincipal principal;

	dyn_sigv4_verify(argument, NOW, false, &principal);
	FUZZ_REQUIRE(!"a signature was guessed");
}

static void
verify_any(void *argument)
{
	DynPrincipal principal;

	dyn_sigv4_verify(argument, NOW, true, &principal);
	FUZZ_REQUIRE(principal.access_key_id != NULL && principal.is_unproven);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	char	   *text = palloc(size + 1);
	DynSignedHeader headers[100];
	DynSignedRequest request = {
		.method = "POST",.headers = headers,.service = "dynamodb",
		.memory = CurrentMemoryContext
	};

	memcpy(text, data, size);
	text[size] = '\0';
	request.path = next_line(&text);
	request.query = next_line(&text);
	while (*text != '\0' && *text != '\n' && request.nheaders < lengthof(headers))
	{
		DynSignedHeader *header = &headers[request.nheaders];
		char	   *line = next_line(&text);

		header->name = line;
		header->name_len = strcspn(line, ":");
		header->value = line + header->name_len + (line[header->name_len] == ':');
		header->value_len = strlen(header->value);
		request.nheaders++;
	}
	request.body = text;
	request.body_len = strlen(text);

	(void) dyn_sigv4_needs_catalog(&request);
	FUZZ_REQUIRE(!fuzz_try(verify, &request));
	(void) fuzz_try(verify_any, &request);
}
