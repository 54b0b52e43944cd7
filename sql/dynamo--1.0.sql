/* dynamo--1.0.sql: the objects of extension dynamo, in the order of src/LAYERS */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION dynamo" to load this file. \quit

-- Everything a user calls is in schema dynamo.  dynamo_data holds one relation
-- for each DynamoDB table; dynamo_internal what only our own code and tests call.
CREATE SCHEMA dynamo_data;
CREATE SCHEMA dynamo_internal;
COMMENT ON SCHEMA dynamo_data IS 'one relation for each DynamoDB table';
COMMENT ON SCHEMA dynamo_internal IS 'internals of extension dynamo; subject to change';

---------------------------------------------------------------------------
-- item: the types
---------------------------------------------------------------------------

---------------------------------------------------------------------------
-- auth: access keys
---------------------------------------------------------------------------

---------------------------------------------------------------------------
-- expression: trees for tests
---------------------------------------------------------------------------

---------------------------------------------------------------------------
-- keyindex: the access method
---------------------------------------------------------------------------

---------------------------------------------------------------------------
-- table: the catalog
---------------------------------------------------------------------------

---------------------------------------------------------------------------
-- operation: the API as SQL functions
---------------------------------------------------------------------------

---------------------------------------------------------------------------
-- server: statistics
---------------------------------------------------------------------------
