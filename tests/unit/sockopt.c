#include "../../util/sockopt.h"
#include "../../util/mem.h"
#include "../../util/net.h"
#include "../../util/sockrow.h"
#include "check.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct opt_group groups[] = {
	{ "Socket options", sockopt_opts, 0 },
	{ NULL, NULL, 0 },
};

/* What options bring lives as long as the program. */
static struct {
	char program[8], word[64], value[64], end[4];
	struct sockopt_item *items[256];
	int count;
} kept = { .program = "sockctl", .end = "--" };

static int
parse(struct sockopts *o, const char *word, const char *value, struct err *err)
{
	char *argv[] = { kept.program, kept.word,
		value == NULL ? kept.end : kept.value, NULL };
	char **args;
	int argc, after, r;

	snprintf(kept.word, sizeof(kept.word), "%s", word);
	snprintf(kept.value, sizeof(kept.value), "%s", value ? value : "");
	*o = (struct sockopts)SOCKOPTS_DEFAULT;
	*err = (struct err){ 0 };
	r = opt_parse(
		groups, o, 3, argv, &args, &argc, &after, NULL, NULL, err);
	free(args);
	kept.items[kept.count++] = o->item;
	return r;
}

/* Every name that the manual promises. */
static const char *const names[] = { "sndbuf", "rcvbuf", "nodelay", "linger",
	"keepalive", "congestion", "reuseaddr", "reuseport", "mss", "ttl",
	"tos", "dscp", "priority", "mark", "user-timeout", "quickack", "cork",
	"defer-accept", "fastopen", "syncnt", "window-clamp", "notsent-lowat",
	"rcvlowat", "oobinline", "broadcast", "dontroute", "device", "freebind",
	"transparent", "v6only", "mtu-discover", "mcast-ttl", "mcast-loop",
	"mcast-if", "join", "busy-poll" };

/* Known here, or said to be absent; POSIX alone does not know them all. */
static bool
is_absent(const char *name)
{
	const char *other;

	for (int i = 0; (other = sockopt_absent(i)) != NULL; i++)
		if (strcmp(other, name) == 0)
			return true;
	return false;
}

static bool
is_here(const char *text)
{
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "="), text);
	return !is_absent(name);
}

static void
test_names(void)
{
	struct buf table = { 0 };
	int n = 0;

	sockopt_table(&table);
	for (size_t i = 0; i < COUNT(names); i++) {
		CHECK((sockrow_find(names[i]) == NULL) == is_absent(names[i]));
		CHECK(strstr(buf_cstr(&table), names[i]) != NULL);
	}
	for (const char *line = buf_cstr(&table); *line; line++) {
		CHECK(strcspn(line, "\n") < 80);
		line += strcspn(line, "\n");
	}
	while (sockopt_name(n) != NULL)
		n++;
#ifdef _GNU_SOURCE
	CHECK(sockopt_absent(0) == NULL);
#endif
	for (int i = 0; sockopt_absent(i) != NULL; i++)
		n++;
	CHECK_INT(n, COUNT(names) + 3); /* and the timers of keepalive */
	buf_free(&table);
}

/* NAME=VALUE, and whether it is one. */
static const struct {
	const char *text;
	bool good;
} values[] = {
	{ "sndbuf=64K", true },
	{ "sndbuf=0", false },
	{ "sndbuf=-1", false },
	{ "sndbuf", false },
	{ "sndbuf=4G", false },
	{ "nodelay", true },
	{ "nodelay=off", true },
	{ "nodelay=2", false },
	{ "linger=0", true },
	{ "linger=0.5", false },
	{ "linger=off", true },
	{ "linger=-1", false },
	{ "linger=", false },
	{ "keepalive", true },
	{ "keepalive=5,1,3", true },
	{ "keepalive=5,1,3,4", false },
	{ "keepalive=0", false },
	{ "keepalive=5,,3", false },
	{ "keepalive=1m", true },
	{ "keepalive=off", true },
	{ "mss=87", false },
	{ "mss=1400", true },
	{ "ttl=256", false },
	{ "dscp=EF", true },
	{ "dscp=af43", true },
	{ "dscp=af44", false },
	{ "dscp=CS8", false },
	{ "dscp=63", true },
	{ "dscp=64", false },
	{ "user-timeout=3000", true },
	{ "user-timeout=3000ms", true },
	{ "user-timeout=10us", false },
	{ "user-timeout=0", false },
	{ "mtu-discover=do", true },
	{ "mtu-discover=perhaps", false },
	{ "congestion=", false },
	{ "congestion=a-name-of-16-char", false },
	{ "join=239.1.2.3", true },
	{ "join=ff02::1%lo", true },
	{ "join=127.0.0.1", false },
	{ "join=239.1.2.3%", false },
	{ "mcast-if=127.0.0.1", true },
	{ "mcast-if=", false },
	{ "no-such-option=1", false },
	{ "", false },
	{ "=1", false },
};

