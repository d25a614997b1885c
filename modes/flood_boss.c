/* flood: the near side as a whole: its processes begin together, what they say
 * is merged and told. */
#include "../util/mem.h"
#include "flood.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A worker that does not end in time after a signal is left to its fate. */
#define STOP_MAX (3 * CLOCK_S)

struct boss {
	const struct flood_conf *conf;
	struct life life;
	enum flood_kind kind;
	int count, ready, over, ticks;
	struct worker *worker; /* NULL: one process, this one */
	struct flood flood; /* of this process, or the one that workers copy */
	struct flood_totals *latest; /* one a process */
	int *ticked; /* samples that came from it */
	struct flood_totals total, told; /* told: by the last interval */
	int64_t told_at;
	struct hist latency;
	struct flood_room room;
	struct timer limit;
	int code;
	bool stopping, final;
};

/* A worker that cannot be told is to end. */
static void
tell_all(struct boss *b, unsigned type)
{
	if (b->worker == NULL)
		flood_told(&b->flood, type);
	for (int i = 0; b->worker != NULL && i < b->count; i++)
		if (worker_send(&b->worker[i], type, NULL, 0, -1) == -1)
			worker_dismiss(&b->worker[i]);
}

static void
merge(struct boss *b)
{
	b->total = b->latest[0];
	for (int i = 1; i < b->count; i++)
		flood_totals_add(&b->total, &b->latest[i]);
}

/* The interval that ended at ns behind the start. */
static void
tell_interval(struct boss *b, int64_t end)
{
	const struct flood_totals *t = &b->total;
	uint64_t all = flood_totals_bytes(t),
		 before = flood_totals_bytes(&b->told);
	uint64_t bytes = all > before ? all - before : 0;
	double t0 = clock_seconds(b->told_at), t1 = clock_seconds(end);

	REPORT(b->life.report, EV_INTERVAL, NULL, F_REAL("t0", t0, 3),
		F_REAL("t1", t1, 3), F_UINT("bytes", bytes),
		F_REAL("bits_per_second", (double)bytes * 8 / (t1 - t0), 0),
		F_KNOWN("retrans",
			t->retrans < 0 ? -1
				       : t->retrans -
					(b->told.retrans > 0 ? b->told.retrans
							     : 0)));
	b->told = *t;
	b->told_at = end;
}

static void
on_sample(struct boss *b, int index, const struct flood_totals *t)
{
	int64_t every = b->conf->every;

	b->latest[index] = *t;
	b->ticked[index]++;
	for (int i = 0; i < b->count; i++)
		if (b->ticked[i] <= b->ticks)
			return;
	b->ticks++;
	merge(b);
	if (every > 0)
		tell_interval(b, b->ticks * every);
}

static void
finish(struct boss *b)
{
	int64_t end;

	b->final = true;
	merge(b);
	end = b->total.ended - b->total.began;
	if (b->conf->every > 0 && b->total.began != 0 &&
		end > b->told_at + b->conf->every / 10)
		tell_interval(b, end);
	if (b->code == EXIT_OK && b->life.signo == 0)
		b->code = flood_assert(
			b->life.report, b->conf, &b->total, &b->latency);
	loop_stop(b->life.loop, life_code(&b->life, b->code));
}

static void
on_say(void *arg, int index, unsigned type, const void *data, size_t n)
{
	struct boss *b = arg;
	const struct err *err = data;

	(void)n;
	switch ((enum flood_message)type) {
	case SAY_READY:
		if (++b->ready == b->count && !b->stopping)
			tell_all(b, TELL_GO);
		return;
	case SAY_SAMPLE:
		on_sample(b, index, data);
		return;
	case SAY_ERROR:
		report_error(b->life.report, NULL, err);
		b->code = err_worst(b->code, (int)err_exit(err));
		return;
	case SAY_HIST:
		hist_merge(&b->latency, data);
		return;
	case SAY_OVER:
		memcpy(&b->latest[index], data, sizeof(*b->latest));
		b->ticked[index] = INT32_MAX;
		if (++b->over == b->count)
			finish(b);
		return;
	case TELL_GO:
	case TELL_STOP:
		return;
	}
}

