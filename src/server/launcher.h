/*-------------------------------------------------------------------------
 *
 * launcher.h
 *		The process that starts the others and starts them again.
 *
 * src/server/launcher.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_LAUNCHER_H
#define DYN_LAUNCHER_H

/*
 * From _PG_init under shared_preload_libraries: ask for shared memory, bind the
 * sockets, register the launcher, install the hook of database_hold.h.
 */
extern void dyn_launcher_register(void);

extern PGDLLEXPORT void dyn_launcher_main(Datum arg);

#endif							/* DYN_LAUNCHER_H */
