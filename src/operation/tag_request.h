/*-------------------------------------------------------------------------
 *
 * tag_request.h
 *		Tags in requests: of CreateTable and TagResource.
 *
 * src/operation/tag_request.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TAG_REQUEST_H
#define DYN_TAG_REQUEST_H

#include "operation/request.h"
#include "table/tag.h"

/* Member constraints of Tags. */
extern void dyn_request_check_tags(DynViolations *v, const DynJson *request,
								   bool required);

/*
 * The tags of a request that has passed the constraints; of those with one key
 * the last counts.  Refuses reserved keys, strange characters, too many.
 */
extern DynTag *dyn_request_tags(const DynJson *request, int *count);

#endif							/* DYN_TAG_REQUEST_H */