/* A connection failed in one process: the others end, too. */
static void
stop_others(struct boss *b)
{
	if (b->stopping || b->worker == NULL || b->flood.calls->survives)
		return;
	b->stopping = true;
	tell_all(b, TELL_STOP);
}

static void
on_message(void *arg, struct worker *w, unsigned type, const void *data,
	size_t n, int fd)
{
	struct hist h = { 0 };

	(void)fd;
	if (type != SAY_HIST) {
		on_say(arg, w->index, type, data, n);
	} else if (hist_unpack(&h, data, n) == 0) {
		on_say(arg, w->index, type, &h, 0);
		hist_free(&h);
	}
	if (type == SAY_ERROR)
		stop_others(arg);
}

static void
on_worker_gone(void *arg, struct worker *w, int status)
{
	struct boss *b = arg;
	struct err err = { 0 };

	if (b->ticked[w->index] == INT32_MAX || b->final)
		return;
	err_setf(&err, "exec", 0, NULL, "a worker ended early (status %d)",
		child_code(status));
	on_say(b, w->index, SAY_ERROR, &err, sizeof(err));
	stop_others(b);
	on_say(b, w->index, SAY_OVER, &b->latest[w->index], sizeof(*b->latest));
}

static const struct worker_calls boss_calls = { on_message, on_worker_gone };

/* In a worker. */

static void
say_boss(void *arg, int index, unsigned type, const void *data, size_t n)
{
	struct worker *w = arg;
	struct buf packed = { 0 };
	int result;

	(void)index;
	if (type == SAY_HIST) {
		hist_pack(data, &packed);
		result = worker_send(
			w, type, buf_data(&packed), packed.len, -1);
		buf_free(&packed);
	} else {
		result = worker_send(w, type, data, n, -1);
	}
	if (type == SAY_OVER || result == -1)
		_exit(result == 0 ? EXIT_OK : EXIT_LOCAL);
}

static void
on_told(void *arg, struct worker *w, unsigned type, const void *data, size_t n,
	int fd)
{
	(void)w;
	(void)data;
	(void)n;
	(void)fd;
	flood_told(arg, type);
}

static void
on_boss_gone(void *arg, struct worker *w, int status)
{
	(void)arg;
	(void)w;
	(void)status;
	_exit(EXIT_OK);
}

static const struct worker_calls worker_calls = { on_told, on_boss_gone };

/* A terminal's Ctrl-C comes to all; the boss says what is to be done. */
static void
on_signal(void *arg, int signo)
{
	(void)arg;
	(void)signo;
}

/* Streams are dealt out evenly. */
static void
deal(struct flood *f, int count, int64_t streams)
{
	int all = (int)streams, more = all % count;

	f->share = all / count + (f->index < more);
	f->first = all / count * f->index + (f->index < more ? f->index : more);
}

static _Noreturn void
work(struct boss *b, int index, int64_t streams)
{
	struct flood *f = &b->flood;
	struct loop *loop = loop_new();
	struct err err = { 0 };
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };

	for (int i = 0; i < 4; i++)
		loop_signal(loop, ignored[i], on_signal, NULL);
	f->loop = loop;
	f->sight = sight_open(&b->conf->sight, loop, f->report, &err);
	f->index = index;
	f->say = say_boss;
	f->arg = &b->worker[index];
	worker_join(&b->worker[index], loop, &worker_calls, f);
	deal(f, b->count, streams);
	flood_begin(f);
	loop_run(loop);
	_exit(EXIT_OK);
}

static void
on_limit(void *arg)
{
	struct boss *b = arg;

	if (!b->final)
		finish(b);
}

static void
on_stop(void *arg, const struct err *why)
{
	struct boss *b = arg;

	b->stopping = true;
	if (why != NULL)
		b->code = err_worst(b->code, EXIT_TIMEOUT);
	loop_timer(b->life.loop, &b->limit, STOP_MAX, on_limit, b);
	tell_all(b, TELL_STOP);
}

