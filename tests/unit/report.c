#include "../../util/report.h"
#include "../../util/event.h"
#include "check.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Standard output and error of what a test tells, read back from files. */
struct tell {
	char out[65536], error[65536];
};

enum { WHERE = 64 };

static void
slurp(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

static int
scratch(void)
{
	char path[WHERE] = "/tmp/sockctl-report-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

/* Runs fn with both streams going to files. */
static void
listen_to(struct tell *t, const struct report_options *o,
	enum report_manner manner, void (*fn)(struct report *))
{
	int out = scratch(), error = scratch();
	int kept_out = dup(1), kept_error = dup(2);
	struct report *r;

	dup2(out, 1);
	dup2(error, 2);
	r = report_open(o, "serve", manner, NULL);
	fn(r);
	report_close(r);
	dup2(kept_out, 1);
	dup2(kept_error, 2);
	close(kept_out);
	close(kept_error);
	slurp(out, t->out, sizeof(t->out));
	slurp(error, t->error, sizeof(t->error));
}

/* A small judge of JSON: returns what stands behind one value, NULL for
 * something that is none. RFC 8259. */
static const char *json_skip(const char *p);

static const char *
string_skip(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < ' ')
			return NULL;
		if (*p == '\\' && strchr("\"\\/bfnrtu", *++p) == NULL)
			return NULL;
	}
	return p + 1;
}

static const char *
members_skip(const char *p, bool keys, char end)
{
	if (*p == end)
		return p + 1;
	while (p != NULL) {
		if (keys) {
			p = string_skip(p);
			if (p == NULL || *p++ != ':')
				return NULL;
		}
		p = json_skip(p);
		if (p == NULL || (*p != ',' && *p != end))
			return NULL;
		if (*p++ == end)
			return p;
	}
	return NULL;
}

static const char *
json_skip(const char *p)
{
	static const char *const words[] = { "true", "false", "null" };
	char *end;

	if (*p == '{')
		return members_skip(p + 1, true, '}');
	if (*p == '[')
		return members_skip(p + 1, false, ']');
	if (*p == '"')
		return string_skip(p);
	for (size_t i = 0; i < COUNT(words); i++)
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	if (*p != '-' && !isdigit((unsigned char)*p))
		return NULL;
	(void)strtod(p, &end);
	return end;
}

static void
check_json_lines(const char *text, int want)
{
	int lines = 0;

	for (const char *p = text; p != NULL && *p != '\0'; lines++) {
		const char *end = *p == '{' ? json_skip(p) : NULL;

		if (!CHECK(end != NULL && *end == '\n')) {
			printf("no JSON object: %s\n", p);
			return;
		}
		p = end + 1;
	}
	CHECK_INT(lines, want);
}

static const struct report_conn one = { 1, "127.0.0.1:4000", "127.0.0.1:5555" };

static void
tell_all(struct report *r)
{
	const struct field fields[] = { F_BYTES("name", "\xff\x1b\"\n\\", 5),
		F_INT("port", 4000), F_NULL("nothing"),
		F_REAL("elapsed_ms", 0.5, 3), F_BOOL("chosen", true) };

	for (int ev = 0; ev < EV_COUNT; ev++)
		report_event(r, (enum event)ev, ev % 2 ? &one : NULL, fields,
			COUNT(fields));
}

