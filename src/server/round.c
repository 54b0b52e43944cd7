/*-------------------------------------------------------------------------
 *
 * round.c
 *		Run what has been read from the sockets, sharing transactions.
 *
 * The requests of a round share one transaction, so that under load a write
 * costs a fraction of a transaction id and of a commit record; their replies
 * wait for the same flush anyway.  Each has a snapshot of its own, taken when
 * it begins: it sees what the ones before it wrote.  (TransactGetItems does not:
 * it comes before the writes of its transaction, or in another one.)
 *
 * An error aborts the transaction and all that was written in it.  Then what
 * the transaction had run is run again, each request alone, so that one
 * client's error is never another's.  If nothing had been written, nothing is
 * lost: what had been read was true, and only the request that raised the
 * error has to be answered with it.
 *
 * A request that takes long (a page of Scan, a large batch) is run in slices,
 * each in a transaction of its own, one after each round: so a round waits for
 * one slice at most, whatever others ask for.  Those that take long have turns
 * among themselves.  Some of it can't be cut; who has held up a round for longer
 * than a slice waits as long as that was, if there is anybody else.  Where a
 * processor is wanted by others, slices have one part in eight of a worker's time.
 *
 * Where more is asked for than can be done, the queue grows to as many as there
 * are connections, and all would be answered late, many when their clients have
 * given up.  So, once the oldest has waited for longer than
 * dynamo.queue_timeout for a while, the newest are run first, which are
 * answered in time, and the oldest refused, as far as that costs little time.
 *
 * Nothing waits here for somebody else's transaction.  A request that meets
 * one goes to the retry queue and comes back a little later, for at most
 * dynamo.lock_timeout.
 *
 * src/server/round.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sched.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "auth/sts.h"
#include "base/clock.h"
#include "base/fiber.h"
#include "base/process.h"
#include "base/settings.h"
#include "server/costly.h"
#include "server/exception.h"
#include "server/flush.h"
#include "server/readiness.h"
#include "server/round.h"
#include "server/sts_door.h"

/*
 * Bounds of one round.  A Scan may take milliseconds; those who wait for a
 * GetItem should not wait for many of them, and sockets must be read.
 */
#define MAX_ROUND_REQUESTS 128
#define MAX_ROUND_US 4000

/*
 * PostgreSQL's caches keep 0.7 KB for each table that a process has made
 * and dropped, mostly that there is nothing about it in some catalog: for as long
 * as the process lives, and ours lives long.  So begin with empty ones then.
 */
#define MAX_TABLE_CHANGES 1000

/*
 * After a slice during which somebody has come to wait for the processor, the next
 * one comes after so many times as long.  A processor that nobody waits for is had
 * back faster.
 */
#define COSTLY_PAUSE 7
#define YIELDED_US 10

/* How long who has held up the others for too long waits at most. */
#define MAX_COSTLY_PAUSE_US 100000

/*
 * Overload: the oldest has been late for so long, in which a burst or a stall
 * would be over.  One part in so many of the time is spent on refusing.
 */
#define OVERLOAD_US 100000
#define REFUSING_PART 10

/*
 * So many have slices in turns; more would all come to an end late.  The others
 * wait, as long as who takes long may wait.
 */
#define MAX_SLICED 16
#define COSTLY_PATIENCE 10

/* Retries: 1, 2, 4, 8, 16, 16, ... ms. */
#define FIRST_RETRY_US 1000
#define MAX_RETRY_DOUBLINGS 4

typedef enum ExtensionState
{
	EXTENSION_UNKNOWN,
	EXTENSION_MISSING,
	EXTENSION_PRESENT
} ExtensionState;

static ExtensionState extension_state = EXTENSION_UNKNOWN;

/*
 * CREATE, DROP and ALTER EXTENSION all change schemas or functions; so may
 * others, and then the question is just asked once more.
 */
static void
extension_may_have_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	extension_state = EXTENSION_UNKNOWN;
}

