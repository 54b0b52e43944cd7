/*-------------------------------------------------------------------------
 *
 * throughput_request.h
 *		What a request says of throughput: of a table, or of one of its indexes.
 *
 * Both have the same three members: ProvisionedThroughput, OnDemandThroughput
 * (ceilings) and WarmThroughput.  index is the name of the index that messages
 * are about, NULL for the table.
 *
 * src/operation/throughput_request.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_THROUGHPUT_REQUEST_H
#define DYN_THROUGHPUT_REQUEST_H

#include "operation/request.h"

typedef struct DynThroughputRequest
{
	bool		provisioned;	/* ProvisionedThroughput is there */
	DynUnits	units;			/* what it says */
	const DynJson *ceilings;	/* OnDemandThroughput, or NULL */
	const DynJson *warm;		/* WarmThroughput, or NULL */
} DynThroughputRequest;

/* In the order of DynBillingMode. */
extern const DynEnum dyn_enum_billing_mode;

/* Member constraints of BillingMode; false if it is absent. */
extern bool dyn_request_billing_mode(DynViolations *v, const DynJson *request,
									 DynBillingMode *mode);

/* Member constraints; path stands before the members' names: "" or "x.". */
extern void dyn_throughput_check_members(DynViolations *v, const DynJson *holder,
										 const char *path);

/* The members of a holder that has passed the constraints. */
extern DynThroughputRequest dyn_throughput_read(const DynJson *holder);

/* Refuse numbers that no quota could allow. */
extern void dyn_throughput_check_bounds(const DynThroughputRequest *request,
										const char *index);

/* Refuse more decreases in a day than the service allows. */
extern void dyn_throughput_check_decrease(DynUnits old, DynUnits new,
										  int decreases_today,
										  TimestampTz last_decrease);

/*
 * Merge the request's ceilings into *ceilings; -1 removes one.  Refused for
 * provisioned tables, in other words by CreateTable than by UpdateTable.
 */
extern void dyn_throughput_merge_ceilings(const DynThroughputRequest *request,
										  const char *index, DynBillingMode mode,
										  bool create, DynUnits *ceilings);

/*
 * Set *asked to the warm throughput the request asks for, which may not be
 * less than the current one.
 */
extern void dyn_throughput_increase_warm(const DynThroughputRequest *request,
										 const char *index, DynUnits current,
										 DynUnits *asked);

/* The warm throughput of a table or index: at least what it has anyway. */
extern DynUnits dyn_warm_units(DynBillingMode mode, DynUnits provisioned,
							   DynUnits asked);

extern void dyn_throughput_refuse_on_demand(void) pg_attribute_noreturn();

#endif							/* DYN_THROUGHPUT_REQUEST_H */