static void
tell_some(struct report *r)
{
	struct err e = { 0 };

	REPORT(r, EV_LISTENING, NULL, F_STR("local", "0.0.0.0:4000"),
		F_STR("transport", "tcp"), F_INT("backlog", 4096));
	report_event(r, EV_ACCEPT, &one, NULL, 0);
	REPORT(r, EV_CLOSE, &one, F_STR("reason", "eof"), F_INT("rx", 12),
		F_INT("tx", 5), F_REAL("duration_s", 0.1, 6),
		F_STR("why", "it did"));
	REPORT(r, EV_DENIED, NULL, F_STR("peer", "10.0.0.1:1"), F_NULL("rule"));
	REPORT(r, EV_SOCKOPT, NULL, F_STR("name", "mss"), F_INT("default", 1),
		F_INT("requested", 2), F_INT("effective", 3), F_NULL("limit"));
	REPORT(r, EV_PORT, NULL, F_STR("host", "h"), F_INT("port", 22),
		F_STR("proto", "tcp"), F_STR("state", "open"));
	err_set(&e, "bind", EADDRINUSE, "0.0.0.0:4000");
	err_hint(&e, "held by x");
	report_error(r, NULL, &e);
	report_note(r, 0, "a remark");
	CHECK_INT(REPORT_SUMMARY(r, 7, F_INT("connections", 1)), 7);
	CHECK_INT(REPORT_SUMMARY(r, 7, F_INT("connections", 2)), 7);
}

#define LISTENING_LINE "listening on 0.0.0.0:4000 (tcp, backlog 4096)\n"
#define ACCEPT_LINE "#1 accept 127.0.0.1:5555\n"
#define CLOSE_LINE \
	"#1 close 127.0.0.1:5555: eof, 12 received, 5 sent, 0.1 s; it did\n"
#define DENIED_LINE "denied 10.0.0.1:1\n"
#define SOCKOPT_LINE "sockopt mss: default 1, requested 2, effective 3\n"
#define PORT_LINE "h 22/tcp open - -\n"
#define ERROR_LINE \
	"sockctl serve: bind 0.0.0.0:4000: Address already in use " \
	"(EADDRINUSE); held by x\n"
#define NOTE_LINE "a remark\n"
#define SUMMARY_LINE "summary: 1 connections\n"

/* Who sees what. */
static const struct {
	struct report_options options;
	enum report_manner manner;
	const char *out, *error;
} levels[] = {
	{ { 0 }, REPORT_LISTENER, "",
		LISTENING_LINE ACCEPT_LINE CLOSE_LINE SOCKOPT_LINE PORT_LINE
			ERROR_LINE NOTE_LINE },
	{ { .verbose = true }, REPORT_LISTENER, "",
		LISTENING_LINE ACCEPT_LINE CLOSE_LINE DENIED_LINE SOCKOPT_LINE
			PORT_LINE ERROR_LINE NOTE_LINE SUMMARY_LINE },
	{ { .quiet = true }, REPORT_LISTENER, "", SOCKOPT_LINE ERROR_LINE },
	{ { 0 }, REPORT_RESULT, PORT_LINE SUMMARY_LINE,
		LISTENING_LINE ACCEPT_LINE CLOSE_LINE SOCKOPT_LINE ERROR_LINE
			NOTE_LINE },
	{ { .quiet = true }, REPORT_RESULT, "", ERROR_LINE },
};

static void
test_levels(void)
{
	static struct tell t;

	for (size_t i = 0; i < COUNT(levels); i++) {
		listen_to(&t, &levels[i].options, levels[i].manner, tell_some);
		CHECK_STR(t.out, levels[i].out);
		CHECK_STR(t.error, levels[i].error);
	}
}

static void
tell_as_client(struct report *r)
{
	report_event(r, EV_CONNECT, &one, NULL, 0);
	REPORT(r, EV_CLOSE, &one, F_STR("reason", "eof"));
	CHECK(!report_shows(r, EV_CLOSE));
	CHECK(report_shows(r, EV_ERROR));
	REPORT_SUMMARY(r, 0, F_INT("rx", 1));
}