void
dyn_round_watch_extension(void)
{
	CacheRegisterSyscacheCallback(NAMESPACEOID, extension_may_have_changed,
								  (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, extension_may_have_changed,
								  (Datum) 0);
}

/* Needs a transaction. */
static bool
extension_is_present(void)
{
	if (extension_state == EXTENSION_UNKNOWN)
	{
		bool		present;

		/* The scan may itself take in a change; then it is unknown again. */
		extension_state = EXTENSION_PRESENT;
		present = OidIsValid(get_extension_oid("dynamo", true));
		if (extension_state == EXTENSION_PRESENT && !present)
			extension_state = EXTENSION_MISSING;
		return present;
	}
	return extension_state == EXTENSION_PRESENT;
}

/* The same outside of a transaction; false if that can't be found out. */
static bool
ask_for_extension(void)
{
	MemoryContext old_context = CurrentMemoryContext;
	volatile bool present = false;

	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		present = extension_is_present();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old_context);
		EmitErrorReport();
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old_context);
	return present;
}

static bool
is_write(const DynWork *work)
{
	return work->kind == DYN_WORK_OPERATION &&
		work->access == DYN_ACCESS_WRITE;
}

static bool
runs_alone(const DynWork *work)
{
	return work->alone || work->access == DYN_ACCESS_CONTROL;
}

/*
 * Must the transaction's writes be committed before it is run?  See
 * dyn_operation_reads_one_moment(); what is not read yet may be such a request.
 */
static bool
wants_commits(const DynWork *work)
{
	return work->kind == DYN_WORK_OPERATION &&
		(work->body_unread ||
		 dyn_operation_reads_one_moment(work->operation, work->access));
}

/* It is to be run again, and what it had locked is locked until the commit. */
static bool
holds_locks(const DynWork *work)
{
	return work->outcome == DYN_OUTCOME_BUSY && work->context.holds_locks;
}

/* Microseconds until the queued writes should be run. */
static int64
writes_due_in(const DynWorker *worker, int64 now)
{
	return dyn_gather_wait(&worker->gather, worker->queued_writes,
						   worker->holds_write, now);
}

int64
dyn_round_costly_due_in(const DynWorker *worker)
{
	if (worker->ncostly == 0)
		return -1;
	if (worker->waits_for_place)
		return DYN_COSTLY_QUIET_US;
	return worker->had_cheap ?
		Max(0, worker->costly_not_before - dyn_clock_us()) : 0;
}

int64
dyn_round_due_in(const DynWorker *worker)
{
	int64		due = -1;
	int64		now;
	dlist_iter	iter;

	if (worker->queued > worker->queued_writes)
		return 0;
	if (worker->queued_writes == 0 && worker->nretrying == 0)
		return -1;

	now = dyn_clock_us();
	if (worker->queued_writes > 0)
		due = writes_due_in(worker, now);
	dlist_foreach(iter, (dlist_head *) &worker->retrying)
	{
		DynWork    *work = dlist_container(DynWork, node, iter.cur);
		int64		wait = Max(0, work->not_before - now);

		due = due < 0 ? wait : Min(due, wait);
	}
	return due;
}

/* It has not been begun and nobody will miss it. */
static void
throttle(DynWorker *worker, DynWork *work)
{
	MemoryContext old_context = MemoryContextSwitchTo(work->http->memory);

	worker->metrics.throttled++;
	dyn_gateway_refuse(work, DYN_EXCEPTION_THROTTLING,
					   "Rate of requests exceeds the allowed throughput.", NULL);
	MemoryContextSwitchTo(old_context);
	dyn_gateway_answer(work);
}

/* It is out of the queue. */
static void
uncount(DynWorker *worker, const DynWork *work)
{
	worker->queued--;
	worker->queued_writes -= is_write(work);
}

/* Is there something to be run, rather than just an answer to be sent? */
static bool
is_to_be_run(const DynWork *work)
{
	return work->kind != DYN_WORK_ANSWERED && work->kind != DYN_WORK_READINESS;
}

/*
 * Is there more to do than can be done?  Then refuse those that have waited for
 * too long; what is among them that is just to be answered goes into the batch.
 */
