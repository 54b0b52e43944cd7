/*-------------------------------------------------------------------------
 *
 * pg_shim.c
 *		As much of a PostgreSQL backend as our parsers need, for libFuzzer.
 *
 * Memory contexts where each palloc is a malloc of its own, so that the
 * address sanitizer sees every overrun; ereport by longjmp; the rest comes
 * from PostgreSQL's libpgcommon and libpgport.  When a new target lacks a
 * function of the backend, it is added here, in its simplest form.
 *
 * test/fuzz/pg_shim.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <setjmp.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/memnodes.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "pg_shim.h"

/* More than a backend would allow, as sanitized frames are larger. */
#define MAX_STACK	(6 * 1024 * 1024)

MemoryContext CurrentMemoryContext = NULL;
MemoryContext TopMemoryContext = NULL;
MemoryContext CacheMemoryContext = NULL;
sigjmp_buf *PG_exception_stack = NULL;
ErrorContextCallback *error_context_stack = NULL;
volatile sig_atomic_t InterruptPending = false;

/* The one setting that code under test reads: base/settings.c needs all of PostgreSQL. */
int			dyn_validation_wording;

int			fuzz_sqlstate;
char		fuzz_message[1024];

static char *stack_base;

/*
 * Memory.  GetMemoryChunkContext() asks that the context stands right before
 * the bytes handed out.
 */
typedef struct Chunk
{
	struct Chunk *prev;
	struct Chunk *next;
	size_t		size;
	MemoryContext context;
} Chunk;

typedef struct ShimContext
{
	MemoryContextData header;
	Chunk		chunks;			/* head of a ring */
} ShimContext;

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name,
							  Size minContextSize, Size initBlockSize,
							  Size maxBlockSize)
{
	ShimContext *context = calloc(1, sizeof(ShimContext));

	context->header.type = T_AllocSetContext;
	context->header.name = name;
	context->header.parent = parent;
	context->chunks.prev = context->chunks.next = &context->chunks;
	if (parent != NULL)
	{
		context->header.nextchild = parent->firstchild;
		if (parent->firstchild != NULL)
			parent->firstchild->prevchild = &context->header;
		parent->firstchild = &context->header;
	}
	return &context->header;
}

void
MemoryContextResetOnly(MemoryContext context)
{
	ShimContext *c = (ShimContext *) context;

	while (context->reset_cbs != NULL)
	{
		MemoryContextCallback *cb = context->reset_cbs;

		context->reset_cbs = cb->next;
		cb->func(cb->arg);
	}
	while (c->chunks.next != &c->chunks)
		pfree(c->chunks.next + 1);
}

void
MemoryContextDeleteChildren(MemoryContext context)
{
	while (context->firstchild != NULL)
		MemoryContextDelete(context->firstchild);
}

void
MemoryContextReset(MemoryContext context)
{
	MemoryContextDeleteChildren(context);
	MemoryContextResetOnly(context);
}

void
MemoryContextDelete(MemoryContext context)
{
	MemoryContextReset(context);
	if (context->prevchild != NULL)
		context->prevchild->nextchild = context->nextchild;
	else if (context->parent != NULL)
		context->parent->firstchild = context->nextchild;
	if (context->nextchild != NULL)
		context->nextchild->prevchild = context->prevchild;
	free(context);
}

void
MemoryContextRegisterResetCallback(MemoryContext context,
								   MemoryContextCallback *cb)
{
	cb->next = context->reset_cbs;
	context->reset_cbs = cb;
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	ShimContext *c = (ShimContext *) context;
	Chunk	   *chunk;

	if ((flags & MCXT_ALLOC_HUGE) != 0 ? !AllocHugeSizeIsValid(size) :
		!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);

	/* Uninitialized memory must not look like zeros by luck. */
	chunk = malloc(sizeof(Chunk) + size);
	if (chunk == NULL)
	{
		if ((flags & MCXT_ALLOC_NO_OOM) != 0)
			return NULL;
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	memset(chunk + 1, (flags & MCXT_ALLOC_ZERO) != 0 ? 0 : 0x7F, size);
	chunk->size = size;
	chunk->context = context;
	chunk->prev = &c->chunks;
	chunk->next = c->chunks.next;
	chunk->next->prev = chunk;
	c->chunks.next = chunk;
	return chunk + 1;
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, 0);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_ZERO);
}

