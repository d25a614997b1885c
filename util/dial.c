#include "dial.h"
#include "mem.h"
#include "num.h"
#include "proxy.h"
#include "race.h"
#include "resolve.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

struct dial {
	struct dial_setup s;
	struct endpoint at; /* whom to connect to: s.to, or the proxy */
	char target[ENDPOINT_TEXT_MAX], at_text[ENDPOINT_TEXT_MAX];
	struct proxy_url via;
	int64_t began, tries; /* tries: left */
	struct addr_list local; /* of -s */
	int named; /* of -s: looked up */
	int local_port, port; /* port: the target's, for a proxy */
	struct resolve resolve;
	struct race *race;
	struct proxy *proxy;
	int fd; /* connected to the proxy */
	struct timer limit, next; /* next: the next try */
	struct err last; /* why the last try failed */
	struct addr to;
	struct buf early;
};

static void look_up_next(struct dial *d);
static void fail(struct dial *d, const struct err *err);

/* Ends what is under way; nothing of the loop is held afterwards. */
static void
stop(struct dial *d)
{
	resolve_cancel(&d->resolve);
	race_cancel(d->race);
	d->race = NULL;
	if (d->proxy)
		proxy_cancel(d->proxy);
	d->proxy = NULL;
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
	loop_cancel(d->s.loop, &d->next);
	loop_cancel(d->s.loop, &d->limit);
}

/* The last that is done: d may be freed in done. */
static void
finish(struct dial *d, int fd, const struct err *err)
{
	struct dial_result result = {
		.elapsed_ms = clock_seconds(clock_now() - d->began) * 1000.0,
		.early = d->early.len ? &d->early : NULL,
	};
	struct err told;

	stop(d);
	if (err && !err->op) { /* what dial_check would have said */
		told = *err;
		told.op = "connect";
		told.number = EINVAL;
		err = &told;
	}
	if (fd != -1 && d->at.transport == TRANSPORT_TCP)
		result.chosen = sockopt_choose_congestion(
			d->s.sockopts, fd, result.congestion);
	d->s.done(d->s.arg, fd, &result, err);
}

/* "proxy 127.0.0.1:1080: " before an error of the way to the proxy. */
static void
blame_proxy(const struct dial *d, struct err *err)
{
	struct err plain = *err;

	if (!d->s.dial->proxy)
		return;
	snprintf(err->target, sizeof(err->target), "%.*s", ERR_TARGET_MAX - 1,
		d->target);
	snprintf(err->text, sizeof(err->text), "proxy %s: %.*s", d->at_text,
		(int)sizeof(err->text) - ENDPOINT_TEXT_MAX - 16, plain.text);
}

static void
on_limit(void *arg)
{
	struct dial *d = arg;
	char after[NUM_MAX];
	struct err err = { 0 };

	num_show_time(d->s.timeout, after);
	if (d->race) {
		race_expired(d->race, d->s.timeout, &err);
		blame_proxy(d, &err);
	} else if (d->proxy) {
		err_setf(&err, "connect", ETIMEDOUT, d->target,
			"gave up after %s: proxy %s did not answer", after,
			d->at_text);
	} else {
		err_setf(&err, "connect", ETIMEDOUT, d->target,
			"gave up after %s: %.300s", after,
			timer_set(&d->next) ? d->last.text
					    : "the name look-up takes longer");
	}
	finish(d, -1, &err);
}

static void
on_proxied(void *arg, struct buf *early, const struct err *err)
{
	struct dial *d = arg;
	int fd = d->fd;

	d->proxy = NULL;
	if (err) {
		fail(d, err);
		return;
	}
	d->early = *early;
	*early = (struct buf){ 0 };
	d->fd = -1;
	finish(d, fd, NULL);
}

static void
on_raced(void *arg, int fd, const struct addr *to, const struct err *err)
{
	struct dial *d = arg;
	struct err own = { 0 };

	d->race = NULL;
	if (fd == -1) {
		own = *err;
		blame_proxy(d, &own);
		fail(d, &own);
		return;
	}
	d->to = *to;
	if (sockopts_apply(d->s.sockopts, fd, SOCKOPT_CONNECTED, false, &own) ==
		-1) {
		close(fd);
		fail(d, &own);
		return;
	}
	if (!d->s.dial->proxy) {
		finish(d, fd, NULL);
		return;
	}
	d->fd = fd;
	d->proxy = proxy_start(
		&(struct proxy_setup){
			.loop = d->s.loop,
			.url = &d->via,
			.host = d->s.to.host,
			.port = d->port,
			.done = on_proxied,
			.arg = d,
		},
		fd);
}

static void
start_race(struct dial *d, const struct addr_list *list)
{
	d->race = race_start(
		&(struct race_setup){
			.loop = d->s.loop,
			.report = d->s.report,
			.sockopts = d->s.sockopts,
			.datagram = d->at.datagram,
			.local = &d->local,
			.local_port = d->local_port,
			.target = d->at_text,
			.done = on_raced,
			.arg = d,
		},
		list);
}

static void
on_found(void *arg, const struct addr_list *list, const struct err *err)
{
	if (list)
		start_race(arg, list);
	else
		fail(arg, err);
}

