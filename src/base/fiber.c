/*-------------------------------------------------------------------------
 *
 * fiber.c
 *		A long computation that lets others have turns.
 *
 * What PostgreSQL keeps for the running function in global variables goes with
 * each change of stacks: the memory context, the stacks of error handlers, and
 * where the stack begins.
 *
 * src/base/fiber.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/mman.h>
#include <ucontext.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/fiber.h"

/*
 * Deep enough for JSON of 1000 levels, and for max_stack_depth as it is by
 * default; below it lies a page that nobody may touch.
 */
#define STACK_SIZE	((size_t) 4 * 1024 * 1024)
#define GUARD_SIZE	((size_t) 64 * 1024)

/*
 * Looking at the clock costs more than some of the work between two calls.  Where
 * so many have been fast, as many go by before the next look.
 */
#define CALLS_PER_LOOK 16
#define FAST_US 20

/* What is looked up by address of one side while the other one runs. */
typedef struct Side
{
	ucontext_t	machine;
	MemoryContext memory;
	sigjmp_buf *exceptions;
	ErrorContextCallback *callbacks;
	const void *stack;
	size_t		stack_size;
} Side;

bool		dyn_fiber_running = false;

static char *stack = NULL;
static Side caller;
static Side fiber;
static pg_stack_base_t caller_base;
static DynFiberFunction function;
static void *user = NULL;
static bool ended;
static ErrorData *error;
static int64 ends;				/* us: its time */
static int	calls;			/* until the next look at the clock */
static int64 looked;			/* us: the last one */

/* Leave one side for the other; returns when somebody comes back. */
static void
change(Side *from, Side *to, bool for_good)
{
#ifdef __SANITIZE_ADDRESS__
	void	   *fake_stack = NULL;

	__sanitizer_start_switch_fiber(for_good ? NULL : &fake_stack, to->stack,
								   to->stack_size);
#endif
	from->memory = CurrentMemoryContext;
	from->exceptions = PG_exception_stack;
	from->callbacks = error_context_stack;
	dyn_fiber_running = to == &fiber;
	if (swapcontext(&from->machine, &to->machine) != 0)
		elog(PANIC, "could not change stacks: %m");
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
	MemoryContextSwitchTo(from->memory);
	PG_exception_stack = from->exceptions;
	error_context_stack = from->callbacks;
}

/* The first function on the stack. */
static void
enter(void)
{
	MemoryContext memory = caller.memory;

#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(NULL, &caller.stack, &caller.stack_size);
#endif
	caller_base = set_stack_base();
	MemoryContextSwitchTo(memory);
	error_context_stack = NULL;
	PG_TRY();
	{
		function(user);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(memory);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	restore_stack_base(caller_base);
	ended = true;
	change(&fiber, &caller, true);
	pg_unreachable();
}

static void
make_stack(void)
{
	char	   *mapped;

	if (stack != NULL)
		return;
	mapped = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (mapped == MAP_FAILED ||
		mprotect(mapped, GUARD_SIZE, PROT_NONE) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Could not map a stack: %m.")));
	stack = mapped + GUARD_SIZE;
}

bool
dyn_fiber_run(DynFiberFunction new_function, void *arg, int us)
{
	Assert(!dyn_fiber_running && (user == NULL || user == arg));
	if (user == NULL)
	{
		make_stack();
		if (getcontext(&fiber.machine) != 0)
			elog(ERROR, "could not make a context: %m");
		fiber.machine.uc_stack.ss_sp = stack;
		fiber.machine.uc_stack.ss_size = STACK_SIZE;
		fiber.machine.uc_link = NULL;
		fiber.stack = stack;
		fiber.stack_size = STACK_SIZE;
		makecontext(&fiber.machine, enter, 0);
		function = new_function;
		user = arg;
		ended = false;
		error = NULL;
	}
	looked = dyn_clock_us();
	ends = us == 0 ? PG_INT64_MAX : looked + us;
	calls = 0;
	change(&caller, &fiber, false);
	if (!ended)
		return false;
	user = NULL;
	if (error != NULL)
		ReThrowError(error);
	return true;
}

const void *
dyn_fiber_user(void)
{
	return user;
}

void
dyn_fiber_abandon(const void *arg)
{
	if (user == arg)
		user = NULL;
}

bool
dyn_fiber_time_is_up(void)
{
	int64		now;

	if (--calls > 0)
		return false;
	now = dyn_clock_us();
	calls = now - looked < FAST_US ? CALLS_PER_LOOK : 1;
	looked = now;
	return now >= ends;
}

void
dyn_fiber_leave(void)
{
	restore_stack_base(caller_base);
	change(&fiber, &caller, false);
	caller_base = set_stack_base();
}