void *
MemoryContextAllocZeroAligned(MemoryContext context, Size size)
{
	return MemoryContextAllocZero(context, size);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE);
}

char *
MemoryContextStrdup(MemoryContext context, const char *string)
{
	return strcpy(MemoryContextAlloc(context, strlen(string) + 1), string);
}

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return MemoryContextAllocZero(CurrentMemoryContext, size);
}

void *
palloc_extended(Size size, int flags)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size, flags);
}

void
pfree(void *pointer)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;

	chunk->prev->next = chunk->next;
	chunk->next->prev = chunk->prev;
	free(chunk);
}

/* Always moves, so that a kept old pointer is found. */
void *
repalloc_huge(void *pointer, Size size)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;
	void	   *result = MemoryContextAllocHuge(chunk->context, size);

	memcpy(result, pointer, Min(size, chunk->size));
	pfree(pointer);
	return result;
}

void *
repalloc(void *pointer, Size size)
{
	if (!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);
	return repalloc_huge(pointer, size);
}

char *
pnstrdup(const char *in, Size len)
{
	char	   *result;

	len = strnlen(in, len);
	result = palloc(len + 1);
	memcpy(result, in, len);
	result[len] = '\0';
	return result;
}

char *
pstrdup(const char *in)
{
	return MemoryContextStrdup(CurrentMemoryContext, in);
}

/* libpgcommon's own file for these would bring its palloc along. */
char *
pg_strdup(const char *in)
{
	return strdup(in);
}

/*
 * Errors.
 */
static int	current_level;

bool
errstart(int elevel, const char *domain)
{
	current_level = elevel;
	if (elevel < ERROR)
		return false;
	fuzz_sqlstate = ERRCODE_INTERNAL_ERROR;
	fuzz_message[0] = '\0';
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	if (PG_exception_stack == NULL || current_level > ERROR)
		fuzz_finding(filename, lineno, fuzz_message);
	PG_RE_THROW();
}

void
pg_re_throw(void)
{
	siglongjmp(*PG_exception_stack, 1);
}

int
errcode(int sqlerrcode)
{
	fuzz_sqlstate = sqlerrcode;
	return 0;
}

int
errmsg_internal(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(fuzz_message, sizeof(fuzz_message), format, args);
	va_end(args);
	return 0;
}

int
errmsg(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(fuzz_message, sizeof(fuzz_message), format, args);
	va_end(args);
	return 0;
}

/* The arguments are formatted nevertheless: they might be bad pointers. */
#define SHIM_DETAIL(function) \
int \
function(const char *format,...) \
{ \
	char		text[1024]; \
	va_list		args; \
 \
	va_start(args, format); \
	vsnprintf(text, sizeof(text), format, args); \
	va_end(args); \
	return 0; \
}

SHIM_DETAIL(errdetail)
SHIM_DETAIL(errdetail_internal)
SHIM_DETAIL(errhint)

void
FlushErrorState(void)
{
}

ErrorData *
CopyErrorData(void)
{
	ErrorData  *error = palloc0(sizeof(ErrorData));

	error->elevel = ERROR;
	error->sqlerrcode = fuzz_sqlstate;
	error->message = pstrdup(fuzz_message);
	return error;
}

void
ReThrowError(ErrorData *error)
{
	fuzz_sqlstate = error->sqlerrcode;
	strlcpy(fuzz_message, error->message, sizeof(fuzz_message));
	PG_RE_THROW();
}

void
ExceptionalCondition(const char *conditionName, const char *errorType,
					 const char *fileName, int lineNumber)
{
	fuzz_finding(fileName, lineNumber, conditionName);
}

