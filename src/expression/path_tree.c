/*-------------------------------------------------------------------------
 *
 * path_tree.c
 *		The paths of one expression as a trie, and what they may not be.
 *
 * src/expression/path_tree.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "expression/tree.h"

static int
compare_steps(const DynPathStep *a, const DynPathStep *b)
{
	int			order;

	if (a->name == NULL || b->name == NULL)
	{
		if (a->name != NULL || b->name != NULL)
			return a->name == NULL ? -1 : 1;
		return a->index < b->index ? -1 : a->index > b->index;
	}
	order = memcmp(a->name, b->name, Min(a->name_len, b->name_len));
	if (order != 0)
		return order;
	return a->name_len < b->name_len ? -1 : a->name_len > b->name_len;
}

typedef struct NumberedPath
{
	const DynDocumentPath *path;
	int			number;
} NumberedPath;

typedef enum Relation
{
	PATHS_APART,
	PATHS_OVERLAP,				/* one is the other or begins with it */
	PATHS_CONFLICT				/* they want a map and a list in one place */
} Relation;

static Relation
relate(const DynDocumentPath *a, const DynDocumentPath *b)
{
	for (int i = 0; i < Min(a->nsteps, b->nsteps); i++)
	{
		if ((a->steps[i].name == NULL) != (b->steps[i].name == NULL))
			return PATHS_CONFLICT;
		if (compare_steps(&a->steps[i], &b->steps[i]) != 0)
			return PATHS_APART;
	}
	return PATHS_OVERLAP;
}

/*
 * Raise for the first pair, in the order they are written, that is so related.
 */
static void
refuse(DynExpressionKind kind, DynOperand **paths, int npaths, Relation relation)
{
	for (int i = 1; i < npaths; i++)
		for (int j = 0; j < i; j++)
		{
			StringInfoData one;
			StringInfoData two;

			if (relate(&paths[j]->path, &paths[i]->path) != relation)
				continue;
			initStringInfo(&one);
			initStringInfo(&two);
			dyn_path_describe(&one, &paths[j]->path);
			dyn_path_describe(&two, &paths[i]->path);
			dyn_expression_raise(kind,
								 "Two document paths %s with each other; must remove or rewrite one of these paths; path one: %s, path two: %s",
								 relation == PATHS_OVERLAP ? "overlap" : "conflict",
								 one.data, two.data);
		}
}

/* By their steps, a path before those that lead through its end. */
static int
compare_paths(const void *a, const void *b)
{
	const NumberedPath *x = a;
	const NumberedPath *y = b;

	for (int i = 0; i < Min(x->path->nsteps, y->path->nsteps); i++)
	{
		int			order = compare_steps(&x->path->steps[i], &y->path->steps[i]);

		if (order != 0)
			return order;
	}
	return x->path->nsteps - y->path->nsteps;
}

/*
 * Make tree of sorted paths that have their first depth steps in common.
 * Returns false if two of them overlap or conflict.
 */
static bool
build(DynPathTree *tree, const NumberedPath *paths, int npaths, int depth)
{
	int			start = 0;

	if (paths[0].path->nsteps == depth)
	{
		tree->is_leaf = true;
		tree->leaf = paths[0].number;
		return npaths == 1;
	}

	/* Indexes come before names. */
	tree->by_index = paths[0].path->steps[depth].name == NULL;
	if (tree->by_index != (paths[npaths - 1].path->steps[depth].name == NULL))
		return false;

	for (int i = 0; i < npaths; i++)
	{
		if (i == 0 || compare_steps(&paths[i - 1].path->steps[depth],
									&paths[i].path->steps[depth]) != 0)
			tree->nchildren++;
	}
	tree->children = palloc_extended(tree->nchildren * sizeof(DynPathChild),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	tree->nchildren = 0;
	while (start < npaths)
	{
		const DynPathStep *step = &paths[start].path->steps[depth];
		DynPathChild *child = &tree->children[tree->nchildren++];
		int			end = start + 1;

		while (end < npaths && compare_steps(&paths[end].path->steps[depth], step) == 0)
			end++;
		child->step = *step;
		if (!build(&child->tree, paths + start, end - start, depth + 1))
			return false;
		start = end;
	}
	return true;
}

DynPathTree *
dyn_path_tree_create(DynExpressionKind kind, DynOperand **paths, int npaths)
{
	DynPathTree *tree = palloc0(sizeof(DynPathTree));
	NumberedPath few[8];
	NumberedPath *sorted = few;

	if (npaths == 0)
		return tree;
	if (npaths > lengthof(few))
		sorted = palloc_extended(npaths * sizeof(NumberedPath), MCXT_ALLOC_HUGE);
	for (int i = 0; i < npaths; i++)
	{
		sorted[i].path = &paths[i]->path;
		sorted[i].number = i;
	}
	qsort(sorted, npaths, sizeof(NumberedPath), compare_paths);
	if (!build(tree, sorted, npaths, 0))
	{
		/*
		 * To find the two that the service names takes comparing each with
		 * each.  Only expressions, which are short, come here: a legacy
		 * parameter names each attribute once.
		 */
		refuse(kind, paths, npaths, PATHS_OVERLAP);
		refuse(kind, paths, npaths, PATHS_CONFLICT);
	}
	if (sorted != few)
		pfree(sorted);
	return tree;
}

bool
dyn_path_tree_child(const DynValue *container, const DynPathStep *step,
					DynValue *value)
{
	if (step->name != NULL)
		return container->type == DYN_TYPE_M &&
			dyn_map_find(container, step->name, step->name_len, value);
	if (container->type != DYN_TYPE_L ||
		step->index >= dyn_value_count(container))
		return false;
	dyn_list_element(container, step->index, value);
	return true;
}

bool
dyn_path_tree_shows(const DynValue *value, const DynPathTree *tree)
{
	if (tree->is_leaf)
		return true;
	for (int i = 0; i < tree->nchildren; i++)
	{
		DynValue	child;

		if (dyn_path_tree_child(value, &tree->children[i].step, &child) &&
			dyn_path_tree_shows(&child, &tree->children[i].tree))
			return true;
	}
	return false;
}
