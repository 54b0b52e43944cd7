/*-------------------------------------------------------------------------
 *
 * expression_fixture.h
 *		What the expressions under test refer to.
 *
 * The bytes are the expression; names, values and the item stay the same, with
 * something of each type in them.
 *
 * test/fuzz/expression_fixture.h
 *-------------------------------------------------------------------------
 */
#ifndef FUZZ_EXPRESSION_FIXTURE_H
#define FUZZ_EXPRESSION_FIXTURE_H

#include "base/error.h"
#include "expression/expression.h"
#include "item/item_json.h"
#include "pg_shim.h"

static inline const DynJson *
fixture_json(const char *text)
{
	const DynJson *json = dyn_json_parse(text, strlen(text));

	FUZZ_REQUIRE(json != NULL);
	return json;
}

static inline DynPlaceholders *
fixture_placeholders(void)
{
	return dyn_placeholders_create(
		fixture_json("{\"#a\": \"a\", \"#x\": \"a.b\", \"#m\": \"m\", \"#_\": \"#_\", \"#l\": \"l\"}"),
		fixture_json("{\":s\": {\"S\": \"he\"}, \":e\": {\"S\": \"\"}, \":n\": {\"N\": \"5\"}, \":i\": {\"N\": \"9.9e125\"},"
					 "\":b\": {\"B\": \"AQ==\"}, \":t\": {\"BOOL\": true}, \":z\": {\"NULL\": true}, \":T\": {\"S\": \"SS\"},"
					 "\":l\": {\"L\": [{\"S\": \"x\"}, {\"N\": \"1\"}]}, \":m\": {\"M\": {\"k\": {\"L\": []}}},"
					 "\":ss\": {\"SS\": [\"a\", \"q\"]}, \":ns\": {\"NS\": [\"1\", \"-2\"]}, \":bs\": {\"BS\": [\"AQ==\"]}}"));
}

static inline DynItem *
fixture_item(void)
{
	return dyn_item_from_json(
		fixture_json("{\"p\": {\"S\": \"key\"}, \"a\": {\"S\": \"hello\"}, \"a.b\": {\"N\": \"5\"}, \"b\": {\"B\": \"AQID\"}, \"t\": {\"BOOL\": false},"
					 "\"z\": {\"NULL\": true}, \"ss\": {\"SS\": [\"a\", \"bc\"]}, \"ns\": {\"NS\": [\"1\", \"22\"]}, \"bs\": {\"BS\": [\"AQ==\", \"\"]},"
					 "\"l\": {\"L\": [{\"S\": \"x\"}, {\"N\": \"7\"}, {\"L\": [{\"M\": {\"d\": {\"S\": \"in\"}}}]}, {\"SS\": [\"q\"]}, {\"L\": []}]},"
					 "\"m\": {\"M\": {\"k\": {\"S\": \"v\"}, \"l\": {\"L\": [{\"N\": \"1\"}, {\"N\": \"2\"}, {\"N\": \"3\"}]}, \"m\": {\"M\": {\"x\": {\"BOOL\": false}, \"n\": {\"N\": \"-1\"}}}}}}"));
}

/* A client hears a DynamoDB exception, never anything else. */
static inline void
require_exception(void)
{
	FUZZ_REQUIRE(dyn_exception_of_sqlstate(fuzz_sqlstate) >= 0);
}

#endif							/* FUZZ_EXPRESSION_FIXTURE_H */
