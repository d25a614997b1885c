/* flood: what a stream of the near side asks of the far side, and its part of
 * what all of them are to move. */
#include "flood.h"
#include <errno.h>
#include <string.h>

uint64_t
flood_bytes_part(
	const struct flood *f, const struct flood_stream *s, uint64_t all)
{
	uint64_t n = (uint64_t)f->conf->parallel;
	uint64_t i = (uint64_t)f->first + (uint64_t)s->index;

	return all / n + (i < all % n);
}

uint64_t
flood_rate_part(const struct flood_conf *conf)
{
	uint64_t part = conf->rate / (uint64_t)conf->parallel;

	return conf->rate == 0 ? 0 : part > 0 ? part : 1;
}

void
flood_stream_role(
	const struct flood_stream *s, enum flood_role role, struct flood_ask *a)
{
	const struct flood *f = s->flood;
	const struct flood_conf *conf = f->conf;

	*a = (struct flood_ask){ .role = role,
		.stream = (uint32_t)(f->first + s->index + 1),
		.streams = (uint32_t)conf->parallel,
		.chunk = conf->chunk,
		.verify = conf->verify,
		.trunc = conf->skip_rx_copy };
	memcpy(a->run, f->run, sizeof(f->run));
	if (role == FLOOD_STALL) {
		a->wait = s->pause;
		a->step = s->mark;
		a->chunk = 0;
	}
	if (role != FLOOD_SOURCE && role != FLOOD_BOTH)
		return;
	if (conf->bytes > 0)
		a->bytes = flood_bytes_part(f, s, conf->bytes);
	else
		a->duration = conf->omit + conf->time;
	a->rate = flood_rate_part(conf);
}

int
flood_stream_ask(struct flood_stream *s, enum flood_role role)
{
	char out[FLOOD_LINE_MAX + 1];
	struct flood_ask a;
	size_t n;

	flood_stream_role(s, role, &a);
	n = flood_ask_write(&a, out);
	if (flood_line_send(s->conn.fd, out, n) == -1) {
		flood_stream_lost(s, "send", errno, NULL);
		return -1;
	}
	conn_sent(&s->conn, out, n, loop_now(s->flood->loop));
	s->conn.tx = 0; /* no count contains it */
	s->mark = n;
	return 0;
}
