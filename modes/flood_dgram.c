/* flood: the datagrams of one run between two addresses, of either side. */
#include "../util/mem.h"
#include "../util/pattern.h"
#include "flood.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 16 };

void
flood_flow_warm(struct flood_flow *w, bool warm)
{
	struct flood_head head = { .type = FLOOD_DATA,
		.flags = warm ? FLOOD_WARM : 0,
		.run = w->run };

	w->warm = warm;
	w->next = 0;
	w->bytes = 0;
	for (int i = 0; w->out != NULL && i < w->bulk.most; i++)
		flood_head_write(w->out + (size_t)i * w->bulk.size, &head);
}

void
flood_flow_send_at(
	struct flood_flow *w, size_t size, bool gso, uint64_t rate, int64_t now)
{
	udpbulk_open(&w->bulk, w->conn->fd, size, gso);
	rate_start(&w->rate, rate, now);
	w->limit = UINT64_MAX;
	w->out = mem_alloc((size_t)w->bulk.most * size);
	pattern_fill(w->out, (size_t)w->bulk.most * size, 0);
	flood_flow_warm(w, w->warm);
}

/* How many may go now: what the rate allows, but one that is larger than its
 * burst goes when the burst is there. */
static int
allowed(struct flood_flow *w, int64_t now)
{
	uint64_t left = w->limit - w->next;
	int most = left < (uint64_t)w->bulk.most ? (int)left : w->bulk.most;
	size_t size = w->bulk.size, n;

	if (w->rate.per_second == 0)
		return most;
	n = rate_allow(&w->rate, size * (size_t)most, now) / size;
	if (n == 0 && rate_wait(&w->rate, size, now) == 0)
		n = 1;
	return (int)n;
}

/* Number and time, which stand side by side; the rest stays as it is. */
static void
number(struct flood_flow *w, int count, int64_t now)
{
	uint8_t *p = w->out + 16, time[8];

	put_u64(time, (uint64_t)now);
	for (int i = 0; i < count; i++, p += w->bulk.size) {
		put_u64(p, w->next + (uint64_t)i);
		memcpy(p + 8, time, 8);
	}
}

enum flood_move
flood_flow_send(struct flood_flow *w)
{
	for (int i = 0; i < CALLS; i++) {
		int64_t now = clock_now();
		int count, sent;

		if (w->next >= w->limit)
			return MOVE_END;
		count = allowed(w, now);
		if (count == 0)
			return MOVE_PACED;
		number(w, count, now);
		sent = udpbulk_send(&w->bulk, w->out, count, w->to, w->local);
		if (sent == -1 && net_blocked())
			return MOVE_WAIT;
		if (sent == -1)
			return MOVE_LOST;
		w->next += (uint64_t)sent;
		w->bytes += (uint64_t)sent * w->bulk.size;
		rate_took(&w->rate, (size_t)sent * w->bulk.size);
		conn_sent(w->conn, w->out, (size_t)sent * w->bulk.size, now);
	}
	return w->next >= w->limit ? MOVE_END : MOVE_SOME;
}

int64_t
flood_flow_wait(const struct flood_flow *w)
{
	return rate_wait(&w->rate, w->bulk.size, clock_now());
}

int
flood_flow_say(struct flood_flow *w, enum flood_type type, uint64_t sequence,
	uint64_t time, const void *data, size_t n)
{
	uint8_t out[FLOOD_HEAD + FLOOD_LINE_MAX];
	struct flood_head h = { .type = (uint8_t)type,
		.run = w->run,
		.sequence = sequence,
		.time = time };

	flood_head_write(out, &h);
	if (n > 0)
		memcpy(out + FLOOD_HEAD, data, n);
	if (dgram_send(w->conn->fd, out, FLOOD_HEAD + n, w->to, w->local) == -1)
		return -1;
	conn_sent(w->conn, out, FLOOD_HEAD + n, clock_now());
	return 0;
}

int
flood_flow_end(struct flood_flow *w)
{
	w->ends++;
	return flood_flow_say(
		w, FLOOD_END, w->next, (uint64_t)clock_now(), NULL, 0);
}

void
flood_flow_counts(const struct flood_flow *w, struct flood_counts *c)
{
	uint64_t all = w->total > w->in.next ? w->total : w->in.next;

	*c = (struct flood_counts){ .received = w->in.received,
		.bytes = w->in_bytes,
		.lost = all > w->in.received ? all - w->in.received : 0,
		.reordered = w->in.reordered,
		.duplicates = w->in.duplicates,
		.jitter = (uint64_t)w->in.jitter,
		.elapsed = (uint64_t)(w->last - w->first) };
}

static void
answer_end(struct flood_flow *w, const struct flood_head *h)
{
	struct flood_counts c;
	uint8_t out[FLOOD_COUNTS];

	w->ended = true;
	w->total = h->sequence;
	flood_flow_counts(w, &c);
	flood_counts_write(out, &c);
	/* Lost ones are asked for again. */
	(void)flood_flow_say(
		w, FLOOD_COUNTED, c.received, h->time, out, sizeof(out));
}

static inline bool
same_start(const uint8_t *p, const uint8_t *q)
{
	return get_u64(p) == get_u64(q) && get_u64(p + 8) == get_u64(q + 8);
}

/* How many datagrams of a bundle are data of this run and count on from the
 * first one: all that stands before the number is the same in them. */
static uint64_t
row(const struct flood_flow *w, const struct udpbulk_bundle *b, size_t at,
	struct flood_head *first)
{
	const uint8_t *p = b->data + at;
	uint64_t n = 1;

	if (flood_head_read(first, p, b->len - at) == -1 ||
		first->type != FLOOD_DATA || first->flags & FLOOD_WARM ||
		first->run != w->run)
		return 0;
	for (at += b->size; at + FLOOD_HEAD <= b->len; at += b->size, n++)
		if (!same_start(p, b->data + at) ||
			get_u64(b->data + at + 16) != first->sequence + n)
			break;
	return n;
}

static void
count(struct flood_flow *w, const struct flood_head *first, uint64_t n,
	size_t size, int64_t now)
{
	uint64_t before = w->in.received;

	if (w->first == 0)
		w->first = now;
	w->last = now;
	arrival_add(&w->in, first->sequence, n, (int64_t)first->time, now);
	w->in_bytes += (w->in.received - before) * size;
}

void
flood_flow_take(struct flood_flow *w, const struct udpbulk_bundle *b,
	int64_t now,
	void (*other)(void *arg, const struct flood_head *h,
		const uint8_t *data, size_t n),
	void *arg)
{
	struct flood_head h;

	for (size_t at = 0; at < b->len;) {
		size_t left = b->len - at;
		size_t size = left < b->size ? left : b->size;
		uint64_t n = row(w, b, at, &h);

		if (n > 0) {
			count(w, &h, n, size, now);
			at += (size_t)n * b->size;
			continue;
		}
		if (flood_head_read(&h, b->data + at, size) == 0 &&
			h.run == w->run) {
			if (h.type == FLOOD_END)
				answer_end(w, &h);
			else if (h.type == FLOOD_COUNTED)
				w->known = flood_counts_read(&w->counts,
						   b->data + at + FLOOD_HEAD,
						   size - FLOOD_HEAD) == 0 ||
					w->known;
			else if (other != NULL)
				other(arg, &h, b->data + at, size);
		}
		at += b->size;
	}
}

void
flood_flow_free(struct flood_flow *w)
{
	free(w->out);
	w->out = NULL;
	arrival_free(&w->in);
}
