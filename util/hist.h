/* hist: a histogram of durations in fixed memory (the idea of HdrHistogram):
 * log buckets of 128 steps an octave, so a percentile is off by less than 1 %,
 * from 1 ns to 290 years. A zeroed struct is an empty histogram. */
#ifndef SOCKCTL_HIST_H
#define SOCKCTL_HIST_H

#include "buf.h"
#include <stdint.h>

struct hist {
	uint64_t count, min, max;
	double sum;
	uint32_t *bucket; /* taken with the first value */
};

void hist_add(struct hist *h, int64_t ns); /* below 0 counts as 0 */
void hist_merge(struct hist *to, const struct hist *from);
/* The value that percent % of all values do not exceed (ns); min for 0, max
 * for 100. -1 when empty. */
int64_t hist_percentile(const struct hist *h, double percent);
double hist_mean(const struct hist *h); /* ns; NAN when empty */
void hist_free(struct hist *h);

/* For another process: appended to out, and made again of n bytes (-1: they are
 * no histogram). */
void hist_pack(const struct hist *h, struct buf *out);
int hist_unpack(struct hist *h, const void *data, size_t n);

#endif
