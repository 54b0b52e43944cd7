/*-------------------------------------------------------------------------
 *
 * item_format.c
 *		The stored form of an item and how it is built.
 *
 * An item, behind its varlena header:
 *
 *	OFFSET	SIZE	MEANING
 *	0		1		0xD1: D for dynamo, 1 for the version
 *	1				the attributes, an M
 *
 * 0xD2 and 0xD3 are those of sealed items: see the header.
 *
 * A container (M, L, SS, NS, BS) of n entries:
 *
 *	OFFSET	SIZE	MEANING
 *	0		1		w, the width of the numbers below: 1, 2 or 4 bytes,
 *					little endian, the narrowest that holds them all
 *	1		w		n
 *	1+w		n*w		end of each entry, relative to the first entry's start
 *	1+w+n*w			the entries, without gaps; the last one ends the container
 *
 * An entry of an M (sorted by name, memcmp order, shorter prefix first):
 *
 *	OFFSET	SIZE	MEANING
 *	0		1		length of the name; 0xFF: the next two bytes tell it
 *	1 or 3			name, UTF-8
 *			1		tag: DynType, + 0x10 for true
 *					the value's data up to the entry's end
 *
 * An entry of an L is a tag and data, an entry of a set is data alone (sorted).
 * Data of S is UTF-8, of B raw bytes, of N the encoding of number.c; BOOL and
 * NULL have none.
 *
 * There is exactly one form for a value, so equality is memcmp.  One attribute
 * is found by binary search over the directory of ends; nothing needs to be
 * aligned, and a nested value is used where it lies.
 *
 * src/item/item_format.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "base/limits.h"
#include "item/container.h"
#include "item/item_format.h"
#include "item/number.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#define ITEM_MAGIC			0xD1
#define ITEM_HEADER_SIZE	1

/* Deeper than an item may be, so that who builds one gets to say so. */
#define MAX_BUILDER_DEPTH	(2 * DYN_MAX_NESTING_DEPTH + 2)

struct DynItem
{
	char		vl_len_[4];		/* never read directly: may be a short header */
};

/* A container that is being built. */
typedef struct Frame
{
	DynType		type;
	uint32		data_start;		/* in buf */
	uint32		first_entry;	/* in starts */
} Frame;

struct DynItemBuilder
{
	StringInfoData buf;
	uint32	   *starts;			/* where each entry of the open containers
								 * starts in buf */
	uint32		nstarts;
	uint32		max_starts;
	StringInfoData scratch;		/* entries while they are sorted */
	DynValue	result;
	int			depth;
	Frame		frames[MAX_BUILDER_DEPTH];
};

/* An entry while it is sorted. */
typedef struct SortEntry
{
	const char *key;			/* name of a map's entry, data of a set's */
	uint32		key_len;
	uint32		order;			/* as it was given */
	const char *data;			/* the whole entry */
	uint32		size;
} SortEntry;

const DynItemSealing *dyn_item_sealing = NULL;

DynItem *
dyn_item_from_datum(Datum datum)
{
	DynItem    *item = (DynItem *) PG_DETOAST_DATUM_PACKED(datum);
	unsigned char magic = VARSIZE_ANY_EXHDR(item) < ITEM_HEADER_SIZE ? 0 :
		*(unsigned char *) VARDATA_ANY(item);

	if (likely(magic == ITEM_MAGIC))
		return item;
	if (magic != DYN_SEALED_MAGIC || dyn_item_sealing == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored item has an unknown format"),
				 errhint("It was written by a newer version of the extension, or it is damaged.")));
	return dyn_item_sealing->open((const DynSealed *) item);
}

bool
dyn_item_datum_is_sealed(Datum datum)
{
	struct varlena *bytes = (struct varlena *) DatumGetPointer(datum);

	if (VARATT_IS_EXTERNAL(bytes) || VARATT_IS_COMPRESSED(bytes))
		bytes = PG_DETOAST_DATUM_SLICE(datum, 0, 1);
	return dyn_item_bytes_are_sealed(bytes);
}

DynValue
dyn_item_value(const DynItem *item)
{
	DynValue	value = {.type = DYN_TYPE_M};

	value.size = VARSIZE_ANY_EXHDR(item) - ITEM_HEADER_SIZE;
	value.data = VARDATA_ANY(item) + ITEM_HEADER_SIZE;
	return value;
}