static void
on_local(void *arg, const struct addr_list *list, const struct err *err)
{
	struct dial *d = arg;

	if (!list) {
		fail(d, err);
		return;
	}
	for (int i = 0; i < list->count; i++)
		addr_list_add(&d->local, &list->item[i]);
	d->named++;
	look_up_next(d);
}

/* First the local addresses, then the target's. */
static void
look_up_next(struct dial *d)
{
	const struct net_options *net = d->s.net;
	bool local = d->named < net->bind.count;
	struct resolve_query q = {
		.host = local ? net->bind.item[d->named] : d->at.host,
		.port = local ? "0" : d->at.port,
		.family = net_family(net),
		.datagram = d->at.datagram,
		.numeric = net->numeric,
		.passive = local, /* an interface's name stands, too */
		.timeout = CLOCK_NONE,
	};

	resolve_start(
		d->s.loop, &d->resolve, &q, local ? on_local : on_found, d);
}

static void
try(void *arg)
{
	struct dial *d = arg;
	struct addr_list one = { 0 };
	struct addr a;
	struct err err = { 0 };

	if (d->at.transport != TRANSPORT_UNIX) {
		look_up_next(d);
		return;
	}
	if (addr_unix(&a, d->at.host, &err) == -1) {
		fail(d, &err);
		return;
	}
	addr_list_add(&one, &a);
	start_race(d, &one);
	addr_list_free(&one);
}

/* What may be otherwise in a moment: nobody listened, no name was found, the
 * local port was taken. */
static bool
is_passing(const struct err *e)
{
	return e->op &&
		(strcmp(e->op, "connect") == 0 ||
			strcmp(e->op, "resolve") == 0 ||
			e->number == EADDRINUSE);
}

static void
fail(struct dial *d, const struct err *err)
{
	const struct dial_retry *retry = &d->s.dial->retry;
	char line[ERR_LINE_MAX], pause[NUM_MAX];

	if (d->tries == 0 || !is_passing(err)) {
		finish(d, -1, err);
		return;
	}
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
	if (d->tries != INT64_MAX)
		d->tries--;
	d->last = *err;
	if (d->s.report)
		report_note(d->s.report, 1, "%s; trying again in %s",
			err_line(err, line, sizeof(line)),
			num_show_time(retry->pause, pause));
	loop_timer(d->s.loop, &d->next, retry->pause, try, d);
}

static int
prepare_proxy(struct dial *d, struct err *err)
{
	if (proxy_parse(&d->via, d->s.dial->proxy, err) == -1)
		return -1;
	d->at = d->via.at;
	endpoint_text(&d->at, d->at_text);
	d->port = resolve_port(d->s.to.port, false, err);
	return d->port == -1 ? -1 : 0;
}

static void
begin(void *arg)
{
	struct dial *d = arg;
	const struct dial_options *o = d->s.dial;
	struct err err = { 0 };

	if (o->local_port)
		d->local_port = resolve_port(
			o->local_port, d->s.to.datagram, &err);
	if (d->local_port == -1 || (o->proxy && prepare_proxy(d, &err) == -1))
		finish(d, -1, &err);
	else
		try(d);
}

int
dial_check(const struct dial_options *o, const struct net_options *net,
	const struct endpoint *to, struct err *err)
{
	struct proxy_url via;

	if (o->proxy && (to->datagram || to->transport != TRANSPORT_TCP))
		return err_setf(err, NULL, 0, NULL,
			"--proxy: only for TCP connections");
	if (to->transport == TRANSPORT_UNIX)
		return 0;
	if (net_check_local(net, o->local_port, err) == -1)
		return -1;
	if (o->proxy && net->numeric &&
		(proxy_parse(&via, o->proxy, err) == -1 ||
			net_check_host(net, via.at.host, err) == -1))
		return -1;
	return net_check_host(net, to->host, err);
}

struct dial *
dial_start(const struct dial_setup *s)
{
	struct dial *d = mem_zero(1, sizeof(*d));

	d->s = *s;
	d->at = s->to;
	endpoint_text(&d->at, d->at_text);
	endpoint_text(&s->to, d->target);
	d->fd = -1;
	d->tries = s->dial->retry.times;
	d->began = clock_now();
	loop_timer(s->loop, &d->next, 0, begin, d);
	loop_timer(s->loop, &d->limit, s->timeout, on_limit, d);
	return d;
}

const struct addr *
dial_target(const struct dial *d)
{
	return &d->to;
}

void
dial_cancel(struct dial *d)
{
	if (!d)
		return;
	stop(d);
	addr_list_free(&d->local);
	buf_free(&d->early);
	free(d);
}

void
dial_connected(struct conn *c, const struct dial_result *result)
{
	conn_connected(
		c, result->elapsed_ms, result->congestion, result->chosen);
}

void
dial_unlink(int fd)
{
	struct addr local;
	const struct sockaddr_un *un = (const void *)&local.ss;

	addr_of_local(&local, fd);
	if (local.len > sizeof(sa_family_t) && local.ss.ss_family == AF_UNIX &&
		un->sun_path[0])
		unlink(un->sun_path);
}
