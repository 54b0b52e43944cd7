/*-------------------------------------------------------------------------
 *
 * container.h
 *		Reading the bytes of an M, L, SS, NS or BS: only for src/item.
 *
 * The layout is described in item_format.c.  Every read is checked against
 * the container's size, so that a damaged item raises ERRCODE_DATA_CORRUPTED
 * and never leads outside its bytes.
 *
 * src/item/container.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CONTAINER_H
#define DYN_CONTAINER_H

#include "item/value.h"

#define DYN_TAG_TYPE_MASK	0x0F
#define DYN_TAG_TRUE		0x10

/* A name of this many bytes or more has its length in two more bytes. */
#define DYN_LONG_NAME		0xFF

typedef struct DynContainer
{
	DynType		type;
	uint32		width;			/* bytes of an offset: 1, 2 or 4 */
	uint32		count;
	uint32		entries_size;
	const char *ends;
	const char *entries;
} DynContainer;

extern void dyn_container_corrupted(void) pg_attribute_noreturn();

/* What a set's members are; 0 if type is not a set. */
static inline DynType
dyn_set_member_type(DynType type)
{
	switch (type)
	{
		case DYN_TYPE_SS:
			return DYN_TYPE_S;
		case DYN_TYPE_NS:
			return DYN_TYPE_N;
		case DYN_TYPE_BS:
			return DYN_TYPE_B;
		default:
			return 0;
	}
}

/* The narrowest width for these: the one an item may be stored with. */
static inline uint32
dyn_container_width(uint32 count, uint32 entries_size)
{
	uint32		largest = Max(count, entries_size);

	return largest <= 0xFF ? 1 : largest <= 0xFFFF ? 2 : 4;
}

static inline uint32
dyn_container_read(const char *p, uint32 width)
{
	const unsigned char *u = (const unsigned char *) p;

	switch (width)
	{
		case 1:
			return u[0];
		case 2:
			return u[0] | u[1] << 8;
		default:
			return u[0] | u[1] << 8 | u[2] << 16 | (uint32) u[3] << 24;
	}
}

static inline void
dyn_container_open(const DynValue *value, DynContainer *container)
{
	uint32		width;
	uint64		header;

	if (unlikely(value->size < 2))
		dyn_container_corrupted();
	width = (unsigned char) value->data[0];
	if (unlikely((width != 1 && width != 2 && width != 4) ||
				 value->size < 1 + width))
		dyn_container_corrupted();
	container->type = value->type;
	container->width = width;
	container->count = dyn_container_read(value->data + 1, width);
	header = 1 + width + (uint64) container->count * width;
	if (unlikely(header > value->size))
		dyn_container_corrupted();
	container->entries_size = value->size - header;
	container->ends = value->data + 1 + width;
	container->entries = value->data + header;
}

/* Bytes [*start, *end) of entry i, relative to entries. */
static inline void
dyn_container_entry(const DynContainer *container, uint32 i,
					uint32 *start, uint32 *end)
{
	const char *p = container->ends + (size_t) i * container->width;

	if (unlikely(i >= container->count))
		dyn_container_corrupted();
	*start = i == 0 ? 0 : dyn_container_read(p - container->width,
											 container->width);
	*end = dyn_container_read(p, container->width);
	if (unlikely(*start > *end || *end > container->entries_size))
		dyn_container_corrupted();
}

/* Split the name off the map entry [*p, end), leaving *p behind it. */
static inline void
dyn_container_name(const char **p, const char *end,
				   const char **name, uint32 *name_len)
{
	uint32		len;

	if (unlikely(end - *p < 1))
		dyn_container_corrupted();
	len = (unsigned char) *(*p)++;
	if (len == DYN_LONG_NAME)
	{
		if (unlikely(end - *p < 2))
			dyn_container_corrupted();
		len = dyn_container_read(*p, 2);
		*p += 2;
	}
	if (unlikely(len > end - *p))
		dyn_container_corrupted();
	*name = *p;
	*name_len = len;
	*p += len;
}

/* The tag and data in [p, end) as a value. */
static inline void
dyn_container_value(const char *p, const char *end, DynValue *value)
{
	uint8		tag;

	if (unlikely(end - p < 1))
		dyn_container_corrupted();
	tag = *p++;
	value->type = tag & DYN_TAG_TYPE_MASK;
	value->boolean = (tag & DYN_TAG_TRUE) != 0;
	value->size = end - p;
	value->data = p;
	if (unlikely(value->type < DYN_TYPE_S || value->type > DYN_TYPE_BS ||
				 (tag & ~(DYN_TAG_TYPE_MASK | DYN_TAG_TRUE)) != 0))
		dyn_container_corrupted();
}

/* memcmp order with the shorter prefix first. */
static inline int
dyn_compare_bytes(const char *a, uint32 a_size, const char *b, uint32 b_size)
{
	int			cmp = memcmp(a, b, Min(a_size, b_size));

	if (cmp != 0)
		return cmp;
	return a_size < b_size ? -1 : a_size > b_size ? 1 : 0;
}

#endif							/* DYN_CONTAINER_H */
