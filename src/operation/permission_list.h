/*-------------------------------------------------------------------------
 *
 * permission_list.h
 *		Every action that a policy can allow or deny, one line each.
 *
 * DYN_PERMISSION(action, privilege): the action without "dynamodb:", and what in
 * SQL grants it (operation/authorize.c says what each privilege is).  Most are
 * operations; batches and transactions of PartiQL ask for what their statements
 * do, TransactWriteItems for what its actions do.  Sorted.  No include guard:
 * included several times.
 *
 * src/operation/permission_list.h
 *-------------------------------------------------------------------------
 */
DYN_PERMISSION(BatchGetItem, READ)
DYN_PERMISSION(BatchWriteItem, WRITE)
DYN_PERMISSION(ConditionCheckItem, READ)
DYN_PERMISSION(CreateTable, CREATE)
DYN_PERMISSION(DeleteItem, DELETE)
DYN_PERMISSION(DeleteResourcePolicy, OWN)
DYN_PERMISSION(DeleteTable, OWN)
DYN_PERMISSION(DescribeContinuousBackups, SEE)
DYN_PERMISSION(DescribeContributorInsights, SEE)
DYN_PERMISSION(DescribeEndpoints, NONE)
DYN_PERMISSION(DescribeKinesisStreamingDestination, SEE)
DYN_PERMISSION(DescribeLimits, NONE)
DYN_PERMISSION(DescribeStream, STREAM)
DYN_PERMISSION(DescribeTable, SEE)
DYN_PERMISSION(DescribeTableReplicaAutoScaling, SEE)
DYN_PERMISSION(DescribeTimeToLive, SEE)
DYN_PERMISSION(GetItem, READ)
DYN_PERMISSION(GetRecords, STREAM)
DYN_PERMISSION(GetResourcePolicy, OWN)
DYN_PERMISSION(GetShardIterator, STREAM)
DYN_PERMISSION(ListBackups, NONE)
DYN_PERMISSION(ListContributorInsights, SEE)
DYN_PERMISSION(ListExports, NONE)
DYN_PERMISSION(ListGlobalTables, NONE)
DYN_PERMISSION(ListImports, NONE)
DYN_PERMISSION(ListStreams, LIST)
DYN_PERMISSION(ListTables, LIST)
DYN_PERMISSION(ListTagsOfResource, SEE)
DYN_PERMISSION(PartiQLDelete, DELETE)
DYN_PERMISSION(PartiQLInsert, INSERT)
DYN_PERMISSION(PartiQLSelect, READ)
DYN_PERMISSION(PartiQLUpdate, UPDATE)
DYN_PERMISSION(PutItem, PUT)
DYN_PERMISSION(PutResourcePolicy, OWN)
DYN_PERMISSION(Query, READ)
DYN_PERMISSION(Scan, READ)
DYN_PERMISSION(TagResource, OWN)
DYN_PERMISSION(UntagResource, OWN)
DYN_PERMISSION(UpdateItem, PUT)
DYN_PERMISSION(UpdateTable, OWN)
DYN_PERMISSION(UpdateTimeToLive, OWN)
