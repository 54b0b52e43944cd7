/*-------------------------------------------------------------------------
 *
 * data_key.c
 *		Data keys: make, wrap, unwrap, keep those in use.
 *
 * A key that has been unwrapped is in OpenSSL's contexts alone, which clean up
 * behind themselves when they are freed.  All of them are dropped when a row of
 * dynamo.data_keys changes and when the configuration was reloaded, so that a
 * master key that was taken away is of no use from then on.
 *
 * src/encryption/data_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/crypto.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "base/compat.h"
#include "base/error.h"
#include "base/settings.h"
#include "encryption/cipher.h"
#include "encryption/data_key.h"

PG_FUNCTION_INFO_V1(dyn_internal_first_master_key);
PG_FUNCTION_INFO_V1(dyn_internal_rewrap_data_key);

/* Columns of dynamo.data_keys. */
enum
{
	COLUMN_ID = 1,
	COLUMN_TABLE_ID,
	COLUMN_GENERATION,
	COLUMN_MASTER_KEY,
	COLUMN_WRAPPED
};

static const char wrap_label[] = "dynamo data key 1";

static HTAB *cache = NULL;
static bool stale = false;		/* a row has changed since */
static uint64 cached_generation;	/* of the master keys */
static Oid	catalog = InvalidOid;

/* A row, copied. */
typedef struct Row
{
	DynDataKeyName name;
	char		master_key[DYN_MASTER_KEY_ID_LENGTH + 1];
	unsigned char wrapped[DYN_WRAPPED_KEY_SIZE];
} Row;

char *
dyn_master_key_arn(const char *id)
{
	return psprintf("arn:aws:kms:%s:%s:key/%s", dyn_region, dyn_account_id, id);
}

void
dyn_master_key_refuse(const char *id, const char *hint)
{
	ereport(ERROR,
			(errcode(dyn_errcode(VALIDATION)),
			 errmsg_internal("KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: %s is disabled.",
							 dyn_master_key_arn(id)),
			 errhint("Master key \"%s\": %s", id, hint)));
}

/* ----- the cache ----- */

static void
relation_changed(Datum arg, Oid relation)
{
	if (relation == InvalidOid || relation == catalog)
		stale = true;
}

