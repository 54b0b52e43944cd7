/*-------------------------------------------------------------------------
 *
 * number.h
 *		DynamoDB's decimal numbers: 38 digits, 1E-130 .. 9.99E+125.
 *
 * One encoding serves items and keys: canonical (equal numbers have equal
 * bytes) and order-preserving under memcmp with the shorter prefix first.
 *
 * src/item/number.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_NUMBER_H
#define DYN_NUMBER_H

#include "item/value.h"

#define DYN_MAX_NUMBER_BYTES	24	/* longest encoding */
#define DYN_MAX_NUMBER_DIGITS	38

typedef enum DynNumberStatus
{
	DYN_NUMBER_OK,
	DYN_NUMBER_SYNTAX,			/* not a number */
	DYN_NUMBER_OVERFLOW,
	DYN_NUMBER_UNDERFLOW,
	DYN_NUMBER_PRECISION		/* more than 38 significant digits */
} DynNumberStatus;

typedef struct DynNumber
{
	uint8		size;
	char		data[DYN_MAX_NUMBER_BYTES];
} DynNumber;

extern DynNumberStatus dyn_number_parse(const char *text, uint32 len,
										DynNumber *number);

/* What the service says of a status that is not OK; and raise it. */
extern char *dyn_number_complaint(DynNumberStatus status, const char *text, uint32 len);
extern void dyn_number_raise(DynNumberStatus status, const char *text, uint32 len) pg_attribute_noreturn();

/* Append the canonical plain decimal text. */
extern void dyn_number_write(StringInfo out, const char *data, uint32 size);

/* a + b, a - b, rounded to 38 digits; OVERFLOW and UNDERFLOW possible. */
extern DynNumberStatus dyn_number_add(const DynValue *a, const DynValue *b,
									  DynNumber *result);
extern DynNumberStatus dyn_number_subtract(const DynValue *a, const DynValue *b,
										   DynNumber *result);
extern void dyn_number_from_int64(int64 value, DynNumber *number);

/* A value of type N looking at number. */
extern DynValue dyn_number_value(const DynNumber *number);

/* The size the service charges (behaviour: 1 + digit pairs + sign). */
extern uint32 dyn_number_size(const char *data, uint32 size);

/* True if the bytes are a canonical encoding. */
extern bool dyn_number_check(const char *data, uint32 size);

#endif							/* DYN_NUMBER_H */