static bool
is_overloaded(DynWorker *worker, dlist_head *batch, int64 now)
{
	int64		patience = (int64) dyn_queue_timeout * 1000;
	int64		begin = now;
	int64		budget;
	int64		age = 0;

	if (patience > 0 && !dlist_is_empty(&worker->queue))
		age = now - dlist_head_element(DynWork, node, &worker->queue)->http->arrived;
	/* Once it is overloaded it is until it has nearly caught up. */
	if (age <= (worker->overloaded ? patience / 4 : patience))
	{
		worker->late_since = 0;
		return false;
	}
	if (worker->late_since == 0)
		worker->late_since = now;
	if (!worker->overloaded && now - worker->late_since < OVERLOAD_US)
		return false;

	budget = worker->round_us / REFUSING_PART;
	while (!dlist_is_empty(&worker->queue) && now - begin < budget)
	{
		DynWork    *work = dlist_head_element(DynWork, node, &worker->queue);

		if (now - work->http->arrived <= patience)
			break;
		dlist_delete(&work->node);
		uncount(worker, work);
		if (is_to_be_run(work))
			throttle(worker, work);
		else
			dlist_push_tail(batch, &work->node);
		now = dyn_clock_us();
		budget -= worker->taking_us;
	}
	return true;
}

/*
 * Choose what this round runs.  Retries come first: they have waited longest.
 */
static void
choose(DynWorker *worker, dlist_head *batch)
{
	dlist_mutable_iter iter;
	dlist_node *node;
	dlist_node *next;
	int64		now = dyn_clock_us();
	bool		with_writes = writes_due_in(worker, now) == 0;
	int			chosen = 0;

	dlist_foreach_modify(iter, &worker->retrying)
	{
		DynWork    *work = dlist_container(DynWork, node, iter.cur);

		if (work->not_before > now || chosen >= MAX_ROUND_REQUESTS)
			continue;
		dlist_delete(&work->node);
		worker->nretrying--;
		if (work->costly)
		{
			dyn_round_put_off(worker, work);
			continue;
		}
		dlist_push_tail(batch, &work->node);
		chosen++;
	}

	worker->overloaded = is_overloaded(worker, batch, now);
	for (node = worker->overloaded ? worker->queue.head.prev : worker->queue.head.next;
		 node != NULL && node != &worker->queue.head && chosen < MAX_ROUND_REQUESTS;
		 node = next)
	{
		DynWork    *work = dlist_container(DynWork, node, node);

		next = worker->overloaded ? node->prev : node->next;
		if (is_write(work) && !with_writes)
			continue;
		dlist_delete(&work->node);
		uncount(worker, work);
		if (worker->overloaded && is_to_be_run(work) &&
			dyn_http_has_left(work->http))
		{
			throttle(worker, work);
			continue;
		}
		if (work->kind == DYN_WORK_UNREAD)
		{
			dyn_gateway_read(work);
			if (work->costly)
			{
				dyn_round_put_off(worker, work);
				continue;
			}
		}
		dlist_push_tail(batch, &work->node);
		chosen++;
	}
}

/* Back to where they came from, in order. */
static void
give_back(DynWorker *worker, dlist_head *batch)
{
	while (!dlist_is_empty(batch))
	{
		DynWork    *work = dlist_tail_element(DynWork, node, batch);

		dlist_delete(&work->node);
		if (worker->overloaded)
			dlist_push_tail(&worker->queue, &work->node);
		else
			dlist_push_head(&worker->queue, &work->node);
		worker->queued++;
		worker->queued_writes += is_write(work);
	}
}

void
dyn_round_put_off(DynWorker *worker, DynWork *work)
{
	work->costly = true;
	work->alone = true;
	worker->ncostly++;
	if (worker->nsliced < MAX_SLICED || dyn_fiber_user() == work)
	{
		dlist_push_tail(&worker->sliced, &work->node);
		worker->nsliced++;
	}
	else
		dlist_push_tail(&worker->costly, &work->node);
}

