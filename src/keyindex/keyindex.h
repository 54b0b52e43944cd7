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

/* Support functions 1 to 5 are nbtree's. */
#define DYN_KEY_SHORTEN_PROC		6
#define DYN_KEY_SUPPORT_FUNCTIONS	6

/* scan.c: conditions in nbtree's terms, in front of its scans */
extern IndexScanDesc dyn_key_beginscan(Relation index, int nkeys, int norderbys);
extern void dyn_key_rescan(IndexScanDesc scan, ScanKey keys, int nkeys,
						   ScanKey orderbys, int norderbys);
extern bool dyn_key_gettuple(IndexScanDesc scan, ScanDirection direction);
extern int64 dyn_key_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap);
extern void dyn_key_endscan(IndexScanDesc scan);

/*
 * long_key.c: values of DYN_KEY_SHORT_SIZE and more are stored in that many
 * bytes, of which the first DYN_KEY_EXACT_SIZE are their own.
 */
#define DYN_KEY_SHORT_SIZE			1600
#define DYN_KEY_EXACT_SIZE			1568

/* Does the column (from 1) have a short form for long values? */
extern bool dyn_key_shortens(Relation index, int attnum);

/* Bytes of a bytea, toasted or not. */
extern uint32 dyn_key_value_size(Datum value);

/* The form in which a value is stored; the value itself unless it is long. */
extern Datum dyn_key_shorten(Datum value);

/* A copy of info that computes what is stored: a scan of heap builds index. */
extern struct IndexInfo *dyn_key_index_info(Relation heap, Relation index,
											struct IndexInfo *info);

/* validate.c */
extern bool dyn_key_validate(Oid opclass);

#endif							/* DYN_KEYINDEX_H */
