/*-------------------------------------------------------------------------
 *
 * table_description.h
 *		TableDescription: how answers describe a table.
 *
 * src/operation/table_description.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_TABLE_DESCRIPTION_H
#define DYN_TABLE_DESCRIPTION_H

#include "base/json.h"
#include "datatype/timestamp.h"

typedef struct DynTable DynTable;	/* table/table.h */

/*
 * {member: description}, as the whole reply.  ceilings: OnDemandThroughput of
 * the request that is being answered, if its removals are to be echoed.
 * updates_sealing: that request changes the table's encryption.
 */
extern void dyn_reply_table_description(StringInfo reply, const char *member,
										const DynTable *table, const char *status,
										const DynJson *ceilings,
										bool updates_sealing);

/* A member that is a time: seconds since 1970, with milliseconds. */
extern void dyn_json_write_time(DynJsonWriter *w, const char *key, TimestampTz time);

/* ACTIVE, UPDATING or INACCESSIBLE_ENCRYPTION_CREDENTIALS. */
extern const char *dyn_table_status(const DynTable *table);

#endif							/* DYN_TABLE_DESCRIPTION_H */
