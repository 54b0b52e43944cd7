/*-------------------------------------------------------------------------
 *
 * condition_value.c
 *		Numbers, times and networks, as conditions compare them.
 *
 * Numbers are decimal, not binary: two keys of 38 digits must not be the same
 * number because a double is.
 *
 * src/policy/condition_value.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "common/int.h"
#include "policy/policy_tree.h"

/* Larger exponents than any number has that anybody compares. */
#define MAX_EXPONENT	100000

/* The years that IAM knows: those of a Java date. */
#define MIN_YEAR	(-292275054)
#define MAX_YEAR	292278993

/*
 * number = [ "+" | "-" ] digits [ "." digits ] [ "e" [ "+" | "-" ] digits ]
 *
 * Returns false if a text isn't one, or has more digits than a DynDecimal.
 */
bool
dyn_decimal_parse(const char *text, uint32 len, DynDecimal *number)
{
	const char *p = text;
	const char *end = text + len;
	bool		negative = false;
	bool		any = false;
	bool		in_fraction = false;
	int64		magnitude = 0;
	int			zeros = 0;		/* seen since the last other digit */

	number->sign = number->magnitude = number->ndigits = 0;
	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	for (; p < end; p++)
	{
		if (*p == '.' && any && !in_fraction)
		{
			in_fraction = true;
			any = false;		/* digits must follow */
			continue;
		}
		if (*p < '0' || *p > '9')
			break;
		any = true;
		if (*p == '0' && number->ndigits == 0)
		{
			if (in_fraction)
				magnitude--;
			continue;
		}
		if (!in_fraction)
			magnitude++;
		if (*p == '0')
			zeros++;
		else
		{
			if (number->ndigits + zeros >= DYN_DECIMAL_DIGITS)
				return false;
			memset(number->digits + number->ndigits, '0', zeros);
			number->ndigits += zeros;
			zeros = 0;
			number->digits[number->ndigits++] = *p;
		}
	}
	if (!any)
		return false;

	if (p < end && (*p == 'e' || *p == 'E'))
	{
		bool		negative_exponent = false;
		int			exponent = 0;

		p++;
		if (p < end && (*p == '+' || *p == '-'))
			negative_exponent = *p++ == '-';
		if (p == end)
			return false;
		for (; p < end && *p >= '0' && *p <= '9'; p++)
		{
			exponent = exponent * 10 + (*p - '0');
			if (exponent > MAX_EXPONENT)
				return false;
		}
		magnitude += negative_exponent ? -exponent : exponent;
	}
	if (p != end)
		return false;
	if (number->ndigits > 0)
	{
		number->sign = negative ? -1 : 1;
		number->magnitude = magnitude;
	}
	return true;
}

int
dyn_decimal_compare(const DynDecimal *a, const DynDecimal *b)
{
	int			cmp;

	if (a->sign != b->sign)
		return a->sign < b->sign ? -1 : 1;
	if (a->sign == 0)
		return 0;
	if (a->magnitude != b->magnitude)
		cmp = a->magnitude < b->magnitude ? -1 : 1;
	else
	{
		cmp = memcmp(a->digits, b->digits, Min(a->ndigits, b->ndigits));
		if (cmp == 0)
			cmp = a->ndigits - b->ndigits;
	}
	return a->sign < 0 ? -cmp : cmp;
}

