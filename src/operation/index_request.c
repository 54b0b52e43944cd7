/*-------------------------------------------------------------------------
 *
 * index_request.c
 *		Secondary indexes in CreateTable and UpdateTable requests.
 *
 * src/operation/index_request.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "miscadmin.h"
#include "operation/index_request.h"
#include "operation/key_schema_request.h"
#include "operation/table_request.h"

#define MAX_NON_KEY_ATTRIBUTES 20

/* A table's key, and those of all the indexes it can have. */
#define MAX_DEFINITIONS \
	(2 + DYN_MAX_LOCAL_INDEXES + DYN_MAX_GLOBAL_INDEXES * 2 * DYN_MAX_INDEX_KEY_PARTS)

static const char *const projection_values[] = {"ALL", "KEYS_ONLY", "INCLUDE", NULL};
const DynEnum dyn_enum_projection_type = {
	"[ALL, INCLUDE, KEYS_ONLY]", projection_values
};

/* ----- member constraints ----- */

void
dyn_request_check_index_name(DynViolations *v, const DynJson *holder, const char *path)
{
	const DynJson *name = dyn_request_member(holder, "IndexName");

	if (!dyn_member_require(v, name, "%sindexName", path))
		return;
	dyn_member_length(v, name, DYN_MIN_TABLE_NAME_LENGTH, DYN_MAX_TABLE_NAME_LENGTH,
					  "%sindexName", path);
	dyn_member_name_pattern(v, name, "%sindexName", path);
}

static void
check_projection(DynViolations *v, const DynJson *projection, const char *path)
{
	const DynJson *names;
	const DynJson *name;
	int			n = 0;

	if (!dyn_member_require(v, projection, "%sprojection", path))
		return;
	dyn_member_enum(v, dyn_request_member(projection, "ProjectionType"),
					&dyn_enum_projection_type, 0, "%sprojection.projectionType", path);
	names = dyn_request_member(projection, "NonKeyAttributes");
	if (names == NULL)
		return;
	dyn_member_length(v, names, 1, MAX_NON_KEY_ATTRIBUTES,
					  "%sprojection.nonKeyAttributes", path);
	for (name = dyn_json_first(names); name; name = dyn_json_next(name))
		dyn_member_length(v, name, 1, DYN_MAX_KEY_NAME_SIZE,
						  "%sprojection.nonKeyAttributes.%d.member", path, ++n);
}

void
dyn_request_check_index(DynViolations *v, const DynJson *index, DynIndexKind kind,
						const char *path)
{
	check_projection(v, dyn_request_member(index, "Projection"), path);
	dyn_request_check_index_name(v, index, path);
	if (kind == DYN_INDEX_GLOBAL)
		dyn_throughput_check_members(v, index, path);
	dyn_request_check_key_schema(v, dyn_request_member(index, "KeySchema"),
								 kind == DYN_INDEX_GLOBAL ? 2 * DYN_MAX_INDEX_KEY_PARTS : 2,
								 path);
}

static void
check_list(DynViolations *v, const DynJson *list, DynIndexKind kind, const char *path)
{
	const DynJson *index;
	int			n = 0;

	if (list == NULL)
		return;
	for (index = dyn_json_first(list); index; index = dyn_json_next(index))
	{
		char		member[64];

		CHECK_FOR_INTERRUPTS();
		snprintf(member, sizeof(member), "%s.%d.member.", path, ++n);
		dyn_request_check_index(v, index, kind, member);
	}
}

void
dyn_request_check_indexes(DynViolations *v, const DynJson *request)
{
	check_list(v, dyn_request_member(request, "GlobalSecondaryIndexes"),
			   DYN_INDEX_GLOBAL, "globalSecondaryIndexes");
	check_list(v, dyn_request_member(request, "LocalSecondaryIndexes"),
			   DYN_INDEX_LOCAL, "localSecondaryIndexes");
}

void
dyn_request_check_index_bounds(const DynJson *request)
{
	const DynJson *list = dyn_request_member(request, "GlobalSecondaryIndexes");
	const DynJson *index;
	uint32		len;

	for (index = list ? dyn_json_first(list) : NULL; index; index = dyn_json_next(index))
	{
		DynThroughputRequest throughput = dyn_throughput_read(index);

		dyn_throughput_check_bounds(&throughput,
									dyn_request_string(index, "IndexName", &len));
	}
}

/* ----- one index ----- */

