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
DYN_OPERATION(BatchGetItem, dyn_batch_get_item, READ)
DYN_OPERATION(BatchWriteItem, dyn_batch_write_item, WRITE)
DYN_OPERATION(CreateTable, dyn_create_table, CONTROL)
DYN_OPERATION(DeleteItem, dyn_delete_item, WRITE)
DYN_OPERATION(DeleteTable, dyn_delete_table, CONTROL)
DYN_OPERATION(DescribeEndpoints, dyn_describe_endpoints, NONE)
DYN_OPERATION(DescribeLimits, dyn_describe_limits, NONE)
DYN_OPERATION(DescribeTable, dyn_describe_table, CONTROL)
DYN_OPERATION(GetItem, dyn_get_item, READ)
DYN_OPERATION(ListTables, dyn_list_tables, CONTROL)
DYN_OPERATION(PutItem, dyn_put_item, WRITE)
DYN_OPERATION(Query, dyn_query, READ)
DYN_OPERATION(Scan, dyn_scan, READ)
DYN_OPERATION(TransactGetItems, dyn_transact_get_items, READ)
DYN_OPERATION(TransactWriteItems, dyn_transact_write_items, WRITE)
DYN_OPERATION(UpdateItem, dyn_update_item, WRITE)
DYN_OPERATION(UpdateTable, dyn_update_table, CONTROL)
