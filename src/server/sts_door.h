/*-------------------------------------------------------------------------
 *
 * sts_door.h
 *		STS at the same endpoint: the AWS Query protocol.
 *
 * A form in the body (or, of GET, the query string) with an Action; the answer
 * is XML.
 *
 * src/server/sts_door.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_STS_DOOR_H
#define DYN_STS_DOOR_H

#include "server/gateway.h"

/*
 * If it is a request to STS, set its kind (or the answer, if there is no such
 * action) and return true.  The parts that are signed must be set.
 */
extern bool dyn_sts_accept(DynWork *work);

/* Run it and set the reply.  In a transaction; raises. */
extern void dyn_sts_execute(DynWork *work);

/* Set the reply to an error. */
extern void dyn_sts_refuse(DynWork *work, DynException exception,
						   const char *message);

#endif							/* DYN_STS_DOOR_H */
