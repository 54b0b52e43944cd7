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

#include "operation/throughput_request.h"

#define DYN_INVALID_VALUES "One or more parameter values were invalid: "

/* In the order of DynTableClass. */
extern const DynEnum dyn_enum_table_class;

/* TableName, which must be there. */
extern const DynJson *dyn_table_request_require_name(const DynJson *request);

/*
 * TableName of DescribeTable, UpdateTable and the like: a name or an ARN.
 * Its length is reported alone, its characters with the other violations.
 */
extern const DynJson *dyn_table_request_name(DynViolations *v,
											 const DynJson *request);

/*
 * The table of a checked name, for who has the permission.  Raises
 * AccessDeniedException, ResourceNotFoundException.
 */
extern const DynTable *dyn_table_request_find(DynOperationContext *context,
											  const DynJson *name_value,
											  DynPermission permission);

/* The same, with NULL for a table that isn't there. */
extern const DynTable *dyn_table_request_authorize(DynOperationContext *context,
												   const DynJson *name_value,
												   DynAuthorization *authorization);

/* Permission for what is about no table.  Raises AccessDeniedException. */
extern void dyn_request_authorize_account(DynOperationContext *context,
										  DynPermission permission);

/*
 * Raises ResourceInUseException while an index is being set up or removed.
 * One that is being backfilled leaves the table in peace.
 */
extern void dyn_table_check_not_updating(const DynTable *table);
extern void dyn_table_refuse_updating(const DynTable *table) pg_attribute_noreturn();
extern bool dyn_table_is_updating(const DynTable *table);

/* While its encryption is being switched on or off; that is not UPDATING. */
extern bool dyn_table_is_being_sealed(const DynTable *table);

/* Constraints of the members that CreateTable and UpdateTable share. */
extern void dyn_table_request_check_options(DynViolations *v, const DynJson *request);

/* What SSESpecification asks for. */
typedef struct DynSealingRequest
{
	bool		given;
	bool		enabled;
	const char *master_key;		/* id; NULL: the first there is */
	bool		by_arn;
} DynSealingRequest;

/* Raises ValidationException for what contradicts itself. */
extern DynSealingRequest dyn_table_request_sealing(const DynJson *request);

/* Raise ValidationException unless the master key is there. */
extern void dyn_table_request_check_master_key(const DynSealingRequest *sealing);

/* TableClass, or absent. */
extern DynTableClass dyn_table_request_class(const DynJson *request,
											 DynTableClass absent);

#endif							/* DYN_TABLE_REQUEST_H */
