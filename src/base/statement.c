/*-------------------------------------------------------------------------
 *
 * statement.c
 *		The one door to SQL.
 *
 * src/base/statement.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "base/statement.h"

uint64
dyn_statement_run(Oid role, const char *statement, int nargs, Oid *types,
				  Datum *values, const char *nulls)
{
	int			nest_level = NewGUCNestLevel();
	Oid			save_role;
	int			save_security;
	int			result;

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	GetUserIdAndSecContext(&save_role, &save_security);
	if (role != save_role)
		SetUserIdAndSecContext(role, save_security | SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_RESTRICTED_OPERATION);
	result = SPI_execute_with_args(statement, nargs, types, values, nulls,
								   false, 0);
	SetUserIdAndSecContext(save_role, save_security);
	AtEOXact_GUC(true, nest_level);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement,
			 SPI_result_code_string(result));
	return SPI_processed;
}
