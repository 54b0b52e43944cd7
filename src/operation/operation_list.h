/*-------------------------------------------------------------------------
 *
 * operation_list.h
 *		Every operation of the API, one line each.
 *
 * DYN_OPERATION(wire name, handler, access).  An operation that is not here is
 * answered with UnknownOperationException.  Sorted by name in strcmp order.  No
 * include guard: included several times.
 *
 * src/operation/operation_list.h
 *-------------------------------------------------------------------------
 */
DYN_OPERATION(BatchExecuteStatement, dyn_batch_execute_statement, STATEMENT)
DYN_OPERATION(BatchGetItem, dyn_batch_get_item, READ)
DYN_OPERATION(BatchWriteItem, dyn_batch_write_item, WRITE)
DYN_OPERATION(CreateTable, dyn_create_table, CONTROL)
DYN_OPERATION(DeleteItem, dyn_delete_item, WRITE)
DYN_OPERATION(DeleteResourcePolicy, dyn_delete_resource_policy, CONTROL)
DYN_OPERATION(DeleteTable, dyn_delete_table, CONTROL)
DYN_OPERATION(DescribeContinuousBackups, dyn_describe_continuous_backups, CONTROL)
DYN_OPERATION(DescribeContributorInsights, dyn_describe_contributor_insights, CONTROL)
DYN_OPERATION(DescribeEndpoints, dyn_describe_endpoints, NONE)
DYN_OPERATION(DescribeKinesisStreamingDestination, dyn_describe_kinesis_streaming_destination, CONTROL)
DYN_OPERATION(DescribeLimits, dyn_describe_limits, NONE)
DYN_OPERATION(DescribeStream, dyn_describe_stream, READ)
DYN_OPERATION(DescribeTable, dyn_describe_table, CONTROL)
DYN_OPERATION(DescribeTableReplicaAutoScaling, dyn_describe_table_replica_auto_scaling, CONTROL)
DYN_OPERATION(DescribeTimeToLive, dyn_describe_time_to_live, CONTROL)
DYN_OPERATION(ExecuteStatement, dyn_execute_statement, STATEMENT)
DYN_OPERATION(ExecuteTransaction, dyn_execute_transaction, STATEMENT)
DYN_OPERATION(GetItem, dyn_get_item, READ)
DYN_OPERATION(GetRecords, dyn_get_records, READ)
DYN_OPERATION(GetResourcePolicy, dyn_get_resource_policy, CONTROL)
DYN_OPERATION(GetShardIterator, dyn_get_shard_iterator, READ)
DYN_OPERATION(ListBackups, dyn_list_backups, NONE)
DYN_OPERATION(ListContributorInsights, dyn_list_contributor_insights, CONTROL)
DYN_OPERATION(ListExports, dyn_list_exports, NONE)
DYN_OPERATION(ListGlobalTables, dyn_list_global_tables, NONE)
DYN_OPERATION(ListImports, dyn_list_imports, NONE)
DYN_OPERATION(ListStreams, dyn_list_streams, READ)
DYN_OPERATION(ListTables, dyn_list_tables, CONTROL)
DYN_OPERATION(ListTagsOfResource, dyn_list_tags_of_resource, CONTROL)
DYN_OPERATION(PutItem, dyn_put_item, WRITE)
DYN_OPERATION(PutResourcePolicy, dyn_put_resource_policy, CONTROL)
DYN_OPERATION(Query, dyn_query, READ)
DYN_OPERATION(Scan, dyn_scan, READ)
DYN_OPERATION(TagResource, dyn_tag_resource, CONTROL)
DYN_OPERATION(TransactGetItems, dyn_transact_get_items, READ)
DYN_OPERATION(TransactWriteItems, dyn_transact_write_items, WRITE)
DYN_OPERATION(UntagResource, dyn_untag_resource, CONTROL)
DYN_OPERATION(UpdateItem, dyn_update_item, WRITE)
DYN_OPERATION(UpdateTable, dyn_update_table, CONTROL)
DYN_OPERATION(UpdateTimeToLive, dyn_update_time_to_live, CONTROL)
