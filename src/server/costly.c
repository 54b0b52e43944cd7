/*-------------------------------------------------------------------------
 *
 * costly.c
 *		How many workers may be at something that takes long, all together.
 *
 * A place is handed on from worker to worker, in turns, without a lock: a
 * worker that finds none says in its slot that it wants one, and who ends its
 * slice gives its place to the next who does.
 *
 *		NONE --> HAS		there was a place: costly_places
 *		NONE --> WANTS		there was none
 *		WANTS --> HAS		by whoever hands his on
 *		any --> NONE		by the worker itself
 *
 * src/server/costly.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "server/costly.h"

typedef enum Place
{
	NONE,
	WANTS,
	HAS
} Place;

/* How exact the time of the last cheap request is: it is written rarely. */
#define CHEAP_STEP_US 1000

void
dyn_costly_note_cheap(int64 now)
{
	if (now - (int64) pg_atomic_read_u64(&dyn_shared->last_cheap) > CHEAP_STEP_US)
		pg_atomic_write_u64(&dyn_shared->last_cheap, now);
}

static bool
take_place(void)
{
	uint32		places = pg_atomic_read_u32(&dyn_shared->costly_places);

	while (places > 0)
		if (pg_atomic_compare_exchange_u32(&dyn_shared->costly_places, &places,
										   places - 1))
			return true;
	return false;
}

/* Give a place to somebody who wants one, the next ones first. */
static bool
hand_on(const DynWorkerSlot *from)
{
	int			number = from - dyn_shared->workers;

	for (int i = 1; i <= dyn_shared->nworkers; i++)
	{
		DynWorkerSlot *slot =
		&dyn_shared->workers[(number + i) % dyn_shared->nworkers];
		uint32		expected = WANTS;

		if (pg_atomic_compare_exchange_u32(&slot->costly, &expected, HAS))
		{
			dyn_process_wake(&slot->process);
			return true;
		}
	}
	return false;
}

static void
give_place(const DynWorkerSlot *from)
{
	/* Who has begun to want one meanwhile may have found none: look again. */
	while (!hand_on(from))
	{
		bool		wanted = false;

		pg_atomic_fetch_add_u32(&dyn_shared->costly_places, 1);
		for (int i = 0; i < dyn_shared->nworkers && !wanted; i++)
			wanted = pg_atomic_read_u32(&dyn_shared->workers[i].costly) == WANTS;
		if (!wanted || !take_place())
			return;
	}
}

void
dyn_costly_end(DynWorkerSlot *slot)
{
	if (pg_atomic_read_u32(&slot->costly) != NONE &&
		pg_atomic_exchange_u32(&slot->costly, NONE) == HAS)
		give_place(slot);
}

bool
dyn_costly_begin(DynWorkerSlot *slot, int64 now)
{
	uint32		none = NONE;

	if (now - (int64) pg_atomic_read_u64(&dyn_shared->last_cheap) >
		DYN_COSTLY_QUIET_US)
	{
		dyn_costly_end(slot);
		return true;
	}
	if (pg_atomic_read_u32(&slot->costly) == HAS)
		return true;
	/* Say it first, and then look: see give_place(). */
	(void) pg_atomic_compare_exchange_u32(&slot->costly, &none, WANTS);
	if (take_place() && pg_atomic_exchange_u32(&slot->costly, HAS) == HAS)
		give_place(slot);		/* somebody was faster: that makes two */
	return pg_atomic_read_u32(&slot->costly) == HAS;
}