void
dyn_round_hold(DynWorker *worker, DynWork *work)
{
	if (work->lsn <= dyn_flush_durable())
	{
		dyn_gateway_answer(work);
		return;
	}

	/*
	 * Positions that were taken from the end of WAL may lie before one that was
	 * taken earlier; the queue is released from its head, so keep it sorted.
	 */
	if (worker->nheld > 0)
		work->lsn = Max(work->lsn,
						dlist_tail_element(DynWork, node, &worker->held)->lsn);
	INSTR_TIME_SET_CURRENT(work->held_since);
	dlist_push_tail(&worker->held, &work->node);
	worker->nheld++;
}

/*
 * The request met a running transaction: try again a little later, or give
 * up.
 */
static void
postpone(DynWorker *worker, DynWork *work)
{
	int64		now = dyn_clock_us();

	worker->metrics.busy++;
	if (work->tries == 0)
		work->give_up = now + (int64) dyn_lock_timeout * 1000;
	if (work->context.last_try && now >= work->give_up)
	{
		dyn_gateway_refuse_conflict(work);
		work->lsn = dyn_flush_seen();
		dyn_round_hold(worker, work);
		return;
	}
	work->not_before = now +
		(FIRST_RETRY_US << Min(work->tries, MAX_RETRY_DOUBLINGS));
	work->not_before = Min(work->not_before, work->give_up);
	work->tries++;
	if (holds_locks(work))
		work->alone = true;
	resetStringInfo(&work->reply);
	dlist_push_tail(&worker->retrying, &work->node);
	worker->nretrying++;
}

/*
 * The client gets a fixed text for these, so the log must have the real one.
 * Other errors are the client's, or pass.
 */
static void
log_error(const ErrorData *error)
{
	DynErrorKind kind = dyn_error_kind(error);

	if (kind == DYN_ERROR_INTERNAL ||
		(kind == DYN_ERROR_UNAVAILABLE &&
		 ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INSUFFICIENT_RESOURCES))
		EmitErrorReport();
}

/*
 * Authenticate without the catalog.  Nothing but memory is used, so an error
 * needs no abort and a client with a bad signature disturbs nobody.  Returns
 * false if the request is answered with it.
 */
static bool
authenticate(DynWork *work)
{
	volatile bool result = true;

	PG_TRY();
	{
		dyn_gateway_authenticate(work);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(work->http->memory);
		error = CopyErrorData();
		log_error(error);
		FlushErrorState();
		dyn_gateway_refuse_error(work, error);
		result = false;
	}
	PG_END_TRY();
	return result;
}

/* May the operation run here and now?  Raises. */
static void
check(const DynWork *work)
{
	/*
	 * The store works below the level at which PostgreSQL checks this, and a
	 * standby's newest state is not the newest there is.
	 */
	if (XactReadOnly && work->access == DYN_ACCESS_WRITE)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s in a read-only transaction",
						work->operation->name)));
	if (RecoveryInProgress() && dyn_operation_reads_newest(work->operation, work->json))
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute a consistent read during recovery")));
}

/* The locks are those that a trigger took: this process has none for itself. */
static void
forget_session(void)
{
	dyn_process_forget_session();
	LockReleaseSession(USER_LOCKMETHOD);
}

/* How long a request may run before it has to wait for others; 0: to its end. */
static int
slice_us(void)
{
	return (int) (dyn_time_slice * 1000);
}

