#include "../../util/dial.h"
#include "../../util/mem.h"
#include "../../util/race.h"
#include "check.h"
#include "ipv6.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

/* What came out of a dial or a race. */
struct outcome {
	int calls, fd;
	struct err err;
	struct addr to;
	double elapsed_ms;
	char early[16];
	struct dial **cancel; /* in done */
};

static const struct sockopts sockopts = SOCKOPTS_DEFAULT;

static void
on_dialed(void *arg, int fd, const struct dial_result *result,
	const struct err *err)
{
	struct outcome *o = arg;

	o->calls++;
	o->fd = fd;
	if (err)
		o->err = *err;
	o->elapsed_ms = result->elapsed_ms;
	if (result->early)
		memcpy(o->early, buf_data(result->early), result->early->len);
	if (o->cancel) {
		dial_cancel(*o->cancel);
		*o->cancel = NULL;
	}
}

static void
on_raced(void *arg, int fd, const struct addr *to, const struct err *err)
{
	struct outcome *o = arg;

	o->calls++;
	o->fd = fd;
	if (err)
		o->err = *err;
	if (to)
		o->to = *to;
}

static void
wait_for(struct loop *loop, const struct outcome *o)
{
	for (int i = 0; i < 4000 && !o->calls; i++)
		loop_turn(loop, 5 * CLOCK_S);
	CHECK_INT(o->calls, 1);
}

/* A listener at host, port 0: any. Its address in *a. */
static int
listen_at(const char *host, int port, int backlog, struct addr *a)
{
	struct err err = { 0 };
	int fd;

	CHECK_INT(addr_numeric(a, host, AF_UNSPEC, port), 0);
	fd = net_socket(a, false, &sockopts, true, &err);
	CHECK_INT(net_bind(fd, a, &err), 0);
	if (backlog >= 0)
		CHECK_INT(listen(fd, backlog), 0);
	addr_of_local(a, fd);
	return fd;
}

/* An address that refuses: bound for as long as fd is open, not listening. */
static int
refuse_at(const char *host, struct addr *a)
{
	return listen_at(host, 0, -1, a);
}

struct call {
	struct net_options net;
	struct dial_options dial;
	int64_t timeout;
	struct endpoint to;
};

static void
set_target(struct call *c, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];
	struct err err = { 0 };

	CHECK_INT(endpoint_parse(&c->to, addr_text(a, text), NULL, &err), 0);
}

static struct dial *
start(struct loop *loop, const struct call *c, struct outcome *o)
{
	struct dial_setup s = {
		.loop = loop,
		.net = &c->net,
		.dial = &c->dial,
		.sockopts = &sockopts,
		.to = c->to,
		.timeout = c->timeout ? c->timeout : 20 * CLOCK_S,
		.done = on_dialed,
		.arg = o,
	};

	*o = (struct outcome){ .fd = -1 };
	return dial_start(&s);
}

static void
run(struct loop *loop, const struct call *c, struct outcome *o)
{
	struct dial *d = start(loop, c, o);

	CHECK_INT(o->calls, 0);
	wait_for(loop, o);
	CHECK((o->fd == -1) == (o->err.text[0] != '\0'));
	o->to = *dial_target(d);
	dial_cancel(d);
}

static void
check_connects(struct loop *loop)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };

	for (int i = 0; i < 1 + have_ipv6(); i++) {
		struct call c = { 0 };
		struct outcome o;
		struct addr a, peer;
		int fd = listen_at(hosts[i], 0, 5, &a);

		set_target(&c, &a);
		run(loop, &c, &o);
		addr_of_peer(&peer, o.fd);
		CHECK(addr_equal(&peer, &a));
		CHECK(addr_equal(&o.to, &a));
		CHECK(o.elapsed_ms > 0.0);
		close(o.fd);
		close(fd);
	}
}

static void
check_refused(struct loop *loop)
{
	struct call c = { 0 };
	struct outcome o;
	struct addr a;
	char text[ADDR_TEXT_MAX];
	int fd = refuse_at("127.0.0.1", &a);

	set_target(&c, &a);
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ECONNREFUSED);
	CHECK_INT(err_exit(&o.err), EXIT_REFUSED);
	CHECK_STR(o.err.text, strerror(ECONNREFUSED));
	CHECK_STR(o.err.target, addr_text(&a, text));

	/* A retry is another try: it ends as refused all the same. */
	c.dial.retry = (struct dial_retry){ 3, CLOCK_MS };
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ECONNREFUSED);

	/* Time is up between two tries: the last reason is told. */
	c.dial.retry = (struct dial_retry){ INT64_MAX, 60 * CLOCK_S };
	c.timeout = 20 * CLOCK_MS;
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ETIMEDOUT);
	CHECK_INT(err_exit(&o.err), EXIT_TIMEOUT);
	CHECK(strstr(o.err.text, strerror(ECONNREFUSED)) != NULL);
	close(fd);
}

