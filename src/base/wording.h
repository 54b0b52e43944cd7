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
 *   or with a value of those or DeleteItem, as if that were a constraint, too;
 * - in those, GetItem and Query, shows a set that has a member twice as JSON.
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

/*
 * How much of the newer wording the running operation has, beyond what all have.
 * Each includes the ones before it.  NOTHING in the older wording.
 */
typedef enum DynReworded
{
	DYN_REWORDED_NOTHING,
	DYN_REWORDED_DUPLICATES,	/* GetItem, Query */
	DYN_REWORDED_VALUES,		/* DeleteItem: with the prefix */
	DYN_REWORDED_REQUESTS		/* PutItem, UpdateItem: with the prefix */
} DynReworded;

extern PGDLLIMPORT DynReworded dyn_reworded;

/* The text, in the newer wording if the operation has that much of it. */
extern const char *dyn_wording_at(DynReworded level, DynWording text);

/*
 * ValidationException for what is wrong with a request in itself: with its
 * expressions, with what goes together; or with a value in it.
 */
#define dyn_raise_request(format, ...) \
	dyn_raise(VALIDATION, "%s" format, \
			  dyn_wording_at(DYN_REWORDED_REQUESTS, DYN_WORDING_REQUEST_PREFIX), \
			  ##__VA_ARGS__)
#define dyn_raise_value(format, ...) \
	dyn_raise(VALIDATION, "%s" format, \
			  dyn_wording_at(DYN_REWORDED_VALUES, DYN_WORDING_REQUEST_PREFIX), \
			  ##__VA_ARGS__)

#endif							/* DYN_WORDING_H */
