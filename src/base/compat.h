/*-------------------------------------------------------------------------
 *
 * compat.h
 *		The differences between PostgreSQL's major versions, all of them.
 *
 * src/base/compat.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_COMPAT_H
#define DYN_COMPAT_H

/* Which indexes an update must add to: a bool until PostgreSQL 15. */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes DynUpdateIndexes;
#define DYN_UPDATE_NO_INDEXES TU_None
#else
typedef bool DynUpdateIndexes;
#define DYN_UPDATE_NO_INDEXES false
#endif

/* Whether a role may SET ROLE to another: a privilege of its own since 16. */
#if PG_VERSION_NUM >= 160000
#define dyn_check_can_set_role	check_can_set_role
#define dyn_can_set_role		member_can_set_role
#else
#define dyn_check_can_set_role	check_is_member_of_role
#define dyn_can_set_role		is_member_of_role
#endif

/*
 * Whether privileges come with a membership: said of each since 16, of the
 * member before.
 */
#if PG_VERSION_NUM >= 160000
#define dyn_membership_inherits(membership, member_inherits) \
	((void) (member_inherits), (membership)->inherit_option)
#else
#define dyn_membership_inherits(membership, member_inherits) (member_inherits)
#endif

#if PG_VERSION_NUM >= 180000
#define dyn_primary_key_index(relation) RelationGetPrimaryKeyIndex(relation, false)
#else
#define dyn_primary_key_index(relation) RelationGetPrimaryKeyIndex(relation)
#endif

/* The file of a relation: another one after each rewrite. */
#if PG_VERSION_NUM >= 160000
#define dyn_relation_file(relation) ((relation)->rd_locator.relNumber)
#else
#define dyn_relation_file(relation) ((relation)->rd_node.relNode)
#endif

/* The number of the transaction among this process's: its lock has it too. */
#if PG_VERSION_NUM >= 170000
#define dyn_local_transaction_id() (MyProc->vxid.lxid)
#else
#define dyn_local_transaction_id() (MyProc->lxid)
#endif

/* The place of this process among MaxBackends. */
#if PG_VERSION_NUM >= 170000
#define dyn_backend_index() (MyProcNumber)
#else
#define dyn_backend_index() (MyBackendId - 1)
#endif

/* How much of a column ANALYZE looks at. */
#if PG_VERSION_NUM >= 170000
#define dyn_statistics_target(stats) ((stats)->attstattarget)
#else
#define dyn_statistics_target(stats) ((stats)->attr->attstattarget)
#endif

#endif							/* DYN_COMPAT_H */