static void
test_values(void)
{
	struct sockopts o;
	struct err err;

	for (size_t i = 0; i < COUNT(values); i++) {
		int r = parse(&o, "-o", values[i].text, &err);
		bool good = values[i].good && is_here(values[i].text);

		if (!CHECK((r == 0) == good))
			printf("%s: %s\n", values[i].text, err.text);
		if (r == -1)
			CHECK(err.op == NULL && err.text[0] != '\0');
	}
}

static void
test_named_options(void)
{
	struct sockopts o;
	struct err err;

	CHECK_INT(parse(&o, "--linger=3", NULL, &err), 0);
	CHECK_INT(o.linger, 3);
	CHECK_INT(o.count, 1);
	CHECK_INT(parse(&o, "--linger=0.5", NULL, &err), -1);
	CHECK(strstr(err.text, "--linger '0.5'") != NULL);
	CHECK_INT(parse(&o, "--keepalive=5,1,3", NULL, &err), 0);
	CHECK_INT(o.count, 4);
	CHECK_STR(o.item[3].name, "keepalive-count");
	CHECK_INT(parse(&o, "--keepalive", NULL, &err), 0);
	CHECK_INT(o.count, 1);
	CHECK_INT(parse(&o, "--congestion=reno", NULL, &err), 0);
	CHECK_STR(o.congestion, "reno");
	CHECK_INT(parse(&o, "--nodelay", NULL, &err), 0);
	CHECK_STR(o.item[0].name, "nodelay");
	CHECK_INT(parse(&o, "--no-reuseaddr", NULL, &err), 0);
	CHECK(o.no_reuseaddr);
}

static void
keep(void *arg, const struct sockopt_seen *s)
{
	struct sockopt_seen *all = arg;

	while (all->name != NULL)
		all++;
	*all = *s;
}

