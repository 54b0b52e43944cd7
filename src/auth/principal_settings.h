/*-------------------------------------------------------------------------
 *
 * principal_settings.h
 *		What table dynamo.principals says of a role, as it stands there.
 *
 * src/auth/principal_settings.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_PRINCIPAL_SETTINGS_H
#define DYN_PRINCIPAL_SETTINGS_H

#include "datatype/timestamp.h"

/* IAM's limits of a session's length, in seconds. */
#define DYN_MIN_SESSION_DURATION		900
#define DYN_DEFAULT_SESSION_DURATION	3600

typedef struct DynPrincipalSettings
{
	char	   *boundary;		/* a policy's name, or NULL */
	char	   *trust_policy;	/* a document, or NULL: it is no role */
	int			max_session_duration;	/* seconds */
	char	   *tags;			/* a JSON object, or NULL */
	TimestampTz sessions_revoked;	/* those issued before don't count */
} DynPrincipalSettings;

/* In CurrentMemoryContext; the defaults where there is no row. */
extern void dyn_principal_settings(Oid role, DynPrincipalSettings *settings);

/* A role's name in UTF-8, in CurrentMemoryContext; NULL if it is gone. */
extern char *dyn_role_name(Oid role);

/*
 * IAM's unique id: a role that has the name of another that is gone has another
 * id.
 */
extern char *dyn_principal_id(Oid role, bool is_role);

/* The document of dynamo.policies by name, or NULL. */
extern char *dyn_policy_document(const char *name);

#endif							/* DYN_PRINCIPAL_SETTINGS_H */