/* Run one request in the transaction that is open; raises. */
static void
run(DynWork *work)
{
	Oid			save_user;
	int			save_context;
	int			settings_level;

	if (work->executed)
	{
		work->outcome = dyn_gateway_compress(work, slice_us()) ?
			DYN_OUTCOME_DONE : DYN_OUTCOME_UNFINISHED;
		return;
	}
	work->begun = true;
	work->exception = -1;		/* of an earlier try */
	work->context.new_progress = NULL;
	work->context.may_wait = false;
	/* Longer at first: what is nearly done then had better not wait again. */
	work->context.slice_us = work->costly ? slice_us() : 2 * slice_us();
	work->context.last_try = dyn_lock_timeout == 0 ||
		(work->tries > 0 && dyn_clock_us() >= work->give_up);
	if (!work->authenticated)
	{
		if (work->body_unread && !dyn_gateway_hash_body(work, slice_us()))
		{
			work->outcome = DYN_OUTCOME_UNFINISHED;
			return;
		}
		if (dyn_gateway_needs_catalog(work))
			dyn_gateway_authenticate(work);
		else if (!authenticate(work))
		{
			work->outcome = DYN_OUTCOME_FAILED;
			return;
		}
	}
	dyn_gateway_identify(work);
	if (work->kind == DYN_WORK_STS)
	{
		dyn_sts_execute(work);
		return;
	}
	if (work->body_unread)
	{
		bool		refused = dyn_gateway_read_body(work, slice_us()) &&
			work->body_unread;

		/* It is run in the next slice. */
		work->outcome = refused ? DYN_OUTCOME_FAILED : DYN_OUTCOME_UNFINISHED;
		return;
	}
	check(work);

	/* An operation may not change the role it runs as. */
	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(work->principal.role,
						   save_context | SECURITY_LOCAL_USERID_CHANGE);
	settings_level = NewGUCNestLevel();
	PushActiveSnapshot(GetTransactionSnapshot());

	work->outcome = dyn_operation_run(&work->context, work->operation,
									  work->json, &work->reply);

	/*
	 * What a trigger has put off to the end of the transaction runs now, as the
	 * role: then, it would run as a superuser.  What it leaves in the session
	 * must not outlive the request either.
	 */
	if (work->context.ran_code)
	{
		AfterTriggerFireDeferred();
		forget_session();
	}
	PopActiveSnapshot();
	AtEOXact_GUC(false, settings_level);
	SetUserIdAndSecContext(save_user, save_context);

	switch (work->outcome)
	{
		case DYN_OUTCOME_DONE:
			work->status = 200;
			break;
		case DYN_OUTCOME_FAILED:
			dyn_gateway_refuse(work, work->context.failure.exception,
							   work->context.failure.message,
							   work->context.failure.members);
			break;
		case DYN_OUTCOME_BUSY:
		case DYN_OUTCOME_UNFINISHED:
			break;
	}
}

/*
 * Say in pg_stat_activity what is going on: the first request of the round, as
 * finding words for each would cost more than some requests do.
 */
static void
report_activity(const DynWork *work)
{
	static char activity[NAMEDATALEN + DYN_MAX_TABLE_NAME_LENGTH + 2];
	const DynJson *table = NULL;
	uint32		len = 0;
	const char *name = "";

	if (work->json != NULL && dyn_json_kind(work->json) == DYN_JSON_OBJECT)
		table = dyn_json_member(work->json, "TableName");
	if (table != NULL && dyn_json_kind(table) == DYN_JSON_STRING)
		name = dyn_json_string(table, &len);
	strlcpy(activity, work->kind == DYN_WORK_STS ? work->sts->action :
			work->operation->name, sizeof(activity));
	if (len > 0 && len <= DYN_MAX_TABLE_NAME_LENGTH)
	{
		strlcat(activity, " ", sizeof(activity));
		strlcat(activity, name, sizeof(activity));
	}
	debug_query_string = activity;	/* for messages in the server log */
	pgstat_report_activity(STATE_RUNNING, activity);
}

/*
 * The transaction of the requests in ran is over; each goes where its outcome
 * sends it.
 */
static void
settle(DynWorker *worker, dlist_head *ran, XLogRecPtr lsn)
{
	while (!dlist_is_empty(ran))
	{
		DynWork    *work = dlist_container(DynWork, node, dlist_pop_head_node(ran));

		if (work->outcome == DYN_OUTCOME_BUSY ||
			work->outcome == DYN_OUTCOME_UNFINISHED)
		{
			if (work->context.new_progress != NULL)
				work->context.progress = work->context.new_progress;
			if (work->outcome == DYN_OUTCOME_BUSY)
				postpone(worker, work);
			else
				dyn_round_put_off(worker, work);
			continue;
		}
		if (work->outcome == DYN_OUTCOME_DONE && !work->executed &&
			dyn_gateway_wants_compression(work))
		{
			work->executed = true;
			dyn_round_put_off(worker, work);
			continue;
		}
		worker->metrics.requests++;
		worker->metrics.writes += is_write(work);
		work->lsn = lsn;
		dyn_round_hold(worker, work);
	}
}

