/*-------------------------------------------------------------------------
 *
 * document_path.h
 *		Locate one value inside an item: a.b[3].c
 *
 * A path is resolved (no #names) and at most DYN_MAX_NESTING_DEPTH steps long;
 * the expression parser guarantees both.
 *
 * src/item/document_path.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_DOCUMENT_PATH_H
#define DYN_DOCUMENT_PATH_H

#include "item/value.h"

typedef struct DynPathStep
{
	const char *name;			/* NULL for a list index */
	uint32		name_len;
	uint32		index;
} DynPathStep;

typedef struct DynDocumentPath
{
	int			nsteps;			/* at least 1; steps[0] is always a name */
	DynPathStep *steps;
} DynDocumentPath;

/*
 * Find the value at path below root, an M.  Returns false if any step is
 * absent or meets a value of the wrong type; DynamoDB treats both as
 * "attribute does not exist".  *value points into root's bytes.
 */
extern bool dyn_path_find(const DynValue *root, const DynDocumentPath *path,
						  DynValue *value);

/* Append "[a, b, [3]]", the form in which the service's messages quote paths. */
extern void dyn_path_describe(StringInfo out, const DynDocumentPath *path);

#endif							/* DYN_DOCUMENT_PATH_H */