/* What is asked for, and what the kernel then has. */
static const struct {
	const char *text;
	int family, type;
	enum sockopt_phase phase;
	const char *requested, *effective;
} sets[] = {
#ifdef __linux__
	{ "sndbuf=64K", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "65536", "131072" },
#else
	{ "sndbuf=64K", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "65536", "65536" },
#endif
	{ "nodelay", AF_INET6, SOCK_STREAM, SOCKOPT_CONNECTED, "1", "1" },
	{ "linger=2", AF_INET, SOCK_STREAM, SOCKOPT_CONNECTED, "2", "2" },
	{ "linger=0", AF_INET, SOCK_STREAM, SOCKOPT_CONNECTED, "0", "0" },
	{ "mss=1000", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "1000", "1000" },
	{ "ttl=9", AF_INET, SOCK_DGRAM, SOCKOPT_NEW, "9", "9" },
	{ "ttl=9", AF_INET6, SOCK_STREAM, SOCKOPT_NEW, "9", "9" },
	{ "tos=16", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "16", "16" },
	{ "dscp=EF", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "46", "46" },
	{ "dscp=AF21", AF_INET6, SOCK_DGRAM, SOCKOPT_NEW, "18", "18" },
	{ "broadcast", AF_INET, SOCK_DGRAM, SOCKOPT_NEW, "1", "1" },
	{ "oobinline=on", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "1", "1" },
	{ "v6only", AF_INET6, SOCK_STREAM, SOCKOPT_NEW, "1", "1" },
	{ "mcast-ttl=0", AF_INET, SOCK_DGRAM, SOCKOPT_NEW, "0", "0" },
	{ "mcast-loop=0", AF_INET6, SOCK_DGRAM, SOCKOPT_NEW, "0", "0" },
	{ "mcast-if=127.0.0.1", AF_INET, SOCK_DGRAM, SOCKOPT_NEW, "127.0.0.1",
		"127.0.0.1" },
#ifdef __linux__
	{ "keepalive-idle=1m", AF_INET, SOCK_STREAM, SOCKOPT_CONNECTED, "60",
		"60" },
	{ "user-timeout=2m", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "120000",
		"120000" },
	{ "cork", AF_INET, SOCK_STREAM, SOCKOPT_CONNECTED, "1", "1" },
	{ "syncnt=2", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "2", "2" },
	{ "fastopen=5", AF_INET, SOCK_STREAM, SOCKOPT_LISTENING, "5", "5" },
	{ "notsent-lowat=16K", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "16384",
		"16384" },
	{ "congestion=reno", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "reno",
		"reno" },
	{ "mtu-discover=probe", AF_INET, SOCK_DGRAM, SOCKOPT_NEW, "probe",
		"probe" },
	{ "freebind", AF_INET, SOCK_STREAM, SOCKOPT_NEW, "1", "1" },
	{ "mcast-if=lo", AF_INET, SOCK_DGRAM, SOCKOPT_NEW, "127.0.0.1",
		"127.0.0.1" },
	{ "mcast-if=lo", AF_INET6, SOCK_DGRAM, SOCKOPT_NEW, "lo", "lo" },
	{ "join=239.1.2.3%lo", AF_INET, SOCK_DGRAM, SOCKOPT_NEW, "239.1.2.3%lo",
		"239.1.2.3%lo" },
#endif
	/* Not for this socket, or not now: in silence. */
	{ "nodelay", AF_INET, SOCK_DGRAM, SOCKOPT_CONNECTED, NULL, NULL },
	{ "nodelay", AF_UNIX, SOCK_STREAM, SOCKOPT_CONNECTED, NULL, NULL },
	{ "nodelay", AF_INET, SOCK_STREAM, SOCKOPT_NEW, NULL, NULL },
	{ "ttl=9", AF_UNIX, SOCK_DGRAM, SOCKOPT_NEW, NULL, NULL },
	{ "join=ff02::1", AF_INET, SOCK_DGRAM, SOCKOPT_NEW, NULL, NULL },
};

static void
test_sets(void)
{
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct sockopt_seen seen[8] = { 0 };
		struct sockopts o;
		struct err err;
		int fd = socket(sets[i].family, sets[i].type, 0);

		if (fd == -1 && sets[i].family == AF_INET6)
			continue;
		if (!is_here(sets[i].text)) {
			close(fd);
			continue;
		}
		CHECK_INT(parse(&o, "-o", sets[i].text, &err), 0);
		o.show = o.strict = true;
		o.seen = keep;
		o.arg = seen;
		if (!CHECK(sockopts_apply(&o, fd, sets[i].phase, false, &err) ==
			    0))
			printf("%s: %s\n", sets[i].text, err.text);
		close(fd);
		if (sets[i].requested == NULL) {
			CHECK(seen[0].name == NULL);
			continue;
		}
		CHECK_STR(seen[0].requested, sets[i].requested);
		CHECK_STR(seen[0].effective, sets[i].effective);
		CHECK(seen[0].limit == NULL);
		CHECK(seen[1].name == NULL);
	}
}

static void
test_keepalive_events(void)
{
	struct sockopt_seen seen[8] = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockopts o;
	struct err err;

	CHECK_INT(parse(&o, "--keepalive=50,6,7", NULL, &err), 0);
	o.show = true;
	o.seen = keep;
	o.arg = seen;
	CHECK_INT(sockopts_apply(&o, fd, SOCKOPT_CONNECTED, false, &err), 0);
	CHECK_STR(seen[0].name, "keepalive");
	CHECK_STR(seen[0].before, "0");
	CHECK_STR(seen[1].effective, "50");
	CHECK_STR(seen[2].effective, "6");
	CHECK_STR(seen[3].effective, "7");
	CHECK(seen[4].name == NULL);
	close(fd);
}

