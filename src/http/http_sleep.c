/*-------------------------------------------------------------------------
 *
 * http_sleep.c
 *		Before a worker sleeps: will the next request be here in a moment?
 *
 * To sleep and be woken takes a process some 20 microseconds, more on a virtual
 * machine, which has to be entered again.  For a client that asks one thing
 * after the other, and is near, that is a third of a GetItem.  So where requests
 * have come soon after the answers a few times in a row, a worker watches its
 * sockets for about as long as sleeping would cost it.  Then it takes at most
 * twice the processor time that it would have taken anyway, and where it
 * watches in vain it begins to count anew.
 *
 * Where several workers are awake, or wait for a flush, this loses: others need
 * the processor, and there is more to be woken for at a time.  So it is done while
 * half of the processors have nothing to do for us, which leaves the clients
 * theirs; with a single processor never.
 *
 * src/http/http_sleep.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <poll.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/latch.h"

#include "http/http_private.h"

#define WATCH_US	50
#define SHORT_US	100			/* a sleep that watching would have saved */
#define ENOUGH		16			/* of these in a row */

static bool
others_need_processor(void)
{
	static long processors = 0;

	if (processors == 0)
		processors = sysconf(_SC_NPROCESSORS_ONLN);
	return dyn_http_listener_awake() > processors / 2;
}

/* Watch the sockets for a moment.  True: there is something to do. */
static bool
watch(DynHttpServer *server)
{
	struct pollfd sockets = {.fd = server->epoll,.events = POLLIN};
	instr_time	elapsed;

	do
	{
		if (poll(&sockets, 1, 0) > 0 || MyLatch->is_set)
			return true;
		INSTR_TIME_SET_CURRENT(elapsed);
		INSTR_TIME_SUBTRACT(elapsed, server->asleep_since);
	} while (INSTR_TIME_GET_MICROSEC(elapsed) < WATCH_US &&
			 !others_need_processor());
	server->short_sleeps = 0;
	return false;
}

/* For http_balance.c this is sleep, too: there is time for others. */
static int64
count_sleep(DynHttpServer *server)
{
	instr_time	elapsed;

	INSTR_TIME_SET_CURRENT(elapsed);
	INSTR_TIME_SUBTRACT(elapsed, server->asleep_since);
	server->slept_us += INSTR_TIME_GET_MICROSEC(elapsed);
	return INSTR_TIME_GET_MICROSEC(elapsed);
}

static bool
all_answered(const DynHttpServer *server)
{
	return dlist_is_empty((dlist_head *) &server->connections[DYN_HTTP_ANSWERING]);
}

bool
dyn_http_sleep_begins(DynHttpServer *server)
{
	INSTR_TIME_SET_CURRENT(server->asleep_since);
	if (server->short_sleeps >= ENOUGH && all_answered(server) &&
		!others_need_processor() && watch(server))
	{
		count_sleep(server);
		return false;
	}
	/* Who has to answer still sleeps until somebody else is done. */
	dyn_http_listener_sleep(all_answered(server));
	return true;
}

void
dyn_http_sleep_ends(DynHttpServer *server)
{
	dyn_http_listener_sleep(false);
	if (count_sleep(server) > SHORT_US || others_need_processor())
		server->short_sleeps = 0;
	else if (all_answered(server))
		server->short_sleeps++;
}
