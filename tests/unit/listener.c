#include "../../util/listener.h"
#include "../../util/mem.h"
#include "../../util/passive.h"
#include "check.h"
#include "ipv6.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 256 };

/* A listener, what it brought, and what it said. */
struct scene {
	struct loop *loop;
	struct report *report;
	struct listener *l;
	struct net_options net;
	struct listen_options listen;
	struct sockopts sockopts;
	bool datagram, activation, never_accept;
	int64_t pause;
	int fd[CLIENTS], clients; /* that came */
	unsigned last_id;
	int bound[4], bound_count; /* of a datagram listener */
	int pause_after; /* clients; 0: never */
	bool shut; /* by the next client */
	char folder[32], log[64], file[64], path[64];
	char text[64 * 1024]; /* of the log */
	struct err err;
};

static void
on_client(void *arg, int fd, unsigned id, const struct addr *peer)
{
	struct scene *s = arg;

	CHECK(peer->len > 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK_INT(id, s->last_id + 1);
	s->last_id = id;
	s->fd[s->clients++] = fd;
	if (s->clients == s->pause_after)
		listener_pause(s->l, true);
	if (s->shut)
		listener_shut(s->l);
}

static void
on_socket(void *arg, int fd, const struct addr *local)
{
	struct scene *s = arg;

	CHECK(local->len > 0);
	s->bound[s->bound_count++] = fd;
}

static void
scene_begin(struct scene *s, struct loop *loop)
{
	struct report_options o = { .json = true, .verbose = true };

	*s = (struct scene){ .loop = loop,
		.listen = LISTEN_DEFAULT,
		.sockopts = SOCKOPTS_DEFAULT };
	strcpy(s->folder, "/tmp/listener.XXXXXX");
	CHECK(mkdtemp(s->folder) != NULL);
	snprintf(s->log, sizeof(s->log), "%s/log", s->folder);
	snprintf(s->file, sizeof(s->file), "%s/port", s->folder);
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	o.log = s->log;
	s->report = report_open(&o, "serve", REPORT_LISTENER, &s->err);
	CHECK(s->report != NULL);
	s->listen.port = "0";
}

static bool
scene_open(struct scene *s)
{
	struct listener_setup setup = {
		.loop = s->loop,
		.report = s->report,
		.net = &s->net,
		.listen = &s->listen,
		.sockopts = &s->sockopts,
		.datagram = s->datagram,
		.activation = s->activation,
		.never_accept = s->never_accept,
		.pause = s->pause,
		.on_client = on_client,
		.on_socket = on_socket,
		.arg = s,
	};

	s->err = (struct err){ 0 };
	s->l = listener_open(&setup, &s->err);
	return s->l != NULL;
}

static void
scene_end(struct scene *s)
{
	listener_free(s->l);
	report_close(s->report);
	for (int i = 0; i < s->clients; i++)
		close(s->fd[i]);
	for (int i = 0; i < s->bound_count; i++)
		close(s->bound[i]);
	unlink(s->log);
	unlink(s->file);
	CHECK_INT(rmdir(s->folder), 0); /* nothing else was left behind */
}

/* How often word stands in what was said. */
static int
said(struct scene *s, const char *word)
{
	FILE *f = fopen(s->log, "r");
	const char *at = s->text;
	int count = 0;
	size_t n;

	if (!CHECK(f != NULL))
		return -1;
	n = fread(s->text, 1, sizeof(s->text) - 1, f);
	s->text[n] = '\0';
	fclose(f);
	while (*word && (at = strstr(at, word)) != NULL) {
		count++;
		at++;
	}
	return count;
}

static int
port_of(struct scene *s)
{
	const char *at;
	int port = -1;

	said(s, "");
	at = strstr(s->text, "\"local\":\"127.0.0.1:");
	if (!at)
		at = strstr(s->text, "\"local\":\"0.0.0.0:");
	if (!CHECK(at && sscanf(at, "\"local\":\"%*[0-9.]:%d", &port) == 1))
		return -1;
	return port;
}

static void
turns(struct scene *s, int n)
{
	for (int i = 0; i < n; i++)
		loop_turn(s->loop, 2 * CLOCK_MS);
}

static int
knock(const char *host, int port)
{
	struct addr a;
	int fd;

	CHECK_INT(addr_numeric(&a, host, AF_UNSPEC, port), 0);
	fd = socket(a.ss.ss_family, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&a.ss, a.len) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
check_families(struct loop *loop)
{
	static const struct {
		bool four, six, udp;
		int sockets;
	} rows[] = {
		{ false, false, false, 2 },
		{ true, false, false, 1 },
		{ false, true, false, 1 },
		{ false, false, true, 2 },
	};

	for (size_t i = 0; i < COUNT(rows) && have_ipv6(); i++) {
		struct scene s;
		char want[64];

		scene_begin(&s, loop);
		s.net.four = rows[i].four;
		s.net.six = rows[i].six;
		s.datagram = rows[i].udp;
		s.listen.port_file = s.file;
		CHECK(scene_open(&s));
		CHECK_INT(said(&s, "\"event\":\"listening\""), rows[i].sockets);
		if (rows[i].sockets == 2) {
			snprintf(want, sizeof(want), "\"local\":\"[::]:%d\"",
				port_of(&s));
			CHECK_INT(said(&s, want), 1);
		}
		CHECK_INT(said(&s,
				  rows[i].udp ? "\"backlog\":null"
					      : "\"backlog\":"),
			rows[i].sockets);
		CHECK_INT(s.bound_count, rows[i].udp ? 2 : 0);
		scene_end(&s);
	}
}

static void
check_accept(struct loop *loop)
{
	struct scene s;
	FILE *f;
	int port = 0, fd[3];

	scene_begin(&s, loop);
	s.listen.port_file = s.file;
	s.listen.backlog = 3;
	CHECK(scene_open(&s));
	CHECK_INT(said(&s, "\"backlog\":3"), said(&s, "listening"));
	f = fopen(s.file, "r");
	CHECK(f && fscanf(f, "%d", &port) == 1 && fgetc(f) == '\n');
	fclose(f);
	CHECK_INT(port, port_of(&s));
	for (int i = 0; i < 3; i++)
		fd[i] = knock("127.0.0.1", port);
	turns(&s, 3);
	CHECK_INT(s.clients, 3);
	CHECK_INT(listener_accepted(s.l), 3);
	listener_gone(s.l);

	/* The second listener: in use. */
	{
		struct scene second;
		char text[16];

		scene_begin(&second, loop);
		snprintf(text, sizeof(text), "%d", port);
		second.listen.port = text;
		CHECK(!scene_open(&second));
		CHECK_INT(second.err.number, EADDRINUSE);
		CHECK_INT(err_exit(&second.err), EXIT_SETUP);
		scene_end(&second);
	}
	listener_shut(s.l);
	CHECK_INT(knock("127.0.0.1", port), -1);
	listener_gone(s.l);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	scene_end(&s);
}

#ifdef SO_PEERNAME
/* Gone by a reset before it was accepted: it still has a name. */
static void
check_reset(struct loop *loop)
{
	struct scene s;
	struct addr local, peer;
	int fd;

	scene_begin(&s, loop);
	s.net.four = true;
	CHECK(scene_open(&s));
	fd = knock("127.0.0.1", port_of(&s));
	addr_of_local(&local, fd);
	net_reset(fd);
	turns(&s, 3);
	CHECK_INT(s.clients, 1);
	addr_of_peer(&peer, s.fd[0]);
	CHECK(addr_equal(&peer, &local));
	scene_end(&s);
}
#else
static void
check_reset(struct loop *loop)
{
	(void)loop;
}
#endif

static void
check_pauses(struct loop *loop)
{
	struct scene s;
	int fd[6], port;

	scene_begin(&s, loop);
	s.net.four = true;
	s.listen.max_clients = 2;
	CHECK(scene_open(&s));
	port = port_of(&s);
	for (int i = 0; i < 6; i++)
		fd[i] = knock("127.0.0.1", port);
	turns(&s, 4);
	CHECK_INT(s.clients, 2);
	listener_gone(s.l);
	turns(&s, 4);
	CHECK_INT(s.clients, 3);

	/* The mode says when: also from within on_client. */
	s.pause_after = 4;
	listener_gone(s.l);
	listener_gone(s.l);
	turns(&s, 4);
	CHECK_INT(s.clients, 4);
	s.shut = true;
	listener_pause(s.l, false);
	turns(&s, 4);
	CHECK_INT(s.clients, 5);
	CHECK_INT(knock("127.0.0.1", port), -1);
	for (int i = 0; i < 6; i++)
		close(fd[i]);
	scene_end(&s);

	/* --pause-accept */
	scene_begin(&s, loop);
	s.net.four = true;
	s.pause = 60 * CLOCK_MS;
	CHECK(scene_open(&s));
	fd[0] = knock("127.0.0.1", port_of(&s));
	loop_turn(loop, CLOCK_MS);
	CHECK_INT(s.clients, 0);
	for (int i = 0; i < 1000 && !s.clients; i++)
		loop_turn(loop, CLOCK_S);
	CHECK_INT(s.clients, 1);
	close(fd[0]);
	scene_end(&s);

	/* --behave never-accept */
	scene_begin(&s, loop);
	s.net.four = true;
	s.never_accept = true;
	CHECK(scene_open(&s));
	fd[0] = knock("127.0.0.1", port_of(&s));
	CHECK(fd[0] != -1);
	turns(&s, 4);
	CHECK_INT(s.clients, 0);
	close(fd[0]);
	scene_end(&s);
}

static void
check_denied(struct loop *loop)
{
	struct scene s;
	struct addr a;
	char c;
	int fd;

	scene_begin(&s, loop);
	s.net.four = true;
	CHECK_INT(cidr_add(&s.listen.rules, "127.0.0.0/8", false, &s.err), 0);
	CHECK(scene_open(&s));
	fd = knock("127.0.0.1", port_of(&s));
	CHECK(fd != -1);
	turns(&s, 3);
	CHECK_INT(s.clients, 0);
	CHECK_INT(read(fd, &c, 1), 0);
	CHECK_INT(listener_denied(s.l), 1);
	CHECK_INT(said(&s, "\"event\":\"denied\""), 1);
	CHECK_INT(said(&s, "\"rule\":\"deny 127.0.0.0/8\""), 1);

	/* Datagrams: once an address. */
	addr_numeric(&a, "127.0.0.9", AF_INET, 7);
	CHECK(!listener_admits(s.l, &a));
	CHECK(!listener_admits(s.l, &a));
	CHECK_INT(said(&s, "\"peer\":\"127.0.0.9:7\""), 1);
	addr_numeric(&a, "192.0.2.1", AF_INET, 7);
	CHECK(listener_admits(s.l, &a));
	close(fd);
	free(s.listen.rules.rule);
	scene_end(&s);
}

/* A limit that leaves three descriptors free, whatever holes there are. */
static void
leave_three(struct rlimit *before)
{
	struct rlimit low;
	int spare[3];

	for (int i = 0; i < 3; i++)
		spare[i] = dup(0);
	for (int i = 0; i < 3; i++)
		close(spare[i]);
	getrlimit(RLIMIT_NOFILE, before);
	low = *before;
	low.rlim_cur = (rlim_t)spare[2] + 1;
	setrlimit(RLIMIT_NOFILE, &low);
}

/* Just enough descriptors: nothing is told, since nobody waits. */
static void
check_enough(struct loop *loop)
{
	struct scene s;
	struct rlimit before;
	int fd[3], port;

	scene_begin(&s, loop);
	s.net.four = true;
	CHECK(scene_open(&s));
	port = port_of(&s);
	for (int i = 0; i < 3; i++)
		fd[i] = knock("127.0.0.1", port);
	leave_three(&before);
	turns(&s, 4);
	setrlimit(RLIMIT_NOFILE, &before);
	CHECK_INT(s.clients, 3);
	CHECK_INT(said(&s, "EMFILE"), 0);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	scene_end(&s);
}

/* Out of descriptors: told once, no busy loop, and on when one is free. */
static void
check_starving(struct loop *loop)
{
	struct scene s;
	struct rlimit before, low;
	int fd[12], wakeups = 0, port;
	int64_t began;

	scene_begin(&s, loop);
	s.net.four = true;
	CHECK(scene_open(&s));
	port = port_of(&s);
	for (int i = 0; i < 12; i++)
		fd[i] = knock("127.0.0.1", port);
	leave_three(&before);
	getrlimit(RLIMIT_NOFILE, &low);
	began = clock_now();
	while (clock_now() - began < 120 * CLOCK_MS) {
		loop_turn(loop, 120 * CLOCK_MS);
		wakeups++;
	}
	CHECK_INT(s.clients, 3);
	CHECK(wakeups < 12);
	setrlimit(RLIMIT_NOFILE, &before);
	CHECK_INT(said(&s, "\"op\":\"accept\""), 1);
	CHECK_INT(said(&s, "\"errno\":\"EMFILE\""), 1);
	setrlimit(RLIMIT_NOFILE, &low);

	/* One is gone, the next comes in: the same episode. */
	close(s.fd[0]);
	s.fd[0] = -1;
	listener_gone(s.l);
	for (int i = 0; i < 100 && s.clients < 4; i++)
		loop_turn(loop, CLOCK_S);
	CHECK_INT(s.clients, 4);
	turns(&s, 3);
	CHECK_INT(s.clients, 4);
	setrlimit(RLIMIT_NOFILE, &before);
	CHECK_INT(said(&s, "\"op\":\"accept\""), 1);

	/* All come in when there is room, without a client that goes. */
	for (int i = 0; i < 1000 && s.clients < 12; i++)
		loop_turn(loop, CLOCK_S);
	CHECK_INT(s.clients, 12);
	CHECK_INT(said(&s, "\"op\":\"accept\""), 1);
	for (int i = 0; i < 12; i++)
		close(fd[i]);
	scene_end(&s);
}

static int
unix_knock(const char *path)
{
	struct err err;
	struct addr a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_INT(addr_unix(&a, path, &err), 0);
	if (connect(fd, (struct sockaddr *)&a.ss, a.len) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
unix_bind(const char *path, int type)
{
	struct err err;
	struct addr a;
	int fd = socket(AF_UNIX, type, 0);

	CHECK_INT(addr_unix(&a, path, &err), 0);
	CHECK_INT(bind(fd, (struct sockaddr *)&a.ss, a.len), 0);
	return fd;
}

static void
expect_in_use(struct loop *loop, const char *path)
{
	struct scene s;

	scene_begin(&s, loop);
	s.net.path = path;
	CHECK(!scene_open(&s));
	CHECK_STR(s.err.op, "bind");
	CHECK_INT(s.err.number, EADDRINUSE);
	CHECK_INT(err_exit(&s.err), EXIT_SETUP);
	scene_end(&s);
}

static void
check_unix(struct loop *loop)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct scene s;
	struct stat st;
	char lock[80];
	int fd;

	scene_begin(&s, loop);
	s.net.path = s.path;
	s.listen.unix_mode = 0620;
	snprintf(lock, sizeof(lock), "%s.lock", s.path);
	CHECK(scene_open(&s));
	CHECK_INT(said(&s, "\"transport\":\"unix\""), 1);
	CHECK(stat(s.path, &st) == 0 && (st.st_mode & 07777) == 0620);
	CHECK_INT(access(lock, F_OK), 0);
	fd = unix_knock(s.path);
	turns(&s, 2);
	CHECK_INT(s.clients, 1);
	close(fd);

	/* Held by the lock, whatever stands there. */
	expect_in_use(loop, s.path);
	CHECK_INT(unlink(s.path), 0);
	expect_in_use(loop, s.path);
	CHECK_INT(access(lock, F_OK), 0);

	/* What somebody else put there is not removed. */
	fd = unix_bind(s.path, SOCK_STREAM);
	listener_free(s.l);
	s.l = NULL;
	CHECK_INT(access(s.path, F_OK), 0);
	CHECK_INT(access(lock, F_OK), -1);

	/* Bound, but nobody listens: taken over. So is a dead path of any
	 * type. */
	for (int i = 0; i < 3; i++) {
		CHECK(scene_open(&s));
		listener_free(s.l);
		s.l = NULL;
		CHECK_INT(access(s.path, F_OK), -1);
		close(fd);
		fd = unix_bind(s.path, types[i]);
		close(fd);
		fd = -1;
	}
	CHECK(scene_open(&s));
	listener_free(s.l);
	s.l = NULL;

	/* Listeners without a lock, full ones too. */
	for (int i = 0; i < 3; i++) {
		fd = unix_bind(s.path, types[i]);
		if (types[i] != SOCK_DGRAM)
			listen(fd, 0);
		expect_in_use(loop, s.path);
		expect_in_use(loop, s.path);
		CHECK_INT(access(lock, F_OK), -1);
		close(fd);
		unlink(s.path);
	}

	/* No socket: left alone. */
	close(open(s.path, O_CREAT | O_WRONLY, 0600));
	expect_in_use(loop, s.path);
	CHECK_INT(unlink(s.path), 0);
	CHECK_INT(symlink("/dev/null", s.path), 0);
	expect_in_use(loop, s.path);
	CHECK_INT(unlink(s.path), 0);

	/* A folder that is not there. */
	s.net.path = "/nonexistent/socket";
	CHECK(!scene_open(&s));
	CHECK_INT(s.err.number, ENOENT);
	CHECK_INT(err_exit(&s.err), EXIT_SETUP);
	scene_end(&s);
}

/* A forked child that ends in its own way removes nothing. */
static void
check_unix_fork(struct loop *loop)
{
	struct scene s;
	pid_t pid;

	scene_begin(&s, loop);
	s.net.path = s.path;
	CHECK(scene_open(&s));
	pid = fork();
	if (pid == 0) {
		listener_free(s.l);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	CHECK_INT(access(s.path, F_OK), 0);
	scene_end(&s);
}

static void
check_abstract(struct loop *loop)
{
	struct scene s;
	char name[64];
	int fd;

	scene_begin(&s, loop);
	snprintf(name, sizeof(name), "@%s", s.folder);
	s.net.path = name;
	CHECK(scene_open(&s));
	fd = unix_knock(name);
	turns(&s, 2);
	CHECK_INT(s.clients, 1);
	close(fd);
	expect_in_use(loop, name);
	scene_end(&s);
}

static void
check_refusals(struct loop *loop)
{
	const char *bind[2] = { "192.0.2.1", NULL };
	struct scene s;

	scene_begin(&s, loop);
	s.net.bind = (struct opt_list){ bind, 1 };
	CHECK(!scene_open(&s));
	CHECK_STR(s.err.op, "bind");
	CHECK_INT(s.err.number, EADDRNOTAVAIL);
	CHECK_INT(err_exit(&s.err), EXIT_SETUP);
	bind[0] = "127.0.0.1";
	s.listen.port_file = "/nonexistent/port";
	CHECK(!scene_open(&s));
	CHECK_INT(err_exit(&s.err), EXIT_LOCAL);
	s.listen.port_file = s.folder;
	CHECK(!scene_open(&s));
	CHECK_INT(err_exit(&s.err), EXIT_LOCAL);
	s.listen.port_file = NULL;
	s.listen.port = "no-such-service";
	CHECK(!scene_open(&s));
	CHECK_INT(err_exit(&s.err), EXIT_RESOLVE);
	s.listen.port = NULL;
	CHECK(!scene_open(&s));
	CHECK(s.err.op == NULL);
	s.net.path = s.path;
	s.listen.port_file = s.file;
	CHECK(!scene_open(&s));
	CHECK(s.err.op == NULL);
	CHECK_INT(said(&s, "listening"), 0);
	scene_end(&s);
}

/* -s: addresses, an interface, both on one port, each once. */
static void
check_bind(struct loop *loop)
{
	const char *bind[] = { "127.0.0.1", "127.0.0.2", "127.0.0.1" };
	const char *interface[] = { "lo" };
	struct scene s;
	char want[64];
	int port;

	scene_begin(&s, loop);
	s.net.bind = (struct opt_list){ bind, 3 };
	CHECK(scene_open(&s));
	port = port_of(&s);
	CHECK_INT(said(&s, "\"event\":\"listening\""), 2);
	snprintf(want, sizeof(want), "\"local\":\"127.0.0.2:%d\"", port);
	CHECK_INT(said(&s, want), 1);
	scene_end(&s);

	scene_begin(&s, loop);
	s.net.bind = (struct opt_list){ interface, 1 };
	s.net.four = true;
	CHECK(scene_open(&s));
	CHECK(said(&s, "\"local\":\"127.0.0.1:") > 0);
	scene_end(&s);
}

/* Two datagram listeners on one port: not by accident. */
static void
check_datagrams(struct loop *loop)
{
	struct scene s;
	char port[16];

	scene_begin(&s, loop);
	s.datagram = true;
	s.net.four = true;
	CHECK(scene_open(&s));
	CHECK_INT(said(&s, "\"transport\":\"udp\""), 1);
	snprintf(port, sizeof(port), "%d", port_of(&s));
	{
		struct scene second;

		scene_begin(&second, loop);
		second.datagram = true;
		second.net.four = true;
		second.listen.port = port;
		CHECK(!scene_open(&second));
		CHECK_INT(second.err.number, EADDRINUSE);
		scene_end(&second);
	}
	scene_end(&s);

	scene_begin(&s, loop);
	s.datagram = true;
	s.net.path = s.path;
	CHECK(scene_open(&s));
	CHECK_INT(s.bound_count, 1);
	CHECK_INT(access(s.path, F_OK), 0);
	scene_end(&s);
}

/* Runs before anything else has descriptors of its own. */
static void
check_activation(void)
{
	struct scene s;
	struct loop *loop;
	char text[32];
	int fd[2] = { unix_bind("@listener-1", SOCK_STREAM),
		unix_bind("@listener-2", SOCK_STREAM) };

	CHECK_INT(fd[0], 3);
	CHECK_INT(fd[1], 4);
	listen(fd[0], 5);
	listen(fd[1], 5);
	snprintf(text, sizeof(text), "%ld", (long)getpid());
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "a:b", 1);
	loop = loop_new();

	/* A mode that does not take them leaves them. */
	scene_begin(&s, loop);
	s.net.four = true;
	CHECK(scene_open(&s));
	CHECK_INT(said(&s, "\"transport\":\"tcp\""), 1);
	CHECK(getenv("LISTEN_FDS") != NULL);
	scene_end(&s);

	scene_begin(&s, loop);
	s.activation = true;
	s.listen.port = NULL;
	CHECK(scene_open(&s));
	CHECK(getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL &&
		getenv("LISTEN_FDNAMES") == NULL);
	CHECK_INT(said(&s, "\"event\":\"listening\""), 2);
	CHECK(fcntl(fd[0], F_GETFD) & FD_CLOEXEC);
	close(unix_knock("@listener-1"));
	close(unix_knock("@listener-2"));
	turns(&s, 4);
	CHECK_INT(s.clients, 2);
	scene_end(&s);
	CHECK_INT(fcntl(fd[0], F_GETFD), -1);

	/* Meant for another process: not taken. */
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	scene_begin(&s, loop);
	s.activation = true;
	s.listen.port = NULL;
	CHECK(!scene_open(&s));
	CHECK(s.err.op == NULL);

	/* What is no listening socket: an error of setup. */
	setenv("LISTEN_PID", text, 1);
	CHECK_INT(dup2(1, 3), 3);
	CHECK(!scene_open(&s));
	CHECK_STR(s.err.op, "listen");
	CHECK_INT(err_exit(&s.err), EXIT_SETUP);
	close(3);
	scene_end(&s);
	loop_free(loop);
}

int
main(void)
{
	struct loop *loop;

	check_activation();
	loop = loop_new();
	check_families(loop);
	check_accept(loop);
	check_reset(loop);
	check_pauses(loop);
	check_denied(loop);
	check_enough(loop);
	check_starving(loop);
	check_unix(loop);
	check_unix_fork(loop);
	check_abstract(loop);
	check_refusals(loop);
	check_bind(loop);
	check_datagrams(loop);
	loop_free(loop);
	return check_result();
}
