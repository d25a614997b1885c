#include "../../util/hotset.h"
#include "../../util/clock.h"
#include "../../util/loop.h"
#include "../../util/net.h"
#include "check.h"
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIPES = 200, BITS = sizeof(hotset_word) * CHAR_BIT };

struct test {
	struct hotset set;
	int64_t now;
	int pipe[PIPES][2];
	int listener;
};

static bool
is_hot(const struct test *t, int fd)
{
	return t->set.hot[fd / BITS] >> fd % BITS & 1;
}

static int
count_hot(const struct test *t)
{
	int n = is_hot(t, t->listener);

	for (int i = 0; i < PIPES; i++)
		n += is_hot(t, t->pipe[i][0]);
	return n;
}

/* One wait; whether fd was ready. */
static bool
wait_for(struct test *t, int fd)
{
	unsigned ready;
	bool found = false;
	int next;

	hotset_wait(&t->set, 100 * CLOCK_MS, NULL, &t->now);
	while ((next = hotset_next(&t->set, &ready)) != -1) {
		found = found || next == fd;
		CHECK_INT(ready, LOOP_READ);
	}
	return found;
}

static void
setup(struct test *t)
{
	struct addr a;

	CHECK(addr_numeric(&a, "127.0.0.1", AF_INET, 0) == 0);
	t->listener = net_socket(&a, false, NULL, false, NULL);
	CHECK(net_bind(t->listener, &a, NULL) == 0);
	CHECK(listen(t->listener, 1) == 0);
	hotset_want(&t->set, t->listener, 0, LOOP_READ);
	for (int i = 0; i < PIPES; i++) {
		CHECK(net_pipe(t->pipe[i]) == 0);
		hotset_want(&t->set, t->pipe[i][0], 0, LOOP_READ);
	}
	CHECK_INT(t->set.watched, PIPES + 1);
	t->now = clock_now();
}

/* What is active stays hot, listeners too, all else leaves. */
static void
test_cooling(struct test *t)
{
	for (int i = 0; i < 3; i++)
		CHECK(write(t->pipe[i * 90][1], "x", 1) == 1);
	for (uint32_t start = t->set.age;
		t->set.age - start < 2 * HOTSET_KEEP + 2 * HOTSET_COOL;)
		wait_for(t, -1);
	CHECK_INT(count_hot(t), 4);
	CHECK(is_hot(t, t->pipe[90][0]));
	CHECK(is_hot(t, t->listener));
	CHECK_INT(t->set.pause, HOTSET_PAUSE_MOST); /* nothing cold to find */
}

/* With others ready in each wait, a cold one is found all the same. */
static void
test_starving(struct test *t)
{
	int cold = t->pipe[PIPES - 1][0];
	int64_t end = t->now + 10 * CLOCK_S;
	uint32_t age = t->set.age;
	bool found = false;

	CHECK(!is_hot(t, cold));
	CHECK(write(t->pipe[PIPES - 1][1], "x", 1) == 1);
	while (!found && t->now < end)
		found = wait_for(t, cold);
	CHECK(found);
	CHECK(t->set.age - age <= 2 * HOTSET_PAUSE_MOST / HOTSET_PAUSE);
	CHECK_INT(t->set.pause, HOTSET_PAUSE);
	CHECK(is_hot(t, cold)); /* and is hot now */
	CHECK(wait_for(t, cold));
}

/* With little to do it sleeps on all, for as long as it may. */
static void
test_calm(struct test *t)
{
	uint32_t age;
	int64_t start;
	char c;

	for (int i = 0; i < PIPES; i++)
		while (read(t->pipe[i][0], &c, 1) == 1)
			continue;
	for (age = t->set.age; !t->set.calm && t->set.age - age < 100;)
		wait_for(t, -1);
	CHECK(t->set.calm);
	age = t->set.age;
	start = t->now;
	CHECK_INT(hotset_wait(&t->set, 30 * CLOCK_MS, NULL, &t->now), 0);
	CHECK(t->now - start >= 29 * CLOCK_MS);
	CHECK_INT(t->set.age, age + 1);
	CHECK(write(t->pipe[150][1], "x", 1) == 1);
	CHECK(wait_for(t, t->pipe[150][0])); /* awake at once */
	CHECK(t->set.calm);
}

/* One that is always ready: the others are not asked each time. */
static void
test_excited(struct test *t)
{
	CHECK(t->set.calm);
	for (int i = 0; t->set.calm && i < 1000; i++)
		wait_for(t, t->pipe[150][0]);
	CHECK(!t->set.calm);
}

static void
test_forgetting(struct test *t)
{
	for (int i = 0; i < PIPES; i++) {
		hotset_again(&t->set, t->pipe[i][0], LOOP_WRITE);
		hotset_want(&t->set, t->pipe[i][0], LOOP_READ, 0);
		hotset_forget(&t->set, t->pipe[i][0]);
		close(t->pipe[i][0]);
		close(t->pipe[i][1]);
	}
	CHECK(!hotset_has_again(&t->set));
	CHECK_INT(t->set.watched, 1);
	CHECK_INT(t->set.waiting[0], 1);
	hotset_wait(&t->set, 0, NULL, &t->now);
	CHECK(t->set.words <= t->listener / BITS + 1);
	close(t->listener);
	hotset_free(&t->set);
}

int
main(void)
{
	struct test t = { .now = 0 };

	setup(&t);
	test_cooling(&t);
	test_starving(&t);
	test_calm(&t);
	test_excited(&t);
	test_forgetting(&t);
	return check_result();
}