static void
create_cache(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(int64);
	control.entrysize = sizeof(DynDataKey);
	cache = hash_create("dynamo data keys", 16, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

static void
forget_all(void)
{
	HASH_SEQ_STATUS status;
	DynDataKey *key;

	hash_seq_init(&status, cache);
	while ((key = hash_seq_search(&status)) != NULL)
	{
		EVP_CIPHER_CTX_free(key->seal);
		EVP_CIPHER_CTX_free(key->open);
		hash_search(cache, &key->id, HASH_REMOVE, NULL);
	}
	stale = false;
	cached_generation = dyn_master_keys_generation();
}

/* ----- rows ----- */

static Oid
catalog_relation(void)
{
	Oid			schema = get_namespace_oid("dynamo", true);

	return OidIsValid(schema) ? get_relname_relid("data_keys", schema) : InvalidOid;
}

static bool
take_row(HeapTuple tuple, TupleDesc descriptor, Row *row)
{
	bool		isnull;
	char	   *master_key;
	bytea	   *wrapped;

	row->name.id = DatumGetInt64(heap_getattr(tuple, COLUMN_ID, descriptor, &isnull));
	row->name.table_id = *DatumGetUUIDP(heap_getattr(tuple, COLUMN_TABLE_ID, descriptor,
													 &isnull));
	row->name.generation = DatumGetInt32(heap_getattr(tuple, COLUMN_GENERATION,
													  descriptor, &isnull));
	master_key = TextDatumGetCString(heap_getattr(tuple, COLUMN_MASTER_KEY, descriptor,
												  &isnull));
	strlcpy(row->master_key, master_key, sizeof(row->master_key));
	wrapped = DatumGetByteaPP(heap_getattr(tuple, COLUMN_WRAPPED, descriptor, &isnull));
	if (VARSIZE_ANY_EXHDR(wrapped) != DYN_WRAPPED_KEY_SIZE)
		return false;
	memcpy(row->wrapped, VARDATA_ANY(wrapped), DYN_WRAPPED_KEY_SIZE);
	return true;
}

/* As it is now, whatever snapshot the transaction has. */
static bool
find_row(int64 id, Row *row)
{
	Relation	relation;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	catalog = catalog_relation();
	if (!OidIsValid(catalog) ||
		(relation = try_relation_open(catalog, AccessShareLock)) == NULL)
		return false;
	ScanKeyInit(&key, COLUMN_ID, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	scan = systable_beginscan(relation, dyn_primary_key_index(relation), true, NULL, 1,
							  &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple) && take_row(tuple, RelationGetDescr(relation), row);
	systable_endscan(scan);
	relation_close(relation, AccessShareLock);
	return found;
}

/* ----- wrapping ----- */

/* What a wrapped key is authenticated with: it can't be another table's. */
static void
put_name(const DynDataKeyName *name, unsigned char *bytes)
{
	memcpy(bytes, &name->table_id, UUID_LEN);
	for (int i = 0; i < sizeof(int32); i++)
		bytes[UUID_LEN + i] = (uint32) name->generation >> (8 * i);
}

typedef struct WrapContext
{
	char		label[sizeof(wrap_label)];
	unsigned char id[sizeof(int64)];
	unsigned char name[DYN_SEAL_NAME_SIZE];
} WrapContext;

static void
set_wrap_context(const DynDataKeyName *name, WrapContext *context)
{
	memcpy(context->label, wrap_label, sizeof(wrap_label));
	for (int i = 0; i < sizeof(int64); i++)
		context->id[i] = (uint64) name->id >> (8 * i);
	put_name(name, context->name);
}

static void
wrap(const DynDataKeyName *name, const DynMasterKey *master, const unsigned char *key,
	 unsigned char *wrapped)
{
	EVP_CIPHER_CTX *cipher = dyn_cipher_create(master->key, true);
	DynBytes	authenticated;
	WrapContext context;

	set_wrap_context(name, &context);
	authenticated.data = &context;
	authenticated.size = sizeof(context);
	dyn_cipher_nonce(wrapped);
	dyn_cipher_seal(cipher, wrapped, &authenticated, 1, key, DYN_KEY_SIZE,
					wrapped + DYN_NONCE_SIZE);
	EVP_CIPHER_CTX_free(cipher);
}

static bool
unwrap(const Row *row, const DynMasterKey *master, unsigned char *key)
{
	EVP_CIPHER_CTX *cipher = dyn_cipher_create(master->key, false);
	DynBytes	authenticated;
	WrapContext context;
	bool		result;

	set_wrap_context(&row->name, &context);
	authenticated.data = &context;
	authenticated.size = sizeof(context);
	result = dyn_cipher_open(cipher, row->wrapped, &authenticated, 1,
							 row->wrapped + DYN_NONCE_SIZE, DYN_KEY_SIZE, key);
	EVP_CIPHER_CTX_free(cipher);
	return result;
}

#define DOES_NOT_FIT \
	"It is not the one that the table's data key was wrapped with, or the row of dynamo.data_keys is damaged."

/* Raises, or (missing_ok) returns false, if its master key is not to be had. */
static bool
unwrap_row(const Row *row, unsigned char *key, bool missing_ok)
{
	const DynMasterKey *master = dyn_master_key_find(row->master_key);
	bool		result = master != NULL && unwrap(row, master, key);

	if (!result && !missing_ok)
		dyn_master_key_refuse(row->master_key,
							  master == NULL ? dyn_master_keys_trouble() : DOES_NOT_FIT);
	return result;
}

/* ----- what others call ----- */

static void
no_such_key(int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("there is no data key " INT64_FORMAT, id),
			 errhint("An item is damaged, or it was sealed in another database, whose rows of dynamo.data_keys are needed.")));
}

static DynDataKey *
load(int64 id)
{
	unsigned char key[DYN_KEY_SIZE];
	Row			row;
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
	DynDataKey *entry;

	if (!find_row(id, &row))
		no_such_key(id);
	(void) unwrap_row(&row, key, false);
	seal = dyn_cipher_create(key, true);
	open = dyn_cipher_create(key, false);
	OPENSSL_cleanse(key, sizeof(key));
	entry = hash_search(cache, &id, HASH_ENTER, NULL);
	entry->name = row.name;
	put_name(&row.name, entry->name_bytes);
	entry->seal = seal;
	entry->open = open;
	return entry;
}

DynDataKey *
dyn_data_key_get(int64 id)
{
	DynDataKey *key;

	if (unlikely(cache == NULL))
		create_cache();
	if (unlikely(stale || cached_generation != dyn_master_keys_generation()))
		forget_all();
	key = hash_search(cache, &id, HASH_FIND, NULL);
	return key != NULL ? key : load(id);
}

char *
dyn_data_key_master(int64 id, bool *accessible)
{
	unsigned char key[DYN_KEY_SIZE];
	Row			row;

	if (!find_row(id, &row))
		no_such_key(id);
	*accessible = unwrap_row(&row, key, true);
	OPENSSL_cleanse(key, sizeof(key));
	return pstrdup(row.master_key);
}

bool
dyn_data_key_table(int64 id, pg_uuid_t *table_id)
{
	const DynDataKey *key = cache == NULL || stale ? NULL :
		hash_search(cache, &id, HASH_FIND, NULL);
	Row			row;

	if (key != NULL)
	{
		*table_id = key->name.table_id;
		return true;
	}
	if (!find_row(id, &row))
		return false;
	*table_id = row.name.table_id;
	return true;
}

int64
dyn_data_key_new_id(void)
{
	int64		id;

	/* Positive, for people who have to type it. */
	do
	{
		if (!pg_strong_random(&id, sizeof(id)))
			elog(ERROR, "could not generate a random number");
		id &= PG_INT64_MAX;
	} while (id == 0);
	return id;
}

void
dyn_data_key_make(const DynDataKeyName *name, const DynMasterKey *master,
				  unsigned char *wrapped)
{
	unsigned char key[DYN_KEY_SIZE];

	if (!pg_strong_random(key, sizeof(key)))
		elog(ERROR, "could not generate a random key");
	wrap(name, master, key, wrapped);
	OPENSSL_cleanse(key, sizeof(key));
}

/* first_master_key() returns text: the id of the one that wraps, or NULL. */
Datum
dyn_internal_first_master_key(PG_FUNCTION_ARGS)
{
	const DynMasterKey *master = dyn_master_key_find(NULL);

	if (master == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(master->id));
}

/*
 * rewrap_data_key(key_id bigint, master_key text) returns bytea: the key wrapped
 * by another master key.
 */
Datum
dyn_internal_rewrap_data_key(PG_FUNCTION_ARGS)
{
	int64		id = PG_GETARG_INT64(0);
	char	   *master_key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	unsigned char key[DYN_KEY_SIZE];
	bytea	   *wrapped = palloc(VARHDRSZ + DYN_WRAPPED_KEY_SIZE);
	const DynMasterKey *master;
	Row			row;

	if (!find_row(id, &row))
		no_such_key(id);
	(void) unwrap_row(&row, key, false);
	master = dyn_master_key_find(master_key);
	if (master == NULL)
	{
		OPENSSL_cleanse(key, sizeof(key));
		dyn_master_key_refuse(master_key, dyn_master_keys_trouble());
	}
	SET_VARSIZE(wrapped, VARHDRSZ + DYN_WRAPPED_KEY_SIZE);
	wrap(&row.name, master, key, (unsigned char *) VARDATA(wrapped));
	OPENSSL_cleanse(key, sizeof(key));
	PG_RETURN_BYTEA_P(wrapped);
}