bool
dyn_item_find(const DynItem *item, const char *name, uint32 name_len,
			  DynValue *value)
{
	DynValue	attributes = dyn_item_value(item);

	return dyn_map_find(&attributes, name, name_len, value);
}

uint32
dyn_item_size(const DynItem *item)
{
	DynValue	attributes = dyn_item_value(item);

	/* Unlike a nested M, an item pays nothing for being one. */
	return dyn_value_size(&attributes) - 3 - dyn_value_count(&attributes);
}

/*
 * The next entry of a sorted map that has one of the sorted names, of which
 * *name is the first not looked for yet; *entry is the first entry not passed.
 * False: there is none.  The steps to the name double, so that neither many
 * entries nor many names are walked one by one.
 */
static bool
next_named(const DynContainer *map, const DynAttributeName *names, int count,
		   int *name, uint32 *entry, uint32 *start, uint32 *end)
{
	for (; *name < count; (*name)++)
	{
		uint32		low = *entry;
		uint32		high = map->count;
		uint32		step = 1;

		while (low < high)
		{
			uint32		middle = step < high - low ? low + step - 1 :
				low + (high - low) / 2;
			const char *p;
			const char *entry_name;
			uint32		entry_name_len;
			int			cmp;

			dyn_container_entry(map, middle, start, end);
			p = map->entries + *start;
			dyn_container_name(&p, map->entries + *end, &entry_name,
							   &entry_name_len);
			cmp = dyn_compare_bytes(names[*name].name, names[*name].name_len,
									entry_name, entry_name_len);
			if (cmp == 0)
			{
				*entry = middle + 1;
				(*name)++;
				return true;
			}
			if (cmp < 0)
				high = middle;
			else
			{
				low = middle + 1;
				step *= 2;
			}
		}
		*entry = low;
	}
	return false;
}

uint32
dyn_item_subset_size(const DynItem *item, const DynAttributeName *names,
					 int count)
{
	DynValue	attributes = dyn_item_value(item);
	DynContainer map;
	uint32		size = 0;
	uint32		entry = 0;
	int			name = 0;
	uint32		start;
	uint32		end;

	if (names == NULL)
		return dyn_item_size(item);
	dyn_container_open(&attributes, &map);
	while (next_named(&map, names, count, &name, &entry, &start, &end))
	{
		const char *p = map.entries + start;
		const char *entry_name;
		uint32		entry_name_len;
		DynValue	value;

		dyn_container_name(&p, map.entries + end, &entry_name, &entry_name_len);
		dyn_container_value(p, map.entries + end, &value);
		size += entry_name_len + dyn_value_size(&value);
	}
	return size;
}

/* Not pg_verify_mbstr(): NUL is legal here. */
static void
check_utf8(const char *data, uint32 size)
{
	const char *end = data + size;

	while (data < end)
	{
		int			l = pg_utf_mblen((const unsigned char *) data);

		if (l > end - data ||
			!pg_utf8_islegal((const unsigned char *) data, l))
			dyn_container_corrupted();
		data += l;
	}
}

