/*-------------------------------------------------------------------------
 *
 * fuzz_condition.c
 *		expression/condition*.c: a ConditionExpression and its result.
 *
 * test/fuzz/fuzz_condition.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression_fixture.h"

typedef struct Evaluation
{
	const char *text;
	size_t		size;
	const DynItem *item;
	bool		result;
	int			paths;
} Evaluation;

static void
count_path(const DynDocumentPath *path, void *arg)
{
	FUZZ_REQUIRE(path->nsteps >= 1 && path->steps[0].name != NULL);
	((Evaluation *) arg)->paths++;
}

static void
evaluate(void *argument)
{
	Evaluation *evaluation = argument;
	DynCondition *condition;

	condition = dyn_condition_create(DYN_EXPRESSION_CONDITION, evaluation->text,
									 evaluation->size, fixture_placeholders());
	dyn_condition_visit_paths(condition, count_path, evaluation);
	evaluation->result = dyn_condition_evaluate(condition, evaluation->item);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	Evaluation	evaluation = {(const char *) data, size, fixture_item()};
	Evaluation	negated = evaluation;
	char	   *text;

	if (!fuzz_try(evaluate, &evaluation))
	{
		require_exception();
		return;
	}
	evaluation.item = NULL;
	evaluate(&evaluation);

	/* In parentheses it may be too long or have too many of them. */
	evaluation.item = negated.item;
	evaluate(&evaluation);
	text = palloc(size + 16);
	negated.text = text;
	negated.size = snprintf(text, 16, "NOT (");
	memcpy(text + negated.size, data, size);
	negated.size += size;
	text[negated.size++] = ')';
	if (fuzz_try(evaluate, &negated))
		FUZZ_REQUIRE(negated.result != evaluation.result);
	else
		require_exception();
}
