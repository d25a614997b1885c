/* flood -p: the far side as a whole: its listener and its processes. The boss
 * accepts, serves the first client of each round itself, and hands the others
 * to workers. */
#include "flood_far.h"
#include "../util/mem.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Between boss and workers. The padding of what is said goes, too: zeroed. */
enum { SAY_GONE = 1, TELL_SERVE, TELL_END };

struct given {
	unsigned id;
	struct addr peer;
};

struct farewell {
	struct flood_totals totals;
	int code;
};

static void
over(struct far *far)
{
	if (far->live == 0)
		loop_stop(far->loop, life_code(&far->life, far->code));
}

void
far_gone(struct far *far, const struct flood_totals *t, int code)
{
	struct farewell bye;

	memset(&bye, 0, sizeof(bye));
	bye.totals = *t;
	bye.code = code;
	far->live--;
	if (far->boss != NULL) {
		worker_send(far->boss, SAY_GONE, &bye, sizeof(bye), -1);
		return;
	}
	flood_totals_add(&far->total, t);
	if (far->conf->listen.once)
		far->code = err_worst(far->code, code);
	if (far->listener != NULL && far->udp == NULL)
		listener_gone(far->listener);
	if (far->stopping || far->conf->listen.once)
		over(far);
}

static void
end_clients(struct far *far)
{
	far->stopping = true;
	far_end_clients(far);
}

static void
on_given(void *arg, struct worker *w, unsigned type, const void *data, size_t n,
	int fd)
{
	const struct given *g = data;

	(void)w;
	(void)n;
	if (type == TELL_END)
		end_clients(arg);
	else if (fd != -1)
		far_serve(arg, fd, g->id, &g->peer);
}

static void
on_boss_gone(void *arg, struct worker *w, int status)
{
	(void)arg;
	(void)w;
	(void)status;
	_exit(EXIT_OK);
}

static void
on_said(void *arg, struct worker *w, unsigned type, const void *data, size_t n,
	int fd)
{
	const struct farewell *bye = data;
	struct far *far = arg;

	(void)type;
	(void)n;
	(void)fd;
	far->lent[w->index]--;
	far_gone(far, &bye->totals, bye->code);
}

/* With all clients that it had; those to come are this process's. */
static void
on_worker_gone(void *arg, struct worker *w, int status)
{
	const struct flood_totals lost = {
		.retrans = -1, .connections = 1, .errors = 1
	};
	struct far *far = arg;
	struct err err = { 0 };

	if (far->listener == NULL) /* this side ended the talk: close_far */
		return;
	err_setf(&err, "exec", 0, NULL, "a worker ended early (status %d)",
		child_code(status));
	report_error(far->report, NULL, &err);
	for (; far->lent[w->index] > 0; far->lent[w->index]--)
		far_gone(far, &lost, EXIT_LOCAL);
}

static const struct worker_calls boss_calls = { on_said, on_worker_gone };
static const struct worker_calls worker_calls = { on_given, on_boss_gone };

static void
on_client(void *arg, int fd, unsigned id, const struct addr *peer)
{
	struct far *far = arg;
	struct given g;
	int turn = (int)(far->given++ % (unsigned)far->workers);

	memset(&g, 0, sizeof(g));
	g.id = id;
	g.peer = *peer;
	loop_cancel(far->loop, &far->limit); /* -w: somebody came */
	if (turn > 0 &&
		worker_send(&far->worker[turn - 1], TELL_SERVE, &g, sizeof(g),
			fd) == 0) {
		far->live++;
		far->lent[turn - 1]++;
		close(fd);
		return;
	}
	far_serve(far, fd, id, peer);
}

static void
on_signal(void *arg, int signo)
{
	(void)arg;
	(void)signo;
}

static _Noreturn void
work(struct far *far, int index)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	struct err err = { 0 };

	far->boss = &far->worker[index];
	far->loop = loop_new();
	far->live = 0;
	for (int i = 0; i < 4; i++)
		loop_signal(far->loop, ignored[i], on_signal, NULL);
	far->sight = sight_open(
		&far->conf->sight, far->loop, far->report, &err);
	worker_join(far->boss, far->loop, &worker_calls, far);
	loop_run(far->loop);
	_exit(EXIT_OK);
}