/*
 * An error has aborted the transaction in which the requests in ran were run,
 * the last of them being current (NULL: it was the commit that failed).
 */
static void
settle_after_error(DynWorker *worker, dlist_head *batch, dlist_head *ran,
				   DynWork *current, bool has_written, const ErrorData *error)
{
	DynErrorKind kind = dyn_error_kind(error);
	bool		only_one = ran->head.next == ran->head.prev;

	/* Of one request there is no doubt whose error it is. */
	if (current == NULL && only_one)
		current = dlist_tail_element(DynWork, node, ran);

	if (current != NULL && (only_one || (!has_written && kind == DYN_ERROR_ANSWER)))
	{
		dlist_delete(&current->node);

		/*
		 * Something that is not there may have gone with the extension, while
		 * the request ran.  Run again, it is told so.
		 */
		if (kind == DYN_ERROR_CONFLICT ||
			(kind == DYN_ERROR_INTERNAL && !ask_for_extension()))
		{
			current->alone = true;
			postpone(worker, current);
		}
		else
		{
			worker->metrics.requests++;
			dyn_gateway_refuse_error(current, error);
			current->lsn = dyn_flush_seen();
			dyn_round_hold(worker, current);
		}
		/* The others have only read, and what they read was true. */
		settle(worker, ran, dyn_flush_seen());
		return;
	}

	/* To the head of the batch again, in order. */
	while (!dlist_is_empty(ran))
	{
		DynWork    *work = dlist_tail_element(DynWork, node, ran);

		dlist_delete(&work->node);
		work->alone = true;
		resetStringInfo(&work->reply);
		dlist_push_head(batch, &work->node);
		worker->metrics.reruns++;
	}
}

/*
 * Refuse all of batch because there is nothing here that could serve it.  They
 * have passed no check, so this is said to everybody.
 */
static void
refuse_all(DynWorker *worker, dlist_head *batch)
{
	MemoryContext old_context = CurrentMemoryContext;

	while (!dlist_is_empty(batch))
	{
		DynWork    *work = dlist_container(DynWork, node, dlist_pop_head_node(batch));

		worker->metrics.requests++;
		MemoryContextSwitchTo(work->http->memory);
		dyn_gateway_refuse(work, DYN_EXCEPTION_SERVICE_UNAVAILABLE,
						   psprintf("Extension dynamo is not installed in database \"%s\".",
									dyn_database), NULL);
		MemoryContextSwitchTo(old_context);
		dyn_gateway_answer(work);
	}
}

/*
 * One transaction: run requests from the head of batch until it is empty, the
 * time is up, or one must be alone.
 */