/* Read digits, at least one and at most max; -1 if there are others. */
static int64
read_digits(const char **p, const char *end, int max)
{
	const char *start = *p;
	int64		value = 0;

	while (*p < end && **p >= '0' && **p <= '9')
	{
		if (*p - start == max)
			return -1;
		value = value * 10 + (**p - '0');
		(*p)++;
	}
	return *p == start ? -1 : value;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar. */
static int64
days_from_civil(int64 year, int month, int day)
{
	int64		era;
	int64		year_of_era;
	int64		day_of_year;

	/* Years begin in March, so that the day that may be missing comes last. */
	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
		year_of_era / 100 + day_of_year - 719468;
}

/*
 * instant = epoch seconds | year [ "-" month [ "-" day ] ] [ "T" [ time ] ]
 * time = hour [ ":" minute [ ":" second [ "." digits ] ] ] [ zone ]
 * zone = "Z" | ( "+" | "-" ) hour [ [ ":" ] minute ]
 *
 * Four digits alone are a year, other digits alone are seconds.
 */
bool
dyn_instant_parse(const char *text, uint32 len, DynInstant *instant)
{
	const char *p = text;
	const char *end = text + len;
	const char *digits = text;
	bool		negative;
	int64		year;
	int64		month = 1;
	int64		day = 1;
	int64		hour = 0;
	int64		minute = 0;
	int64		second = 0;
	int64		offset = 0;

	instant->nanoseconds = 0;
	while (digits < end && *digits >= '0' && *digits <= '9')
		digits++;
	if (digits == end && len != 4)
	{
		instant->seconds = 0;
		for (; p < end; p++)
		{
			if (pg_mul_s64_overflow(instant->seconds, 10, &instant->seconds) ||
				pg_add_s64_overflow(instant->seconds, *p - '0', &instant->seconds))
				return false;
		}
		return len > 0;
	}

	negative = p < end && *p == '-';
	if (negative)
		p++;
	year = read_digits(&p, end, 9);
	if (year < 0)
		return false;
	if (negative)
		year = -year;
	if (year < MIN_YEAR || year > MAX_YEAR)
		return false;
	if (p < end && *p == '-')
	{
		p++;
		month = read_digits(&p, end, 2);
		if (month < 1 || month > 12)
			return false;
		if (p < end && *p == '-')
		{
			p++;
			day = read_digits(&p, end, 2);
			if (day < 1 || day > 31)
				return false;
		}
	}
	if (p < end && (*p == 'T' || *p == 't'))
	{
		p++;
		if (p < end)
		{
			hour = read_digits(&p, end, 2);
			if (hour < 0 || hour > 23)
				return false;
		}
		if (p < end && *p == ':')
		{
			p++;
			minute = read_digits(&p, end, 2);
			if (minute < 0 || minute > 59)
				return false;
			if (p < end && *p == ':')
			{
				p++;
				second = read_digits(&p, end, 2);
				if (second < 0 || second > 59)
					return false;
				if (p < end && *p == '.')
				{
					const char *fraction = ++p;
					int64		value = read_digits(&p, end, 9);

					if (value < 0)
						return false;
					for (int i = p - fraction; i < 9; i++)
						value *= 10;
					instant->nanoseconds = value;
				}
			}
		}
		if (p < end && (*p == 'Z' || *p == 'z'))
			p++;
		else if (p < end && (*p == '+' || *p == '-'))
		{
			bool		west = *p++ == '-';
			const char *start = p;
			int64		hours = read_digits(&p, end, 4);
			int64		minutes = 0;

			if (p - start == 4)
			{
				minutes = hours % 100;
				hours /= 100;
			}
			else if (p - start != 2)
				return false;
			else if (p < end && *p == ':')
			{
				start = ++p;
				minutes = read_digits(&p, end, 2);
				if (p - start != 2)
					return false;
			}
			if (hours > 23 || minutes > 59)
				return false;
			offset = (hours * 60 + minutes) * (west ? -60 : 60);
		}
	}
	if (p != end)
		return false;
	instant->seconds = days_from_civil(year, month, day) * 86400 +
		hour * 3600 + minute * 60 + second - offset;
	return true;
}

int
dyn_instant_compare(const DynInstant *a, const DynInstant *b)
{
	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	return a->nanoseconds - b->nanoseconds;
}

bool
dyn_network_parse(const char *text, uint32 len, DynNetwork *network)
{
	static const uint8 mapped[12] = {[10] = 0xFF, [11] = 0xFF};
	const char *slash = memchr(text, '/', len);
	const char *zone = memchr(text, '%', len);
	uint32		address_len = slash != NULL ? slash - text : len;
	int64		bits = -1;
	char		address[64];

	/* The scope of a link-local address names a device here, not an address. */
	if (zone != NULL && slash == NULL)
		address_len = zone - text;
	if (address_len >= sizeof(address) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(address, text, address_len);
	address[address_len] = '\0';

	memset(network, 0, sizeof(DynNetwork));
	if (inet_pton(AF_INET6, address, network->address) == 1)
		network->is_ipv6 = true;
	else if (inet_pton(AF_INET, address, network->address) != 1)
		return false;

	network->bits = network->is_ipv6 ? 128 : 32;
	if (slash != NULL)
	{
		const char *p = slash + 1;

		bits = read_digits(&p, text + len, 3);
		if (bits < 0 || bits > network->bits || p != text + len)
			return false;
		network->bits = bits;
	}
	if (network->is_ipv6 && network->bits >= 96 &&
		memcmp(network->address, mapped, sizeof(mapped)) == 0)
	{
		memmove(network->address, network->address + 12, 4);
		memset(network->address + 4, 0, 12);
		network->is_ipv6 = false;
		network->bits -= 96;
	}
	return true;
}

bool
dyn_network_contains(const DynNetwork *network, const DynNetwork *address)
{
	int			bytes = network->bits / 8;
	int			rest = network->bits % 8;

	if (network->is_ipv6 != address->is_ipv6 || address->bits < network->bits)
		return false;
	if (memcmp(network->address, address->address, bytes) != 0)
		return false;
	return rest == 0 ||
		((network->address[bytes] ^ address->address[bytes]) >> (8 - rest)) == 0;
}
