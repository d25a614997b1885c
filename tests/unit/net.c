#include "../../util/net.h"
#include "../../util/addr.h"
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct addr
loopback(const char *host, int port)
{
	struct addr a = { 0 };

	CHECK(addr_numeric(&a, host, AF_UNSPEC, port) == 0);
	return a;
}

/* A listening or bound socket on a free port of host. */
static int
serve(const char *host, bool datagram, struct addr *a)
{
	struct err err = { 0 };
	int fd;

	*a = loopback(host, 0);
	fd = net_socket(a, datagram, NULL, true, &err);
	CHECK(fd > 2);
	CHECK(net_bind(fd, a, &err) == 0);
	CHECK(datagram || listen(fd, 5) == 0);
	addr_of_local(a, fd);
	return fd;
}

static bool
flagged(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) &&
		(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void
test_flags(void)
{
	struct addr a, peer;
	int pair[2], fd = serve("127.0.0.1", false, &a), client, got;

	CHECK(flagged(fd));
	CHECK_INT(net_accept(fd, &peer), -1);
	CHECK_INT(errno, EAGAIN);
	client = net_socket(&a, false, NULL, false, NULL);
	net_nonblock(client, false);
	CHECK(connect(client, (struct sockaddr *)&a.ss, a.len) == 0);
	got = net_accept(fd, &peer);
	CHECK(got > 2 && flagged(got));
	CHECK_INT(addr_port(&peer) > 0, 1);
	CHECK(addr_is_loopback(&peer));
	net_reset(client);
	CHECK(recv(got, pair, 1, 0) == -1 && errno == ECONNRESET);
	close(got);
	close(fd);
	CHECK(net_pipe(pair) == 0 && flagged(pair[0]) && flagged(pair[1]));
	close(pair[0]);
	close(pair[1]);
	CHECK(net_socketpair(pair) == 0);
	CHECK(flagged(pair[0]) && flagged(pair[1]));
	errno = EPIPE;
	CHECK_INT(close_keep(pair[0], -1), -1);
	close_keep(999999, 0);
	CHECK_INT(errno, EPIPE);
	close(pair[1]);
}

static void
test_error(void)
{
	struct addr a;
	int fd = serve("127.0.0.1", false, &a), client;

	close(fd); /* nobody listens there now */
	client = net_socket(&a, false, NULL, false, NULL);
	net_nonblock(client, false);
	CHECK(connect(client, (struct sockaddr *)&a.ss, a.len) == -1);
	CHECK_INT(errno, ECONNREFUSED);
	CHECK_INT(net_error(client), 0);
	close(client);
	CHECK_INT(net_error(client), EBADF);
}

/* With standard descriptors closed, none of them is ever given away. */
static void
test_standard(void)
{
	int status, pair[2];
	pid_t pid = fork();

	if (pid == 0) {
		struct addr a, peer;
		int fd, client;

		for (int i = 0; i <= 2; i++)
			close(i);
		fd = serve("127.0.0.1", false, &a);
		client = net_socket(&a, false, NULL, false, NULL);
		net_nonblock(client, false);
		connect(client, (struct sockaddr *)&a.ss, a.len);
		if (fd < 3 || client < 3 || net_accept(fd, &peer) < 3 ||
			net_pipe(pair) == -1 || pair[0] < 3 || pair[1] < 3)
			_exit(1);
		net_hold_standard();
		for (int i = 0; i <= 2; i++)
			if (fcntl(i, F_GETFD) == -1)
				_exit(2);
		if (read(0, pair, 1) != 0 || write(1, "x", 1) != 1)
			_exit(3);
		_exit(checks.failed ? 4 : 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
}

static void
in_use(const char *host, bool datagram)
{
	struct err err = { 0 };
	struct addr a;
	char self[32];
	int fd = serve(host, datagram, &a), second;

	second = net_socket(&a, datagram, NULL, false, &err);
	CHECK_INT(net_bind(second, &a, &err), -1);
	CHECK_STR(err.op, "bind");
	CHECK_INT(err.number, EADDRINUSE);
	CHECK(strstr(err.target, host) != NULL);
	if (access("/proc/net/tcp", R_OK) == 0) {
		snprintf(self, sizeof(self), "(process %d)", (int)getpid());
		if (!CHECK(strstr(err.hint, self) != NULL))
			printf("hint: %s\n", err.hint);
	}
	close(fd);
	close(second);
}

static void
test_hints(void)
{
	struct err err = { 0 };
	struct addr a = loopback("203.0.113.77", 0);
	int fd = net_socket(&a, false, NULL, false, &err);

	CHECK_INT(net_bind(fd, &a, &err), -1);
	CHECK_INT(err.number, EADDRNOTAVAIL);
	CHECK(strstr(err.hint, "127.0.0.1") != NULL);
	close(fd);
	err = (struct err){ 0 };
	a = loopback("127.0.0.1", 80);
	err_set(&err, "bind", EACCES, "127.0.0.1:80");
	net_hint(&err, &a);
	CHECK(access("/proc/sys/net/ipv4", R_OK) == -1 || err.hint[0]);
	err_set(&err, "connect", ENETUNREACH, "127.0.0.1:80");
	err.hint[0] = '\0';
	net_hint(&err, &a);
	CHECK(strstr(err.hint, "no route") != NULL);
	err_set(&err, "connect", EHOSTUNREACH, "127.0.0.1:80");
	err.hint[0] = '\0';
	net_hint(&err, &a);
	CHECK(strstr(err.hint, "did not answer") != NULL);
	err_set(&err, "socket", EMFILE, "127.0.0.1:80");
	err.hint[0] = '\0';
	net_hint(&err, &a);
	CHECK(strstr(err.hint, "ulimit") != NULL);
	err_hint(&err, "kept");
	net_hint(&err, &a);
	CHECK_STR(err.hint, "kept");
}

static int
words(struct endpoint *e, const struct net_options *o, struct err *err,
	const char *a, const char *b)
{
	char *argv[] = { (char *)(uintptr_t)a, (char *)(uintptr_t)b, NULL };

	*err = (struct err){ 0 };
	return net_endpoint(e, o, !!a + !!b, argv, err);
}

static void
test_endpoint(void)
{
	struct net_options o = { 0 };
	struct endpoint e;
	struct err err;

	CHECK_INT(words(&e, &o, &err, "localhost", "http"), 0);
	CHECK_STR(e.host, "localhost");
	CHECK_STR(e.port, "http");
	CHECK(e.transport == TRANSPORT_TCP && !e.datagram);
	CHECK_INT(words(&e, &o, &err, "[::1]:99", NULL), 0);
	CHECK_STR(e.host, "::1");
	CHECK_INT(words(&e, &o, &err, NULL, NULL), -1);
	CHECK(err.op == NULL && err.text[0]);
	o.udp = true;
	CHECK_INT(words(&e, &o, &err, "127.0.0.1:99", NULL), 0);
	CHECK(e.transport == TRANSPORT_UDP && e.datagram);
	CHECK_INT(words(&e, &o, &err, "tcp:127.0.0.1:99", NULL), -1);
	CHECK_INT(words(&e, &o, &err, "unix:/x", NULL), 0);
	CHECK(e.transport == TRANSPORT_UNIX && e.datagram);
	o.numeric = true;
	CHECK_INT(words(&e, &o, &err, "localhost", "99"), -1);
	CHECK(err.op == NULL);
	CHECK_STR(err.text,
		"localhost is a name, and --numeric forbids look-ups");
	CHECK_INT(words(&e, &o, &err, "::1", "http"), -1);
	CHECK_INT(words(&e, &o, &err, "::1", "99"), 0);
	o.path = "/run/x";
	CHECK_INT(words(&e, &o, &err, NULL, NULL), 0);
	CHECK_STR(e.host, "/run/x");
	CHECK_INT(words(&e, &o, &err, "::1", "99"), -1);
	o.four = true;
	CHECK_INT(net_family(&o), AF_INET);
	o.six = true;
	CHECK_INT(words(&e, &o, &err, NULL, NULL), -1);
}

static void
test_v6only(void)
{
	struct addr six, four;
	struct err err;
	int a, b, bound, tries = 0;

	four = loopback("::1", 0);
	a = net_socket(&four, false, NULL, true, &err);
	if (a == -1 || net_bind(a, &four, &err) == -1) {
		printf("skipped: no IPv6\n");
		return;
	}
	close(a);
	do {
		six = loopback("::", 0);
		a = net_socket(&six, false, NULL, true, &err);
		CHECK_INT(net_bind(a, &six, &err), 0);
		addr_of_local(&six, a);
		CHECK(listen(a, 1) == 0);
		four = loopback("0.0.0.0", addr_port(&six));
		b = net_socket(&four, false, NULL, true, &err);
		bound = net_bind(b, &four, &err);
		/* Another program may have that port of IPv4 just now. */
	} while (bound == -1 && ++tries < 50 && close(a) == 0 && close(b) == 0);
	CHECK_INT(bound, 0);
	close(a);
	close(b);
	in_use("::1", false);
}

#ifdef _GNU_SOURCE
static void
test_reopen(void)
{
	int pair[2], own;

	CHECK(pipe(pair) == 0);
	own = net_reopen(pair[0], O_RDONLY);
	CHECK(own > 2 && flagged(own));
	CHECK(!(fcntl(pair[0], F_GETFL) & O_NONBLOCK));
	CHECK(write(pair[1], "x", 1) == 1);
	CHECK(read(own, pair, 1) == 1);
	close(own);
	own = open("/dev/null", O_RDONLY);
	CHECK_INT(net_reopen(own, O_RDONLY), -1);
	close(own);
}
#else
static void
test_reopen(void)
{
	CHECK_INT(net_reopen(0, O_RDONLY), -1);
}
#endif

int
main(void)
{
	test_flags();
	test_error();
	test_standard();
	in_use("127.0.0.1", false);
	in_use("127.0.0.1", true);
	test_hints();
	test_endpoint();
	test_v6only();
	test_reopen();
	return check_result();
}
