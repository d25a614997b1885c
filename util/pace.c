#include "pace.h"
#include "clock.h"

const struct opt pace_opts[] = {
	{ .name = "chunk",
		.type = OPT_SIZE,
		.word = "SIZE",
		.help = "at most SIZE bytes a write (a datagram: 1400)",
		.offset = OPT_AT(struct pace_options, chunk, uint64_t),
		.min = 1,
		.max = 1 << 30 },
	{ .name = "delay",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "wait TIME between writes",
		.offset = OPT_AT(struct pace_options, delay, int64_t) },
	{ .name = "rate",
		.type = OPT_RATE,
		.word = "RATE",
		.help = "send RATE on average, a connection",
		.offset = OPT_AT(struct pace_options, rate, uint64_t) },
	{ 0 },
};

bool
pace_any(const struct pace_options *o)
{
	return o->chunk || o->delay || o->rate;
}

void
pace_start(struct pace *p, const struct pace_options *o, int64_t now)
{
	p->options = o;
	p->next = 0;
	rate_start(&p->rate, o->rate, now);
}

static size_t
one_write(const struct pace *p, size_t want)
{
	uint64_t chunk = p->options->chunk;

	return chunk && want > chunk ? (size_t)chunk : want;
}

size_t
pace_allow(struct pace *p, size_t want, int64_t now)
{
	if (now < p->next)
		return 0;
	return rate_allow(&p->rate, one_write(p, want), now);
}

int64_t
pace_wait(const struct pace *p, size_t want, int64_t now)
{
	int64_t delay = p->next > now ? p->next - now : 0;
	int64_t rate = rate_wait(&p->rate, one_write(p, want), now);

	return delay > rate ? delay : rate;
}

void
pace_took(struct pace *p, size_t bytes, int64_t now)
{
	rate_took(&p->rate, bytes);
	p->next = now + p->options->delay;
}