/* A buffer over the system's limit: said, and an error when strict. */
static void
test_clamped(void)
{
	struct sockopt_seen seen[8] = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockopts o;
	struct err err;

	CHECK_INT(parse(&o, "--sndbuf=1G", NULL, &err), 0);
	o.show = true;
	o.seen = keep;
	o.arg = seen;
	CHECK_INT(sockopts_apply(&o, fd, SOCKOPT_NEW, false, &err), 0);
	CHECK_STR(seen[0].limit, "net.core.wmem_max");
	CHECK(strcmp(seen[0].before, seen[0].effective) != 0);
	o.strict = true;
	CHECK_INT(sockopts_apply(&o, fd, SOCKOPT_NEW, false, &err), -1);
	CHECK_STR(err.op, "setsockopt");
	CHECK_STR(err.target, "sndbuf");
	CHECK_INT(err_exit(&err), EXIT_SETUP);
	CHECK(strstr(err.text, "net.core.wmem_max") != NULL);
	close(fd);
}

static void
test_refused(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockopts o;
	struct err err = { 0 };

	CHECK_INT(sockopt_set(fd, "congestion", "nonesuch", &err), -1);
	CHECK_INT(err.number, ENOENT);
	CHECK_STR(err.target, "congestion");
	CHECK_INT(sockopt_set(fd, "nodelay", "1", &err), 0);
	CHECK_INT(sockopt_set(fd, "nonesuch", "1", &err), -1);
	CHECK_INT(parse(&o, "-o", "mcast-if=nonesuch", &err), 0);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_INT(sockopts_apply(&o, fd, SOCKOPT_NEW, false, &err), -1);
	CHECK_INT(err.number, ENODEV);
	CHECK_INT(err_exit(&err), EXIT_SETUP);
	close(fd);
}

static int
reuse_of(int fd)
{
	socklen_t len = sizeof(int);
	int on = -1;

	getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, &len);
	return on;
}

static void
test_reuseaddr(void)
{
	struct sockopts o = SOCKOPTS_DEFAULT;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_INT(sockopts_apply(&o, fd, SOCKOPT_NEW, false, NULL), 0);
	CHECK_INT(reuse_of(fd), 0);
	o.no_reuseaddr = true;
	CHECK_INT(sockopts_apply(&o, fd, SOCKOPT_NEW, true, NULL), 0);
	CHECK_INT(reuse_of(fd), 0);
	o.no_reuseaddr = false;
	CHECK_INT(sockopts_apply(&o, fd, SOCKOPT_NEW, true, NULL), 0);
	CHECK(reuse_of(fd) != 0);
	close(fd);
}

/* A connected pair on loopback. */
static void
pair_of(int fds[2])
{
	struct addr a = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_INT(addr_numeric(&a, "127.0.0.1", AF_INET, 0), 0);
	CHECK_INT(bind(fd, (struct sockaddr *)&a.ss, a.len), 0);
	CHECK_INT(listen(fd, 1), 0);
	addr_of_local(&a, fd);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_INT(connect(fds[0], (struct sockaddr *)&a.ss, a.len), 0);
	fds[1] = accept(fd, NULL, NULL);
	CHECK(fds[1] != -1);
	close(fd);
}

static void
test_congestion(void)
{
	struct sockopts o = SOCKOPTS_DEFAULT;
	char name[16];
	int fds[2];

	pair_of(fds);
#ifdef __linux__
	CHECK(sockopt_choose_congestion(&o, fds[0], name));
	CHECK_STR(name, "reno");
	o.congestion = "reno";
	CHECK(!sockopt_choose_congestion(&o, fds[0], name));
	CHECK_STR(name, "reno");
	o.congestion = NULL;
#endif
	close(fds[0]);
	close(fds[1]);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	CHECK(!sockopt_choose_congestion(&o, fds[0], name));
	CHECK_STR(name, "");
	close(fds[0]);
	close(fds[1]);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0); /* not connected: not here */
	CHECK(!sockopt_choose_congestion(&o, fds[0], name));
	close(fds[0]);
}

int
main(void)
{
	test_names();
	test_values();
	test_named_options();
	test_sets();
	test_keepalive_events();
	test_clamped();
	test_refused();
	test_reuseaddr();
	test_congestion();
	return check_result();
}
