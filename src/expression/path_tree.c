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

/* The child for a step, made if there is none. */
static DynPathTree *
child(DynPathTree *tree, const DynPathStep *step)
{
	DynPathChild *found;

	for (int i = 0; i < tree->nchildren; i++)
		if (compare_steps(&tree->children[i].step, step) == 0)
			return &tree->children[i].tree;

	/* Grown by doubling: the number of children is a power of two when full. */
	if (tree->nchildren == 0)
		tree->children = palloc(sizeof(DynPathChild));
	else if ((tree->nchildren & (tree->nchildren - 1)) == 0)
		tree->children = repalloc(tree->children,
								  2 * tree->nchildren * sizeof(DynPathChild));
	found = &tree->children[tree->nchildren++];
	memset(found, 0, sizeof(DynPathChild));
	found->step = *step;
	if (tree->nchildren == 1)
		tree->by_index = step->name == NULL;
	return &found->tree;
}

static int
compare_children(const void *a, const void *b)
{
	return compare_steps(&((const DynPathChild *) a)->step,
						 &((const DynPathChild *) b)->step);
}

static void
sort_children(DynPathTree *tree)
{
	if (tree->nchildren > 1)
		qsort(tree->children, tree->nchildren, sizeof(DynPathChild),
			  compare_children);
	for (int i = 0; i < tree->nchildren; i++)
		sort_children(&tree->children[i].tree);
}

DynPathTree *
dyn_path_tree_create(DynExpressionKind kind, DynOperand **paths, int npaths)
{
	DynPathTree *tree = palloc0(sizeof(DynPathTree));
	bool		clash = false;

	for (int i = 0; i < npaths; i++)
	{
		const DynDocumentPath *path = &paths[i]->path;
		DynPathTree *node = tree;

		for (int j = 0; j < path->nsteps; j++)
		{
			bool		by_index = path->steps[j].name == NULL;

			if (node->is_leaf ||
				(node->nchildren > 0 && node->by_index != by_index))
				clash = true;
			node = child(node, &path->steps[j]);
		}
		if (node->is_leaf || node->nchildren > 0)
			clash = true;
		node->is_leaf = true;
		node->leaf = i;
	}
	/* To find which two it was takes comparing each with each. */
	if (clash)
	{
		refuse(kind, paths, npaths, PATHS_OVERLAP);
		refuse(kind, paths, npaths, PATHS_CONFLICT);
	}
	sort_children(tree);
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
