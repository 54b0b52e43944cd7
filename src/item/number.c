/*-------------------------------------------------------------------------
 *
 * number.c
 *		DynamoDB's decimal numbers: 38 digits, 1E-130 .. 9.99E+125.
 *
 * The encoding, ordered by memcmp with the shorter prefix first:
 *
 *	 zero		80
 *	 positive	80 + (e + 65), then each base-100 digit d as d + 1
 *	 negative	7F - (e + 65), then each base-100 digit d as 101 - d, then FF
 *
 * where the magnitude is d0 * 100^e + d1 * 100^(e-1) + ..., d0 and the last
 * digit are not zero, and e is -65 .. 62.  A positive number with e = -65
 * starts with zero's byte but is longer, so it sorts behind it.  Without the
 * terminator -1.5 would sort behind -1.
 *
 * src/item/number.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/wording.h"
#include "item/number.h"
#include "utils/builtins.h"

#define ZERO_BYTE			0x80
#define NEGATIVE_END		0xFF
#define MIN_BASE100_EXPONENT (-65)

/* Decimal exponents of the first significant digit. */
#define MIN_EXPONENT		(-130)
#define MAX_EXPONENT		125

/*
 * A number taken apart: 0.d1d2d3... * 10^point, d1 and the last digit not
 * zero, ndigits = 0 for zero.
 */
typedef struct Decimal
{
	bool		negative;
	int			ndigits;
	int			point;
	uint8		digits[2 * DYN_MAX_NUMBER_BYTES];
} Decimal;

/* Digit positions a sum can touch: a carry at 10^126 down to 10^-167. */
#define SUM_TOP				126
#define SUM_DIGITS			(SUM_TOP + 167 + 1)

/*
 * Encode a decimal of any number of digits, of which only the first
 * DYN_MAX_NUMBER_DIGITS are looked at.
 */
static DynNumberStatus
encode(const Decimal *decimal, DynNumber *number)
{
	int			e10 = decimal->point - 1;
	int			i = 0;
	uint8		size = 0;

	if (decimal->ndigits == 0)
	{
		number->data[0] = (char) ZERO_BYTE;
		number->size = 1;
		return DYN_NUMBER_OK;
	}
	if (e10 > MAX_EXPONENT)
		return DYN_NUMBER_OVERFLOW;
	if (e10 < MIN_EXPONENT)
		return DYN_NUMBER_UNDERFLOW;
	if (decimal->ndigits > DYN_MAX_NUMBER_DIGITS)
		return DYN_NUMBER_PRECISION;

	/* e10 + 130 is not negative, so that its half is rounded down. */
	number->data[size++] = decimal->negative ?
		0x7F - (e10 - MIN_EXPONENT) / 2 : 0x80 + (e10 - MIN_EXPONENT) / 2;

	/* An even exponent leaves one digit for the first pair. */
	if ((e10 - MIN_EXPONENT) % 2 == 0)
	{
		uint8		d = decimal->digits[i++];

		number->data[size++] = decimal->negative ? 101 - d : d + 1;
	}
	while (i < decimal->ndigits)
	{
		uint8		d = decimal->digits[i++] * 10;

		if (i < decimal->ndigits)
			d += decimal->digits[i++];
		number->data[size++] = decimal->negative ? 101 - d : d + 1;
	}
	if (decimal->negative)
		number->data[size++] = (char) NEGATIVE_END;
	number->size = size;
	return DYN_NUMBER_OK;
}

/* The base-100 digits of an encoding: how many, and the i-th. */
static inline int
pair_count(const char *data, uint32 size)
{
	return (unsigned char) data[0] >= ZERO_BYTE ? size - 1 : size - 2;
}

static inline uint8
pair(const char *data, int i)
{
	uint8		stored = data[1 + i];

	return (unsigned char) data[0] >= ZERO_BYTE ? stored - 1 : 101 - stored;
}

/* Decimal exponent of an encoding's d0, counted as two digits. */
static inline int
pair_point(const char *data)
{
	uint8		lead = data[0];
	int			e = (lead >= ZERO_BYTE ? lead - 0x80 : 0x7F - lead) +
		MIN_BASE100_EXPONENT;

	return 2 * (e + 1);
}