static void
test_json(void)
{
	static struct tell t;
	const struct report_options all = { .json = true },
				    few = { .json = true, .quiet = true };

	listen_to(&t, &all, REPORT_RESULT, tell_all);
	CHECK_STR(t.error, "");
	check_json_lines(t.out, EV_COUNT - 1); /* no note */
	listen_to(&t, &all, REPORT_LISTENER, tell_some);
	CHECK_STR(t.out, "");
	check_json_lines(t.error, 8);
	CHECK(strstr(t.error,
		      "\"mode\":\"serve\",\"event\":\"accept\",\"conn\":1,"
		      "\"local\":\"127.0.0.1:4000\","
		      "\"peer\":\"127.0.0.1:5555\"}\n") != NULL);
	CHECK(strstr(t.error,
		      "\"event\":\"error\",\"op\":\"bind\","
		      "\"errno\":\"EADDRINUSE\","
		      "\"message\":\"Address already in use\","
		      "\"target\":\"0.0.0.0:4000\",\"hint\":\"held by "
		      "x\"}\n") != NULL);
	CHECK(strstr(t.error,
		      "\"event\":\"summary\",\"exit\":7,"
		      "\"error\":\"bind 0.0.0.0:4000: Address already in use "
		      "(EADDRINUSE)\",\"connections\":1}\n") != NULL);
	CHECK(strncmp(t.error, "{\"ts\":", 6) == 0);
	CHECK(strcspn(strchr(t.error, '.'), ",") == 7); /* 6 decimals */
	listen_to(&t, &few, REPORT_LISTENER, tell_some);
	check_json_lines(t.error, 4); /* sockopt, port, error, summary */
	CHECK(strstr(t.error, "accept") == NULL);
}

static void
tell_broken(struct report *r)
{
	int full = open("/dev/full", O_WRONLY);

	CHECK(!report_failed(r));
	dup2(full, 1);
	close(full);
	REPORT(r, EV_PORT, NULL, F_STR("host", "h"), F_STR("state", "open"));
	CHECK(report_failed(r));
	CHECK_INT(report_summary(r, 0, NULL, 0), EXIT_LOCAL);
}

/* A closed standard error harms nobody, and SIGPIPE stays as it was. */
static void
tell_into_closed(struct report *r)
{
	struct sigaction now;
	int fds[2];

	CHECK(pipe(fds) == 0);
	close(fds[0]);
	dup2(fds[1], 2);
	close(fds[1]);
	report_event(r, EV_ACCEPT, &one, NULL, 0);
	CHECK(!report_failed(r));
	CHECK_INT(REPORT_SUMMARY(r, 0, F_INT("rx", 1)), 0);
	sigaction(SIGPIPE, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL);
}

static void
test_streams(void)
{
	static struct tell t;
	const struct report_options none = { 0 };

	listen_to(&t, &none, REPORT_CLIENT, tell_as_client);
	CHECK_STR(t.out, "");
	CHECK_STR(t.error, "");
	listen_to(&t, &none, REPORT_LISTENER, tell_into_closed);
	listen_to(&t, &none, REPORT_RESULT, tell_broken);
	CHECK_STR(t.error,
		"sockctl serve: write standard output: "
		"No space left on device (ENOSPC)\n");
}

/* A pipe that nobody reads, closed or full: SIGPIPE and SIGTERM end it as they
 * end cat, on standard output; on standard error the line is dropped. */
static int
status_of(void (*fn)(struct report *), enum report_manner manner, int fd)
{
	const struct report_options none = { 0 };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(fd, manner == REPORT_RESULT ? 1 : 2);
		fn(report_open(&none, "probe", manner, NULL));
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void
on_term(int signo)
{
	(void)signo;
}

/* As the loop has it: signals are blocked, a handler is there. */
static void
tell_while_blocked(struct report *r)
{
	struct sigaction sa = { .sa_handler = on_term };
	sigset_t set;

	sigaction(SIGTERM, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTERM);
	report_note(r, 0, "nobody reads this");
	report_note(r, 0, "nor this");
}

static void
block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A line that nobody takes leaves no signal waiting. */
static void
tell_while_sigpipe_blocked(struct report *r)
{
	sigset_t pending;

	block_sigpipe();
	report_note(r, 0, "nobody reads this");
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGPIPE));
	_exit(check_result());
}

