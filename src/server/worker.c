/*-------------------------------------------------------------------------
 *
 * worker.c
 *		One HTTP worker: an event loop between sockets and transactions.
 *
 * Each turn of the loop polls the sockets, runs a round of what they brought,
 * answers what has become durable, and sleeps when there is nothing to do:
 * until a socket is readable, the flusher or an administrator sets the latch,
 * or a retry is due.  It never sleeps with a transaction open.
 *
 * src/server/worker.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "access/xlog.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/process.h"
#include "base/settings.h"
#include "server/costly.h"
#include "server/database_hold.h"
#include "server/flush.h"
#include "server/round.h"
#include "server/worker.h"

/* Statistics reach other sessions at least this often. */
#define STATISTICS_INTERVAL_US (1000 * 1000)

/*
 * With so many waiting there is no use in taking more than one of each
 * connection: so there are never many more than connections.
 */
#define BUSY_QUEUE 512

/* How often held replies are looked at even if nothing happens. */
#define HELD_CHECK_US (100 * 1000)

/* What glibc keeps of freed memory: about what a round of a few large requests takes. */
#define KEPT_MEMORY (16 * 1024 * 1024)

static void
take_request(DynHttpRequest *http, void *arg)
{
	DynWorker  *worker = arg;
	DynWork    *work = dyn_gateway_accept(http, worker->overloaded);

	worker->taken++;
	if (work->costly)
	{
		dyn_round_put_off(worker, work);
		return;
	}
	dlist_push_tail(&worker->queue, &work->node);
	worker->queued++;
	if (work->kind == DYN_WORK_OPERATION &&
		work->access == DYN_ACCESS_WRITE)
		dyn_gather_note(&worker->gather, http->connection,
						worker->queued_writes++ == 0, dyn_clock_us());
}

/* Answer the held requests whose WAL is durable. */
static void
release_durable(DynWorker *worker)
{
	XLogRecPtr	durable;

	if (worker->nheld == 0 && !worker->holds_write)
		return;
	durable = dyn_flush_durable();
	while (worker->nheld > 0)
	{
		DynWork    *work = dlist_head_element(DynWork, node, &worker->held);
		instr_time	now;

		if (work->lsn > durable)
			break;
		dlist_delete(&work->node);
		worker->nheld--;
		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, work->held_since);
		dyn_histogram_add(&dyn_shared->metrics.held,
						  INSTR_TIME_GET_MICROSEC(now));
		dyn_gateway_answer(work);
	}
	worker->holds_write = worker->commit_lsn > durable;
}

/*
 * One client alone: handing its only write to another process and back takes
 * longer than flushing it, and nobody else is kept waiting.
 */
static bool
is_lone_write(const DynWorker *worker)
{
	return worker->nheld == 1 && worker->holds_write &&
		worker->queued == 0 && worker->nretrying == 0 &&
		worker->last_round <= 1 && worker->previous_round <= 1 &&
		!dyn_flush_wants_standby() &&
		pg_atomic_read_u64(&dyn_shared->flush_wanted) <= GetFlushRecPtr(NULL);
}

/* See to it that what is held will be durable. */
static void
request_flush(DynWorker *worker)
{
	XLogRecPtr	lowest = worker->commit_lsn;
	XLogRecPtr	highest = worker->commit_lsn;

	if (worker->nheld == 0 && !worker->holds_write)
	{
		pg_atomic_write_u64(&worker->slot->waiting, 0);
		return;
	}
	if (worker->nheld > 0)
	{
		lowest = dlist_head_element(DynWork, node, &worker->held)->lsn;
		highest = Max(highest,
					  dlist_tail_element(DynWork, node, &worker->held)->lsn);
	}

	if (dyn_flush_is_own_task() || is_lone_write(worker))
	{
		pg_atomic_fetch_add_u64(&dyn_shared->metrics.inline_flushes, 1);
		if (dyn_flush_inline(highest))
		{
			release_durable(worker);
			return;
		}
	}

	/*
	 * Say what we wait for, then look again: the flusher publishes what it has
	 * flushed first and looks for waiting workers then, so that one of us two
	 * sees the other.
	 */
	if (pg_atomic_read_u64(&worker->slot->waiting) != lowest)
	{
		pg_atomic_write_u64(&worker->slot->waiting_since, GetCurrentTimestamp());
		pg_atomic_write_u64(&worker->slot->waiting, lowest);
	}
	pg_memory_barrier();
	if (highest > worker->requested_lsn)
	{
		worker->requested_lsn = highest;
		dyn_flush_request(highest);
	}
	release_durable(worker);
}