/* Check every byte of a value that is nested depth levels deep. */
static void
check_value(const DynValue *value, int depth)
{
	DynContainer c;
	uint32		end = 0;
	const char *last_key = NULL;
	uint32		last_key_len = 0;

	if (depth > DYN_MAX_NESTING_DEPTH)
		dyn_container_corrupted();
	if (value->boolean && value->type != DYN_TYPE_BOOL)
		dyn_container_corrupted();

	switch (value->type)
	{
		case DYN_TYPE_S:
			check_utf8(value->data, value->size);
			return;
		case DYN_TYPE_N:
			if (!dyn_number_check(value->data, value->size))
				dyn_container_corrupted();
			return;
		case DYN_TYPE_B:
			return;
		case DYN_TYPE_BOOL:
		case DYN_TYPE_NULL:
			if (value->size != 0)
				dyn_container_corrupted();
			return;
		default:
			break;
	}

	dyn_container_open(value, &c);
	if (c.width != dyn_container_width(c.count, c.entries_size))
		dyn_container_corrupted();
	if (c.count == 0 && c.type != DYN_TYPE_M && c.type != DYN_TYPE_L)
		dyn_container_corrupted();
	for (uint32 i = 0; i < c.count; i++)
	{
		uint32		start;
		const char *p;
		const char *key;
		uint32		key_len;
		DynValue	entry;

		dyn_container_entry(&c, i, &start, &end);
		p = c.entries + start;
		if (c.type == DYN_TYPE_M)
		{
			dyn_container_name(&p, c.entries + end, &key, &key_len);
			if (key_len == 0 ||
				(key - (c.entries + start) > 1 && key_len < DYN_LONG_NAME))
				dyn_container_corrupted();
			check_utf8(key, key_len);
			dyn_container_value(p, c.entries + end, &entry);
		}
		else if (c.type == DYN_TYPE_L)
			dyn_container_value(p, c.entries + end, &entry);
		else
		{
			key = p;
			key_len = end - start;
			entry.type = dyn_set_member_type(c.type);
			entry.boolean = false;
			entry.data = p;
			entry.size = end - start;
		}
		if (c.type != DYN_TYPE_L)
		{
			if (i > 0 && dyn_compare_bytes(last_key, last_key_len,
										   key, key_len) >= 0)
				dyn_container_corrupted();
			last_key = key;
			last_key_len = key_len;
		}
		/* A set is as deep as a scalar. */
		check_value(&entry, dyn_set_member_type(c.type) != 0 ? depth : depth + 1);
	}
	if (end != c.entries_size)
		dyn_container_corrupted();
}

void
dyn_item_check(const DynItem *item)
{
	DynValue	attributes;

	if (VARSIZE_ANY_EXHDR(item) < ITEM_HEADER_SIZE ||
		*(unsigned char *) VARDATA_ANY(item) != ITEM_MAGIC)
		dyn_container_corrupted();
	attributes = dyn_item_value(item);
	check_value(&attributes, 0);
}

static char *
write_number(char *p, uint32 number, uint32 width)
{
	for (; width > 0; width--, number >>= 8)
		*p++ = number & 0xFF;
	return p;
}

/* Entries are copied as they are, in their order: nothing is sorted anew. */
DynItem *
dyn_item_subset(DynItem *item, const DynAttributeName *names, int count)
{
	DynValue	attributes = dyn_item_value(item);
	DynContainer map;
	uint32	   *bounds;			/* start and end of each entry taken */
	uint32		taken = 0;
	uint32		entries_size = 0;
	uint32		entry = 0;
	int			name = 0;
	uint32		width;
	Size		size;
	DynItem    *subset;
	uint32		data = 0;
	char	   *ends;
	char	   *p;

	if (names == NULL)
		return item;
	dyn_container_open(&attributes, &map);
	bounds = palloc(Max(count, 1) * 2 * sizeof(uint32));
	while (next_named(&map, names, count, &name, &entry,
					  &bounds[2 * taken], &bounds[2 * taken + 1]))
	{
		entries_size += bounds[2 * taken + 1] - bounds[2 * taken];
		taken++;
		if (taken == (uint32) count)
			break;
	}

	width = dyn_container_width(taken, entries_size);
	size = VARHDRSZ + ITEM_HEADER_SIZE + 1 + width + (Size) taken * width +
		entries_size;
	subset = palloc(size);
	SET_VARSIZE(subset, size);
	p = VARDATA(subset);
	*p++ = (char) ITEM_MAGIC;
	*p++ = width;
	ends = write_number(p, taken, width);
	p = ends + (Size) taken * width;
	for (uint32 i = 0; i < taken; i++)
	{
		uint32		entry_size = bounds[2 * i + 1] - bounds[2 * i];

		memcpy(p + data, map.entries + bounds[2 * i], entry_size);
		data += entry_size;
		ends = write_number(ends, data, width);
	}
	pfree(bounds);
	return subset;
}

DynItemBuilder *
dyn_builder_create(void)
{
	DynItemBuilder *b = palloc(sizeof(DynItemBuilder));

	initStringInfo(&b->buf);
	b->max_starts = 64;
	b->starts = palloc(b->max_starts * sizeof(uint32));
	b->nstarts = 0;
	b->scratch.data = NULL;		/* often not needed */
	memset(&b->result, 0, sizeof(b->result));
	b->depth = 0;
	return b;
}

