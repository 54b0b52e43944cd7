/*-------------------------------------------------------------------------
 *
 * shape.h
 *		What JSON a request may consist of: the service's type conversion.
 *
 * The service converts the whole request to its typed form before it looks at
 * any value, so a wrong JSON type anywhere is a SerializationException that
 * comes before every other complaint.  After the check a handler may rely on
 * each known member having its type, or being absent or null.
 *
 * src/operation/shape.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_SHAPE_H
#define DYN_SHAPE_H

#include "base/json.h"

typedef enum DynShapeType
{
	DYN_SHAPE_ANY,				/* of a member that is refused anyway */
	DYN_SHAPE_STRING,
	DYN_SHAPE_BOOLEAN,
	DYN_SHAPE_INTEGER,
	DYN_SHAPE_LONG,
	DYN_SHAPE_LIST,
	DYN_SHAPE_MAP,
	DYN_SHAPE_STRUCT,
	DYN_SHAPE_ATTRIBUTE_VALUE
} DynShapeType;

typedef struct DynShape DynShape;

typedef struct DynShapeMember
{
	const char *name;			/* NULL ends the list */
	uint32		name_len;
	const DynShape *shape;
	bool		refused;		/* known to the service, not to this server */
} DynShapeMember;

struct DynShape
{
	DynShapeType type;
	const char *java_name;		/* as messages name it: struct and map value */
	const DynShape *element;	/* LIST and MAP */
	const DynShapeMember *members;	/* STRUCT */
};

/*
 * Check a whole request.  Raises SerializationException; then
 * ValidationException if a member is there that this server cannot honour.
 */
extern void dyn_shape_check(const DynShape *shape, const DynJson *request);

/* One for each operation: dyn_shape_PutItem, ... */
#define DYN_OPERATION(name, handler, access) \
	extern const DynShape dyn_shape_##name;
#include "operation/operation_list.h"
#undef DYN_OPERATION

#endif							/* DYN_SHAPE_H */
