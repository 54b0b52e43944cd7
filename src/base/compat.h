/*-------------------------------------------------------------------------
 *
 * compat.h
 *		The differences between PostgreSQL's major versions, all of them.
 *
 * src/base/compat.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_COMPAT_H
#define DYN_COMPAT_H

/* Which indexes an update must add to: a bool until PostgreSQL 15. */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes DynUpdateIndexes;
#define DYN_UPDATE_NO_INDEXES TU_None
#else
typedef bool DynUpdateIndexes;
#define DYN_UPDATE_NO_INDEXES false
#endif

#endif							/* DYN_COMPAT_H */
