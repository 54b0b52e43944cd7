/*-------------------------------------------------------------------------
 *
 * stream_notify.h
 *		Tell listeners of new changes in streams.
 *
 * src/worker/stream_notify.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_STREAM_NOTIFY_H
#define DYN_STREAM_NOTIFY_H

/* How often to look, while there is a stream that wants it. */
#define DYN_NOTIFY_INTERVAL_MS 100

/*
 * Look once, outside of transactions: NOTIFY dynamo_stream for each stream that
 * has something new to read.  False if no stream wants it.
 */
extern bool dyn_streams_tell(void);

#endif							/* DYN_STREAM_NOTIFY_H */