static void
publish_metrics(DynWorker *worker)
{
	DynHttpStatistics statistics;
	DynWorkerMetrics *metrics = &worker->metrics;

	dyn_http_statistics(worker->http, &statistics);
	metrics->connections = statistics.connections;
	metrics->accepted = statistics.accepted;
	metrics->moved = statistics.moved;
	metrics->refused = statistics.refused;
	metrics->bytes_in = statistics.bytes_in;
	metrics->bytes_out = statistics.bytes_out;
	metrics->certificate_expires = statistics.certificate_expires;
	metrics->handshakes = statistics.handshakes;
	metrics->resumed = statistics.resumed;
	metrics->failed_protocol =
		statistics.handshakes_failed[DYN_TLS_FAILED_PROTOCOL];
	metrics->failed_certificate =
		statistics.handshakes_failed[DYN_TLS_FAILED_CERTIFICATE];
	metrics->failed_closed =
		statistics.handshakes_failed[DYN_TLS_FAILED_CLOSED];
	metrics->failed_timeout =
		statistics.handshakes_failed[DYN_TLS_FAILED_TIMEOUT];
	metrics->failed_plain =
		statistics.handshakes_failed[DYN_TLS_FAILED_PLAIN];
	metrics->refused_address = statistics.refused_address;
	metrics->timeouts_idle = statistics.timeouts_idle;
	metrics->timeouts_request = statistics.timeouts_request;
	metrics->timeouts_answer = statistics.timeouts_answer;
	metrics->failed_signatures = statistics.failures;
	metrics->slowed = statistics.slowed;
	metrics->queued = worker->queued + worker->ncostly;
	metrics->retrying = worker->nretrying;
	metrics->held = worker->nheld;
	worker->slot->metrics = *metrics;
}

/* Everything in a queue is answered with "try again". */
static void
refuse_queue(dlist_head *queue)
{
	while (!dlist_is_empty(queue))
	{
		DynWork    *work = dlist_container(DynWork, node, dlist_pop_head_node(queue));

		if (work->kind != DYN_WORK_ANSWERED && work->kind != DYN_WORK_READINESS)
			dyn_gateway_refuse(work, DYN_EXCEPTION_SERVICE_UNAVAILABLE,
							   "The service is stopping.", NULL);
		else if (work->kind == DYN_WORK_READINESS)
		{
			work->status = 503;
			appendStringInfoString(&work->reply, "not ready: stopping\n");
		}
		dyn_gateway_answer(work);
	}
}

/*
 * Leave in order.  What has been committed is flushed and answered, unless
 * that would mean to wait for a standby: such a reply is never sent, and the
 * client sees its connection close.
 */
static void
stop_serving(DynWorker *worker)
{
	dyn_http_stop_accepting(worker->http);
	refuse_queue(&worker->queue);
	refuse_queue(&worker->sliced);
	refuse_queue(&worker->costly);
	refuse_queue(&worker->retrying);
	if (worker->nheld > 0 && !dyn_flush_wants_standby())
		(void) dyn_flush_inline(dlist_tail_element(DynWork, node,
												   &worker->held)->lsn);
	release_durable(worker);
	dyn_http_flush(worker->http);
	dyn_http_destroy(worker->http);
}

static void
leave(int code, Datum arg)
{
	DynWorkerSlot *slot = &dyn_shared->workers[DatumGetInt32(arg)];

	dyn_flush_leave(slot);
	dyn_costly_end(slot);
	dyn_process_leave(&slot->process, code == 0);
	dyn_process_wake(&dyn_shared->launcher);
}

static bool
must_leave(void)
{
	return dyn_process_must_stop() || dyn_database_is_held();
}

/* Milliseconds to sleep: 0 not at all, -1 until something happens. */
static long
sleep_time(const DynWorker *worker, int64 statistics_due)
{
	int64		sleep_us = dyn_round_due_in(worker);
	int64		costly_us = dyn_round_costly_due_in(worker);

	if (costly_us >= 0)
		sleep_us = sleep_us < 0 ? costly_us : Min(sleep_us, costly_us);
	if (sleep_us == 0)
		return 0;
	if (statistics_due > 0)
	{
		int64		until = Max(0, statistics_due - dyn_clock_us());

		sleep_us = sleep_us < 0 ? until : Min(sleep_us, until);
	}

	/* Somebody else may flush, too, and would not wake us. */
	if (worker->nheld > 0)
		sleep_us = sleep_us < 0 ? HELD_CHECK_US : Min(sleep_us, HELD_CHECK_US);
	return sleep_us < 0 ? -1 : (sleep_us + 999) / 1000;
}

static DynHttpOptions
http_options(DynWorker *worker)
{
	DynHttpOptions options = {
		.worker = worker->number,
		.max_connections = dyn_max_connections,
		.max_connections_per_address = dyn_max_connections_per_address,
		.max_failures = dyn_max_failed_signatures,
		.idle_timeout = dyn_idle_timeout,
		.request_timeout = dyn_request_timeout,
		.max_body = DYN_MAX_REQUEST_SIZE,
		.on_request = take_request,
		.arg = worker
	};

	options.tls.enabled = dyn_ssl != DYN_SSL_OFF;
	options.tls.required = dyn_ssl == DYN_SSL_REQUIRED;
	options.tls.cert_file = dyn_ssl_cert_file;
	options.tls.key_file = dyn_ssl_key_file;
	options.tls.ca_file = dyn_ssl_ca_file;
	options.tls.client_certificate_required =
		dyn_ssl_client_certificate == DYN_SSL_REQUIRED;
	options.tls.only_1_3 = dyn_ssl_min_protocol_version == DYN_SSL_TLS_1_3;
	return options;
}