static void
check_retry(struct loop *loop)
{
	struct call c = { .dial.retry = { INT64_MAX, CLOCK_MS } };
	struct outcome o;
	struct addr a;
	struct dial *d;
	int fd = refuse_at("127.0.0.1", &a);

	set_target(&c, &a);
	d = start(loop, &c, &o);
	for (int i = 0; i < 20; i++)
		loop_turn(loop, CLOCK_S);
	CHECK_INT(o.calls, 0);
	CHECK_INT(listen(fd, 5), 0);
	wait_for(loop, &o);
	CHECK(o.fd != -1);
	dial_cancel(d);
	close(o.fd);
	close(fd);
}

/* A backlog that is full: SYNs are dropped, on loopback too. */
static int
deaf_at(const char *host, struct addr *a, int filler[2])
{
	int fd = listen_at(host, 0, 0, a);

	for (int i = 0; i < 2; i++) {
		filler[i] = socket(a->ss.ss_family, SOCK_STREAM, 0);
		net_nonblock(filler[i], true);
		connect(filler[i], (struct sockaddr *)&a->ss, a->len);
	}
	return fd;
}

static void
check_timeout(struct loop *loop)
{
	struct call c = { .timeout = 50 * CLOCK_MS };
	struct outcome o;
	struct addr a;
	int filler[2], fd = deaf_at("127.0.0.1", &a, filler);

	set_target(&c, &a);
	run(loop, &c, &o);
	CHECK_STR(o.err.op, "connect");
	CHECK_INT(o.err.number, ETIMEDOUT);
	CHECK_INT(err_exit(&o.err), EXIT_TIMEOUT);
	CHECK(strstr(o.err.text, "gave up after 50 ms") != NULL);
#ifdef _GNU_SOURCE
	CHECK(strstr(o.err.hint, "SYN unanswered") != NULL);
#else /* without TCP_INFO */
	CHECK(strstr(o.err.hint, "no answer") != NULL);
#endif
	close(filler[0]);
	close(filler[1]);
	close(fd);
}

static int
no_port(void)
{
	struct addr a;
	int fd = refuse_at("127.0.0.1", &a);
	int port = addr_port(&a);

	close(fd);
	return port;
}

static void
check_local_port(struct loop *loop)
{
	struct call c = { 0 };
	struct outcome o, again;
	struct addr a, local;
	char port[16];
	int fd = listen_at("127.0.0.1", 0, 5, &a), taken;

	set_target(&c, &a);
	snprintf(port, sizeof(port), "%d", no_port());
	c.dial.local_port = port;
	run(loop, &c, &o);
	addr_of_local(&local, o.fd);
	CHECK_INT(addr_port(&local), atoi(port));

	/* The pair is in use. */
	run(loop, &c, &again);
	CHECK_INT(again.fd, -1);
	CHECK_INT(err_exit(&again.err), EXIT_SETUP);
	close(o.fd);
	close(fd);

	/* The port is, by a listener. */
	taken = listen_at("127.0.0.1", 0, 5, &local);
	fd = listen_at("127.0.0.1", 0, 5, &a);
	set_target(&c, &a);
	snprintf(port, sizeof(port), "%d", addr_port(&local));
	run(loop, &c, &o);
	CHECK_STR(o.err.op, "bind");
	CHECK_INT(o.err.number, EADDRINUSE);
	CHECK_INT(err_exit(&o.err), EXIT_SETUP);
	close(taken);
	close(fd);
}

/* From a port to itself: Linux connects the socket to itself. */
static void
check_self(struct loop *loop)
{
	struct call c = { 0 };
	struct outcome o;
	struct addr a;
	char port[16];

	snprintf(port, sizeof(port), "%d", no_port());
	CHECK_INT(addr_numeric(&a, "127.0.0.1", AF_UNSPEC, atoi(port)), 0);
	c.dial.local_port = port;
	set_target(&c, &a);
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ECONNREFUSED);
}

