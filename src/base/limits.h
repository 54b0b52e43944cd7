/*-------------------------------------------------------------------------
 *
 * limits.h
 *		The service's limits, in one place.
 *
 * Bytes unless the name says otherwise.  Source: the "Quotas" chapter of the
 * DynamoDB developer guide.
 *
 * src/base/limits.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_LIMITS_H
#define DYN_LIMITS_H

#define DYN_MAX_ITEM_SIZE			409600
#define DYN_MAX_PARTITION_KEY_SIZE	2048
#define DYN_MAX_SORT_KEY_SIZE		1024
#define DYN_MAX_NESTING_DEPTH		32	/* levels */
#define DYN_MAX_ATTRIBUTE_NAME_SIZE 65535
#define DYN_MAX_KEY_NAME_SIZE		255
#define DYN_MIN_TABLE_NAME_LENGTH	3
#define DYN_MAX_TABLE_NAME_LENGTH	255
#define DYN_MAX_TABLE_ARN_LENGTH	1024

#define DYN_MAX_EXPRESSION_SIZE		4096
#define DYN_MAX_EXPRESSION_OPERATORS 300	/* operators */
#define DYN_MAX_IN_OPERANDS			100 /* operands */
#define DYN_MAX_PLACEHOLDER_SIZE	255
#define DYN_MAX_PLACEHOLDERS_SIZE	(2 * 1024 * 1024)

#define DYN_MAX_PAGE_SIZE			(1024 * 1024)	/* Query and Scan */
#define DYN_MAX_BATCH_GET_KEYS		100 /* keys */
#define DYN_MAX_BATCH_GET_SIZE		(16 * 1024 * 1024)
#define DYN_MAX_BATCH_WRITE_REQUESTS 25 /* requests */
#define DYN_MAX_TRANSACT_ACTIONS	100 /* actions */
#define DYN_MAX_TRANSACT_SIZE		(4 * 1024 * 1024)
#define DYN_MAX_REQUEST_TOKEN_LENGTH 36 /* characters */
#define DYN_MAX_TOTAL_SEGMENTS		1000000 /* segments */
#define DYN_MAX_REQUEST_SIZE		(16 * 1024 * 1024)

#define DYN_MAX_ACCOUNT_UNITS		80000	/* provisioned units */
#define DYN_MAX_TABLE_UNITS			40000
#define DYN_READ_UNIT_SIZE			4096
#define DYN_WRITE_UNIT_SIZE			1024

#endif							/* DYN_LIMITS_H */
