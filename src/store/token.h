/*-------------------------------------------------------------------------
 *
 * token.h
 *		Client request tokens: which transactions have been done already.
 *
 * A token is stored in the transaction it belongs to, so it is there if and
 * only if what it stands for has happened.  It counts for ten minutes.  Each
 * role has tokens of its own.
 *
 * src/store/token.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TOKEN_H
#define DYN_TOKEN_H

#include "lib/stringinfo.h"

#include "store/store.h"

/* Which operation the token was sent with; stored, never change. */
typedef enum DynTokenSpace
{
	DYN_TOKEN_TRANSACT_WRITE_ITEMS = 'w',
	DYN_TOKEN_EXECUTE_TRANSACTION = 'e'
} DynTokenSpace;

typedef struct DynToken
{
	DynTokenSpace space;
	const char *text;
	uint32		len;
	uint64		content;		/* hash of what was asked for */
	int			nunits;			/* what a repeated call is charged */
	int32	   *units;
} DynToken;

/*
 * Store a token.  OK: it is new.  CHANGED: it is there already; *found (in
 * CurrentMemoryContext) is what was stored.  BUSY, unless may_wait: a running
 * transaction has stored it, or holds it.
 */
extern DynStoreResult dyn_token_insert(const DynToken *token, bool may_wait,
									   DynToken *found);

/* The same without storing it. */
extern DynStoreResult dyn_token_find(const DynToken *token, bool may_wait,
									 DynToken *found);

#endif							/* DYN_TOKEN_H */
