#include "../../util/resolve.h"
#include "../../util/clock.h"
#include "../../util/lookup.h"
#include "check.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct answer {
	struct loop *loop;
	struct resolve resolve;
	int calls, count;
	struct addr first, second;
	struct err err;
};

static void
done(void *arg, const struct addr_list *list, const struct err *err)
{
	struct answer *a = arg;

	a->calls++;
	a->count = list ? list->count : -1;
	if (list)
		a->first = list->item[0];
	if (list && list->count > 1)
		a->second = list->item[1];
	if (err)
		a->err = *err;
	loop_stop(a->loop, 0);
}

/* Asks and waits; done is never called before resolve_start returned. */
static void
ask(struct answer *a, struct loop *l, struct resolve_query q)
{
	*a = (struct answer){ .loop = l };
	resolve_start(l, &a->resolve, &q, done, a);
	CHECK_INT(a->calls, 0);
	loop_run(l);
	CHECK_INT(a->calls, 1);
}

static void
has(const struct addr *a, const char *text)
{
	char out[ADDR_TEXT_MAX];

	CHECK_STR(addr_text(a, out), text);
}

#define QUERY(h, p, ...) \
	(struct resolve_query) \
	{ \
		.host = (h), .port = (p), .timeout = CLOCK_NONE, __VA_ARGS__ \
	}

static void
test_numeric(struct loop *l)
{
	struct answer a;

	ask(&a, l, QUERY("127.0.0.1", "80", .numeric = true));
	CHECK_INT(a.count, 1);
	has(&a.first, "127.0.0.1:80");
	CHECK_INT(a.resolve.child.pid, 0);
	ask(&a, l, QUERY("::1", "0", .family = AF_INET6));
	has(&a.first, "[::1]:0");
	ask(&a, l, QUERY(NULL, "7", .passive = true));
	CHECK_INT(a.count, 2);
	has(&a.first, "[::]:7");
	has(&a.second, "0.0.0.0:7");
	ask(&a, l, QUERY(NULL, "7", .family = AF_INET));
	CHECK_INT(a.count, 1);
	ask(&a, l, QUERY("127.0.0.1", "80", .family = AF_INET6));
	CHECK_INT(a.count, -1);
	CHECK_STR(a.err.op, "resolve");
	CHECK_STR(a.err.target, "127.0.0.1");
	CHECK_INT(err_exit(&a.err), EXIT_RESOLVE);
	ask(&a, l, QUERY("localhost", "80", .numeric = true));
	CHECK(a.count == -1 && a.err.op == NULL);
	CHECK_STR(a.err.text,
		"localhost is a name, and --numeric forbids look-ups");
	ask(&a, l, QUERY("127.0.0.1", "65536", .family = AF_UNSPEC));
	CHECK(a.count == -1 && a.err.op == NULL);
	ask(&a, l, QUERY("lo", "80", .passive = true, .family = AF_INET));
	CHECK_INT(a.count, 1);
	has(&a.first, "127.0.0.1:80");
}

static void
test_names(struct loop *l)
{
	struct answer a;

	ask(&a, l, QUERY("localhost", "http", .family = AF_INET));
	CHECK_INT(a.count, 1);
	has(&a.first, "127.0.0.1:80");
	ask(&a, l, QUERY("127.0.0.1", "domain", .datagram = true));
	has(&a.first, "127.0.0.1:53");
	ask(&a, l, QUERY("localhost", "no-such-service", .family = AF_UNSPEC));
	CHECK_INT(a.count, -1);
	CHECK_STR(a.err.op, "resolve");
	CHECK_STR(a.err.target, "no-such-service");
	ask(&a, l, QUERY("no such name", "80", .family = AF_UNSPEC));
	CHECK_INT(a.count, -1);
	CHECK_STR(a.err.op, "resolve");
	CHECK_STR(a.err.target, "no such name");
	CHECK(a.err.text[0]);
	CHECK_INT(err_exit(&a.err), EXIT_RESOLVE);
}