bool
dyn_number_check(const char *data, uint32 size)
{
	bool		negative;
	int			npairs;
	int			ndigits;

	if (size == 0 || size > DYN_MAX_NUMBER_BYTES)
		return false;
	if (size == 1)
		return (unsigned char) data[0] == ZERO_BYTE;

	negative = (unsigned char) data[0] < ZERO_BYTE;
	if (negative && (size < 3 || (unsigned char) data[size - 1] != NEGATIVE_END))
		return false;
	npairs = pair_count(data, size);
	for (int i = 0; i < npairs; i++)
	{
		uint8		stored = data[1 + i];

		if (negative ? (stored < 2 || stored > 101) : (stored < 1 || stored > 100))
			return false;
	}
	if (pair(data, 0) == 0 || pair(data, npairs - 1) == 0)
		return false;
	ndigits = 2 * npairs - (pair(data, 0) < 10 ? 1 : 0) -
		(pair(data, npairs - 1) % 10 == 0 ? 1 : 0);
	return ndigits <= DYN_MAX_NUMBER_DIGITS;
}

static void
decode(const char *data, uint32 size, Decimal *decimal)
{
	int			npairs;
	int			n = 0;

	if (!dyn_number_check(data, size))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored number is corrupted")));

	decimal->negative = (unsigned char) data[0] < ZERO_BYTE;
	decimal->ndigits = 0;
	decimal->point = 0;
	if (size == 1)
		return;

	npairs = pair_count(data, size);
	decimal->point = pair_point(data);
	for (int i = 0; i < npairs; i++)
	{
		uint8		d = pair(data, i);

		if (i > 0 || d >= 10)
			decimal->digits[n++] = d / 10;
		else
			decimal->point--;
		decimal->digits[n++] = d % 10;
	}
	if (decimal->digits[n - 1] == 0)
		n--;
	decimal->ndigits = n;
}

