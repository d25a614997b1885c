/* rate: a token bucket, in bytes. */
#ifndef SOCKCTL_RATE_H
#define SOCKCTL_RATE_H

#include <stddef.h>
#include <stdint.h>

struct rate {
	uint64_t per_second; /* 0: no limit */
	double tokens;
	int64_t last;
};

void rate_start(struct rate *r, uint64_t per_second, int64_t now);
/* How many of want bytes may move now: want itself without a limit, 0 when
 * none. The burst is 20 ms of the rate, at least 1 byte. */
size_t rate_allow(struct rate *r, size_t want, int64_t now);
void rate_took(struct rate *r, size_t bytes);
/* ns until rate_allow gives min(want, burst) bytes. */
int64_t rate_wait(const struct rate *r, size_t want, int64_t now);

#endif
