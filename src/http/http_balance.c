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
 * It also gives away those that it was busy with before it does what holds it for
 * long and can't be cut: dyn_http_make_way().
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

/* At once, before what takes long; to move one takes both workers some 20 us. */
#define MAX_WAY 32

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

/*
 * Give up to so many of the connections this worker has been busy with since a
 * window to another worker, or, if that is -1, to those that have the fewest.
 */
static void
move_connections(DynHttpServer *server, uint32 since, int worker, int moves)
{
	dlist_head *idle = &server->connections[DYN_HTTP_IDLE];
	dlist_node *node = idle->head.prev;

	/* Those that had an answer last are at the end. */
	while (moves > 0 && node != &idle->head)
	{
		DynHttpConnection *connection =
		dlist_container(DynHttpConnection, node, node);
		int			to;

		if (connection->window < since)
			break;				/* and all before it */
		node = node->prev;
		if (!can_move(connection))
			continue;
		to = worker >= 0 ? worker : dyn_http_listener_fewest(server->max_connections);
		if (to < 0 || !dyn_http_connection_move(connection, to))
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
			move_connections(server, server->window, worker,
							 Min(MAX_MOVES,
								 server->active * (load - lowest) / (2 * load)));
	}
	server->window++;
	server->window_since = server->now;
	server->active = 0;
	server->slept_us = 0;
}

void
dyn_http_make_way(DynHttpServer *server)
{
	move_connections(server, server->window - 1, -1, MAX_WAY);
}
