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

#include "base/settings.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	dyn_settings_define();
}
