/*-------------------------------------------------------------------------
 *
 * projection.c
 *		Projections: a list of paths, and the part of an item they show.
 *
 *		projection := path (',' path)*
 *
 * The result keeps the item's structure.  Elements of a list close up in
 * ascending order; what is absent is left out, and so is a container of which
 * nothing is shown.
 *
 * src/expression/projection.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/error.h"
#include "expression/tree.h"
#include "item/item_json.h"

DynProjection *
dyn_projection_create(const char *text, uint32 len,
					  DynPlaceholders *placeholders)
{
	const DynExpressionKind kind = DYN_EXPRESSION_PROJECTION;
	DynProjection *projection = palloc0(sizeof(DynProjection));
	DynLexer	lexer;
	int			room = 8;

	dyn_lexer_init(&lexer, kind, text, len);
	projection->paths = palloc(room * sizeof(DynOperand *));
	do
	{
		if (projection->npaths == room)
		{
			room *= 2;
			projection->paths = repalloc(projection->paths,
										 room * sizeof(DynOperand *));
		}
		projection->paths[projection->npaths++] = dyn_operand_parse_path(&lexer);
	} while (dyn_lexer_accept(&lexer, DYN_TOKEN_COMMA));
	dyn_lexer_finish(&lexer);

	for (int i = 0; i < projection->npaths; i++)
		dyn_operand_check_reserved(kind, projection->paths[i]);
	for (int i = 0; i < projection->npaths; i++)
		dyn_operand_resolve(kind, projection->paths[i], placeholders);
	projection->tree = dyn_path_tree_create(kind, projection->paths,
											projection->npaths);
	return projection;
}

void
dyn_projection_visit_paths(const DynProjection *projection,
						   DynPathVisitor visit, void *arg)
{
	for (int i = 0; i < projection->npaths; i++)
		visit(&projection->paths[i]->path, arg);
}

static void write_value(DynJsonWriter *w, const DynValue *value,
						const DynPathTree *tree);

/* What the tree shows of a container, as members or elements. */
static void
write_children(DynJsonWriter *w, const DynValue *container,
			   const DynPathTree *tree)
{
	for (int i = 0; i < tree->nchildren; i++)
	{
		const DynPathChild *child = &tree->children[i];
		DynValue	value;

		if (!dyn_path_tree_child(container, &child->step, &value) ||
			!dyn_path_tree_shows(&value, &child->tree))
			continue;
		if (child->step.name != NULL)
			dyn_json_write_key_bytes(w, child->step.name, child->step.name_len);
		write_value(w, &value, &child->tree);
	}
}

/* A depth of at most 32: the paths have no more steps. */
static void
write_value(DynJsonWriter *w, const DynValue *value, const DynPathTree *tree)
{
	if (tree->is_leaf)
	{
		dyn_json_write_value(w, value);
		return;
	}
	dyn_json_begin_object(w);
	dyn_json_write_key(w, dyn_type_name(value->type));
	if (value->type == DYN_TYPE_L)
	{
		dyn_json_begin_array(w);
		write_children(w, value, tree);
		dyn_json_end_array(w);
	}
	else
	{
		dyn_json_begin_object(w);
		write_children(w, value, tree);
		dyn_json_end_object(w);
	}
	dyn_json_end_object(w);
}

void
dyn_projection_write(DynJsonWriter *w, const DynProjection *projection,
					 const DynItem *item)
{
	DynValue	root = dyn_item_value(item);

	dyn_json_begin_object(w);
	write_children(w, &root, projection->tree);
	dyn_json_end_object(w);
}
