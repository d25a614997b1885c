#include "transfer.h"
#include "num.h"
#include "term.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define AT(field, type) OPT_AT(struct transfer_conf, field, type)

const struct opt transfer_opts[] = {
	{ .name = "raw",
		.type = OPT_FLAG,
		.help = "no protocol, bytes until the end: for netcat peers",
		.offset = AT(raw, bool) },
	{ .name = "rate",
		.type = OPT_RATE,
		.word = "RATE",
		.help = "no faster than this on average",
		.offset = AT(pace.rate, uint64_t) },
	{ .name = "no-verify",
		.type = OPT_FLAG,
		.help = "no checksums of content",
		.offset = AT(plain, bool) },
	{ .name = "progress",
		.type = OPT_FLAG,
		.help = "show progress where standard error is no terminal too",
		.offset = AT(progress, bool) },
	{ .name = "no-progress",
		.type = OPT_FLAG,
		.help = "show none",
		.offset = AT(no_progress, bool) },
	{ 0 },
};

static const char *const status_name[TRANSFER_STATUSES] = { "ok", "skipped",
	"refused", "failed" };

int
transfer_place(struct transfer *t, const struct transfer_conf *conf,
	bool listens, int argc, char **argv, struct err *err)
{
	struct endpoint word;
	int used;

	*t = (struct transfer){ .conf = conf, .once = conf->listen.once };
	if (conf->net.udp)
		return err_setf(err, NULL, 0, NULL,
			"a file needs a stream: there is no --udp here");
	t->listens = conf->listen.port || (conf->net.path && listens);
	if (t->listens)
		return listener_check(&conf->listen, &conf->net, err);
	if (conf->net.path)
		used = 0;
	else if (argc == 0)
		return err_setf(err, NULL, 0, NULL, NET_NEITHER);
	else
		used = argc == 1 ||
				endpoint_parse(&word, argv[0], NULL, err) == 0
			? 1
			: 2;
	if (net_endpoint(&t->to, &conf->net, used, argv, err) == -1 ||
		dial_check(&conf->dial, &conf->net, &t->to, err) == -1)
		return -1;
	return used;
}

static int64_t
elapsed(const struct transfer *t)
{
	if (t->began == 0)
		return 0;
	return (t->sessions ? loop_now(t->life.loop) : t->ended) - t->began;
}

static size_t
members(void *arg, struct field *out)
{
	struct transfer *t = arg;
	double seconds = clock_seconds(elapsed(t));
	uint64_t files = 0;
	size_t n = 0, i;

	for (i = 0; i < TRANSFER_STATUSES; i++)
		files += t->count[i];
	out[n++] = (struct field)F_UINT("files", files);
	out[n++] = (struct field)F_UINT("bytes", t->bytes);
	for (i = 0; i < TRANSFER_STATUSES; i++)
		out[n++] = (struct field)F_UINT(status_name[i], t->count[i]);
	out[n++] = (struct field)F_REAL("elapsed_s", seconds, 6);
	if (seconds > 0)
		out[n++] = (struct field)F_REAL(
			"bytes_per_second", (double)t->bytes / seconds, 1);
	else
		out[n++] = (struct field)F_NULL("bytes_per_second");
	meter_clear(&t->meter);
	return n;
}

static void
finish(struct transfer *t, int code)
{
	loop_stop(t->life.loop, life_code(&t->life, code));
}

static void
stop_all(struct transfer *t, bool at_once)
{
	struct transfer_session *s;

	if (!t->sessions)
		finish(t, t->code);
	for (s = t->sessions; s; s = s->next)
		s->stop(s->arg, at_once);
}

static void
on_hurry(void *arg)
{
	stop_all(arg, true);
}

static void
on_stop(void *arg, const struct err *why)
{
	struct transfer *t = arg;

	t->stopping = true;
	t->code = why ? EXIT_TIMEOUT : EXIT_OK;
	meter_clear(&t->meter);
	if (t->listener)
		listener_shut(t->listener);
	dial_cancel(t->dial);
	t->dial = NULL;
	stop_all(t, why != NULL);
	loop_timer(t->life.loop, &t->timer, CLOCK_S, on_hurry, t);
}

static void
release(void *arg)
{
	struct transfer *t = arg;

	listener_free(t->listener);
	dial_cancel(t->dial);
	buf_free(&t->out);
	buf_free(&t->frame);
}

int
transfer_begin(struct transfer *t, const char *mode, enum report_manner manner,
	struct err *err)
{
	const struct transfer_conf *conf = t->conf;
	struct life_setup s = {
		.mode = mode,
		.manner = manner,
		.server = t->listens,
		.report = &conf->report,
		.sight = &conf->sight,
		.deadline = conf->limits.deadline,
		.stop = on_stop,
		.members = members,
		.release = release,
		.arg = t,
	};

