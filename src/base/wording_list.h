/*-------------------------------------------------------------------------
 *
 * wording_list.h
 *		Every text that the service has worded anew, one line each.
 *
 * DYN_WORDING(name, older, newer).  Both are formats for the same arguments;
 * "%.0s" takes one and shows nothing of it.  No include guard: included several
 * times.
 *
 * src/base/wording_list.h
 *-------------------------------------------------------------------------
 */

/* value, path, constraint */
DYN_WORDING(MEMBER_CONSTRAINT,
			"Value %s at '%s' failed to satisfy constraint: %s",
			"Value%.0s at '%s' failed to satisfy constraint: %s")

/* in the operations that DYN_REWORDED_DUPLICATES names */
DYN_WORDING(NUMBER_DUPLICATES,
			"Input collection contains duplicates",
			"One or more parameter values were invalid: Input collection contains duplicates.")

/* before what dyn_raise_request() and dyn_raise_value() say */
DYN_WORDING(REQUEST_PREFIX, "", "1 validation error detected: ")

/* the expressions that are null */
DYN_WORDING(VALUES_WITHOUT_EXPRESSION,
			"ExpressionAttributeValues can only be specified when using expressions: %s",
			"ExpressionAttributeValues can only be specified when using expressions%.0s")

DYN_WORDING(EMPTY_NUMBER,
			"The parameter cannot be converted to a numeric value",
			"The parameter cannot be converted to a numeric value: ")