static void
read_non_key_attributes(const DynJson *names, DynIndexDefinition *result)
{
	const DynJson *name;

	result->included = palloc(dyn_json_count(names) * sizeof(DynAttributeName));
	for (name = dyn_json_first(names); name; name = dyn_json_next(name))
	{
		DynAttributeName *included = &result->included[result->nincluded++];

		included->name = dyn_json_string(name, &included->name_len);
		for (int i = 0; i < result->nincluded - 1; i++)
			if (result->included[i].name_len == included->name_len &&
				memcmp(result->included[i].name, included->name, included->name_len) == 0)
				dyn_raise(VALIDATION,
						  DYN_INVALID_VALUES "Duplicate attribute in NonKeyAttributes: %s",
						  included->name);
	}
}

static void
read_projection(const DynJson *projection, DynIndexDefinition *result)
{
	const DynJson *type = dyn_request_member(projection, "ProjectionType");
	const DynJson *names = dyn_request_member(projection, "NonKeyAttributes");
	DynViolations v = {0};

	if (type == NULL)
		dyn_raise(VALIDATION, DYN_INVALID_VALUES "Unknown ProjectionType: null");
	result->projection = dyn_member_enum(&v, type, &dyn_enum_projection_type, 0,
										 "projectionType");
	if (result->projection != DYN_PROJECT_INCLUDE)
	{
		if (names != NULL)
			dyn_raise(VALIDATION,
					  DYN_INVALID_VALUES "ProjectionType is %s, but NonKeyAttributes is specified",
					  projection_values[result->projection]);
		return;
	}
	if (names == NULL)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
	read_non_key_attributes(names, result);
}

static void
read_index(const DynJson *index, DynIndexKind kind, const DynJson *definitions,
		   DynIndexDefinition *result)
{
	uint32		len;

	memset(result, 0, sizeof(DynIndexDefinition));
	result->name = dyn_request_string(index, "IndexName", &len);
	result->kind = kind;
	dyn_index_schema_resolve(dyn_request_member(index, "KeySchema"), definitions,
							 kind == DYN_INDEX_GLOBAL, &result->schema);
}

void
dyn_request_global_index(const DynJson *index, const DynJson *definitions,
						 DynBillingMode mode, bool create, DynIndexDefinition *result)
{
	DynThroughputRequest throughput = dyn_throughput_read(index);

	read_index(index, DYN_INDEX_GLOBAL, definitions, result);
	read_projection(dyn_request_member(index, "Projection"), result);
	if (mode == DYN_BILLING_PAY_PER_REQUEST && throughput.provisioned)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST",
				  result->name);
	if (mode == DYN_BILLING_PROVISIONED && !throughput.provisioned)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "ProvisionedThroughput must be specified for index: %s",
				  result->name);
	result->read_units = throughput.units.read;
	result->write_units = throughput.units.write;
	dyn_throughput_merge_ceilings(&throughput, result->name, mode, create,
								  &result->max_units);
	dyn_throughput_increase_warm(&throughput, result->name,
								 dyn_warm_units(mode, throughput.units, result->warm_units),
								 &result->warm_units);
}

static void
read_local_index(const DynJson *index, const DynJson *definitions,
				 const DynKeySchema *table, DynIndexDefinition *result)
{
	const DynKeyAttribute *hash = &result->schema.partition[0];

	if (table->sort.name == NULL)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex");
	read_index(index, DYN_INDEX_LOCAL, definitions, result);
	if (result->schema.nsort == 0)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Index KeySchema does not have a range key for index: %s",
				  result->name);
	if (hash->name_len != table->partition.name_len ||
		memcmp(hash->name, table->partition.name, hash->name_len) != 0)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Index KeySchema does not have the same leading hash key as table KeySchema for index: %s. index hash key: %s, table hash key: %s",
				  result->name, hash->name, table->partition.name);
	read_projection(dyn_request_member(index, "Projection"), result);
}

/* ----- all of a CreateTable ----- */

static void
check_name_is_new(const DynTableDefinition *table)
{
	const char *name = table->indexes[table->nindexes].name;

	for (int i = 0; i < table->nindexes; i++)
		if (strcmp(table->indexes[i].name, name) == 0)
			dyn_raise(VALIDATION, DYN_INVALID_VALUES "Duplicate index name: %s", name);
}