static void
run_transaction(DynWorker *worker, dlist_head *batch, int64 deadline)
{
	MemoryContext worker_context = CurrentMemoryContext;
	dlist_head	ran = DLIST_STATIC_INIT(ran);
	DynWork    *volatile current = NULL;
	bool		extension_missing = false;
	XLogRecPtr	lsn;

	PG_TRY();
	{
		report_activity(dlist_head_element(DynWork, node, batch));
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();

		if (worker->table_changes >= MAX_TABLE_CHANGES)
		{
			InvalidateSystemCaches();
			worker->table_changes = 0;
		}
		extension_missing = !extension_is_present();
		while (!extension_missing && !dlist_is_empty(batch))
		{
			DynWork    *work = dlist_head_element(DynWork, node, batch);

			/*
			 * What may raise an error before it has come to the operation, or
			 * must be alone, doesn't join others.
			 */
			MemoryContextSwitchTo(work->http->memory);
			if (!dlist_is_empty(&ran) &&
				(runs_alone(work) || dyn_clock_us() > deadline ||
				 (wants_commits(work) &&
				  TransactionIdIsValid(GetTopTransactionIdIfAny())) ||
				 (!work->authenticated && dyn_gateway_needs_catalog(work))))
				break;
			dlist_delete(&work->node);
			dlist_push_tail(&ran, &work->node);
			current = work;
			run(work);
			current = NULL;
			if (work->access == DYN_ACCESS_CONTROL &&
				TransactionIdIsValid(GetTopTransactionIdIfAny()))
				worker->table_changes++;
			/* What met a conflict keeps locks from others, for nothing. */
			if (runs_alone(work) || holds_locks(work))
				break;
		}

		MemoryContextSwitchTo(worker_context);
		worker->metrics.transactions++;
		lsn = dyn_flush_commit(worker->slot);
		if (lsn != InvalidXLogRecPtr)
		{
			worker->metrics.transaction_ids++;
			worker->commit_lsn = lsn;
			worker->holds_write = true;
		}
		else
			lsn = dyn_flush_seen();
	}
	PG_CATCH();
	{
		bool		has_written = TransactionIdIsValid(GetTopTransactionIdIfAny());
		bool		is_alone = ran.head.next == ran.head.prev;
		MemoryContext error_context;
		ErrorData  *error;

		error_context = AllocSetContextCreate(worker_context, "dynamo error",
											  ALLOCSET_SMALL_SIZES);
		MemoryContextSwitchTo(error_context);
		error = CopyErrorData();
		/* If it will be run again alone, it will be seen again alone. */
		if (is_alone || current == NULL)
			log_error(error);
		FlushErrorState();
		AbortCurrentTransaction();
		forget_session();
		MemoryContextSwitchTo(error_context);
		if (dlist_is_empty(&ran))
		{
			/* Before the first request: it has to be somebody's. */
			current = dlist_head_element(DynWork, node, batch);
			dlist_delete(&current->node);
			dlist_push_tail(&ran, &current->node);
		}
		settle_after_error(worker, batch, &ran, current, has_written, error);
		MemoryContextSwitchTo(worker_context);
		MemoryContextDelete(error_context);
		return;
	}
	PG_END_TRY();

	MemoryContextSwitchTo(worker_context);
	if (extension_missing)
		refuse_all(worker, batch);
	settle(worker, &ran, lsn);
}

/* GET /ready: the question of the extension needs a transaction. */
static void
answer_readiness(DynWork *work)
{
	MemoryContext old_context = CurrentMemoryContext;
	bool		present = ask_for_extension();

	MemoryContextSwitchTo(work->http->memory);
	work->status = dyn_readiness(present, &work->reply);
	MemoryContextSwitchTo(old_context);
	dyn_gateway_answer(work);
}

/* Those that need no operation are answered straight away. */
static void
answer_simple(DynWorker *worker, dlist_head *batch)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, batch)
	{
		DynWork    *work = dlist_container(DynWork, node, iter.cur);

		if (is_to_be_run(work))
			continue;
		dlist_delete(&work->node);
		worker->metrics.requests++;
		if (work->kind == DYN_WORK_READINESS)
			answer_readiness(work);
		else
			dyn_gateway_answer(work);
	}
}

