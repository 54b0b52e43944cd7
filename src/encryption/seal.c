/*-------------------------------------------------------------------------
 *
 * seal.c
 *		Seal items and open them.
 *
 * The sealed form is described in item/item_format.h.
 *
 * src/encryption/seal.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"

#include "encryption/cipher.h"
#include "encryption/data_key.h"
#include "encryption/seal.h"

StaticAssertDecl(DYN_SEALED_NONCE_SIZE == DYN_NONCE_SIZE &&
				 DYN_SEALED_TAG_SIZE == DYN_TAG_SIZE, "the sealed form is that of the cipher");

/* An item's own magic, and nothing else. */
#define MIN_SEALED_SIZE (DYN_SEALED_OVERHEAD + 1)

static bool (*may_read_table) (const pg_uuid_t *table_id);

static int64
key_of(const char *sealed)
{
	uint64		id = 0;

	for (int i = DYN_SEALED_HEADER_SIZE - 1; i > 0; i--)
		id = id << 8 | (unsigned char) sealed[i];
	return (int64) id;
}

static DynSealed *
seal_bytes(unsigned char magic, int64 data_key, const DynItem *item, const DynBytes *place)
{
	DynDataKey *key = dyn_data_key_get(data_key);
	int			size = VARSIZE_ANY_EXHDR(item);
	DynSealed  *sealed = palloc(VARHDRSZ + DYN_SEALED_OVERHEAD + size);
	char	   *p = VARDATA(sealed);
	DynBytes	authenticated[3];

	SET_VARSIZE(sealed, VARHDRSZ + DYN_SEALED_OVERHEAD + size);
	p[0] = (char) magic;
	for (int i = 1; i < DYN_SEALED_HEADER_SIZE; i++)
		p[i] = (char) ((uint64) data_key >> (8 * (i - 1)));
	authenticated[0].data = p;
	authenticated[0].size = DYN_SEALED_HEADER_SIZE;
	authenticated[1].data = key->name_bytes;
	authenticated[1].size = sizeof(key->name_bytes);
	if (place != NULL)
		authenticated[2] = *place;
	dyn_cipher_nonce(p + DYN_SEALED_HEADER_SIZE);
	dyn_cipher_seal(key->seal, p + DYN_SEALED_HEADER_SIZE, authenticated,
					place != NULL ? 3 : 2, VARDATA_ANY(item), size,
					p + DYN_SEALED_HEADER_SIZE + DYN_NONCE_SIZE);
	return sealed;
}

static void
damaged(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("sealed item is not what was stored"),
			 errdetail("%s", detail)));
}

static DynItem *
open_bytes(const DynSealed *sealed, const pg_uuid_t *table_id, const DynBytes *place)
{
	const char *p = VARDATA_ANY(sealed);
	int			size = VARSIZE_ANY_EXHDR(sealed);
	DynDataKey *key;
	DynItem    *item;
	DynBytes	authenticated[3];

	if (size < MIN_SEALED_SIZE)
		damaged("It is too short.");
	key = dyn_data_key_get(key_of(p));
	if (table_id != NULL &&
		memcmp(&key->name.table_id, table_id, sizeof(pg_uuid_t)) != 0)
		damaged("It is another table's.");
	size -= DYN_SEALED_OVERHEAD;
	item = palloc(VARHDRSZ + size);
	SET_VARSIZE(item, VARHDRSZ + size);
	authenticated[0].data = p;
	authenticated[0].size = DYN_SEALED_HEADER_SIZE;
	authenticated[1].data = key->name_bytes;
	authenticated[1].size = sizeof(key->name_bytes);
	if (place != NULL)
		authenticated[2] = *place;
	if (!dyn_cipher_open(key->open, p + DYN_SEALED_HEADER_SIZE, authenticated,
						 place != NULL ? 3 : 2,
						 p + DYN_SEALED_HEADER_SIZE + DYN_NONCE_SIZE, size,
						 VARDATA(item)))
	{
		pfree(item);
		damaged("Its bytes are not those that were sealed.");
	}
	return item;
}

DynSealed *
dyn_seal(int64 data_key, const DynItem *item)
{
	return seal_bytes(DYN_SEALED_MAGIC, data_key, item, NULL);
}

DynItem *
dyn_open(const DynSealed *sealed, const pg_uuid_t *table_id)
{
	return open_bytes(sealed, table_id, NULL);
}

bool
dyn_sealed_for(Datum datum, const pg_uuid_t *table_id)
{
	struct varlena *head = PG_DETOAST_DATUM_SLICE(datum, 0, DYN_SEALED_HEADER_SIZE);
	pg_uuid_t	sealed_for;

	return VARSIZE_ANY_EXHDR(head) == DYN_SEALED_HEADER_SIZE &&
		*(unsigned char *) VARDATA_ANY(head) == DYN_SEALED_MAGIC &&
		dyn_data_key_table(key_of(VARDATA_ANY(head)), &sealed_for) &&
		memcmp(&sealed_for, table_id, sizeof(pg_uuid_t)) == 0;
}

DynSealed *
dyn_seal_image(int64 data_key, const DynItem *item, const void *place, int place_size)
{
	DynBytes	bytes = {place, place_size};

	return seal_bytes(DYN_SEALED_IMAGE_MAGIC, data_key, item, &bytes);
}

DynItem *
dyn_open_image(Datum datum, const void *place, int place_size)
{
	struct varlena *image = PG_DETOAST_DATUM_PACKED(datum);
	DynBytes	bytes = {place, place_size};

	if (VARSIZE_ANY_EXHDR(image) == 0 ||
		*(unsigned char *) VARDATA_ANY(image) != DYN_SEALED_IMAGE_MAGIC)
		return dyn_item_from_datum(PointerGetDatum(image));
	return open_bytes((const DynSealed *) image, NULL, &bytes);
}

/* ----- for the type ----- */

static DynItem *
open_value(const DynSealed *sealed)
{
	return open_bytes(sealed, NULL, NULL);
}

/*
 * A key that is not known can't be judged by, and opens nothing: a dump is being
 * restored.  Who may bring in one item of a key may do so with the next, too.
 */
static void
admit(const DynSealed *sealed)
{
	static int64 admitted = 0;
	static Oid	admitted_user = InvalidOid;
	static TimestampTz admitted_at = 0;
	int64		id = key_of(VARDATA_ANY(sealed));
	pg_uuid_t	table_id;

	if (superuser() ||
		(id == admitted && GetUserId() == admitted_user &&
		 GetCurrentStatementStartTimestamp() == admitted_at))
		return;
	if (dyn_data_key_table(id, &table_id) && !may_read_table(&table_id))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for sealed item"),
				 errdetail("It is one of a table that the current user may not read.")));
	admitted = id;
	admitted_user = GetUserId();
	admitted_at = GetCurrentStatementStartTimestamp();
}

void
dyn_sealing_install(bool (*may_read) (const pg_uuid_t *table_id))
{
	static const DynItemSealing sealing = {open_value, admit};

	may_read_table = may_read;
	dyn_item_sealing = &sealing;
}
