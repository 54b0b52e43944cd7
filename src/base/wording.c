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

DynPrefixed dyn_prefixed = DYN_PREFIXED_NOTHING;

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
dyn_wording_prefix(DynPrefixed kind)
{
	return dyn_prefixed >= kind ? dyn_wording(DYN_WORDING_REQUEST_PREFIX) : "";
}
