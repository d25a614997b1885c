/* wire: a link for tests. Joins two ends and treats the frames between them as
 * told, where a kernel has no netem.
 *
 *     wire [--NAME VALUE]... END END
 *
 * An END is tap:NAME[@NETNS] (made here, gone with this process) or the name
 * of a device, NAME[@NETNS], which is read and written by a packet socket: an
 * end of a veth pair whose other end has its offloads off (ethtool -K DEVICE
 * tx off tso off gso off gro off). The way from the first end to the second is
 * ab, the other one ba. A VALUE holds for both, or for one: --loss ab:1.
 *
 *     --delay TIME      each frame, one way (250us, 10ms, 1s)
 *     --jitter TIME     up to so much more, evenly spread; the order is kept
 *     --loss PERCENT    --duplicate PERCENT
 *     --reorder PERCENT a frame goes behind the three that follow it, at most
 *                       20 ms late
 *     --corrupt PERCENT one bit of the payload is flipped; checksums find it
 *     --alter PERCENT   two 16-bit words of the payload change places: no
 *                       Internet checksum finds it
 *     --rate RATE       bits a second (800kbit, 10mbit, 1gbit)
 *     --queue BYTES     how much --rate lets wait (default 262144)
 *     --cut AT,FOR      the link is cut AT seconds from now for FOR seconds (0:
 *                       for ever)
 *     --seed N
 *
 * Only IP frames are lost and changed, so that neighbours find each other; a
 * cut link takes all. Standard output: "ready", then "ok" for each line of
 * standard input that was done: NAME VALUE as above, cut, join, and stats,
 * which is answered by a line of counts first. Ends by SIGTERM or quit, with
 * the counts. The end of standard input changes nothing. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 65600, FRAMES_MAX = 20000, BURST = 64 };

struct frame {
	struct frame *next;
	double at; /* when it leaves */
	unsigned long number; /* in the order of coming in */
	int behind; /* a held one goes after so many that came later, */
	double late; /* or then */
	size_t len;
	uint8_t data[];
};

/* One way: how it is to be, and what happened. */
struct way {
	double delay, jitter, loss, duplicate, reorder, corrupt, alter, rate,
		queue;
	double cut_at, cut_for;
	bool cut;
	struct frame *first, *last, *held;
	long waiting;
	double free_at; /* when the line has sent what was put on it */
	double last_at; /* the order is kept */
	unsigned long seen, passed, lost, duplicated, reordered, corrupted,
		altered, overflow, cut_off, numbered;
};

struct end {
	int fd;
	bool tap;
};

struct wire {
	struct end end[2];
	struct way way[2]; /* ab, ba */
	uint64_t random;
	char line[256];
	size_t line_len;
	bool over;
};

static volatile sig_atomic_t stopped;

static void
on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static void
die(const char *what)
{
	fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* xorshift64*; 0 to 1. */
static double
chance(struct wire *w)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (double)((w->random * UINT64_C(2685821657736338717)) >> 11) /
		9007199254740992.0;
}

static bool
happens(struct wire *w, double percent)
{
	return percent > 0 && chance(w) * 100 < percent;
}

/* The ends. */

static void
enter(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s%s", *netns == '/' ? "" : "/run/netns/",
		netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || setns(fd, CLONE_NEWNET) == -1)
		die(path);
	close(fd);
}

static int
open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.15s", name);
	if (fd == -1 || ioctl(fd, TUNSETIFF, &ifr) == -1)
		die(name);
	return fd;
}

