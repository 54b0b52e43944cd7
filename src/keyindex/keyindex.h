/*-------------------------------------------------------------------------
 *
 * keyindex.h
 *		The index access method dynamo_key: what its own files share.
 *
 * PostgreSQL calls the access method through its handler and nobody else
 * does; no other directory includes this header.
 *
 * src/keyindex/keyindex.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_KEYINDEX_H
#define DYN_KEYINDEX_H

#include "access/amapi.h"
#include "access/genam.h"
#include "access/nbtree.h"

/* Strategies 1 to 5 are nbtree's. */
#define DYN_BEGINS_WITH_STRATEGY	6
#define DYN_KEY_STRATEGIES			6

/* scan.c: begins_with as a pair of bounds, in front of nbtree's scans */
extern IndexScanDesc dyn_key_beginscan(Relation index, int nkeys, int norderbys);
extern void dyn_key_rescan(IndexScanDesc scan, ScanKey keys, int nkeys,
						   ScanKey orderbys, int norderbys);
extern bool dyn_key_gettuple(IndexScanDesc scan, ScanDirection direction);
extern int64 dyn_key_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap);
extern void dyn_key_endscan(IndexScanDesc scan);

/* validate.c */
extern bool dyn_key_validate(Oid opclass);

#endif							/* DYN_KEYINDEX_H */
