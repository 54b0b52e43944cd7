/*-------------------------------------------------------------------------
 *
 * throughput_request.c
 *		What a request says of throughput: of a table, or of one of its indexes.
 *
 * src/operation/throughput_request.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "operation/table_request.h"
#include "pgtime.h"
#include "utils/timestamp.h"

/* Above this the service does not even look at the account's quota. */
#define MAX_CAPACITY_UNITS INT64CONST(1000000000000)

/* What the service can serve at once from a new on-demand table. */
#define ON_DEMAND_READ_UNITS 12000
#define ON_DEMAND_WRITE_UNITS 4000

/* So many decreases of a day are free; later ones have to be an hour apart. */
#define FREE_DECREASES 4
#define MAX_DECREASES 27

static const char *const billing_mode_values[] = {"PROVISIONED", "PAY_PER_REQUEST", NULL};
const DynEnum dyn_enum_billing_mode = {
	"[PROVISIONED, PAY_PER_REQUEST]", billing_mode_values
};

bool
dyn_request_billing_mode(DynViolations *v, const DynJson *request,
						 DynBillingMode *mode)
{
	const DynJson *value = dyn_request_member(request, "BillingMode");

	*mode = dyn_member_enum(v, value, &dyn_enum_billing_mode,
							DYN_BILLING_PROVISIONED, "billingMode");
	return value != NULL;
}

static void
check_units(DynViolations *v, const DynJson *member, const char *name,
			const char *path, const char *path_name)
{
	const DynJson *units = dyn_request_member(member, name);

	if (dyn_member_require(v, units, "%sprovisionedThroughput.%s", path, path_name))
		dyn_member_range(v, units, 1, DYN_UNBOUNDED, "%sprovisionedThroughput.%s",
						 path, path_name);
}

void
dyn_throughput_check_members(DynViolations *v, const DynJson *holder,
							 const char *path)
{
	const DynJson *member = dyn_request_member(holder, "ProvisionedThroughput");

	if (member == NULL)
		return;
	check_units(v, member, "WriteCapacityUnits", path, "writeCapacityUnits");
	check_units(v, member, "ReadCapacityUnits", path, "readCapacityUnits");
}

DynThroughputRequest
dyn_throughput_read(const DynJson *holder)
{
	const DynJson *member = dyn_request_member(holder, "ProvisionedThroughput");
	DynThroughputRequest result = {0};

	result.provisioned = member != NULL;
	if (member != NULL)
	{
		result.units.read =
			dyn_json_to_integer(dyn_request_member(member, "ReadCapacityUnits"));
		result.units.write =
			dyn_json_to_integer(dyn_request_member(member, "WriteCapacityUnits"));
	}
	result.ceilings = dyn_request_member(holder, "OnDemandThroughput");
	result.warm = dyn_request_member(holder, "WarmThroughput");
	return result;
}

static void
check_bound(int64 units, const char *name, const char *index)
{
	if (units > MAX_CAPACITY_UNITS)
		dyn_raise(VALIDATION, "Given value " INT64_FORMAT " for %s is out of bounds%s%s",
				  units, name, index ? " for index " : "", index ? index : "");
}

void
dyn_throughput_check_bounds(const DynThroughputRequest *request, const char *index)
{
	check_bound(request->units.read, "ReadCapacityUnits", index);
	check_bound(request->units.write, "WriteCapacityUnits", index);
}

void
dyn_throughput_refuse_on_demand(void)
{
	dyn_raise(VALIDATION,
			  DYN_INVALID_VALUES "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
}

/* "Saturday, November 21, 2026 at 10:21:37 AM Coordinated Universal Time" */
static const char *
time_text(TimestampTz time)
{
	pg_time_t	seconds = timestamptz_to_time_t(time);
	char	   *text = palloc(128);

	pg_strftime(text, 128, "%A, %B %d, %Y at %I:%M:%S %p Coordinated Universal Time",
				pg_gmtime(&seconds));
	return text;
}

void
dyn_throughput_check_decrease(DynUnits old, DynUnits new, int decreases_today,
							  TimestampTz last_decrease)
{
	TimestampTz next = last_decrease + USECS_PER_HOUR;

	if ((new.read >= old.read && new.write >= old.write) ||
		decreases_today < FREE_DECREASES ||
		(decreases_today < MAX_DECREASES && next <= GetCurrentTimestamp()))
		return;
	dyn_raise(LIMIT_EXCEEDED,
			  "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "
			  "After the first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. "
			  "Number of decreases today: %d. Last decrease at %s. Next decrease can be made at %s",
			  decreases_today, time_text(last_decrease), time_text(next));
}

/* "table", or "index: x" */
static const char *
whose(const char *index)
{
	return index == NULL ? "table" : psprintf("index: %s", index);
}

static void
merge_ceiling(const DynJson *ceilings, const char *name, const char *index,
			  DynBillingMode mode, bool create, int64 *ceiling)
{
	const DynJson *units = dyn_request_member(ceilings, name);
	int64		number;

	if (units == NULL)
		return;
	if (mode == DYN_BILLING_PROVISIONED)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "%s for OnDemandThroughput cannot be specified%s%s when %stable BillingMode is PROVISIONED%s",
				  name, index ? " for index: " : "", index ? index : "",
				  create ? "" : "the ", create ? "." : "");
	number = dyn_json_to_integer(units);
	if (number != -1 && number < 1)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Requested %s for OnDemandThroughput for %s is outside of valid range",
				  name, whose(index));
	*ceiling = number == -1 ? 0 : number;
}

void
dyn_throughput_merge_ceilings(const DynThroughputRequest *request,
							  const char *index, DynBillingMode mode, bool create,
							  DynUnits *ceilings)
{
	if (request->ceilings == NULL)
		return;
	merge_ceiling(request->ceilings, "MaxReadRequestUnits", index, mode, create,
				  &ceilings->read);
	merge_ceiling(request->ceilings, "MaxWriteRequestUnits", index, mode, create,
				  &ceilings->write);
}

static void
increase_warm(const DynJson *warm, const char *name, const char *index,
			  int64 current, int64 *asked)
{
	const DynJson *units = dyn_request_member(warm, name);
	int64		number;

	if (units == NULL)
		return;
	number = dyn_json_to_integer(units);
	if (number < current)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Requested %s for WarmThroughput for %s is lower than current WarmThroughput, decreasing WarmThroughput is not supported",
				  name, whose(index));
	if (number > MAX_CAPACITY_UNITS)
		dyn_raise(VALIDATION,
				  DYN_INVALID_VALUES "Requested %s for WarmThroughput for %s is outside of valid range",
				  name, whose(index));
	*asked = number;
}

void
dyn_throughput_increase_warm(const DynThroughputRequest *request,
							 const char *index, DynUnits current, DynUnits *asked)
{
	if (request->warm == NULL)
		return;
	increase_warm(request->warm, "ReadUnitsPerSecond", index, current.read, &asked->read);
	increase_warm(request->warm, "WriteUnitsPerSecond", index, current.write, &asked->write);
}

DynUnits
dyn_warm_units(DynBillingMode mode, DynUnits provisioned, DynUnits asked)
{
	DynUnits	least = provisioned;

	if (mode == DYN_BILLING_PAY_PER_REQUEST)
	{
		least.read = ON_DEMAND_READ_UNITS;
		least.write = ON_DEMAND_WRITE_UNITS;
	}
	least.read = Max(least.read, asked.read);
	least.write = Max(least.write, asked.write);
	return least;
}
