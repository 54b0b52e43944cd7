/*-------------------------------------------------------------------------
 *
 * metrics_page.h
 *		GET /metrics: the figures of base/metrics.h as Prometheus text.
 *
 * src/console/metrics_page.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_METRICS_PAGE_H
#define DYN_METRICS_PAGE_H

#include "lib/stringinfo.h"

#define DYN_METRICS_PAGE_TYPE "text/plain; version=0.0.4; charset=utf-8"

extern void dyn_metrics_page(StringInfo out);

#endif							/* DYN_METRICS_PAGE_H */