/* Nothing is left behind: no child, nobody to reap. */
static void
test_left(struct loop *l)
{
	int64_t end = clock_now() + 5 * CLOCK_S;

	while (*loop_children(l) && clock_now() < end)
		loop_turn(l, 100 * CLOCK_MS);
	CHECK(*loop_children(l) == NULL);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void
test_cancel(struct loop *l)
{
	struct answer a = { .loop = l };
	struct resolve_query q = QUERY("localhost", "80", .family = AF_UNSPEC);

	resolve_cancel(&a.resolve); /* not under way */
	resolve_start(l, &a.resolve, &q, done, &a);
	CHECK(a.resolve.child.pid > 0);
	resolve_cancel(&a.resolve);
	q.host = "127.0.0.1";
	resolve_start(l, &a.resolve, &q, done, &a);
	resolve_cancel(&a.resolve);
	resolve_cancel(&a.resolve);
	test_left(l);
	CHECK_INT(a.calls, 0);
}

/* The child is stopped: no answer comes. */
static void
test_timeout(struct loop *l)
{
	struct answer a = { .loop = l };
	struct resolve_query q = QUERY("localhost", "80", .family = AF_UNSPEC);

	q.timeout = 20 * CLOCK_MS;
	resolve_start(l, &a.resolve, &q, done, &a);
	kill(a.resolve.child.pid, SIGSTOP);
	loop_run(l);
	if (a.count == 1) {
		printf("skipped: it answered before it was stopped\n");
	} else {
		CHECK_STR(a.err.op, "wait");
		CHECK_INT(a.err.number, ETIMEDOUT);
		CHECK_INT(err_exit(&a.err), EXIT_TIMEOUT);
	}
	test_left(l);
	/* one that dies without an answer */
	q.timeout = CLOCK_NONE;
	a = (struct answer){ .loop = l };
	resolve_start(l, &a.resolve, &q, done, &a);
	kill(a.resolve.child.pid, SIGKILL);
	loop_run(l);
	CHECK_INT(a.calls, 1);
	CHECK(a.count > 0 || strcmp(a.err.op, "resolve") == 0);
}

static void
test_now(void)
{
	struct addr_list list;
	struct err err = { 0 };
	struct resolve_query q = QUERY("localhost", "99", .family = AF_INET);

	CHECK_INT(resolve_now(&list, &q, &err), 0);
	CHECK_INT(list.count, 1);
	has(&list.item[0], "127.0.0.1:99");
	addr_list_free(&list);
	q.host = "no such name";
	CHECK_INT(resolve_now(&list, &q, &err), -1);
	CHECK_STR(err.op, "resolve");
	CHECK_INT(resolve_port("http", false, &err), 80);
	CHECK_INT(resolve_port("65535", false, &err), 65535);
	CHECK_INT(resolve_port("65536", false, &err), -1);
	CHECK(err.op == NULL);
	CHECK_INT(resolve_port("no-such-service", false, &err), -1);
	CHECK_STR(err.op, "resolve");
}

static void
test_order(void)
{
	static const char *const given[] = { "::1", "::2", "::2", "127.0.0.1",
		"::1", "::3", "127.0.0.1", "127.0.0.2" };
	static const char *const want[] = { "::1", "127.0.0.1", "::2",
		"127.0.0.2", "::3" };
	struct addr a[COUNT(given)];
	struct addrinfo info[COUNT(given)] = { 0 };
	struct addr_list list = { 0 };
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < COUNT(given); i++) {
		CHECK(addr_numeric(&a[i], given[i], AF_UNSPEC, 0) == 0);
		info[i].ai_family = a[i].ss.ss_family;
		info[i].ai_addr = (struct sockaddr *)&a[i].ss;
		info[i].ai_addrlen = a[i].len;
		info[i].ai_next = i + 1 < COUNT(given) ? &info[i + 1] : NULL;
	}
	lookup_order(&list, info);
	CHECK_INT(list.count, COUNT(want));
	for (int i = 0; i < list.count && i < (int)COUNT(want); i++)
		CHECK_STR(addr_host(&list.item[i], text), want[i]);
	addr_list_free(&list);
}

int
main(void)
{
	struct loop *l = loop_new();

	test_numeric(l);
	test_names(l);
	test_cancel(l);
	test_timeout(l);
	test_left(l);
	loop_free(l);
	test_now();
	test_order();
	return check_result();
}