/*
 * See what the sockets have.  Under overload, what it takes to take a request in
 * is part of what it costs to refuse one.
 */
static void
poll_sockets(DynWorker *worker)
{
	int64		begin = worker->overloaded ? dyn_clock_us() : 0;

	dyn_http_set_busy(worker->http, worker->queued > BUSY_QUEUE);
	worker->taken = 0;
	dyn_http_poll(worker->http, worker->overloaded);
	if (worker->overloaded && worker->taken > 0)
		worker->taking_us = (dyn_clock_us() - begin) / worker->taken;
}

/*
 * The memory of a round's requests comes and goes together.  By its defaults
 * glibc would give it back to the kernel each time and fault it in again: a
 * page fault for each request.  So keep some, up to what a few large requests
 * need; larger pieces are still given back.
 */
static void
keep_freed_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY);
	mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
#endif
}

/*
 * What large requests have freed lies between small pieces that stay, where glibc
 * keeps it: tens of megabytes after some hours of both.  To look for it takes 50 us
 * as a rule and 1 ms if there was much: once in a second of large requests, then.
 */
static void
give_back_memory(void)
{
#ifdef __GLIBC__
	if (dyn_gateway_had_large())
		malloc_trim(KEPT_MEMORY);
#endif
}

static void
serve(DynWorker *worker)
{
	MemoryContext turn_context;
	WaitEventSet *events;
	int64		statistics_due = 0; /* 0: none are pending */

	turn_context = AllocSetContextCreate(CurrentMemoryContext,
										 "dynamo worker turn",
										 ALLOCSET_DEFAULT_SIZES);
	events = CreateWaitEventSet(CurrentMemoryContext, 3);
	AddWaitEventToSet(events, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(events, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(events, WL_SOCKET_READABLE, dyn_http_fd(worker->http),
					  NULL, NULL);

	while (!must_leave())
	{
		WaitEvent	event;
		long		sleep_ms;
		bool		ran_costly;

		ResetLatch(MyLatch);
		MemoryContextSwitchTo(turn_context);
		MemoryContextReset(turn_context);
		if (dyn_process_interrupts())
		{
			DynHttpOptions options = http_options(worker);

			dyn_http_reload(worker->http, &options);
		}
		if (must_leave())
			break;

		poll_sockets(worker);
		if (dyn_round_due_in(worker) == 0)
		{
			dyn_round_run(worker);
			if (statistics_due == 0)
				statistics_due = dyn_clock_us() + STATISTICS_INTERVAL_US;
		}
		release_durable(worker);
		request_flush(worker);
		dyn_http_flush(worker->http);
		ran_costly = dyn_round_run_costly(worker);
		if (ran_costly && statistics_due == 0)
			statistics_due = dyn_clock_us() + STATISTICS_INTERVAL_US;
		publish_metrics(worker);

		/* Also what the flush has set free may have made room for writes. */
		if (statistics_due > 0 && dyn_clock_us() >= statistics_due)
		{
			pgstat_report_stat(true);
			give_back_memory();
			statistics_due = 0;
		}

		/* Its answer, if it has one, is still to be sent. */
		sleep_ms = ran_costly ? 0 : sleep_time(worker, statistics_due);
		if (sleep_ms != 0 && dyn_http_sleep_begins(worker->http))
		{
			(void) WaitEventSetWait(events, sleep_ms, &event, 1,
									PG_WAIT_EXTENSION);
			dyn_http_sleep_ends(worker->http);
		}
	}
}

void
dyn_worker_main(Datum arg)
{
	DynWorker	worker = {0};
	DynHttpOptions options;
	char		name[NAMEDATALEN];
	Oid			database;

	keep_freed_memory();
	worker.number = DatumGetInt32(arg);
	worker.slot = &dyn_shared->workers[worker.number];
	dlist_init(&worker.queue);
	dlist_init(&worker.sliced);
	dlist_init(&worker.costly);
	dlist_init(&worker.retrying);
	dlist_init(&worker.held);
	worker.metrics.started = GetCurrentTimestamp();

	snprintf(name, sizeof(name), "dynamo http worker %d", worker.number + 1);
	dyn_process_start(name);

	/*
	 * First stand in the slot, then look for a hold: whoever holds the
	 * database first says so and then looks into the slots.
	 */
	if (!dyn_process_enter(&worker.slot->process))
		proc_exit(0);
	before_shmem_exit(leave, Int32GetDatum(worker.number));
	if (must_leave())
		proc_exit(0);

	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	dyn_process_connect(database);

	/* DDL runs event triggers in it; a process short of memory can't load it any more. */
	load_file("$libdir/plpgsql", false);
	dyn_round_watch_extension();

	options = http_options(&worker);
	worker.http = dyn_http_create(TopMemoryContext, &options);
	if (worker.http == NULL)
		elog(FATAL, "no socket for the DynamoDB endpoint");

	pgstat_report_activity(STATE_IDLE, NULL);
	MemoryContextSwitchTo(TopMemoryContext);
	serve(&worker);
	stop_serving(&worker);
	proc_exit(0);
}
