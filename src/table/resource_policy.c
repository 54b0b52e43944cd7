/*-------------------------------------------------------------------------
 *
 * resource_policy.c
 *		Resource policies: the catalog dynamo.resource_policies.
 *
 * src/table/resource_policy.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "table/catalog.h"
#include "table/resource_policy.h"

const DynResourcePolicy *
dyn_resource_policy(const DynTable *table, const char *stream_label)
{
	for (int i = 0; i < table->npolicies; i++)
		if (strcmp(table->policies[i].stream_label, stream_label) == 0)
			return &table->policies[i];
	return NULL;
}

const char *
dyn_resource_policy_put(const DynTable *table, const char *stream_label,
						const char *document)
{
	const DynResourcePolicy *old = dyn_resource_policy(table, stream_label);
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[4];
	char	   *revision_id;

	if (old != NULL && strcmp(old->document, document) == 0)
		return old->revision_id;

	/* Like the service's: the time in milliseconds, and more digits. */
	revision_id = psprintf(INT64_FORMAT, (int64) GetCurrentTimestamp() +
						   (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
	values[1] = CStringGetTextDatum(stream_label);
	values[2] = CStringGetTextDatum(pg_any_to_server(document, strlen(document), PG_UTF8));
	values[3] = CStringGetTextDatum(revision_id);
	dyn_catalog_change(table, "INSERT INTO dynamo.resource_policies VALUES ($1, $2, $3, $4)"
					   " ON CONFLICT (table_name, stream_label) DO UPDATE"
					   " SET document = excluded.document, revision_id = excluded.revision_id",
					   lengthof(types), types, values);
	return revision_id;
}

void
dyn_resource_policy_delete(const DynTable *table, const char *stream_label)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[2];

	values[1] = CStringGetTextDatum(stream_label);
	dyn_catalog_change(table, "DELETE FROM dynamo.resource_policies"
					   " WHERE table_name = $1 AND stream_label = $2",
					   lengthof(types), types, values);
}
