/* clock: time. Durations and moments are int64_t nanoseconds everywhere. */
#ifndef SOCKCTL_CLOCK_H
#define SOCKCTL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_US INT64_C(1000)
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S INT64_C(1000000000)
#define CLOCK_INF INT64_MAX /* "inf": for ever */
#define CLOCK_NONE INT64_C(-1) /* not given */

int64_t clock_now(void); /* CLOCK_MONOTONIC, ns */
double clock_unix(void); /* CLOCK_REALTIME, seconds since 1970 */
double clock_seconds(int64_t ns);
/* Of two moments the earlier, the later. */
int64_t clock_sooner(int64_t a, int64_t b);
int64_t clock_later(int64_t a, int64_t b);
/* ISO 8601 local time with zone, "2026-11-20T11:24:00+01:00" (RFC 867 leaves
 * the form open; ISO 8601's extended format has both colons or none). out holds
 * at least 32 bytes. Returns out. */
char *clock_iso(double unix_seconds, char *out, size_t size);

#endif
