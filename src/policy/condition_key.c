/*-------------------------------------------------------------------------
 *
 * condition_key.c
 *		The names of condition keys.
 *
 * src/policy/condition_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "policy/policy.h"

static const char *const names[DYN_KEY_OTHER] = {
#define DYN_CONDITION_KEY(kind, name) [DYN_KEY_##kind] = name,
#include "policy/condition_key_list.h"
#undef DYN_CONDITION_KEY
};

StaticAssertDecl(DYN_KEY_OTHER < 64, "dyn_policy_keys() has 64 bits");

static inline char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool
equal_ignoring_case(const char *a, const char *b, uint32 len)
{
	for (uint32 i = 0; i < len; i++)
	{
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

void
dyn_policy_key_parse(const char *text, uint32 len, DynPolicyKey *key)
{
	for (DynPolicyKeyKind kind = 0; kind < DYN_KEY_OTHER; kind++)
	{
		uint32		name_len = strlen(names[kind]);
		bool		is_tag = kind >= DYN_KEY_PRINCIPAL_TAG;

		/* A tag without a key is nobody's. */
		if ((is_tag ? len > name_len : len == name_len) &&
			equal_ignoring_case(text, names[kind], name_len))
		{
			key->kind = kind;
			key->name.data = text + name_len;
			key->name.len = len - name_len;
			return;
		}
	}
	key->kind = DYN_KEY_OTHER;
	key->name.data = text;
	key->name.len = len;
}

bool
dyn_policy_key_equal(const DynPolicyKey *a, const DynPolicyKey *b)
{
	return a->kind == b->kind && a->name.len == b->name.len &&
		equal_ignoring_case(a->name.data, b->name.data, a->name.len);
}

const char *
dyn_policy_key_name(DynPolicyKeyKind kind)
{
	return kind < DYN_KEY_OTHER ? names[kind] : NULL;
}
