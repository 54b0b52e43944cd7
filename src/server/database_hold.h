/*-------------------------------------------------------------------------
 *
 * database_hold.h
 *		Let go of a database somebody is about to drop, rename or copy.
 *
 * src/server/database_hold.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_DATABASE_HOLD_H
#define DYN_DATABASE_HOLD_H

/* Install the utility hook; from _PG_init under shared_preload_libraries. */
extern void dyn_database_hold_install(void);

/* True while processes of ours must not be connected to the database. */
extern bool dyn_database_is_held(void);

#endif							/* DYN_DATABASE_HOLD_H */
