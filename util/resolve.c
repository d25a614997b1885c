#include "resolve.h"
#include "buf.h"
#include "lookup.h"
#include "mem.h"
#include "net.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An answer, between child and parent: its kind, then addresses as they are, or
 * errno and a text. */
enum { ANSWER_LIST = 'l', ANSWER_ERROR = 'e', ANSWER_USAGE = 'u' };
enum { ANSWER_MAX = 1 + LOOKUP_MAX * sizeof(struct addr) };

static void
put_answer(struct buf *out, int result, const struct addr_list *list,
	const struct err *err)
{
	if (result == 0) {
		buf_byte(out, ANSWER_LIST);
		buf_append(out, list->item,
			(size_t)list->count * sizeof(*list->item));
		return;
	}
	buf_byte(out, err->op ? ANSWER_ERROR : ANSWER_USAGE);
	buf_u32(out, (uint32_t)err->number);
	buf_printf(out, "%s%c%s%c", err->target, 0, err->text, 0);
}

static void
lookup_into(struct buf *out, const struct resolve_query *q)
{
	struct addr_list list = { 0 };
	struct err err = { 0 };
	int result = lookup(&list, q, &err);

	put_answer(out, result, &list, &err);
	addr_list_free(&list);
}

/* Frees what a look-up holds; r may be used again. */
static void
clear(struct resolve *r)
{
	int fd = r->watch.fd;

	loop_unwatch(r->loop, &r->watch);
	if (fd != -1)
		close(fd);
	loop_cancel(r->loop, &r->timer);
	child_signal(&r->child, SIGKILL);
	child_forget(r->loop, &r->child);
	if (r->answer) {
		buf_free(r->answer);
		free(r->answer);
	}
	r->answer = NULL;
}

void
resolve_cancel(struct resolve *r)
{
	if (r->answer)
		clear(r);
}

static void
fail(struct resolve *r, const struct err *err)
{
	clear(r);
	r->done(r->arg, NULL, err);
}

static void
deliver_error(struct resolve *r)
{
	const char *target, *text;
	bool usage = *buf_data(r->answer) == ANSWER_USAGE;
	struct err err = { 0 };
	int number;

	number = (int)get_u32(buf_data(r->answer) + 1);
	target = buf_cstr(r->answer) + 5;
	text = target + strlen(target) + 1;
	err_setf(&err, usage ? NULL : "resolve", number,
		*target ? target : NULL, "%s", text);
	fail(r, &err);
}

/* The answer is whole: hands it out. */
static void
deliver(struct resolve *r)
{
	struct addr_list list = { 0 };
	struct err err = { 0 };
	size_t n;

	if (r->answer->len < 1 + sizeof(struct addr) &&
		(r->answer->len < 7 || *buf_data(r->answer) == ANSWER_LIST)) {
		err_setf(&err, "resolve", 0, r->target,
			"the look-up ended without an answer");
		fail(r, &err);
		return;
	}
	if (*buf_data(r->answer) != ANSWER_LIST) {
		deliver_error(r);
		return;
	}
	n = (r->answer->len - 1) / sizeof(struct addr);
	list.item = mem_copy(buf_data(r->answer) + 1, n * sizeof(struct addr));
	list.count = (int)n;
	clear(r);
	r->done(r->arg, &list, NULL);
	free(list.item);
}

static void
on_answer(void *arg, unsigned ready)
{
	struct resolve *r = arg;
	ssize_t n = read(
		r->watch.fd, buf_room(r->answer, ANSWER_MAX), ANSWER_MAX);

	(void)ready;
	if (n > 0) {
		buf_added(r->answer, (size_t)n);
		if (r->answer->len > ANSWER_MAX)
			deliver(r);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		deliver(r);
	}
}

/* The time limit, or the turn in which a ready answer is handed out. */
static void
on_time(void *arg)
{
	struct resolve *r = arg;
	struct err err = { 0 };

	if (r->watch.fd == -1) {
		deliver(r);
		return;
	}
	err_setf(&err, "wait", ETIMEDOUT, r->target,
		"the name look-up was not answered in time");
	fail(r, &err);
}

static _Noreturn void
run_child(int fd, const struct resolve_query *q)
{
	struct buf out = { 0 };

	child_close_others(&fd, 1);
	net_nonblock(fd, false);
	lookup_into(&out, q);
	while (out.len) {
		ssize_t n = write(fd, buf_data(&out), out.len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_consume(&out, (size_t)n);
	}
	_exit(0);
}

static int
start_child(struct resolve *r, const struct resolve_query *q, struct err *err)
{
	int pair[2];

	if (net_pipe(pair) == -1)
		return err_set(err, "resolve", errno, r->target);
	switch (child_fork(r->loop, &r->child, NULL, NULL, err)) {
	case -1:
		close_keep(pair[0], -1);
		return close_keep(pair[1], -1);
	case 0:
		run_child(pair[1], q);
	}
	close_keep(pair[1], 0);
	if (loop_watch(r->loop, &r->watch, pair[0], LOOP_READ, on_answer, r) ==
		-1) {
		err_set(err, "resolve", errno, r->target);
		return close_keep(pair[0], -1);
	}
	if (q->timeout >= 0)
		loop_timer(r->loop, &r->timer, q->timeout, on_time, r);
	return 0;
}

void
resolve_start(struct loop *loop, struct resolve *r,
	const struct resolve_query *q,
	void (*done)(
		void *arg, const struct addr_list *list, const struct err *err),
	void *arg)
{
	struct err err = { 0 };

	*r = (struct resolve){ .loop = loop,
		.watch = WATCH_NONE,
		.answer = mem_zero(1, sizeof(*r->answer)),
		.done = done,
		.arg = arg };
	snprintf(r->target, sizeof(r->target), "%s",
		q->host ? q->host : q->port);
	if (lookup_here(q))
		lookup_into(r->answer, q);
	else if (start_child(r, q, &err) == -1)
		put_answer(r->answer, -1, NULL, &err);
	if (r->watch.fd == -1)
		loop_timer(loop, &r->timer, 0, on_time, r);
}
