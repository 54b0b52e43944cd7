/*-------------------------------------------------------------------------
 *
 * table_request.h
 *		Parts of requests that the operations on tables share.
 *
 * src/operation/table_request.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TABLE_REQUEST_H
#define DYN_TABLE_REQUEST_H

#include "operation/request.h"

#define DYN_INVALID_VALUES "One or more parameter values were invalid: "

/* In the order of DynBillingMode, DynTableClass. */
extern const DynEnum dyn_enum_billing_mode;
extern const DynEnum dyn_enum_table_class;
extern const DynEnum dyn_enum_attribute_type;
extern const DynEnum dyn_enum_stream_view_type;

/* TableName, which must be there. */
extern const DynJson *dyn_table_request_require_name(const DynJson *request);

/*
 * TableName of DescribeTable, UpdateTable and DeleteTable: a name or an ARN.
 * Its length is reported alone, its characters with the other violations.
 */
extern const DynJson *dyn_table_request_name(DynViolations *v,
											 const DynJson *request);

/* The table of a checked name.  Raises ResourceNotFoundException. */
extern const DynTable *dyn_table_request_find(DynOperationContext *context,
											  const DynJson *name_value);

/* Throughput and billing of CreateTable and UpdateTable. */
typedef struct DynThroughputRequest
{
	const DynJson *member;		/* ProvisionedThroughput, or NULL */
	int64		read_units;
	int64		write_units;
	bool		billing_given;
	DynBillingMode billing_mode;
} DynThroughputRequest;

/* Read and check ProvisionedThroughput and BillingMode. */
extern void dyn_table_request_throughput(DynViolations *v, const DynJson *request,
										 DynThroughputRequest *result);
extern void dyn_table_request_billing(DynViolations *v, const DynJson *request,
									  DynThroughputRequest *result);
extern void dyn_throughput_check_bounds(const DynThroughputRequest *throughput);
extern void dyn_throughput_refuse_on_demand(void) pg_attribute_noreturn();

/* Constraints of the members that CreateTable and UpdateTable share. */
extern void dyn_table_request_options(DynViolations *v, const DynJson *request);

/* Member constraints of AttributeDefinitions. */
extern void dyn_table_request_definitions(DynViolations *v, const DynJson *list,
										  bool required);

extern void dyn_refuse_option(const char *what) pg_attribute_noreturn();

/*
 * Ceilings of on-demand throughput: -1, "none", is what every table has.  The
 * texts of CreateTable and UpdateTable differ.
 */
extern void dyn_on_demand_throughput_check(const DynJson *request,
										   DynBillingMode mode, bool create);

/*
 * Refuse what this server does not have; accept what asks for the state every
 * table is in.
 */
extern void dyn_table_options_check(const DynJson *request);

#endif							/* DYN_TABLE_REQUEST_H */
