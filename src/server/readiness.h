/*-------------------------------------------------------------------------
 *
 * readiness.h
 *		GET /ready: should a load balancer send requests here?
 *
 * src/server/readiness.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_READINESS_H
#define DYN_READINESS_H

#include "lib/stringinfo.h"

/*
 * Append a line that says why or why not; returns the HTTP status, 200 or 503.
 */
extern int	dyn_readiness(bool extension_present, StringInfo out);

#endif							/* DYN_READINESS_H */
