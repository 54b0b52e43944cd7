/*-------------------------------------------------------------------------
 *
 * fuzz_projection.c
 *		expression/projection.c: a ProjectionExpression and what it shows.
 *
 * test/fuzz/fuzz_projection.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression_fixture.h"

typedef struct Showing
{
	const char *text;
	size_t		size;
	StringInfoData out;
} Showing;

static void
show(void *argument)
{
	Showing    *showing = argument;
	DynProjection *projection;
	DynJsonWriter w;

	projection = dyn_projection_create(showing->text, showing->size,
									   fixture_placeholders());
	initStringInfo(&showing->out);
	dyn_json_writer_init(&w, &showing->out);
	dyn_projection_write(&w, projection, fixture_item());
}

void
fuzz_one(const uint8 *data, size_t size)
{
	Showing		showing = {(const char *) data, size};
	DynItem    *item;

	if (!fuzz_try(show, &showing))
	{
		require_exception();
		return;
	}
	/* What is shown is an item, no larger than the whole. */
	item = dyn_item_from_json(dyn_json_parse(showing.out.data, showing.out.len));
	dyn_item_check(item);
	FUZZ_REQUIRE(dyn_item_size(item) <= dyn_item_size(fixture_item()));
}