static void
read_list(const DynJson *request, const char *member, DynIndexKind kind,
		  DynBillingMode mode, DynTableDefinition *table)
{
	const DynJson *list = dyn_request_member(request, member);
	const DynJson *definitions = dyn_request_member(request, "AttributeDefinitions");
	const DynJson *index;

	/* Of more than are allowed it does not matter what the others are. */
	int			left = kind == DYN_INDEX_LOCAL ? DYN_MAX_LOCAL_INDEXES : DYN_MAX_GLOBAL_INDEXES;

	if (list == NULL)
		return;
	if (dyn_json_first(list) == NULL)
		dyn_raise(VALIDATION, DYN_INVALID_VALUES "List of %s is empty", member);
	for (index = dyn_json_first(list); index && left-- > 0; index = dyn_json_next(index))
	{
		if (kind == DYN_INDEX_LOCAL)
			read_local_index(index, definitions, &table->schema,
							 &table->indexes[table->nindexes]);
		else
			dyn_request_global_index(index, definitions, mode, true,
									 &table->indexes[table->nindexes]);
		check_name_is_new(table);
		table->nindexes++;
	}
	if (kind == DYN_INDEX_LOCAL && dyn_json_count(list) > DYN_MAX_LOCAL_INDEXES)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Number of LocalSecondaryIndexes exceeds per-table limit of %d",
				  DYN_MAX_LOCAL_INDEXES);
	if (kind == DYN_INDEX_GLOBAL && dyn_json_count(list) > DYN_MAX_GLOBAL_INDEXES)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "GlobalSecondaryIndex count exceeds the per-table limit of %d",
				  DYN_MAX_GLOBAL_INDEXES);
}

static bool
is_attribute(const DynKeyAttribute *attribute, const char *name, uint32 len)
{
	return attribute->name != NULL && attribute->name_len == len &&
		memcmp(attribute->name, name, len) == 0;
}

static bool
index_uses(const DynIndexDefinition *index, const char *name, uint32 len)
{
	for (int i = 0; i < index->schema.npartition; i++)
		if (is_attribute(&index->schema.partition[i], name, len))
			return true;
	for (int i = 0; i < index->schema.nsort; i++)
		if (is_attribute(&index->schema.sort[i], name, len))
			return true;
	return false;
}

static bool
table_uses(const DynTableDefinition *table, const char *name, uint32 len)
{
	if (is_attribute(&table->schema.partition, name, len) ||
		is_attribute(&table->schema.sort, name, len))
		return true;
	for (int i = 0; i < table->nindexes; i++)
		if (index_uses(&table->indexes[i], name, len))
			return true;
	return false;
}

static void
check_definitions_are_used(const DynJson *definitions, const DynTableDefinition *table)
{
	StringInfoData used;
	const DynJson *definition;
	bool		unused = false;

	initStringInfo(&used);
	for (definition = dyn_json_first(definitions); definition;
		 definition = dyn_json_next(definition))
	{
		uint32		len;
		const char *name = dyn_request_string(definition, "AttributeName", &len);

		if (!table_uses(table, name, len))
			unused = true;
		else
			appendStringInfo(&used, "%s%s", used.len > 0 ? ", " : "", name);
	}
	if (unused)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys used: [%s]",
				  dyn_attribute_names(definitions), used.data);
}

void
dyn_request_indexes(const DynJson *request, DynBillingMode mode,
					DynTableDefinition *table)
{
	const DynJson *definitions = dyn_request_member(request, "AttributeDefinitions");
	int			included = 0;

	table->indexes = palloc((DYN_MAX_LOCAL_INDEXES + DYN_MAX_GLOBAL_INDEXES) *
							sizeof(DynIndexDefinition));

	/* So many cannot all be used; and looking up keys among them takes long. */
	if (dyn_json_count(definitions) > MAX_DEFINITIONS)
		check_definitions_are_used(definitions, table);
	read_list(request, "LocalSecondaryIndexes", DYN_INDEX_LOCAL, mode, table);
	read_list(request, "GlobalSecondaryIndexes", DYN_INDEX_GLOBAL, mode, table);
	for (int i = 0; i < table->nindexes; i++)
		included += table->indexes[i].nincluded;
	if (included > DYN_MAX_INCLUDED_ATTRIBUTES)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Number of NonKeyAttributes of all indexes exceeds the per-table limit of %d",
				  DYN_MAX_INCLUDED_ATTRIBUTES);
	if (table->nindexes > 0)
		check_definitions_are_used(definitions, table);
}