static void
tell_result(struct report *r)
{
	block_sigpipe();
	REPORT(r, EV_PORT, NULL, F_STR("host", "h"), F_STR("state", "open"));
}

static void
test_pipes(void)
{
	int fds[2], status;
	char byte = 0;

	CHECK(pipe(fds) == 0);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], &byte, 1) == 1)
		continue;
	fcntl(fds[1], F_SETFL, 0);
	status = status_of(tell_while_blocked, REPORT_LISTENER, fds[1]);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fds[0]);
	status = status_of(tell_while_sigpipe_blocked, REPORT_LISTENER, fds[1]);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = status_of(tell_result, REPORT_RESULT, fds[1]);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	close(fds[1]);
}

static void
test_log(void)
{
	static char text[65536];
	char path[WHERE] = "/tmp/sockctl-log-XXXXXX";
	struct report_options o = { .log = path };
	static struct tell t;
	struct err e = { 0 };
	int fd = mkstemp(path);

	CHECK(write(fd, "before\n", 7) == 7);
	listen_to(&t, &o, REPORT_RESULT, tell_some);
	CHECK_STR(t.out, "");
	CHECK_STR(t.error, "");
	slurp(fd, text, sizeof(text));
	CHECK(strncmp(text, "before\n" LISTENING_LINE,
		      strlen("before\n" LISTENING_LINE)) == 0);
	CHECK(strstr(text, PORT_LINE) != NULL);
	unlink(path);
	o.log = "/nonexistent/log";
	CHECK(report_open(&o, "serve", REPORT_CLIENT, &e) == NULL);
	CHECK_STR(e.op, "open");
	CHECK_INT(e.number, ENOENT);
}

/* Every event has a name and a line of its own. */
static void
test_table(void)
{
	for (int i = 0; i < EV_COUNT; i++) {
		const struct event_row *row = event_row((enum event)i);

		CHECK(row->text != NULL);
		CHECK(row->name != NULL);
		for (int k = 0; k < i; k++)
			CHECK(strcmp(row->name,
				      event_row((enum event)k)->name) != 0);
	}
}

static void
tell_sockopt(struct report *r)
{
	const struct sockopt_seen linger = { "linger", "off", "0", "0", NULL,
		true };
	struct sockopt_seen buffer = { "sndbuf", "16384", "9999999", "425984",
		"net.core.wmem_max", true };
	struct tcpinfo t;

	report_sockopt(r, &linger);
	report_sockopt(r, &buffer);
	tcpinfo_unknown(&t);
	report_tcpinfo(r, &one, &t);
}

static void
test_shared_events(void)
{
	static struct tell t;
	const struct report_options json = { .json = true };

	listen_to(&t, &json, REPORT_LISTENER, tell_sockopt);
	check_json_lines(t.error, 3);
	CHECK(strstr(t.error,
		      "\"name\":\"linger\",\"default\":\"off\","
		      "\"requested\":0,\"effective\":0,\"limit\":null}") !=
		NULL);
	CHECK(strstr(t.error,
		      "\"default\":16384,\"requested\":9999999,"
		      "\"effective\":425984,\"limit\":\"net.core.wmem_"
		      "max\"}") != NULL);
	CHECK(strstr(t.error,
		      "\"state\":null,\"rtt_us\":null,\"rttvar_us\":null,"
		      "\"retrans\":null,\"cwnd\":null,\"mss\":null,"
		      "\"recvq\":null,\"sendq\":null,\"delivery_rate\":null,"
		      "\"acked\":null,\"received\":null}") != NULL);
}

int
main(void)
{
	signal(SIGPIPE, SIG_DFL);
	setenv("NO_COLOR", "1", 1);
	test_table();
	test_levels();
	test_json();
	test_streams();
	test_pipes();
	test_log();
	test_shared_events();
	return check_result();
}
