/*-------------------------------------------------------------------------
 *
 * request.h
 *		Reading a request's members, and the parts that operations share.
 *
 * The request's shape has been checked (operation/shape.h): a member that is
 * there and not null has its type.  Texts point into the request.
 *
 * src/operation/request.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_REQUEST_H
#define DYN_REQUEST_H

#include "expression/expression.h"
#include "operation/authorize.h"
#include "operation/constraint.h"
#include "operation/operation.h"
#include "table/table.h"

/* A member, or NULL if it is absent or null. */
extern const DynJson *dyn_request_member(const DynJson *request, const char *name);

/* A string member's bytes, or NULL. */
extern const char *dyn_request_string(const DynJson *request, const char *name,
									  uint32 *len);

/* A boolean member; the words "true", "1", "yes", ... count too. */
extern bool dyn_request_bool(const DynJson *request, const char *name, bool absent);

/* A number as the service makes an integer of it: rounded down, saturating. */
extern int64 dyn_json_to_integer(const DynJson *value);

/* Letters, digits, '_', '-' and '.' only. */
extern bool dyn_name_is_well_formed(const char *name, uint32 len);

/*
 * TableName of the item operations, Query and Scan: required, a name of up to
 * 255 characters or an ARN of up to 1024.  One or two characters are legal
 * here: no table can have such a name, so they end as
 * ResourceNotFoundException.
 */
extern void dyn_request_check_table_name(DynViolations *v, const DynJson *request);

/* ReturnConsumedCapacity and ReturnItemCollectionMetrics. */
extern DynReturnCapacity dyn_request_return_capacity(DynViolations *v,
													 const DynJson *request);
extern bool dyn_request_item_collection_metrics(DynViolations *v,
												const DynJson *request);

/*
 * The table a checked TableName means, for what authorization asks.  Raises
 * AccessDeniedException, ResourceNotFoundException.  Sets context->table_name
 * unless one is set already.
 */
extern const DynTable *dyn_request_table(DynOperationContext *context,
										 const DynJson *request,
										 DynAuthorization *authorization);
extern const DynTable *dyn_operation_table(DynOperationContext *context,
										   const char *name, uint32 len,
										   DynAuthorization *authorization);

/* The same of an authorization that was begun. */
extern const DynTable *dyn_authorized_table(const DynAuthorization *authorization);

/*
 * ----- Expressions and their legacy forms -----
 *
 * The order of checks is the same for all operations:
 *	 dyn_request_check_mix(), the values of Item or Key, what the operation
 *	 restricts, the legacy parameters, dyn_request_placeholders(), each
 *	 expression (Update, Condition, KeyCondition, Filter, Projection),
 *	 dyn_placeholders_check_used().
 * request may also be the block of one table of a BatchGetItem.
 */

/*
 * Refuse legacy and expression parameters in one request, and placeholders
 * without expressions.  Both lists are in the order the message prints them
 * and end with NULL.  has_values: the operation takes
 * ExpressionAttributeValues.
 */
extern void dyn_request_check_mix(const DynJson *request,
								  const char *const *legacy,
								  const char *const *expressions,
								  bool has_values);

extern DynPlaceholders *dyn_request_placeholders(const DynJson *request,
												 bool has_values);

/* The expression in a member, or NULL if it is absent. */
extern DynCondition *dyn_request_condition(const DynJson *request, const char *name,
										   DynExpressionKind kind,
										   DynPlaceholders *placeholders);
extern DynProjection *dyn_request_projection(const DynJson *request,
											 DynPlaceholders *placeholders);

/*
 * After the table lookup: refuse paths into a key attribute of the table or of
 * one of its indexes, which is always a scalar.  Either may be NULL.
 */
extern void dyn_request_check_key_paths(const DynTable *table,
										const DynCondition *condition,
										const DynProjection *projection);

/*
 * The same of what an update writes, which may not be a key attribute of the
 * table either.
 */
extern void dyn_request_check_update_targets(const DynTable *table,
											 const DynUpdate *update);

/* True if the path's first step is the key attribute (one with a name). */
extern bool dyn_path_starts_with(const DynDocumentPath *path,
								 const DynKeyAttribute *attribute);

/*
 * Member constraints of the legacy parameters: enums and, for AttributesToGet,
 * lengths.  The path starts with the member's name in lower camel case.
 */
extern void dyn_request_check_conditions(DynViolations *v, const DynJson *request,
										 const char *name);
extern void dyn_request_check_attributes_to_get(DynViolations *v,
												const DynJson *request);

/* ConditionalOperator is OR.  Notes a value that is neither OR nor AND. */
extern bool dyn_request_conditional_or(DynViolations *v, const DynJson *request);

/*
 * Refuse a ConditionalOperator without conditions to join: filter is the
 * member that should hold them.
 */
extern void dyn_request_check_conditional_operator(const DynJson *request,
												   const char *filter);

#endif							/* DYN_REQUEST_H */
