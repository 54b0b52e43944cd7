/*-------------------------------------------------------------------------
 *
 * wording.c
 *		The two generations of the service's messages.
 *
 * src/base/wording.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/wording.h"

DynReworded dyn_reworded = DYN_REWORDED_NOTHING;

static const char *const texts[][2] = {
#define DYN_WORDING(name, older, newer) {older, newer},
#include "base/wording_list.h"
#undef DYN_WORDING
};

const char *
dyn_wording(DynWording text)
{
	return texts[text][dyn_wording_is_newer()];
}

const char *
dyn_wording_at(DynReworded level, DynWording text)
{
	return texts[text][dyn_reworded >= level];
}
