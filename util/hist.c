#include "hist.h"
#include "mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values below STEPS have a bucket each; every octave above has STEPS buckets.
 * The highest bit of an int64_t is the 62nd. */
enum { BITS = 7, STEPS = 1 << BITS, BUCKETS = (62 - BITS + 2) * STEPS };

static int
octave(uint64_t v)
{
	int n = 0;

	for (v >>= BITS; v > 1; v >>= 1)
		n++;
	return n;
}

static size_t
bucket_of(uint64_t v)
{
	int shift = octave(v);

	return v < STEPS ? (size_t)v
			 : (size_t)shift * STEPS + (size_t)(v >> shift);
}

/* The middle of a bucket: off by half its width at most, 0.4 %. */
static uint64_t
value_of(size_t bucket)
{
	int shift;

	if (bucket < 2 * STEPS)
		return bucket;
	shift = (int)(bucket / STEPS) - 1;
	return ((uint64_t)(bucket % STEPS + STEPS) << shift) +
		(UINT64_C(1) << shift) / 2;
}

static void
count_into(struct hist *h, size_t bucket, uint32_t n)
{
	uint32_t *b = &h->bucket[bucket];

	*b = n > UINT32_MAX - *b ? UINT32_MAX : *b + n;
}

/* Whatever is in h, the extremes of other values join it. */
static void
widen(struct hist *h, uint64_t min, uint64_t max)
{
	if (!h->bucket)
		h->bucket = mem_zero(BUCKETS, sizeof *h->bucket);
	if (h->count == 0 || min < h->min)
		h->min = min;
	if (max > h->max)
		h->max = max;
}

void
hist_add(struct hist *h, int64_t ns)
{
	uint64_t v = ns > 0 ? (uint64_t)ns : 0;

	widen(h, v, v);
	h->count++;
	h->sum += (double)v;
	count_into(h, bucket_of(v), 1);
}

void
hist_merge(struct hist *to, const struct hist *from)
{
	if (from->count == 0)
		return;
	widen(to, from->min, from->max);
	to->count += from->count;
	to->sum += from->sum;
	for (size_t i = 0; i < BUCKETS; i++)
		count_into(to, i, from->bucket[i]);
}

int64_t
hist_percentile(const struct hist *h, double percent)
{
	/* A rank that is whole must not become the next one by rounding. */
	double rank = percent * (double)h->count / 100 * (1 - 1e-12);
	double seen = 0;
	uint64_t v = h->max;

	if (h->count == 0)
		return -1;
	for (size_t i = 0; i < BUCKETS && percent < 100; i++) {
		seen += h->bucket[i];
		if (seen >= rank) {
			v = value_of(i);
			break;
		}
	}
	if (v < h->min)
		v = h->min;
	return (int64_t)(v < h->max ? v : h->max);
}

double
hist_mean(const struct hist *h)
{
	return h->count > 0 ? h->sum / (double)h->count : (double)NAN;
}

void
hist_free(struct hist *h)
{
	free(h->bucket);
	*h = (struct hist){ 0 };
}

/* The values themselves, then each bucket that is not empty. */
enum { PACKED_HEAD = 32, PACKED_BUCKET = 8 };

void
hist_pack(const struct hist *h, struct buf *out)
{
	uint64_t sum;

	memcpy(&sum, &h->sum, sizeof sum);
	buf_u64(out, h->count);
	buf_u64(out, h->min);
	buf_u64(out, h->max);
	buf_u64(out, sum);
	for (uint32_t i = 0; h->bucket && i < BUCKETS; i++)
		if (h->bucket[i]) {
			buf_u32(out, i);
			buf_u32(out, h->bucket[i]);
		}
}

int
hist_unpack(struct hist *h, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t sum;

	*h = (struct hist){ 0 };
	if (n < PACKED_HEAD || (n - PACKED_HEAD) % PACKED_BUCKET != 0)
		return -1;
	if (get_u64(p) > 0)
		widen(h, get_u64(p + 8), get_u64(p + 16));
	h->count = get_u64(p);
	sum = get_u64(p + 24);
	memcpy(&h->sum, &sum, sizeof h->sum);
	for (size_t at = PACKED_HEAD; at < n && h->bucket; at += PACKED_BUCKET)
		if (get_u32(p + at) < BUCKETS)
			count_into(h, get_u32(p + at), get_u32(p + at + 4));
	return 0;
}
