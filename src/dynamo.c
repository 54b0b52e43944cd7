/*-------------------------------------------------------------------------
 *
 * dynamo.c
 *		Module entry: settings, shared memory, workers.
 *
 * src/dynamo.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "auth/key_use.h"
#include "base/settings.h"
#include "encryption/seal.h"
#include "server/launcher.h"
#include "stream/change_number.h"
#include "table/table.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	dyn_settings_define();
	dyn_sealing_install(dyn_table_may_read);

	/*
	 * The endpoint needs memory and processes that can only be asked for while
	 * the server starts.  Loaded later, the types, the access method and the
	 * functions work all the same.
	 */
	if (process_shared_preload_libraries_in_progress)
	{
		dyn_settings_adapt_server();
		dyn_key_use_request_memory();
		dyn_change_number_request_memory();
		dyn_launcher_register();
	}
}