	if (life_begin(&t->life, &s, err) == -1)
		return -1;
	t->sockopts = life_sockopts(&t->life, &conf->sockopts);
	meter_start(&t->meter,
		conf->progress ||
			(term_is(STDERR_FILENO) && !conf->no_progress &&
				!conf->report.quiet && !conf->report.json));
	return 0;
}

static void
on_client(void *arg, int fd, unsigned id, const struct addr *peer)
{
	struct transfer *t = arg;
	char congestion[16];

	(void)peer;
	loop_cancel(t->life.loop, &t->timer);
	if (t->once)
		listener_shut(t->listener);
	(void)sockopt_choose_congestion(&t->sockopts, fd, congestion);
	meter_clear(&t->meter);
	t->open(t, fd, id, NULL);
}

static void
on_dialed(void *arg, int fd, const struct dial_result *result,
	const struct err *err)
{
	struct transfer *t = arg;

	if (fd != -1) {
		t->open(t, fd, 1, result);
		return;
	}
	report_error(t->life.report, NULL, err);
	finish(t, (int)err_exit(err));
}

/* -w of a listener that serves one: nobody came. */
static void
on_nobody(void *arg)
{
	struct transfer *t = arg;
	struct err err = { 0 };
	char time[NUM_MAX];

	err_setf(&err, "wait", ETIMEDOUT, NULL, "no connection within %s",
		num_show_time(t->conf->limits.timeout, time));
	report_error(t->life.report, NULL, &err);
	listener_shut(t->listener);
	finish(t, EXIT_TIMEOUT);
}

static int
start_listening(struct transfer *t, struct err *err)
{
	t->listener = listener_open(
		&(struct listener_setup){
			.loop = t->life.loop,
			.report = t->life.report,
			.net = &t->conf->net,
			.listen = &t->conf->listen,
			.sockopts = &t->sockopts,
			.on_client = on_client,
			.arg = t,
		},
		err);
	if (!t->listener)
		return -1;
	if (t->once)
		loop_timer(t->life.loop, &t->timer, t->conf->limits.timeout,
			on_nobody, t);
	return 0;
}

static void
start_dialing(struct transfer *t)
{
	t->dial = dial_start(&(struct dial_setup){
		.loop = t->life.loop,
		.report = t->life.report,
		.net = &t->conf->net,
		.dial = &t->conf->dial,
		.sockopts = &t->sockopts,
		.to = t->to,
		.timeout = t->conf->limits.timeout,
		.done = on_dialed,
		.arg = t,
	});
}

int
transfer_run(struct transfer *t)
{
	struct err err = { 0 };

	if (t->listens && start_listening(t, &err) == -1)
		return life_fail(&t->life, &err);
	if (t->ready)
		t->ready(t);
	if (!t->listens)
		start_dialing(t);
	return life_run(&t->life);
}

void
transfer_connected(struct conn *c, const struct dial_result *result)
{
	if (result)
		dial_connected(c, result);
	else
		conn_accepted(c);
}

void
transfer_joined(struct transfer *t, struct transfer_session *s)
{
	s->next = t->sessions;
	t->sessions = s;
	if (t->began == 0)
		t->began = loop_now(t->life.loop);
}

void
transfer_left(struct transfer *t, struct transfer_session *s, int code)
{
	struct transfer_session **at = &t->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	t->ended = loop_now(t->life.loop);
	if (t->listener)
		listener_gone(t->listener);
	if (t->stopping && !t->sessions)
		finish(t, t->code);
	else if (!t->stopping && (!t->listens || t->once))
		finish(t, code);
}

void
transfer_tell(struct transfer *t, const struct conn *c,
	const struct transfer_file *f, const struct err *err)
{
	int64_t now = loop_now(t->life.loop);
	struct report_conn id = conn_id(c);
	char hash[32];

	snprintf(hash, sizeof hash, "xxh64:%016llx",
		(unsigned long long)f->hash);
	t->count[f->status]++;
	meter_clear(&t->meter);
	REPORT(t->life.report, EV_FILE, &id, F_STR("name", f->name),
		F_KNOWN("size", f->size), F_UINT("offset", f->offset),
		F_UINT("bytes", f->bytes),
		F_STR("hash", f->hashed ? hash : NULL),
		F_STR("status", status_name[f->status]),
		F_STR("reason", f->reason),
		F_REAL("elapsed_s", clock_seconds(now - f->began), 6));
	if (err)
		report_error(t->life.report, &id, err);
}

void
transfer_moved(struct transfer *t, size_t n)
{
	t->bytes += n;
}