void
fuzz_finding(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: finding: %s\n", file, line, what);
	abort();
}

/*
 * The rest.
 */
void
ProcessInterrupts(void)
{
}

void
check_stack_depth(void)
{
	char		here;

	if (stack_base - &here > MAX_STACK)
		ereport(ERROR,
				(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
				 errmsg("stack depth limit exceeded")));
}

/* Nothing here runs in a fiber. */
pg_stack_base_t
set_stack_base(void)
{
	abort();
}

void
restore_stack_base(pg_stack_base_t base)
{
	abort();
}

struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	return datum;
}

struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	return datum;
}

struct varlena *
pg_detoast_datum_slice(struct varlena *datum, int32 first, int32 count)
{
	int32		size = Min(Max(VARSIZE_ANY_EXHDR(datum) - first, 0), count);
	struct varlena *slice = palloc(VARHDRSZ + size);

	SET_VARSIZE(slice, VARHDRSZ + size);
	memcpy(VARDATA(slice), VARDATA_ANY(datum) + first, size);
	return slice;
}

/* There is no other session. */
void
AcceptInvalidationMessages(void)
{
}

/* Julian days by way of days since 1 March of the year 0. */
int
date2j(int year, int month, int day)
{
	int			y = month > 2 ? year : year - 1;
	int			m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 + 1721120;
}

void
j2date(int julian, int *year, int *month, int *day)
{
	*year = (julian - 1721120) / 366;
	while (date2j(*year + 1, 1, 1) <= julian)
		(*year)++;
	for (*month = 12; date2j(*year, *month, 1) > julian; (*month)--)
		;
	*day = julian - date2j(*year, *month, 1) + 1;
}

const int	day_tab[2][13] = {
	{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0},
	{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0}
};

int
pg_ultoa_n(uint32 value, char *text)
{
	char		digits[16];
	int			len = sprintf(digits, "%u", value);

	memcpy(text, digits, len);
	return len;
}

int
pg_ulltoa_n(uint64 value, char *text)
{
	char		digits[24];
	int			len = sprintf(digits, UINT64_FORMAT, value);

	memcpy(text, digits, len);
	return len;
}

int
pg_lltoa(int64 value, char *text)
{
	return sprintf(text, INT64_FORMAT, value);
}

/*
 * The driver.
 */
bool
fuzz_try(void (*f) (void *argument), void *argument)
{
	sigjmp_buf *outer = PG_exception_stack;
	MemoryContext context = CurrentMemoryContext;
	sigjmp_buf	here;
	volatile bool returned = false;

	if (sigsetjmp(here, 0) == 0)
	{
		PG_exception_stack = &here;
		f(argument);
		returned = true;
	}
	PG_exception_stack = outer;
	CurrentMemoryContext = context;
	if (!returned && fuzz_sqlstate == ERRCODE_INTERNAL_ERROR)
		fuzz_finding(__FILE__, __LINE__, fuzz_message);
	return returned;
}

typedef struct Input
{
	const uint8 *data;
	size_t		size;
} Input;

static void
run_input(void *argument)
{
	Input	   *input = argument;

	fuzz_one(input->data, input->size);
}

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Input		input = {data, size};
	char		base;

	stack_base = &base;
	if (TopMemoryContext == NULL)
	{
		TopMemoryContext = AllocSetContextCreate(NULL, "TopMemoryContext",
												 ALLOCSET_DEFAULT_SIZES);
		CacheMemoryContext = AllocSetContextCreate(TopMemoryContext,
												   "CacheMemoryContext",
												   ALLOCSET_DEFAULT_SIZES);
	}
	CurrentMemoryContext = AllocSetContextCreate(TopMemoryContext, "input",
												 ALLOCSET_DEFAULT_SIZES);
	fuzz_try(run_input, &input);
	MemoryContextDelete(CurrentMemoryContext);
	CurrentMemoryContext = NULL;
	return 0;
}
