-- The views of the endpoint's figures have the columns docs/monitoring.md tells,
-- with and without an endpoint.
SELECT table_name, string_agg(column_name, ' ' ORDER BY ordinal_position)
FROM information_schema.columns
WHERE table_schema = 'dynamo' AND table_name LIKE 'stat\_%'
GROUP BY table_name ORDER BY table_name;

-- No figure is ever negative or out of order.
SELECT count(*) FROM dynamo.stat_operations
WHERE calls <= 0 OR errors NOT BETWEEN 0 AND calls OR p50_ms > p90_ms OR p90_ms > p99_ms
	OR mean_ms < 0 OR total_ms < mean_ms;
SELECT count(*) FROM dynamo.stat_exceptions WHERE answers < 0;
SELECT count(*) FROM dynamo.stat_workers
WHERE transaction_ids > transactions OR writes > requests;
SELECT count(*) FROM dynamo.stat_flush WHERE done_lsn > pg_current_wal_insert_lsn();

-- One row for each exception of the API.
SELECT count(*) = count(DISTINCT exception) AND bool_or(exception = 'ValidationException')
	OR count(*) = 0 AS complete
FROM dynamo.stat_exceptions;

-- Table names are not everybody's business.
SELECT has_table_privilege('pg_monitor', 'dynamo.stat_operations', 'SELECT') AS monitor,
	has_function_privilege('pg_monitor', 'dynamo.stat_reset()', 'EXECUTE') AS reset;
SET ROLE pg_read_all_data;
SELECT * FROM dynamo_internal.stat_operations();
RESET ROLE;
