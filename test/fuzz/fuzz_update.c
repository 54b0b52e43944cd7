/*-------------------------------------------------------------------------
 *
 * fuzz_update.c
 *		expression/update*.c: an UpdateExpression and the item after it.
 *
 * test/fuzz/fuzz_update.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression_fixture.h"

typedef struct Application
{
	const char *text;
	size_t		size;
	const DynItem *old;
} Application;

static void
check_item(const DynItem *item)
{
	if (item != NULL)
		dyn_item_check(item);
}

static void
count_target(const DynDocumentPath *path, void *arg)
{
	FUZZ_REQUIRE(path->nsteps >= 1 && path->steps[0].name != NULL);
	(*(int *) arg)++;
}

static void
apply(void *argument)
{
	Application *application = argument;
	DynUpdate  *update;
	DynItem    *result;
	int			targets = 0;
	DynItem    *key = dyn_item_from_json(fixture_json("{\"p\": {\"S\": \"key\"}}"));

	update = dyn_update_create(application->text, application->size,
							   fixture_placeholders());
	dyn_update_visit_targets(update, count_target, &targets);
	FUZZ_REQUIRE(targets > 0);
	result = dyn_update_apply(update, application->old, key);
	dyn_item_check(result);
	check_item(dyn_update_touched(update, result));
	if (application->old != NULL)
		check_item(dyn_update_touched(update, application->old));
	if (dyn_update_only_deletes(update))
		FUZZ_REQUIRE(dyn_item_size(result) <=
					 dyn_item_size(application->old != NULL ? application->old : key));
}

void
fuzz_one(const uint8 *data, size_t size)
{
	Application application = {(const char *) data, size, fixture_item()};

	if (!fuzz_try(apply, &application))
		require_exception();
	application.old = NULL;
	if (!fuzz_try(apply, &application))
		require_exception();
}