static void
begin_entry(DynItemBuilder *b)
{
	if (b->nstarts == b->max_starts)
	{
		b->max_starts *= 2;
		b->starts = repalloc_huge(b->starts, b->max_starts * sizeof(uint32));
	}
	b->starts[b->nstarts++] = b->buf.len;
}

/* What precedes a value's data at the place where it is appended. */
static void
begin_value(DynItemBuilder *b, DynType type, bool boolean)
{
	DynType		container;

	if (b->depth == 0)
	{
		Assert(b->result.type == 0);
		b->result.type = type;
		b->result.boolean = boolean;
		return;
	}

	container = b->frames[b->depth - 1].type;
	if (container != DYN_TYPE_M)
		begin_entry(b);
	if (container == DYN_TYPE_M || container == DYN_TYPE_L)
		appendStringInfoCharMacro(&b->buf, type | (boolean ? DYN_TAG_TRUE : 0));
	else
		Assert(type == dyn_set_member_type(container));
}

void
dyn_builder_begin(DynItemBuilder *b, DynType container)
{
	Frame	   *frame;

	if (b->depth == MAX_BUILDER_DEPTH)
		elog(ERROR, "item is nested more than %d levels deep", MAX_BUILDER_DEPTH);
	begin_value(b, container, false);
	frame = &b->frames[b->depth++];
	frame->type = container;
	frame->data_start = b->buf.len;
	frame->first_entry = b->nstarts;
}

void
dyn_builder_name(DynItemBuilder *b, const char *name, uint32 len)
{
	Assert(b->depth > 0 && b->frames[b->depth - 1].type == DYN_TYPE_M);
	Assert(len <= DYN_MAX_ATTRIBUTE_NAME_SIZE);

	begin_entry(b);
	if (len < DYN_LONG_NAME)
		appendStringInfoCharMacro(&b->buf, len);
	else
	{
		appendStringInfoCharMacro(&b->buf, DYN_LONG_NAME);
		appendStringInfoCharMacro(&b->buf, len & 0xFF);
		appendStringInfoCharMacro(&b->buf, len >> 8);
	}
	appendBinaryStringInfo(&b->buf, name, len);
}

/* The part of an entry that its container is sorted by. */
static void
entry_key(DynType container, const char *data, uint32 size,
		  const char **key, uint32 *key_len)
{
	if (container == DYN_TYPE_M)
		dyn_container_name(&data, data + size, key, key_len);
	else
	{
		*key = data;
		*key_len = size;
	}
}

/* True if the entries are in order and no two have the same key. */
static bool
is_sorted(const DynItemBuilder *b, const Frame *frame)
{
	const char *last_key = NULL;
	uint32		last_key_len = 0;

	for (uint32 i = frame->first_entry; i < b->nstarts; i++)
	{
		uint32		end = i + 1 < b->nstarts ? b->starts[i + 1] : b->buf.len;
		const char *key;
		uint32		key_len;

		entry_key(frame->type, b->buf.data + b->starts[i], end - b->starts[i],
				  &key, &key_len);
		if (i > frame->first_entry &&
			dyn_compare_bytes(last_key, last_key_len, key, key_len) >= 0)
			return false;
		last_key = key;
		last_key_len = key_len;
	}
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	const SortEntry *ea = a;
	const SortEntry *eb = b;
	int			cmp = dyn_compare_bytes(ea->key, ea->key_len,
										eb->key, eb->key_len);

	if (cmp == 0)
		cmp = ea->order < eb->order ? -1 : 1;
	return cmp;
}

/*
 * Sort the entries of the innermost container.  Of entries with the same key
 * the last one stays.  Returns false if there were such.
 */
