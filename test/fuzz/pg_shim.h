/*-------------------------------------------------------------------------
 *
 * pg_shim.h
 *		What a fuzz target has besides the code under test.
 *
 * A target is one file fuzz_NAME.c that defines fuzz_one().  It is called
 * again and again with other bytes, in a memory context that is emptied
 * afterwards.  An error it raises is fine if its SQLSTATE is one that bytes
 * from outside may cause; an internal error (XX000), a failed assertion and
 * whatever the sanitizers find are findings.
 *
 * test/fuzz/pg_shim.h
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_PG_SHIM_H
#define FUZZ_PG_SHIM_H

#include "postgres.h"

extern void fuzz_one(const uint8 *data, size_t size);

/* Stop with a finding unless a property of the code under test holds. */
#define FUZZ_REQUIRE(condition) \
	do { \
		if (!(condition)) \
			fuzz_finding(__FILE__, __LINE__, #condition); \
	} while (0)

extern void fuzz_finding(const char *file, int line, const char *what) pg_attribute_noreturn();

/* Run f(argument); true if it returned, false if it raised an error. */
extern bool fuzz_try(void (*f) (void *argument), void *argument);

/* SQLSTATE and primary message of the last error. */
extern int	fuzz_sqlstate;
extern char fuzz_message[1024];

#endif							/* FUZZ_PG_SHIM_H */
