#include "../../util/workers.h"
#include "../../util/clock.h"
#include "check.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT_OF = 3, BIG = 100000, ROUNDS = 20, ECHO = 1, STOP = 2 };

static struct worker team[COUNT_OF];
static struct loop *loop;
static int echoes, ends, right, codes;

/* In the worker: a message comes back ROUNDS times; a descriptor is written to.
 */
static void
obey(void *arg, struct worker *w, unsigned type, const void *data, size_t n,
	int fd)
{
	if (type == STOP)
		_exit(10 + w->index);
	if (fd != -1) {
		(void)!write(fd, data, n);
		close(fd);
		return;
	}
	for (int i = 0; i < ROUNDS; i++)
		worker_send(w, ECHO, arg, BIG, -1);
}

static void
boss_gone(void *arg, struct worker *w, int status)
{
	(void)arg;
	(void)w;
	(void)status;
	_exit(1);
}

static void
heard(void *arg, struct worker *w, unsigned type, const void *data, size_t n,
	int fd)
{
	(void)fd;
	echoes++;
	right += type == ECHO && n == BIG && memcmp(data, arg, n) == 0;
	if (echoes == COUNT_OF * ROUNDS)
		for (int i = 0; i < COUNT_OF; i++)
			worker_send(&team[i], STOP, NULL, 0, -1);
	(void)w;
}

static void
ended(void *arg, struct worker *w, int status)
{
	(void)arg;
	codes += WEXITSTATUS(status) == 10 + w->index;
	if (++ends == COUNT_OF)
		loop_stop(loop, 0);
}

static const struct worker_calls boss_calls = { heard, ended };
static const struct worker_calls team_calls = { obey, boss_gone };

int
main(void)
{
	char *big = malloc(BIG), text[8] = "";
	int pair[2], i;
	struct err err;

	memset(big, 'b', BIG);
	loop = loop_new();
	CHECK_INT(workers_count(3, 2), 2);
	CHECK_INT(workers_count(3, 10), 3);
	CHECK_INT(workers_count(1000, 1000), WORKERS_MAX);
	CHECK(workers_count(0, 1000) >= 1);
	CHECK_INT(workers_count(0, 1), 1);
	i = workers_start(team, COUNT_OF, loop, &boss_calls, big, &err);
	if (i > 0) {
		struct loop *mine = loop_new();

		worker_join(&team[i - 1], mine, &team_calls, big);
		loop_run(mine);
	}
	CHECK_INT(i, 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CHECK_INT(worker_send(&team[1], ECHO, "hello", 5, pair[1]), 0);
	close(pair[1]);
	CHECK_INT(read(pair[0], text, sizeof(text)), 5);
	CHECK_STR(text, "hello");
	CHECK_INT(read(pair[0], text, sizeof(text)), 0);
	for (i = 0; i < COUNT_OF; i++)
		CHECK_INT(worker_send(&team[i], ECHO, NULL, 0, -1), 0);
	loop_run(loop);
	CHECK_INT(echoes, COUNT_OF * ROUNDS);
	CHECK_INT(right, echoes);
	CHECK_INT(codes, COUNT_OF);
	CHECK_INT(worker_send(&team[0], ECHO, NULL, 0, -1), -1);
	loop_free(loop);
	free(big);
	return check_result();
}
