/*-------------------------------------------------------------------------
 *
 * fuzz_sealed.c
 *		encryption/seal.c: opening bytes, good and damaged.
 *
 * Nothing that was not sealed opens.  What was sealed opens to the same bytes, and
 * with any change of it, or at another place, to none.
 *
 * test/fuzz/fuzz_sealed.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pg_shim.h"

#include "encryption/cipher.h"
#include "encryption/data_key.h"
#include "encryption/seal.h"

#define KEY 0x1122334455667788

/* In place of those that read the catalog. */
static DynDataKey key;

DynDataKey *
dyn_data_key_get(int64 id)
{
	static const unsigned char bytes[DYN_KEY_SIZE] = "a key that is always the same";

	if (id != KEY)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED), errmsg("there is no such key")));
	if (key.seal == NULL)
	{
		key.seal = dyn_cipher_create(bytes, true);
		key.open = dyn_cipher_create(bytes, false);
	}
	return &key;
}

bool
dyn_data_key_table(int64 id, pg_uuid_t *table_id)
{
	memset(table_id, 0, sizeof(*table_id));
	return id == KEY;
}

bool
superuser(void)
{
	return true;
}

Oid
GetUserId(void)
{
	return InvalidOid;
}

TimestampTz
GetCurrentStatementStartTimestamp(void)
{
	return 0;
}

static bool
may_read(const pg_uuid_t *table_id)
{
	return true;
}

static void
open_value(void *argument)
{
	(void) dyn_item_from_datum(PointerGetDatum(argument));
}

static void
open_image(void *argument)
{
	(void) dyn_open_image(PointerGetDatum(argument), "place", 5);
}

static void *
varlena(const uint8 *data, size_t size, unsigned char magic)
{
	struct varlena *result = palloc(VARHDRSZ + size);

	SET_VARSIZE(result, VARHDRSZ + size);
	memcpy(VARDATA(result), data, size);
	if (size > 0)
		*(unsigned char *) VARDATA(result) = magic;
	return result;
}

static void
require_refusal(void (*f) (void *argument), void *bytes)
{
	FUZZ_REQUIRE(!fuzz_try(f, bytes));
	FUZZ_REQUIRE(fuzz_sqlstate == ERRCODE_DATA_CORRUPTED);
}

/* With the right key in its place, so that more than the key is looked at. */
static void
open_forged(const uint8 *data, size_t size)
{
	unsigned char *bytes = varlena(data, size, DYN_SEALED_MAGIC);

	require_refusal(open_value, bytes);
	for (int i = 0; i < 8 && i + 1 < size; i++)
		bytes[VARHDRSZ + 1 + i] = (uint64) KEY >> (8 * i);
	require_refusal(open_value, bytes);
	if (size > 0)
		bytes[VARHDRSZ] = DYN_SEALED_IMAGE_MAGIC;
	require_refusal(open_image, bytes);
	require_refusal(open_value, bytes);
}

void
fuzz_one(const uint8 *data, size_t size)
{
	DynItem    *item;
	DynItem    *opened;
	char	   *sealed;
	char	   *image;
	size_t		sealed_size;
	size_t		at;

	if (dyn_item_sealing == NULL)
		dyn_sealing_install(may_read);
	open_forged(data, size);
	if (size < 4)
		return;

	item = varlena(data + 3, size - 3, 0xD1);
	sealed = (char *) dyn_seal(KEY, item);
	image = (char *) dyn_seal_image(KEY, item, "place", 5);
	sealed_size = VARSIZE(sealed) - VARHDRSZ;
	FUZZ_REQUIRE(sealed_size == VARSIZE(item) - VARHDRSZ + DYN_SEALED_OVERHEAD);
	opened = dyn_item_from_datum(PointerGetDatum(sealed));
	FUZZ_REQUIRE(VARSIZE(opened) == VARSIZE(item) && memcmp(opened, item, VARSIZE(item)) == 0);
	opened = dyn_open_image(PointerGetDatum(image), "place", 5);
	FUZZ_REQUIRE(VARSIZE(opened) == VARSIZE(item) && memcmp(opened, item, VARSIZE(item)) == 0);
	opened = NULL;
	require_refusal(open_value, image);

	/* One byte changed, or some missing. */
	at = (data[0] | data[1] << 8) % sealed_size;
	if (data[2] == 0)
		SET_VARSIZE(sealed, VARHDRSZ + at);
	else
		sealed[VARHDRSZ + at] ^= data[2];
	/* The store refuses what is not sealed at all; the type can't know. */
	if ((unsigned char) sealed[VARHDRSZ] != 0xD1)
		require_refusal(open_value, sealed);
	image[VARHDRSZ + 1 + at % (sealed_size - 1)] ^= data[2] | 1;
	require_refusal(open_image, image);
}