static size_t
members(void *arg, struct field *out)
{
	struct boss *b = arg;

	if (b->worker == NULL && !b->final)
		flood_sample(&b->flood, &b->latest[0]);
	if (!b->final)
		merge(b);
	return flood_members(out, &b->room, &b->total,
		b->final || b->worker != NULL ? &b->latency : &b->flood.latency,
		b->conf, clock_now());
}

static const struct flood_calls *const calls[] = {
	[KIND_THROUGHPUT] = &flood_bulk,
	[KIND_RR] = &flood_rr,
	[KIND_CRR] = &flood_crr,
	[KIND_HOLD] = &flood_hold,
	[KIND_BLOCK] = &flood_block,
	[KIND_UDP] = &flood_udp,
};

/* The run's id: what no other run of these minutes has. */
static void
make_id(struct flood *f)
{
	f->id = (uint64_t)clock_now() * UINT64_C(0x9e3779b97f4a7c15) ^
		(uint64_t)getpid() << 32;
	snprintf(f->run, sizeof(f->run), "%016llx", (unsigned long long)f->id);
}

static void
prepare(struct boss *b, const struct endpoint *to)
{
	struct flood *f = &b->flood;

	*f = (struct flood){ .conf = b->conf,
		.calls = calls[b->kind],
		.kind = b->kind,
		.loop = b->life.loop,
		.report = b->life.report,
		.sight = b->life.sight,
		.sockopts = life_sockopts(&b->life, &b->conf->sockopts),
		.to = *to,
		.say = on_say,
		.arg = b };
	make_id(f);
	b->latest = mem_zero((size_t)b->count, sizeof(*b->latest));
	b->ticked = mem_zero((size_t)b->count, sizeof(*b->ticked));
	for (int i = 0; i < b->count; i++)
		b->latest[i] = (struct flood_totals){ .kind = b->kind,
			.retrans = -1,
			.both_ways = b->conf->bidir,
			.reverse = b->conf->reverse };
}

/* A dump or a fixed local port is for one process alone. */
static int
processes(const struct flood_conf *conf, enum flood_kind kind, int64_t streams)
{
	if (conf->sight.hexdump != NULL || conf->dial.local_port != NULL ||
		kind == KIND_BLOCK || (conf->workers == 0 && kind == KIND_HOLD))
		return 1;
	return workers_count(conf->workers, streams);
}

int
flood_near(
	const struct run *run, const struct endpoint *to, enum flood_kind kind)
{
	const struct flood_conf *conf = run->conf;
	int64_t streams = kind == KIND_HOLD ? conf->hold : conf->parallel;
	struct boss b = { .conf = conf,
		.kind = kind,
		.count = processes(conf, kind, streams) };
	struct life_setup setup = {
		.mode = "flood",
		.manner = REPORT_RESULT,
		.report = &conf->report,
		.sight = &conf->sight,
		.deadline = conf->limits.deadline,
		.stop = on_stop,
		.members = members,
		.arg = &b,
	};
	struct err err = { 0 };
	int code = EXIT_OK, worker = 0;

	if (life_begin(&b.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	prepare(&b, to);
	if (b.count > 1) {
		b.worker = mem_zero((size_t)b.count, sizeof(*b.worker));
		worker = workers_start(
			b.worker, b.count, b.life.loop, &boss_calls, &b, &err);
		if (worker > 0)
			work(&b, worker - 1, streams);
	} else {
		deal(&b.flood, 1, streams);
		flood_begin(&b.flood);
	}
	if (worker == 0)
		code = loop_run(b.life.loop);
	flood_free(&b.flood);
	for (int i = 0; b.worker != NULL && i < b.count; i++)
		worker_close(&b.worker[i]);
	code = worker == 0 ? life_end(&b.life, code) : life_fail(&b.life, &err);
	free(b.worker);
	free(b.latest);
	free(b.ticked);
	hist_free(&b.latency);
	return code;
}