static void
check_local_address(struct loop *loop)
{
	const char *bind[] = { "::1", "127.0.0.3", "lo" };
	struct call c = { .net.bind = { bind, 2 } };
	struct outcome o;
	struct addr a, local;
	char text[ADDR_TEXT_MAX];
	int fd = listen_at("127.0.0.1", 0, 5, &a);

	set_target(&c, &a);
	run(loop, &c, &o);
	addr_of_local(&local, o.fd);
	CHECK_STR(addr_host(&local, text), "127.0.0.3");
	close(o.fd);

	c.net.bind = (struct opt_list){ bind + 2, 1 };
	run(loop, &c, &o);
	addr_of_local(&local, o.fd);
	CHECK_STR(addr_host(&local, text), "127.0.0.1");
	close(o.fd);

	/* None of the family. */
	c.net.bind = (struct opt_list){ bind, 1 };
	run(loop, &c, &o);
	CHECK_STR(o.err.op, "bind");
	CHECK_INT(err_exit(&o.err), EXIT_SETUP);

	/* None of this host. */
	bind[0] = "192.0.2.1";
	run(loop, &c, &o);
	CHECK_STR(o.err.op, "bind");
	CHECK_INT(o.err.number, EADDRNOTAVAIL);
	CHECK_INT(err_exit(&o.err), EXIT_SETUP);
	close(fd);
}

static void
check_names(struct loop *loop)
{
	const char *names[] = { "lo", "localhost" };
	struct call c = { .dial.retry = { 1, CLOCK_MS } };
	struct outcome o;
	struct err err = { 0 };

	CHECK_INT(
		endpoint_parse(&c.to, "127.0.0.1:no-such-service", NULL, &err),
		0);
	run(loop, &c, &o);
	CHECK_STR(o.err.op, "resolve");
	CHECK_INT(err_exit(&o.err), EXIT_RESOLVE);

	/* What no dial can do is a usage error before it. */
	CHECK_INT(endpoint_parse(&c.to, "localhost:1", NULL, &err), 0);
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), 0);
	c.net.numeric = true;
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), -1);
	CHECK(err.op == NULL);
	run(loop, &c, &o);
	CHECK_INT(err_exit(&o.err), EXIT_REFUSED);
	CHECK_INT(endpoint_parse(&c.to, "127.0.0.1:1", NULL, &err), 0);
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), 0);
	c.net.bind = (struct opt_list){ names, 1 };
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), 0);
	c.net.bind = (struct opt_list){ names, 2 };
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), -1);
	c.net.bind.count = 0;
	c.dial.proxy = "http://127.0.0.1:1";
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), 0);
	c.dial.proxy = "http://localhost:1";
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), -1);
	c.net.numeric = false;
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), 0);
	c.to.datagram = true;
	CHECK_INT(dial_check(&c.dial, &c.net, &c.to, &err), -1);
}

static void
check_unix(struct loop *loop)
{
	char folder[] = "/tmp/dial.XXXXXX", path[64];
	struct call c = { 0 };
	struct outcome o;
	struct addr a, own;
	struct err err = { 0 };
	int fd, filler;

	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/s", folder);
	CHECK_INT(addr_unix(&a, path, &err), 0);
	set_target(&c, &a);
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ENOENT);
	CHECK_INT(err_exit(&o.err), EXIT_REFUSED);

	fd = net_socket(&a, false, &sockopts, false, &err);
	CHECK_INT(net_bind(fd, &a, &err), 0);
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ECONNREFUSED);

	/* A full backlog is waited for. */
	CHECK_INT(listen(fd, 0), 0);
	run(loop, &c, &o);
	filler = o.fd;
	CHECK(filler != -1);
	c.timeout = 50 * CLOCK_MS;
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ETIMEDOUT);
	c.timeout = 0;
	{
		struct dial *d = start(loop, &c, &o);
		struct addr peer;

		for (int i = 0; i < 4; i++)
			loop_turn(loop, CLOCK_S);
		CHECK_INT(o.calls, 0);
		close(net_accept(fd, &peer));
		wait_for(loop, &o);
		CHECK(o.fd != -1);
		close(o.fd);
		dial_cancel(d);
	}
	close(filler);
	close(fd);
	unlink(path);

	/* A datagram client has an address for answers. */
	fd = net_socket(&a, true, &sockopts, false, &err);
	CHECK_INT(net_bind(fd, &a, &err), 0);
	c.to.datagram = true;
	run(loop, &c, &o);
	CHECK(o.fd != -1);
	addr_of_local(&own, o.fd);
	CHECK(own.len > sizeof(sa_family_t));
	CHECK_INT(send(o.fd, "x", 1, 0), 1);
	CHECK_INT(
		sendto(fd, "y", 1, 0, (struct sockaddr *)&own.ss, own.len), 1);
	dial_unlink(o.fd);
	CHECK(access(((struct sockaddr_un *)&own.ss)->sun_path, F_OK) == -1);
	close(o.fd);
	close(fd);
	unlink(path);
	rmdir(folder);
}

