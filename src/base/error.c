/*-------------------------------------------------------------------------
 *
 * error.c
 *		The table behind error_list.h.
 *
 * src/base/error.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"

#define PREFIX_DYNAMODB "com.amazonaws.dynamodb.v20120810"
#define PREFIX_CORAL_VALIDATE "com.amazon.coral.validate"
#define PREFIX_CORAL_SERVICE "com.amazon.coral.service"

#define SQLSTATE_OF(s) MAKE_SQLSTATE((s)[0], (s)[1], (s)[2], (s)[3], (s)[4])

static const DynExceptionInfo exceptions[DYN_EXCEPTION_COUNT] = {
#define DYN_EXCEPTION(name, sqlstate, status, prefix, wire) \
	[DYN_EXCEPTION_##name] = {0, status, PREFIX_##prefix, wire, \
		DYN_EXCEPTION_##name == DYN_EXCEPTION_SERIALIZATION || \
		DYN_EXCEPTION_##name == DYN_EXCEPTION_ACCESS_DENIED || \
		DYN_EXCEPTION_##name == DYN_EXCEPTION_TRANSACTION_CANCELED},
#include "base/error_list.h"
#undef DYN_EXCEPTION
};

static const char *const sqlstates[DYN_EXCEPTION_COUNT] = {
#define DYN_EXCEPTION(name, sqlstate, status, prefix, wire) \
	[DYN_EXCEPTION_##name] = sqlstate,
#include "base/error_list.h"
#undef DYN_EXCEPTION
};

/*
 * A string is no constant expression in C, so the packed SQLSTATEs are filled
 * in on first use.
 */
static const DynExceptionInfo *
exception_table(void)
{
	static DynExceptionInfo table[DYN_EXCEPTION_COUNT];

	if (table[0].sqlstate == 0)
	{
		memcpy(table, exceptions, sizeof(table));
		for (int i = DYN_EXCEPTION_COUNT - 1; i >= 0; i--)
			table[i].sqlstate = SQLSTATE_OF(sqlstates[i]);
	}
	return table;
}

const DynExceptionInfo *
dyn_exception_info(DynException exception)
{
	return &exception_table()[exception];
}

int
dyn_exception_of_sqlstate(int sqlstate)
{
	const DynExceptionInfo *table = exception_table();

	for (int i = 0; i < DYN_EXCEPTION_COUNT; i++)
		if (table[i].sqlstate == sqlstate)
			return i;
	return -1;
}
