/*-------------------------------------------------------------------------
 *
 * http_balance.c
 *		A worker that is busy gives connections to one that sleeps.
 *
 * New connections go to the worker that has the fewest, which spreads them but
 * not their work: of a pool of a hundred connections an application may use
 * the same five all day, and all five may be of one worker.  So each worker says
 * ten times a second for how much of the time it was awake, and one that has
 * far more to do than another gives some of those connections away that it was
 * busy with.
 *
 * Awake is what is measured, and not processor time: a worker that waits for a
 * processor, or for a disk, has no time for others either.
 *
 * A connection moves between requests, when nothing of it is kept in this
 * process; what its client has sent meanwhile is in the socket.  One with TLS
 * stays, as its keys can't move.
 *
 * src/http/http_balance.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/http_private.h"

/* How often a worker looks at itself and the others. */
#define WINDOW	100				/* ms */

/*
 * Parts of 1,000 of the time awake: below the first nobody waits for this
 * worker for long; with less than the second between two workers they may as
 * well change places by chance in the next window, and connections would go to
 * and fro.
 */
#define BUSY	500
#define UNEVEN	300

/* At a time; a window later there is another look at what they have changed. */
#define MAX_MOVES 8

/* May it go on in another process? */
static bool
can_move(const DynHttpConnection *connection)
{
	return connection->tls == NULL && !connection->undecided &&
		connection->expect == DYN_HTTP_EXPECT_HEAD &&
		connection->pipelined == 0 && connection->input == NULL &&
		connection->output_start == connection->output_end &&
		!connection->dirty && !connection->resumed && !connection->paused &&
		!connection->over_limit && !connection->slowed &&
		!connection->input_ended && !connection->broken && !connection->close;
}

/* Give up to so many of the connections this worker was busy with. */
static void
move_connections(DynHttpServer *server, int worker, int moves)
{
	dlist_head *idle = &server->connections[DYN_HTTP_IDLE];
	dlist_node *node = idle->head.prev;

	/* Those that had an answer last are at the end. */
	while (moves > 0 && node != &idle->head)
	{
		DynHttpConnection *connection =
		dlist_container(DynHttpConnection, node, node);

		if (connection->window != server->window)
			break;				/* and all before it: not in this window */
		node = node->prev;
		if (!can_move(connection))
			continue;
		if (!dyn_http_connection_move(connection, worker))
			break;
		moves--;
	}
}

void
dyn_http_balance(DynHttpServer *server)
{
	int64		elapsed = server->now - server->window_since;
	int			load;
	int			lowest;
	int			worker;

	if (elapsed < WINDOW)
		return;
	load = 1000 - Min(1000, server->slept_us / elapsed);
	dyn_http_listener_report(load, server->now);

	if (load >= BUSY && server->active > 1)
	{
		worker = dyn_http_listener_least_loaded(server->now - 2 * WINDOW,
												server->max_connections,
												&lowest);
		if (worker >= 0 && load - lowest >= UNEVEN)
			move_connections(server, worker,
							 Min(MAX_MOVES,
								 server->active * (load - lowest) / (2 * load)));
	}
	server->window++;
	server->window_since = server->now;
	server->active = 0;
	server->slept_us = 0;
}