static int
open_device(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL) };
	int size = 8 << 20;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	at.sll_ifindex = (int)if_nametoindex(name);
	if (fd == -1 || at.sll_ifindex == 0 ||
		bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		die(name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void
open_end(struct end *e, const char *word, int home)
{
	char name[256];
	char *at;

	snprintf(name, sizeof(name), "%s", word);
	at = strchr(name, '@');
	if (at != NULL) {
		*at = '\0';
		enter(at + 1);
	}
	e->tap = strncmp(name, "tap:", 4) == 0;
	e->fd = e->tap ? open_tap(name + 4) : open_device(name);
	if (setns(home, CLONE_NEWNET) == -1)
		die("setns");
}

/* The length of a frame from the other side, 0 for one to be passed over, -1
 * for none. */
static ssize_t
end_read(struct end *e, uint8_t *data)
{
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	ssize_t n;

	if (e->tap)
		return read(e->fd, data, FRAME_MAX);
	n = recvfrom(e->fd, data, FRAME_MAX, 0, (struct sockaddr *)&from, &len);
	return n > 0 && from.sll_pkttype == PACKET_OUTGOING ? 0 : n;
}

/* What happens to a frame. */

static bool
is_ip(const uint8_t *f, size_t len)
{
	unsigned type = len < 34 ? 0 : (unsigned)f[12] << 8 | f[13];

	if (type == ETHERTYPE_IP)
		return true;
	/* Neighbour discovery is ICMPv6. */
	return type == ETHERTYPE_IPV6 && len >= 54 && f[20] != 58;
}

/* Where the payload of TCP or UDP begins; len where there is none. */
static size_t
payload(const uint8_t *f, size_t len)
{
	bool four = f[12] == 8;
	size_t ip = 14 + (four ? (size_t)(f[14] & 15) * 4 : 40);
	unsigned protocol = four ? f[23] : f[20];
	size_t at = len;

	if (protocol == 17)
		at = ip + 8;
	else if (protocol == 6 && ip + 13 < len)
		at = ip + (size_t)(f[ip + 12] >> 4) * 4;
	return at < len ? at : len;
}

static bool
corrupt(struct wire *w, uint8_t *f, size_t len)
{
	size_t at = payload(f, len);

	if (at == len)
		return false;
	at += (size_t)(chance(w) * (double)(len - at));
	f[at] ^= (uint8_t)(1u << (int)(chance(w) * 8));
	return true;
}

/* Two words at even distance that differ change places. */
static bool
alter(struct wire *w, uint8_t *f, size_t len)
{
	size_t at = payload(f, len), words = (len - at) / 2, i, k;
	uint8_t keep[2];

	if (words < 2)
		return false;
	i = (size_t)(chance(w) * (double)words);
	for (k = (i + 1) % words; k != i; k = (k + 1) % words) {
		if (memcmp(f + at + 2 * i, f + at + 2 * k, 2) == 0)
			continue;
		memcpy(keep, f + at + 2 * i, 2);
		memcpy(f + at + 2 * i, f + at + 2 * k, 2);
		memcpy(f + at + 2 * k, keep, 2);
		return true;
	}
	return false;
}

static void
put(struct way *y, struct frame *f)
{
	f->next = NULL;
	if (y->last != NULL)
		y->last->next = f;
	else
		y->first = f;
	y->last = f;
	y->waiting++;
}

static void
enqueue(struct wire *w, struct way *y, const uint8_t *data, size_t len,
	bool behind)
{
	struct frame *f;
	double t = now();

	if (y->waiting >= FRAMES_MAX ||
		(y->rate > 0 && (y->free_at - t) * y->rate / 8 > y->queue)) {
		y->overflow++;
		return;
	}
	f = malloc(sizeof(*f) + len);
	if (f == NULL)
		die("malloc");
	memcpy(f->data, data, len);
	f->len = len;
	f->number = y->numbered++;
	if (y->rate > 0) {
		y->free_at = (y->free_at > t ? y->free_at : t) +
			(double)len * 8 / y->rate;
		t = y->free_at;
	}
	t += y->delay + (y->jitter > 0 ? y->jitter * chance(w) : 0);
	if (t < y->last_at)
		t = y->last_at;
	f->at = y->last_at = t;
	if (behind && y->held == NULL) {
		f->behind = 3;
		f->late = t + 0.02;
		y->held = f;
		y->reordered++;
		return;
	}
	put(y, f);
}

static void
treat(struct wire *w, struct way *y, uint8_t *data, size_t len)
{
	bool ip = is_ip(data, len);

	y->seen += ip;
	if (y->cut) {
		y->cut_off++;
		return;
	}
	if (ip && happens(w, y->loss)) {
		y->lost++;
		return;
	}
	if (ip && happens(w, y->corrupt))
		y->corrupted += corrupt(w, data, len);
	if (ip && happens(w, y->alter))
		y->altered += alter(w, data, len);
	if (ip && happens(w, y->duplicate)) {
		enqueue(w, y, data, len, false);
		y->duplicated++;
	}
	enqueue(w, y, data, len, ip && happens(w, y->reorder));
}

static void
emit(struct way *y, struct end *to, struct frame *f)
{
	if (y->cut)
		y->cut_off++;
	else if (write(to->fd, f->data, f->len) == -1)
		y->overflow++;
	else
		y->passed++;
	free(f);
}

static void
release(struct way *y, struct end *to, double t)
{
	unsigned long number;
	struct frame *f;

	while ((f = y->first) != NULL && f->at <= t) {
		y->first = f->next;
		if (y->first == NULL)
			y->last = NULL;
		y->waiting--;
		number = f->number;
		emit(y, to, f);
		if (y->held != NULL && number > y->held->number &&
			--y->held->behind <= 0) {
			emit(y, to, y->held);
			y->held = NULL;
		}
	}
	if (y->held != NULL && y->held->late <= t) {
		emit(y, to, y->held);
		y->held = NULL;
	}
	if (y->cut_at > 0 && y->cut_at <= t) {
		y->cut = true;
		y->cut_at = 0;
	}
	if (y->cut && y->cut_for > 0 && y->cut_for <= t) {
		y->cut = false;
		y->cut_for = 0;
	}
}

/* When something is due; 0: nothing. */
static double
due(const struct way *y)
{
	double t = 0;
	double at[] = { y->first != NULL ? y->first->at : 0,
		y->held != NULL ? y->held->late : 0, y->cut_at, y->cut_for };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (at[i] > 0 && (t <= 0 || at[i] < t))
			t = at[i];
	return t;
}

/* What is told to it. */

static const struct {
	const char *name;
	size_t offset;
} settings[] = {
	{ "delay", offsetof(struct way, delay) },
	{ "jitter", offsetof(struct way, jitter) },
	{ "loss", offsetof(struct way, loss) },
	{ "duplicate", offsetof(struct way, duplicate) },
	{ "reorder", offsetof(struct way, reorder) },
	{ "corrupt", offsetof(struct way, corrupt) },
	{ "alter", offsetof(struct way, alter) },
	{ "rate", offsetof(struct way, rate) },
	{ "queue", offsetof(struct way, queue) },
};

static const struct {
	const char *name;
	double factor;
} units[] = {
	{ "", 1 },
	{ "s", 1 },
	{ "ms", 1e-3 },
	{ "us", 1e-6 },
	{ "bit", 1 },
	{ "kbit", 1e3 },
	{ "mbit", 1e6 },
	{ "gbit", 1e9 },
	{ "%", 1 },
};

static bool
number(const char *s, double *out)
{
	char *end;
	double v = strtod(s, &end);

	for (size_t i = 0; end != s && i < sizeof(units) / sizeof(units[0]);
		i++)
		if (strcmp(end, units[i].name) == 0) {
			*out = v * units[i].factor;
			return v >= 0;
		}
	return false;
}

static bool
set_cut(struct way *y, char *value)
{
	char *comma = strchr(value, ',');
	double at, length = 0;

	if (comma != NULL)
		*comma = '\0';
	if (!number(value, &at) ||
		(comma != NULL && !number(comma + 1, &length)))
		return false;
	y->cut_at = now() + at;
	y->cut_for = length > 0 ? y->cut_at + length : 0;
	return true;
}

static bool
set_way(struct way *y, const char *name, char *value)
{
	double v;

	if (strcmp(name, "cut") == 0 && value != NULL)
		return set_cut(y, value);
	if (strcmp(name, "cut") == 0 || strcmp(name, "join") == 0) {
		y->cut = *name == 'c';
		y->cut_at = y->cut_for = 0;
		return value == NULL;
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcmp(name, settings[i].name) == 0) {
			if (value == NULL || !number(value, &v))
				return false;
			*(double *)((char *)y + settings[i].offset) = v;
			return true;
		}
	return false;
}

static bool
set(struct wire *w, const char *name, const char *value)
{
	char copy[64];
	bool ab = value != NULL && strncmp(value, "ab:", 3) == 0;
	bool ba = value != NULL && strncmp(value, "ba:", 3) == 0;
	bool good = true;

	for (int i = 0; i < 2; i++) {
		if (i == 0 ? ba : ab)
			continue;
		if (value != NULL)
			snprintf(copy, sizeof(copy), "%s",
				value + (ab || ba ? 3 : 0));
		if (!set_way(&w->way[i], name, value != NULL ? copy : NULL))
			good = false;
	}
	return good;
}

static void
stats(const struct wire *w)
{
	for (int i = 0; i < 2; i++) {
		const struct way *y = &w->way[i];

		printf("%s seen=%lu passed=%lu lost=%lu duplicated=%lu "
		       "reordered=%lu corrupted=%lu altered=%lu "
		       "overflow=%lu cut=%lu%s",
			i == 0 ? "ab" : "ba", y->seen, y->passed, y->lost,
			y->duplicated, y->reordered, y->corrupted, y->altered,
			y->overflow, y->cut_off, i == 0 ? " " : "\n");
	}
}

static void
obey(struct wire *w, char *line)
{
	char *value = strchr(line, ' ');
	bool good = true;

	if (value != NULL)
		*value++ = '\0';
	if (strcmp(line, "stats") == 0)
		stats(w);
	else if (strcmp(line, "quit") == 0)
		w->over = true;
	else
		good = set(w, line, value);
	printf("%s\n", good ? "ok" : "what?");
}

static bool
read_commands(struct wire *w)
{
	ssize_t n = read(
		0, w->line + w->line_len, sizeof(w->line) - 1 - w->line_len);
	char *end;

	if (n <= 0)
		return false;
	w->line_len += (size_t)n;
	w->line[w->line_len] = '\0';
	while ((end = strchr(w->line, '\n')) != NULL) {
		*end = '\0';
		obey(w, w->line);
		w->line_len -= (size_t)(end + 1 - w->line);
		memmove(w->line, end + 1, w->line_len + 1);
	}
	return w->line_len < sizeof(w->line) - 1;
}

/* The turn. */

static void
wait_for(struct wire *w, struct pollfd *p, const sigset_t *open)
{
	double t = due(&w->way[0]), u = due(&w->way[1]), rest;
	struct timespec ts, *limit = NULL;

	if (u > 0 && (t <= 0 || u < t))
		t = u;
	if (t > 0) {
		rest = t - now();
		if (rest < 0)
			rest = 0;
		ts.tv_sec = (time_t)rest;
		ts.tv_nsec = (long)((rest - (double)ts.tv_sec) * 1e9);
		limit = &ts;
	}
	for (int i = 0; i < 3; i++)
		p[i].revents = 0;
	if (ppoll(p, 3, limit, open) == -1 && errno != EINTR)
		die("ppoll");
}

static void
run(struct wire *w, const sigset_t *open)
{
	static uint8_t data[FRAME_MAX];
	struct pollfd p[3] = { { w->end[0].fd, POLLIN, 0 },
		{ w->end[1].fd, POLLIN, 0 }, { 0, POLLIN, 0 } };
	ssize_t n;

	while (!stopped && !w->over) {
		wait_for(w, p, open);
		for (int i = 0; i < 2; i++)
			for (int k = 0; p[i].revents != 0 && k < BURST; k++) {
				n = end_read(&w->end[i], data);
				if (n < 0)
					break;
				if (n > 0)
					treat(w, &w->way[i], data, (size_t)n);
			}
		for (int i = 0; i < 2; i++)
			release(&w->way[i], &w->end[1 - i], now());
		if (p[2].revents != 0 && !read_commands(w))
			p[2].fd = -1;
	}
}

static void
usage(const char *word)
{
	fprintf(stderr, "wire: what is '%s'? wire [--NAME VALUE]... END END\n",
		word);
	exit(2);
}

static void
arguments(struct wire *w, int argc, char **argv)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int ends = 0;

	w->way[0].queue = w->way[1].queue = 262144;
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && i + 1 < argc) {
			if (strcmp(argv[i], "--seed") == 0)
				w->random += (uint64_t)atol(argv[i + 1]) *
					UINT64_C(0x9e3779b97f4a7c15);
			else if (!set(w, argv[i] + 2, argv[i + 1]))
				usage(argv[i + 1]);
			i++;
		} else if (ends < 2) {
			open_end(&w->end[ends++], argv[i], home);
		} else {
			usage(argv[i]);
		}
	}
	if (ends != 2)
		usage("one END");
	close(home);
}

int
main(int argc, char **argv)
{
	struct wire w = { .random = UINT64_C(88172645463325252) };
	struct sigaction sa = { .sa_handler = on_stop };
	sigset_t stop, before;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, &before);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	prctl(PR_SET_TIMERSLACK, 1ul);
	setvbuf(stdout, NULL, _IOLBF, 0);
	arguments(&w, argc, argv);
	printf("ready\n");
	run(&w, &before);
	stats(&w);
	return 0;
}