static void
on_stop_limit(void *arg)
{
	struct far *far = arg;

	far->live = 0;
	over(far);
}

static void
on_stop(void *arg, const struct err *why)
{
	struct far *far = arg;

	if (why != NULL)
		far->code = EXIT_TIMEOUT;
	if (far->listener != NULL)
		listener_shut(far->listener);
	loop_timer(far->loop, &far->limit, CLOCK_S, on_stop_limit, far);
	for (int i = 0; i < far->workers - 1; i++)
		worker_send(&far->worker[i], TELL_END, NULL, 0, -1);
	end_clients(far);
	if (far->udp != NULL)
		udp_far_stop(far);
	over(far);
}

static void
on_nobody(void *arg)
{
	struct far *far = arg;
	struct err err = { 0 };

	err_setf(&err, "wait", ETIMEDOUT, NULL, "nobody came in time");
	report_error(far->report, NULL, &err);
	far->code = EXIT_TIMEOUT;
	over(far);
}

static size_t
members(void *arg, struct field *out)
{
	struct far *far = arg;
	struct hist none = { 0 };
	size_t n;

	flood_totals_cpu(&far->total);
	n = flood_members(out, &far->room, &far->total, &none, far->conf,
		far->total.ended);
	out[n++] = (struct field)F_UINT("denied",
		far->listener != NULL ? listener_denied(far->listener) : 0);
	return n;
}

static void
on_socket(void *arg, int fd, const struct addr *local)
{
	(void)local;
	udp_far_add(arg, fd);
}

static int
open_far(struct far *far, struct err *err)
{
	const struct flood_conf *conf = far->conf;
	struct listener_setup setup = { .loop = far->loop,
		.report = far->report,
		.net = &conf->net,
		.listen = &conf->listen,
		.sockopts = &far->sockopts,
		.datagram = conf->net.udp,
		.on_client = on_client,
		.on_socket = on_socket,
		.arg = far };
	int worker = 0;

	/* Before anything is open that a worker would hold open, too. */
	if (far->workers > 1) {
		far->worker = mem_zero(
			(size_t)far->workers - 1, sizeof(*far->worker));
		worker = workers_start(far->worker, far->workers - 1, far->loop,
			&boss_calls, far, err);
	}
	if (worker > 0)
		work(far, worker - 1);
	if (worker == -1)
		return -1;
	far->listener = listener_open(&setup, err);
	if (far->listener == NULL)
		return -1;
	loop_timer(
		far->loop, &far->limit, conf->limits.timeout, on_nobody, far);
	return 0;
}

static void
close_far(struct far *far)
{
	for (int i = 0; far->worker != NULL && i < far->workers - 1; i++)
		worker_close(&far->worker[i]);
	listener_free(far->listener);
	far->listener = NULL;
	udp_far_free(far);
	far_bury(far);
	flood_memory_free(&far->memory);
}

int
flood_far(const struct run *run)
{
	const struct flood_conf *conf = run->conf;
	struct far far = { .conf = conf,
		.total = { .retrans = -1,
			.both_ways = true,
			.reverse = true,
			.kind = conf->net.udp ? KIND_UDP : KIND_THROUGHPUT } };
	struct life_setup setup = {
		.mode = "flood",
		.manner = REPORT_RESULT,
		.server = true,
		.report = &conf->report,
		.sight = &conf->sight,
		.deadline = conf->limits.deadline,
		.stop = on_stop,
		.members = members,
		.arg = &far,
	};
	struct err err = { 0 };
	int code;

	if (life_begin(&far.life, &setup, &err) == -1)
		return mode_refuse(run, &err);
	far.loop = far.life.loop;
	far.report = far.life.report;
	far.sight = far.life.sight;
	far.sockopts = life_sockopts(&far.life, &conf->sockopts);
	/* Datagrams all come to one socket, and a dump is one file. */
	far.workers = conf->net.udp || conf->sight.hexdump != NULL
		? 1
		: workers_count(conf->workers, WORKERS_MAX);
	if (open_far(&far, &err) == 0) {
		code = loop_run(far.loop);
		close_far(&far);
		code = life_end(&far.life, code);
	} else {
		close_far(&far);
		code = life_fail(&far.life, &err);
	}
	free(far.worker);
	return code;
}