static bool
sort_entries(DynItemBuilder *b, const Frame *frame)
{
	SortEntry	few[64];
	SortEntry  *entries = few;
	uint32		count = b->nstarts - frame->first_entry;
	uint32	   *starts = b->starts + frame->first_entry;
	uint32		size = b->buf.len - frame->data_start;
	uint32		kept = 0;

	if (b->scratch.data == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(b));

		initStringInfo(&b->scratch);
		MemoryContextSwitchTo(old);
	}
	resetStringInfo(&b->scratch);
	appendBinaryStringInfo(&b->scratch, b->buf.data + frame->data_start, size);

	if (count > lengthof(few))
		entries = palloc_extended(count * sizeof(SortEntry), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < count; i++)
	{
		uint32		end = i + 1 < count ? starts[i + 1] : b->buf.len;

		entries[i].data = b->scratch.data + (starts[i] - frame->data_start);
		entries[i].size = end - starts[i];
		entries[i].order = i;
		entry_key(frame->type, entries[i].data, entries[i].size,
				  &entries[i].key, &entries[i].key_len);
	}
	qsort(entries, count, sizeof(SortEntry), compare_entries);

	b->buf.len = frame->data_start;
	for (uint32 i = 0; i < count; i++)
	{
		if (i + 1 < count &&
			dyn_compare_bytes(entries[i].key, entries[i].key_len,
							  entries[i + 1].key, entries[i + 1].key_len) == 0)
			continue;
		starts[kept++] = b->buf.len;
		appendBinaryStringInfo(&b->buf, entries[i].data, entries[i].size);
	}
	b->nstarts = frame->first_entry + kept;
	if (entries != few)
		pfree(entries);
	return kept == count;
}

bool
dyn_builder_end(DynItemBuilder *b)
{
	Frame	   *frame;
	bool		distinct = true;
	uint32		count;
	uint32		size;
	uint32		width;
	uint32		header;
	uint32	   *starts;
	char	   *p;

	Assert(b->depth > 0);
	frame = &b->frames[b->depth - 1];
	if (frame->type != DYN_TYPE_L && !is_sorted(b, frame))
		distinct = sort_entries(b, frame);

	/* Make room for the header, whose size is known only now. */
	count = b->nstarts - frame->first_entry;
	size = b->buf.len - frame->data_start;
	width = dyn_container_width(count, size);
	header = 1 + width + count * width;
	enlargeStringInfo(&b->buf, header);
	p = b->buf.data + frame->data_start;
	memmove(p + header, p, size);
	b->buf.len += header;
	b->buf.data[b->buf.len] = '\0';

	*p++ = width;
	p = write_number(p, count, width);
	starts = b->starts + frame->first_entry;
	for (uint32 i = 1; i <= count; i++)
		p = write_number(p, i < count ? starts[i] - frame->data_start : size,
						 width);

	b->nstarts = frame->first_entry;
	b->depth--;
	return distinct || frame->type == DYN_TYPE_M;
}

void
dyn_builder_value(DynItemBuilder *b, const DynValue *value)
{
	begin_value(b, value->type, value->boolean);
	if (value->size > 0)
		appendBinaryStringInfo(&b->buf, value->data, value->size);
}

void
dyn_builder_string(DynItemBuilder *b, const char *s, uint32 len)
{
	begin_value(b, DYN_TYPE_S, false);
	appendBinaryStringInfo(&b->buf, s, len);
}

void
dyn_builder_binary(DynItemBuilder *b, const char *s, uint32 len)
{
	begin_value(b, DYN_TYPE_B, false);
	appendBinaryStringInfo(&b->buf, s, len);
}

void
dyn_builder_bool(DynItemBuilder *b, bool value)
{
	begin_value(b, DYN_TYPE_BOOL, value);
}

void
dyn_builder_null(DynItemBuilder *b)
{
	begin_value(b, DYN_TYPE_NULL, false);
}

DynItem *
dyn_builder_item(DynItemBuilder *b)
{
	Size		size = VARHDRSZ + ITEM_HEADER_SIZE + b->buf.len;
	DynItem    *item = palloc(size);

	Assert(b->depth == 0 && b->result.type == DYN_TYPE_M);
	SET_VARSIZE(item, size);
	*(unsigned char *) VARDATA(item) = ITEM_MAGIC;
	memcpy(VARDATA(item) + ITEM_HEADER_SIZE, b->buf.data, b->buf.len);
	return item;
}

DynValue
dyn_builder_result(DynItemBuilder *b)
{
	DynValue	result = b->result;

	Assert(b->depth == 0 && result.type != 0);
	result.size = b->buf.len;
	result.data = b->buf.data;
	return result;
}
