/* limit: bare loops of the best system calls, to measure sockctl against what
 * this machine can do at all. Nothing here handles errors or slow peers.
 *
 *	limit sink PORT            accepts one, reads 1 MiB pieces to the end
 *	limit source PORT SECONDS  sends 512 KiB pieces; prints Gbit/s
 *	limit in PORT              splices standard input to a connection
 *	limit out PORT             accepts one, splices it to standard output
 *	limit pong PORT            echoes what comes, one connection
 *	limit ping PORT SECONDS    one byte there and back; median in us
 *	limit relay PORT TO        splices one connection to another
 *	limit scan                 connects to all ports of 127.0.0.1
 *	limit crowd PORT N         N members of a chat; each says a line that
 *	                           all others wait for; median delay in us
 *	limit once PORT            accepts one and ends
 *	limit dial PORT            connects and ends
 *	limit nothing              starts and ends */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 20, PINGS = 1 << 20, CROWD = 200 };

static char data[PIECE];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct sockaddr_in
loopback(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_port = htons((uint16_t)atoi(port));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int
dial(const char *port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1)
		exit(1);
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	return fd;
}

static int
take(const char *port)
{
	struct sockaddr_in a = loopback(port);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
		listen(fd, 16) == -1)
		exit(1);
	fd = accept(fd, NULL, NULL);
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	return fd;
}

static int
sink(int fd)
{
	while (recv(fd, data, PIECE, 0) > 0)
		;
	return 0;
}

static int
source(int fd, double seconds)
{
	double begin = now(), sent = 0, took;

	while (now() - begin < seconds)
		sent += (double)send(fd, data, PIECE / 2, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	while (recv(fd, data, PIECE, 0) > 0)
		;
	took = now() - begin;
	printf("%.3f\n", sent * 8e-9 / took);
	return 0;
}

/* By a pipe of 1 MiB, unless one end is a pipe itself. */
static int
move(int from, int to)
{
	int between[2];
	ssize_t n;

	fcntl(from, F_SETPIPE_SZ, PIECE);
	fcntl(to, F_SETPIPE_SZ, PIECE);
	if (splice(from, NULL, to, NULL, PIECE, 0) > 0) {
		while (splice(from, NULL, to, NULL, PIECE, 0) > 0)
			;
		return 0;
	}
	if (pipe(between) == -1)
		return 1;
	fcntl(between[1], F_SETPIPE_SZ, PIECE);
	while ((n = splice(from, NULL, between[1], NULL, PIECE, 0)) > 0)
		while (n > 0)
			n -= splice(between[0], NULL, to, NULL, (size_t)n, 0);
	return 0;
}

static int
pong(int fd)
{
	int one = 1;
	ssize_t n;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while ((n = recv(fd, data, PIECE, 0)) > 0)
		send(fd, data, (size_t)n, MSG_NOSIGNAL);
	return 0;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
ping(int fd, double seconds)
{
	static double took[PINGS];
	double begin = now(), at;
	size_t n = 0;

	while (n < PINGS && (at = now()) - begin < seconds) {
		send(fd, data, 1, 0);
		recv(fd, data, 1, 0);
		took[n++] = (now() - at) * 1e6;
	}
	qsort(took, n, sizeof(took[0]), by_value);
	printf("%.2f\n", took[n / 2]);
	return 0;
}

static int
scan(void)
{
	struct sockaddr_in a = loopback("0");
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int port;

	for (port = 1; port < 65536; port++) {
		a.sin_port = htons((uint16_t)port);
		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == -1)
			continue;
		close(fd);
		fd = socket(AF_INET, SOCK_STREAM, 0);
	}
	return 0;
}

/* Reads what comes on fd until it is silent for a while. */
static void
drain(int fd)
{
	struct timeval quiet = { .tv_usec = 20000 }, none = { 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof(quiet));
	while (recv(fd, data, PIECE, 0) > 0)
		;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
}

static int
crowd(const char *port, int members)
{
	static double took[CROWD * CROWD];
	int fd[CROWD], i, k, n;
	size_t samples = 0;
	double from;

	if (members > CROWD)
		members = CROWD;
	for (i = 0; i < members; i++)
		fd[i] = dial(port);
	for (i = 0; i < members; i++)
		drain(fd[i]);
	for (i = 0; i < members; i++) {
		n = snprintf(data, PIECE, "this is line %d\n", i);
		from = now();
		send(fd[i], data, (size_t)n, 0);
		for (k = 0; k < members; k++) {
			if (k == i)
				continue;
			do
				n = (int)recv(fd[k], data, PIECE, 0);
			while (n > 0 && data[n - 1] != '\n');
			took[samples++] = (now() - from) * 1e6;
		}
	}
	qsort(took, samples, sizeof(took[0]), by_value);
	printf("%.2f\n", took[samples / 2]);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "nothing";
	const char *port = argc > 2 ? argv[2] : "0";
	double seconds = argc > 3 ? atof(argv[3]) : 1;

	signal(SIGPIPE, SIG_IGN);
	if (strcmp(what, "sink") == 0)
		return sink(take(port));
	if (strcmp(what, "source") == 0)
		return source(dial(port), seconds);
	if (strcmp(what, "in") == 0)
		return move(0, dial(port));
	if (strcmp(what, "out") == 0)
		return move(take(port), 1);
	if (strcmp(what, "pong") == 0)
		return pong(take(port));
	if (strcmp(what, "ping") == 0)
		return ping(dial(port), seconds);
	if (strcmp(what, "relay") == 0) {
		int from = take(port), to = dial(argv[3]);
		int result = move(from, to);
		shutdown(to, SHUT_WR);
		return result;
	}
	if (strcmp(what, "scan") == 0)
		return scan();
	if (strcmp(what, "once") == 0)
		return close(take(port));
	if (strcmp(what, "dial") == 0)
		return close(dial(port));
	if (strcmp(what, "crowd") == 0)
		return crowd(port, (int)seconds);
	return 0;
}
