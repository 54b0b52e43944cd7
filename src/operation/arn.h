/*-------------------------------------------------------------------------
 *
 * arn.h
 *		ARNs in requests: what kind of thing one names.
 *
 * src/operation/arn.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_ARN_H
#define DYN_ARN_H

typedef enum DynArnKind
{
	DYN_ARN_NONE,				/* does not start with "arn:" */
	DYN_ARN_MALFORMED,
	DYN_ARN_TABLE,				/* whoever's: region and account may be others */
	DYN_ARN_INDEX,
	DYN_ARN_STREAM
} DynArnKind;

extern DynArnKind dyn_arn_kind(const char *arn, uint32 len);

/* Raises ValidationException if name is an ARN, but not of a table. */
extern void dyn_arn_check_table(const char *name, uint32 len);

#endif							/* DYN_ARN_H */