static void
check_datagrams(struct loop *loop)
{
	struct call c = { .to.datagram = true };
	struct outcome o;
	struct addr peer, local;
	struct err err = { 0 };

	CHECK_INT(endpoint_parse(&c.to, "udp:127.0.0.1:9", NULL, &err), 0);
	run(loop, &c, &o);
	addr_of_peer(&peer, o.fd);
	CHECK_INT(addr_port(&peer), 9);
	close(o.fd);

	CHECK_INT(endpoint_parse(&c.to, "udp:239.1.2.3:9", NULL, &err), 0);
	run(loop, &c, &o);
	addr_of_peer(&peer, o.fd);
	CHECK_INT(peer.len, 0);
	addr_of_local(&local, o.fd);
	CHECK(addr_port(&local) > 0);
	CHECK_INT(addr_port(&o.to), 9);
	close(o.fd);

	CHECK_INT(
		endpoint_parse(&c.to, "udp:255.255.255.255:9", NULL, &err), 0);
	run(loop, &c, &o);
	{
		int on = 0;
		socklen_t len = sizeof(on);

		getsockopt(o.fd, SOL_SOCKET, SO_BROADCAST, &on, &len);
		CHECK(on != 0);
	}
	close(o.fd);
}

/* Ended at each point: nothing is called, nothing leaks (sanitizers tell). */
static void
check_cancel(struct loop *loop)
{
	struct call c = { .dial.retry = { INT64_MAX, CLOCK_S } };
	struct outcome o;
	struct addr a;
	int filler[2], fd = deaf_at("127.0.0.1", &a, filler);
	struct dial *d;

	set_target(&c, &a);
	for (int turns = 0; turns < 6; turns++) {
		d = start(loop, &c, &o);
		for (int i = 0; i < turns; i++)
			loop_turn(loop, CLOCK_MS);
		dial_cancel(d);
		loop_turn(loop, 0);
		CHECK_INT(o.calls, 0);
	}
	close(filler[0]);
	close(filler[1]);
	close(fd);
	fd = listen_at("127.0.0.1", 0, 5, &a);
	set_target(&c, &a);
	d = start(loop, &c, &o);
	o.cancel = &d;
	wait_for(loop, &o);
	CHECK(d == NULL);
	close(o.fd);
	close(fd);
}

static void
race(struct loop *loop, const struct addr *to, int count, const char *target,
	struct outcome *o)
{
	struct addr_list none = { 0 };
	struct addr_list list = { 0 };
	struct race_setup s = {
		.loop = loop,
		.sockopts = &sockopts,
		.local = &none,
		.target = target,
		.done = on_raced,
		.arg = o,
	};

	for (int i = 0; i < count; i++)
		addr_list_add(&list, &to[i]);
	*o = (struct outcome){ .fd = -1 };
	race_start(&s, &list);
	CHECK_INT(o->calls, 0);
	wait_for(loop, o);
	addr_list_free(&list);
}

