/*-------------------------------------------------------------------------
 *
 * item_format.h
 *		The stored form of an item and how it is built.
 *
 * A DynItem is a varlena: what stands in the "item" column, what the SQL type
 * dynamo.item is, and what every operation passes around.  Its top level is a
 * map; dyn_item_value() looks at it as one.
 *
 * src/item/item_format.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_ITEM_FORMAT_H
#define DYN_ITEM_FORMAT_H

#include "fmgr.h"
#include "item/value.h"

typedef struct DynItem DynItem; /* a varlena, never toasted once one has it */

#define DatumGetDynItem(d) dyn_item_from_datum(d)
#define PG_GETARG_DYN_ITEM(n) dyn_item_from_datum(PG_GETARG_DATUM(n))
#define PG_RETURN_DYN_ITEM(i) PG_RETURN_POINTER(i)

/*
 * Detoast and check the header; open what is sealed.  Raises
 * ERRCODE_DATA_CORRUPTED for a magic or version it does not know, and whatever
 * opening raises.  The bytes behind the header are checked as they are walked.
 */
extern DynItem *dyn_item_from_datum(Datum datum);

/*
 * A sealed item is a datum of the same type that cannot be read without a key:
 * see encryption/, which gives its functions to dyn_item_sealing.  A DynItem is
 * never sealed.
 */
typedef struct DynSealed DynSealed; /* a varlena, not toasted */

#define DYN_SEALED_MAGIC	0xD2
#define DYN_SEALED_IMAGE_MAGIC 0xD3 /* can be opened by encryption/ only */

/*
 *	OFFSET	SIZE	MEANING
 *	0		1		0xD2 or 0xD3
 *	1		8		the data key's id, little endian
 *	9		12		nonce
 *	21				AES-256-GCM of the item, from its own magic on
 *			16		tag
 */
#define DYN_SEALED_HEADER_SIZE	9	/* magic and key */
#define DYN_SEALED_NONCE_SIZE	12
#define DYN_SEALED_TAG_SIZE		16
#define DYN_SEALED_OVERHEAD \
	(DYN_SEALED_HEADER_SIZE + DYN_SEALED_NONCE_SIZE + DYN_SEALED_TAG_SIZE)

typedef struct DynItemSealing
{
	/* The item, in CurrentMemoryContext; raises if it cannot be opened. */
	DynItem    *(*open) (const DynSealed *sealed);

	/*
	 * Raise unless the current user may bring this sealed item in from outside:
	 * who may not read it where it is stored must not have it opened here.
	 */
	void		(*admit) (const DynSealed *sealed);
} DynItemSealing;

extern const DynItemSealing *dyn_item_sealing;

/* Is it a sealed item?  Looks at no more than the beginning of a toasted one. */
extern bool dyn_item_datum_is_sealed(Datum datum);

/* The same of a varlena that is not toasted. */
static inline bool
dyn_item_bytes_are_sealed(const void *bytes)
{
	return VARSIZE_ANY_EXHDR(bytes) > 0 &&
		*(const unsigned char *) VARDATA_ANY(bytes) == DYN_SEALED_MAGIC;
}

/* The item's attributes as a value of type M, pointing into item. */
extern DynValue dyn_item_value(const DynItem *item);

/* A top-level attribute. */
extern bool dyn_item_find(const DynItem *item, const char *name, uint32 name_len,
						  DynValue *value);

/* What the service counts against 400 KB: names and values, no overhead. */
extern uint32 dyn_item_size(const DynItem *item);

/* An attribute's name; a list of them is sorted, in byte order, and distinct. */
typedef struct DynAttributeName
{
	const char *name;
	uint32		name_len;
} DynAttributeName;

/*
 * The item of those top-level attributes of item that are named: what an index
 * projects.  names NULL: item itself.
 */
extern DynItem *dyn_item_subset(DynItem *item, const DynAttributeName *names,
								int count);

/* dyn_item_size() of that, without making it. */
extern uint32 dyn_item_subset_size(const DynItem *item,
								   const DynAttributeName *names, int count);

/* Check every byte of an item from outside (binary input); raises. */
extern void dyn_item_check(const DynItem *item);

/*
 * Building.  Values are appended depth first; maps and sets may be given in
 * any order and are sorted when they end.
 *
 *	 b = dyn_builder_create();
 *	 dyn_builder_begin(b, DYN_TYPE_M);
 *	 dyn_builder_name(b, "p", 1);		-- inside a map, before each value
 *	 dyn_builder_string(b, "x", 1);
 *	 dyn_builder_end(b);
 *	 item = dyn_builder_item(b);		-- or dyn_builder_result() for any value
 *
 * A builder lives in the memory context current at its creation.  A name given
 * twice in one map replaces the first value.  Set members must be distinct:
 * dyn_builder_end() returns false (and leaves duplicates out) if they were not.
 */
typedef struct DynItemBuilder DynItemBuilder;

extern DynItemBuilder *dyn_builder_create(void);
extern void dyn_builder_begin(DynItemBuilder *b, DynType container);
extern bool dyn_builder_end(DynItemBuilder *b);
extern void dyn_builder_name(DynItemBuilder *b, const char *name, uint32 len);

/* Append a copy of any value, containers included (bytes are copied). */
extern void dyn_builder_value(DynItemBuilder *b, const DynValue *value);
extern void dyn_builder_string(DynItemBuilder *b, const char *s, uint32 len);
extern void dyn_builder_binary(DynItemBuilder *b, const char *s, uint32 len);
extern void dyn_builder_bool(DynItemBuilder *b, bool value);
extern void dyn_builder_null(DynItemBuilder *b);

/* The finished top-level map as an item, in CurrentMemoryContext. */
extern DynItem *dyn_builder_item(DynItemBuilder *b);

/* The single finished value; its bytes live as long as the builder. */
extern DynValue dyn_builder_result(DynItemBuilder *b);

#endif							/* DYN_ITEM_FORMAT_H */
