/*-------------------------------------------------------------------------
 *
 * validate.c
 *		amvalidate: is an operator class of dynamo_key complete and sound?
 *
 * The rules are nbtree's, with begins_with as an optional sixth strategy that
 * takes two bytea (its bounds are made with bytea's functions, scan.c), and an
 * optional sixth support function that shortens a bytea (long_key.c).
 *
 * src/keyindex/validate.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "keyindex/keyindex.h"

#define ALL_COMPARISONS \
	((1 << BTLessStrategyNumber) | (1 << BTLessEqualStrategyNumber) | \
	 (1 << BTEqualStrategyNumber) | (1 << BTGreaterEqualStrategyNumber) | \
	 (1 << BTGreaterStrategyNumber))

/* amvalidate reports as INFO whatever it finds, and goes on. */
#define COMPLAIN(...) \
	do { \
		ereport(INFO, \
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION), \
				 errmsg(__VA_ARGS__))); \
		valid = false; \
	} while (0)

static bool
support_function_is_valid(Form_pg_amproc proc)
{
	switch (proc->amprocnum)
	{
		case BTORDER_PROC:
			return check_amproc_signature(proc->amproc, INT4OID, true, 2, 2,
										  proc->amproclefttype,
										  proc->amprocrighttype);
		case BTSORTSUPPORT_PROC:
			return check_amproc_signature(proc->amproc, VOIDOID, true, 1, 1,
										  INTERNALOID);
		case BTEQUALIMAGE_PROC:
			return check_amproc_signature(proc->amproc, BOOLOID, true, 1, 1,
										  OIDOID);
		case DYN_KEY_SHORTEN_PROC:
			return proc->amproclefttype == BYTEAOID &&
				check_amproc_signature(proc->amproc, BYTEAOID, true, 1, 1,
									   BYTEAOID);
		default:
			return false;		/* in_range and options have no use here */
	}
}

static bool
operator_is_valid(Form_pg_amop op)
{
	if (op->amopstrategy < 1 || op->amopstrategy > DYN_KEY_STRATEGIES ||
		op->amoppurpose != AMOP_SEARCH)
		return false;
	if (op->amopstrategy == DYN_BEGINS_WITH_STRATEGY &&
		(op->amoplefttype != BYTEAOID || op->amoprighttype != BYTEAOID))
		return false;
	return check_amop_signature(op->amopopr, BOOLOID, op->amoplefttype,
								op->amoprighttype);
}

bool
dyn_key_validate(Oid opclass)
{
	bool		valid = true;
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Form_pg_opclass form;
	CatCList   *procs;
	CatCList   *operators;
	ListCell   *cell;
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	form = (Form_pg_opclass) GETSTRUCT(tuple);
	operators = SearchSysCacheList1(AMOPSTRATEGY,
									ObjectIdGetDatum(form->opcfamily));
	procs = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(form->opcfamily));

	for (int i = 0; i < procs->n_members; i++)
	{
		Form_pg_amproc proc =
		(Form_pg_amproc) GETSTRUCT(&procs->members[i]->tuple);

		if (!support_function_is_valid(proc))
			COMPLAIN("operator class \"%s\" of access method dynamo_key: function %s can't be support function %d",
					 NameStr(form->opcname), format_procedure(proc->amproc),
					 proc->amprocnum);
	}
	for (int i = 0; i < operators->n_members; i++)
	{
		Form_pg_amop op =
		(Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple);

		if (!operator_is_valid(op))
			COMPLAIN("operator class \"%s\" of access method dynamo_key: operator %s can't be strategy %d",
					 NameStr(form->opcname), format_operator(op->amopopr),
					 op->amopstrategy);
	}
	foreach(cell, identify_opfamily_groups(operators, procs))
	{
		OpFamilyOpFuncGroup *group = lfirst(cell);

		if (group->lefttype == form->opcintype &&
			group->righttype == form->opcintype)
			found = true;
		if ((group->operatorset & ALL_COMPARISONS) != ALL_COMPARISONS ||
			(group->functionset & (1 << BTORDER_PROC)) == 0)
			COMPLAIN("operator class \"%s\" of access method dynamo_key: operators or order function missing for types %s and %s",
					 NameStr(form->opcname), format_type_be(group->lefttype),
					 format_type_be(group->righttype));
	}
	if (!found)
		COMPLAIN("operator class \"%s\" of access method dynamo_key has no operators for its own type",
				 NameStr(form->opcname));

	ReleaseCatCacheList(procs);
	ReleaseCatCacheList(operators);
	ReleaseSysCache(tuple);
	return valid;
}