static void
check_race(struct loop *loop)
{
	struct addr a[3];
	struct outcome o;
	char want[256], text[2][ADDR_TEXT_MAX];
	int filler[2], fd[3];
	int64_t began;

	/* Two that refuse: both are named, in order. */
	fd[0] = refuse_at("127.0.0.1", &a[0]);
	fd[1] = refuse_at(have_ipv6() ? "::1" : "127.0.0.2", &a[1]);
	race(loop, a, 2, "name:1", &o);
	snprintf(want, sizeof(want), "%s: %s; %s: %s",
		addr_text(&a[0], text[0]), strerror(ECONNREFUSED),
		addr_text(&a[1], text[1]), strerror(ECONNREFUSED));
	CHECK_STR(o.err.text, want);
	CHECK_STR(o.err.target, "name:1");
	CHECK_INT(o.err.number, ECONNREFUSED);

	/* One of a name is named, too. */
	race(loop, a, 1, "name:1", &o);
	snprintf(want, sizeof(want), "%s: %s", text[0], strerror(ECONNREFUSED));
	CHECK_STR(o.err.text, want);

	/* After a refusal the next is tried at once. */
	fd[2] = listen_at("127.0.0.1", 0, 5, &a[2]);
	race(loop, a, 3, "name:1", &o);
	CHECK(addr_equal(&o.to, &a[2]));
	close(o.fd);
	close(fd[0]);

	/* Without an answer, after 250 ms; the silent one is left. */
	fd[0] = deaf_at("127.0.0.2", &a[0], filler);
	a[1] = a[2];
	began = clock_now();
	race(loop, a, 2, "name:1", &o);
	CHECK(addr_equal(&o.to, &a[2]));
	CHECK(clock_now() - began >= 250 * CLOCK_MS);
	close(o.fd);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	close(filler[0]);
	close(filler[1]);

	/* No route to one of them: the refusal tells more. */
	CHECK_INT(addr_numeric(&a[0], "fe80::1", AF_INET6, 9), 0);
	fd[0] = refuse_at("127.0.0.1", &a[1]);
	race(loop, a, 2, "name:1", &o);
	CHECK_INT(o.err.number, ECONNREFUSED);
	close(fd[0]);
}

/* A proxy that answers, with bytes of the target behind its answer. */
static void
check_proxy(struct loop *loop)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\n\r\nearly";
	struct call c = { 0 };
	struct outcome o;
	struct addr a, peer;
	struct err err = { 0 };
	char url[64], text[ADDR_TEXT_MAX];
	struct dial *d;
	int listening = listen_at("127.0.0.1", 0, 5, &a), fd = -1;

	snprintf(url, sizeof(url), "http://%s", addr_text(&a, text));
	CHECK_INT(endpoint_parse(&c.to, "db.example:5432", NULL, &err), 0);
	c.dial.proxy = url;
	d = start(loop, &c, &o);
	while (fd == -1) {
		loop_turn(loop, CLOCK_MS);
		fd = net_accept(listening, &peer);
	}
	CHECK_INT(o.calls, 0);
	CHECK_INT(send(fd, answer, sizeof(answer), 0), sizeof(answer));
	wait_for(loop, &o);
	CHECK(o.fd != -1);
	CHECK_STR(o.early, "early");
	dial_cancel(d);
	close(o.fd);

	/* One that does not answer. */
	c.timeout = 50 * CLOCK_MS;
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ETIMEDOUT);
	CHECK(strstr(o.err.text, "proxy 127.0.0.1:") != NULL);
	CHECK_STR(o.err.target, "db.example:5432");
	close(fd);
	close(listening);

	/* One that is not there. */
	run(loop, &c, &o);
	CHECK_INT(o.err.number, ECONNREFUSED);
	CHECK(strncmp(o.err.text, "proxy 127.0.0.1:", 16) == 0);
	CHECK_STR(o.err.target, "db.example:5432");
}

static void
check_rows(void)
{
	static const struct {
		const char *value;
		int64_t times, pause; /* times 0: refused */
	} rows[] = {
		{ "3", 3, CLOCK_S },
		{ "inf", INT64_MAX, CLOCK_S },
		{ "10,250ms", 10, 250 * CLOCK_MS },
		{ "inf,0.5", INT64_MAX, 500 * CLOCK_MS },
		{ "0", 0, 0 },
		{ "-1", 0, 0 },
		{ "3,", 0, 0 },
		{ "3,0", 0, 0 },
		{ "3,x", 0, 0 },
		{ "3,inf", 0, 0 },
		{ ",1", 0, 0 },
		{ "", 0, 0 },
		{ "9223372036854775807", 0, 0 },
		{ "99999999999999999999999999999999999999", 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dial_retry r = { 0 };
		struct err err = { 0 };
		int result = dial_opts[1].parse(
			&r, rows[i].value, &dial_opts[1], &err);

		CHECK_INT(result, rows[i].times ? 0 : -1);
		CHECK_INT(r.times, rows[i].times);
		CHECK_INT(r.pause, rows[i].pause);
	}
}

int
main(void)
{
	struct loop *loop = loop_new();

	check_rows();
	check_connects(loop);
	check_refused(loop);
	check_retry(loop);
	check_timeout(loop);
	check_local_port(loop);
	check_self(loop);
	check_local_address(loop);
	check_names(loop);
	check_unix(loop);
	check_datagrams(loop);
	check_cancel(loop);
	check_race(loop);
	check_proxy(loop);
	loop_free(loop);
	return check_result();
}
