/*-------------------------------------------------------------------------
 *
 * wording.h
 *		The two generations of the service's messages.
 *
 * In 2026 the service has worded the complaints about requests anew, region by
 * region.  dynamo.validation_wording says which of the two is spoken here; the
 * texts that differ stand in wording_list.h.  Besides them, the newer
 * generation
 * - names members as requests do (TableName, not tableName), does not repeat
 *   their values, and stops at the first that breaks a constraint;
 * - counts the conditions on a key when it knows the key;
 * - puts a prefix before what is wrong with a request of PutItem or UpdateItem,
 *   or with a value of those or DeleteItem, as if that were a constraint, too.
 *
 * src/base/wording.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_WORDING_H
#define DYN_WORDING_H

#include "base/error.h"
#include "base/settings.h"

typedef enum DynWording
{
#define DYN_WORDING(name, older, newer) DYN_WORDING_##name,
#include "base/wording_list.h"
#undef DYN_WORDING
} DynWording;

/* The text, a format, in the wording that is set. */
extern const char *dyn_wording(DynWording text);

static inline bool
dyn_wording_is_newer(void)
{
	return dyn_validation_wording == DYN_WORDING_NEWER;
}

/* What the operation that runs puts the prefix before, in the newer wording. */
typedef enum DynPrefixed
{
	DYN_PREFIXED_NOTHING,
	DYN_PREFIXED_VALUES,
	DYN_PREFIXED_REQUESTS		/* and values */
} DynPrefixed;

extern PGDLLIMPORT DynPrefixed dyn_prefixed;

/* The prefix or "", for complaints of this kind. */
extern const char *dyn_wording_prefix(DynPrefixed kind);

/*
 * ValidationException for what is wrong with a request in itself: with its
 * expressions, with what goes together; or with a value in it.
 */
#define dyn_raise_request(format, ...) \
	dyn_raise(VALIDATION, "%s" format, \
			  dyn_wording_prefix(DYN_PREFIXED_REQUESTS), ##__VA_ARGS__)
#define dyn_raise_value(format, ...) \
	dyn_raise(VALIDATION, "%s" format, \
			  dyn_wording_prefix(DYN_PREFIXED_VALUES), ##__VA_ARGS__)

#endif							/* DYN_WORDING_H */
