/*-------------------------------------------------------------------------
 *
 * resource_policy_request.h
 *		A resource policy in a request.
 *
 * src/operation/resource_policy_request.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_RESOURCE_POLICY_REQUEST_H
#define DYN_RESOURCE_POLICY_REQUEST_H

#include "operation/request.h"

/*
 * The document in a member that is there, and the policy it is.  Raises
 * ValidationException if it is none.
 */
extern const char *dyn_request_resource_policy(const DynJson *request,
											   const char *name,
											   DynNamedPolicy *policy);

#endif							/* DYN_RESOURCE_POLICY_REQUEST_H */