void
dyn_round_run(DynWorker *worker)
{
	dlist_head	batch = DLIST_STATIC_INIT(batch);
	int64		deadline = dyn_clock_us() + MAX_ROUND_US;
	uint64		before = worker->metrics.requests;

	choose(worker, &batch);
	answer_simple(worker, &batch);
	if (dlist_is_empty(&batch))
		return;

	worker->had_cheap = true;
	dyn_costly_note_cheap(deadline - MAX_ROUND_US);
	worker->metrics.rounds++;
	do
	{
		run_transaction(worker, &batch, deadline);
	} while (!dlist_is_empty(&batch) && dyn_clock_us() <= deadline &&
			 !dyn_process_must_stop());
	give_back(worker, &batch);

	worker->round_us = dyn_clock_us() - (deadline - MAX_ROUND_US);
	worker->previous_round = worker->last_round;
	worker->last_round = worker->metrics.requests - before;
	debug_query_string = NULL;
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Let those that wait for it have slices, as far as there is room. */
static void
begin_costly(DynWorker *worker, int64 now)
{
	int64		patience = (int64) dyn_queue_timeout * 1000 * COSTLY_PATIENCE;
	int64		begin = now;

	while (worker->nsliced < MAX_SLICED && !dlist_is_empty(&worker->costly) &&
		   now - begin < MAX_ROUND_US / REFUSING_PART)
	{
		DynWork    *work = dlist_container(DynWork, node,
										   dlist_pop_head_node(&worker->costly));

		worker->ncostly--;
		if (!work->begun && patience > 0 && now - work->http->arrived > patience)
			throttle(worker, work);
		else
			dyn_round_put_off(worker, work);
		now = dyn_clock_us();
	}
}

/*
 * Take the first of those that have slices, but for those that need the fiber
 * while somebody else has it.  NULL if there are no others.
 */
static DynWork *
next_costly(DynWorker *worker)
{
	dlist_iter	iter;

	dlist_foreach(iter, &worker->sliced)
	{
		DynWork    *work = dlist_container(DynWork, node, iter.cur);

		if (!dyn_gateway_needs_fiber(work) || dyn_fiber_user() == NULL ||
			dyn_fiber_user() == work)
		{
			dlist_delete(&work->node);
			worker->nsliced--;
			worker->ncostly--;
			return work;
		}
	}
	return NULL;
}

/* Run one slice; false if there is none to be run. */
static bool
run_slice(DynWorker *worker)
{
	static int	took_us[DYN_METRICS_OPERATIONS];	/* the last time, each */
	dlist_head	batch = DLIST_STATIC_INIT(batch);
	DynWork    *work;
	int		   *took = NULL;
	int64		begin;

	begin_costly(worker, dyn_clock_us());
	work = next_costly(worker);
	if (work == NULL)
		return false;
	if (work->operation != NULL && !dyn_gateway_needs_fiber(work) &&
		dyn_operation_is_whole(work->operation))
		took = &took_us[dyn_operation_number(work->operation)];
	if (took != NULL && *took > MAX_ROUND_US)
		dyn_http_make_way(worker->http);

	dlist_push_tail(&batch, &work->node);
	worker->metrics.slices++;
	begin = dyn_clock_us();
	run_transaction(worker, &batch, 0);
	if (took != NULL)
		*took = Min(dyn_clock_us() - begin, PG_INT32_MAX);
	/* Its own error may have to be met again. */
	while (!dlist_is_empty(&batch))
		dyn_round_put_off(worker, dlist_container(DynWork, node,
												  dlist_pop_head_node(&batch)));
	return true;
}

/*
 * Offer the processor to whoever waits for it: left alone, Linux would give it to
 * another worker, the flusher or a client only after some milliseconds.
 */
static bool
others_wanted_processor(void)
{
	int64		begin = dyn_clock_us();

	sched_yield();
	return dyn_clock_us() - begin >= YIELDED_US;
}

bool
dyn_round_run_costly(DynWorker *worker)
{
	int64		begin;
	int64		end;
	int64		pause;

	worker->waits_for_place = false;
	if (dyn_round_costly_due_in(worker) != 0)
	{
		dyn_costly_end(worker->slot);
		return false;
	}
	begin = dyn_clock_us();
	if (!dyn_costly_begin(worker->slot, begin))
	{
		worker->waits_for_place = true;
		return false;
	}
	if (!run_slice(worker))
	{
		/* Who has the fiber waits for a lock, or all have been refused. */
		dyn_costly_end(worker->slot);
		worker->waits_for_place = true;
		return false;
	}
	end = dyn_clock_us();
	pause = Max(end - begin - slice_us(), 0);
	/* Before the next worker is woken for a slice, which might be done here. */
	if (others_wanted_processor())
		pause = COSTLY_PAUSE * (end - begin);
	dyn_costly_end(worker->slot);
	worker->had_cheap = false;
	worker->costly_not_before = end + Min(pause, MAX_COSTLY_PAUSE_US);
	debug_query_string = NULL;
	pgstat_report_activity(STATE_IDLE, NULL);
	return true;
}
