/*-------------------------------------------------------------------------
 *
 * session.h
 *		Temporary credentials, made and read without writing anything.
 *
 * All there is to a session is in its token, which its holder sends along with
 * every request: sealed with a secret of the server's (table
 * dynamo.session_keys), it tells him nothing and can't be altered.  So
 * AssumeRole works on a standby, and nothing has to be cleaned up.
 *
 * src/auth/session.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SESSION_H
#define DYN_SESSION_H

#include "auth/access_key.h"
#include "auth/principal.h"

/* What is to be in a token. */
typedef struct DynSessionTerms
{
	Oid			role;
	int			seconds;		/* from now */
	const char *name;			/* NULL: a user's own */
	const char *source_identity;	/* or NULL */
	const char *policy;			/* a document, or NULL */
	int			ntags;
	const DynPrincipalTag *tags;	/* the transitive ones first */
	int			ntransitive;
} DynSessionTerms;

typedef struct DynSessionCredentials
{
	char		access_key_id[DYN_ACCESS_KEY_ID_LENGTH + 1];
	char		secret[DYN_SECRET_ACCESS_KEY_LENGTH + 1];
	char	   *token;
	int64		expires;		/* Unix seconds */
	int			packed_percent; /* how much of a token's room is used */
} DynSessionCredentials;

/*
 * Make credentials, in CurrentMemoryContext.  Raises PackedPolicyTooLarge.
 * Needs a transaction, as what follows does.
 */
extern void dyn_session_issue(const DynSessionTerms *terms,
							  DynSessionCredentials *credentials);

/* Does an access key's id look like a session's? */
extern bool dyn_session_is_id(const char *id, uint32 id_len);

/*
 * The secret that belongs to a session's id, with a NUL; whether there is such
 * a session, the token says.  False if there can't be one.
 */
extern bool dyn_session_secret(const char *id, char *secret);

/*
 * Open the token that came with a session's id, in CurrentMemoryContext.  NULL
 * if it is not the id's, or the session has been ended: its role is gone, or
 * can't be assumed any more, or its sessions are revoked.  One that has expired
 * is opened.
 */
extern const DynSession *dyn_session_open(const char *id, const char *token,
										  uint32 token_len);

#endif							/* DYN_SESSION_H */
