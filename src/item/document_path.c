/*-------------------------------------------------------------------------
 *
 * document_path.c
 *		Locate one value inside an item: a.b[3].c
 *
 * src/item/document_path.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "item/document_path.h"

bool
dyn_path_find(const DynValue *root, const DynDocumentPath *path,
			  DynValue *value)
{
	DynValue	at = *root;

	for (int i = 0; i < path->nsteps; i++)
	{
		const DynPathStep *step = &path->steps[i];
		DynValue	next;

		if (step->name != NULL)
		{
			if (at.type != DYN_TYPE_M ||
				!dyn_map_find(&at, step->name, step->name_len, &next))
				return false;
		}
		else
		{
			if (at.type != DYN_TYPE_L || step->index >= dyn_value_count(&at))
				return false;
			dyn_list_element(&at, step->index, &next);
		}
		at = next;
	}
	*value = at;
	return true;
}

void
dyn_path_describe(StringInfo out, const DynDocumentPath *path)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; i < path->nsteps; i++)
	{
		const DynPathStep *step = &path->steps[i];

		if (i > 0)
			appendStringInfoString(out, ", ");
		if (step->name != NULL)
			appendBinaryStringInfo(out, step->name, step->name_len);
		else
			appendStringInfo(out, "[%u]", step->index);
	}
	appendStringInfoChar(out, ']');
}