DynNumberStatus
dyn_number_parse(const char *text, uint32 len, DynNumber *number)
{
	const char *p = text;
	const char *end = text + len;
	Decimal		decimal;
	int64		point = 0;		/* digits before the decimal point */
	int64		zeros = 0;		/* zeros behind the last nonzero digit */
	int64		ndigits = 0;
	int64		exponent = 0;
	bool		any_digit = false;
	bool		fraction = false;

	decimal.negative = false;
	if (p < end && (*p == '-' || *p == '+'))
		decimal.negative = *p++ == '-';

	for (; p < end; p++)
	{
		if (*p == '.' && !fraction)
		{
			fraction = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			break;
		any_digit = true;
		if (*p == '0')
		{
			/* Behind a significant digit: counts once another one follows. */
			if (ndigits > 0)
				zeros++;
			else if (fraction)
				point--;
			if (ndigits > 0 && !fraction)
				point++;
			continue;
		}
		for (; zeros > 0; zeros--)
		{
			if (ndigits < lengthof(decimal.digits))
				decimal.digits[ndigits] = 0;
			ndigits++;
		}
		if (ndigits < lengthof(decimal.digits))
			decimal.digits[ndigits] = *p - '0';
		ndigits++;
		if (!fraction)
			point++;
	}
	if (!any_digit)
		return DYN_NUMBER_SYNTAX;

	if (p < end && (*p == 'e' || *p == 'E'))
	{
		bool		negative = false;

		p++;
		if (p < end && (*p == '-' || *p == '+'))
			negative = *p++ == '-';
		if (p == end)
			return DYN_NUMBER_SYNTAX;
		for (; p < end && *p >= '0' && *p <= '9'; p++)
		{
			/* Far out of range already, whatever the mantissa is. */
			if (exponent < PG_INT32_MAX)
				exponent = exponent * 10 + (*p - '0');
		}
		if (negative)
			exponent = -exponent;
	}
	if (p != end)
		return DYN_NUMBER_SYNTAX;

	point += exponent;
	decimal.point = Max(Min(point, PG_INT16_MAX), PG_INT16_MIN);
	decimal.ndigits = Min(ndigits, PG_INT16_MAX);
	return encode(&decimal, number);
}

char *
dyn_number_complaint(DynNumberStatus status, const char *text, uint32 len)
{
	switch (status)
	{
		case DYN_NUMBER_OVERFLOW:
			return pstrdup("Number overflow. Attempting to store a number with magnitude larger than supported range");
		case DYN_NUMBER_UNDERFLOW:
			return pstrdup("Number underflow. Attempting to store a number with magnitude smaller than supported range");
		case DYN_NUMBER_PRECISION:
			return pstrdup("Attempting to store more than 38 significant digits in a Number");
		case DYN_NUMBER_SYNTAX:
			if (len == 0)
				return pstrdup(dyn_wording(DYN_WORDING_EMPTY_NUMBER));
			return psprintf("The parameter cannot be converted to a numeric value: %s",
							pnstrdup(text, len));
		case DYN_NUMBER_OK:
			break;
	}
	elog(ERROR, "unrecognized number status: %d", (int) status);
}

void
dyn_number_raise(DynNumberStatus status, const char *text, uint32 len)
{
	dyn_raise(VALIDATION, "%s", dyn_number_complaint(status, text, len));
}

void
dyn_number_write(StringInfo out, const char *data, uint32 size)
{
	Decimal		decimal;
	char	   *s;
	int			i = 0;

	decode(data, size, &decimal);
	if (decimal.ndigits == 0)
	{
		appendStringInfoCharMacro(out, '0');
		return;
	}

	/* Sign, "0.", 130 zeros and 38 digits at most. */
	enlargeStringInfo(out, 3 + 130 + DYN_MAX_NUMBER_DIGITS);
	s = out->data + out->len;
	if (decimal.negative)
		*s++ = '-';
	if (decimal.point <= 0)
	{
		*s++ = '0';
		*s++ = '.';
		for (int zeros = decimal.point; zeros < 0; zeros++)
			*s++ = '0';
	}
	else
	{
		for (; i < decimal.point; i++)
			*s++ = i < decimal.ndigits ? '0' + decimal.digits[i] : '0';
		if (i < decimal.ndigits)
			*s++ = '.';
	}
	for (; i < decimal.ndigits; i++)
		*s++ = '0' + decimal.digits[i];
	*s = '\0';
	out->len = s - out->data;
}

/* Add decimal's digits to sum, or take them off. */
static void
accumulate(int *sum, const Decimal *decimal, bool subtract)
{
	int			at = SUM_TOP - (decimal->point - 1);

	for (int i = 0; i < decimal->ndigits; i++)
		sum[at + i] += decimal->negative == subtract ? decimal->digits[i] :
			-decimal->digits[i];
}

static DynNumberStatus
add(const DynValue *a, const DynValue *b, bool subtract, DynNumber *result)
{
	Decimal		da;
	Decimal		db;
	Decimal		dr;
	int			sum[SUM_DIGITS] = {0};
	int			first = 0;
	int			last;
	int			carry = 0;

	decode(a->data, a->size, &da);
	decode(b->data, b->size, &db);
	accumulate(sum, &da, false);
	accumulate(sum, &db, subtract);

	/* The first digit that is not zero has the sign of the whole. */
	while (first < SUM_DIGITS && sum[first] == 0)
		first++;
	dr.negative = first < SUM_DIGITS && sum[first] < 0;
	for (int i = SUM_DIGITS - 1; i >= 0; i--)
	{
		int			d = (dr.negative ? -sum[i] : sum[i]) + carry;

		carry = d > 9 ? 1 : d < 0 ? -1 : 0;
		sum[i] = d - 10 * carry;
	}

	for (first = 0; first < SUM_DIGITS && sum[first] == 0; first++)
		;
	if (SUM_DIGITS - first > DYN_MAX_NUMBER_DIGITS)
	{
		int			cut = first + DYN_MAX_NUMBER_DIGITS;
		bool		up = sum[cut] >= 5;

		memset(&sum[cut], 0, (SUM_DIGITS - cut) * sizeof(int));
		/* A carry out of the first digit leaves 1 and zeros: 38 digits. */
		for (int i = cut - 1; up && i >= 0; i--)
		{
			up = sum[i] == 9;
			sum[i] = up ? 0 : sum[i] + 1;
		}
		if (first > 0 && sum[first - 1] != 0)
			first--;
	}

	last = SUM_DIGITS;
	while (last > first && sum[last - 1] == 0)
		last--;
	dr.ndigits = last - first;
	dr.point = SUM_TOP - first + 1;
	for (int i = first; i < last; i++)
		dr.digits[i - first] = sum[i];
	return encode(&dr, result);
}

DynNumberStatus
dyn_number_add(const DynValue *a, const DynValue *b, DynNumber *result)
{
	return add(a, b, false, result);
}

DynNumberStatus
dyn_number_subtract(const DynValue *a, const DynValue *b, DynNumber *result)
{
	return add(a, b, true, result);
}

void
dyn_number_from_int64(int64 value, DynNumber *number)
{
	char		text[MAXINT8LEN + 1];
	int			len = pg_lltoa(value, text);

	dyn_number_parse(text, len, number);
}

DynValue
dyn_number_value(const DynNumber *number)
{
	DynValue	value = {.type = DYN_TYPE_N};

	value.size = number->size;
	value.data = number->data;
	return value;
}

uint32
dyn_number_size(const char *data, uint32 size)
{
	Decimal		decimal;
	int			integer;

	decode(data, size, &decimal);
	integer = Max(Min(decimal.point, decimal.ndigits), 0);
	return 1 + (integer + 1) / 2 + (decimal.ndigits - integer + 1) / 2 +
		(decimal.negative ? 1 : 0);
}
