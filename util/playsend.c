/* The steps of a script that send. */
#include "mem.h"
#include "playtry.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	FILL_QUIET = 1, /* s without a byte taken: it is full */
	FILL_LOOK = 50, /* ms between tries when it was */
	FILL_WRITES = 4096, /* a turn */
};

ssize_t
play_write(struct play *p, const void *data, size_t n, int flags)
{
	ssize_t put;

	do
		put = send(
			p->io.fd, data, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	while (put == -1 && errno == EINTR);
	if (put > 0) {
		conn_sent(&p->conn, data, (size_t)put, loop_now(p->set.loop));
		p->done += (uint64_t)put;
	}
	return put;
}

/* The bytes of a step from offset on: its text, or the pattern. */
static const uint8_t *
bytes_of(const struct script_step *s, uint64_t offset, size_t n, uint8_t *room)
{
	if (s->text.len > 0)
		return buf_data(&s->text) + offset;
	script_pattern(room, n, offset);
	return room;
}

enum play_wait
play_send(struct play *p, const struct script_step *s)
{
	size_t n = play_at_most(s->n, SCRIPT_ROOM);
	uint8_t *room = s->text.len ? NULL : mem_alloc(n);
	ssize_t put = play_write(p, bytes_of(s, 0, n, room), n, 0);
	int number = errno;

	free(room);
	errno = number;
	if (put == -1)
		return play_blocked() ? PLAY_WRITE : play_failed(p);
	return play_done(p);
}

enum play_wait
play_sendall(struct play *p, const struct script_step *s)
{
	uint8_t *room = loop_scratch(p->set.loop);

	while (p->done < s->n) {
		size_t n = play_at_most(s->n - p->done, LOOP_SCRATCH);
		if (play_write(p, bytes_of(s, p->done, n, room), n, 0) == -1)
			return play_blocked() ? PLAY_WRITE : play_failed(p);
	}
	return play_done(p);
}

enum play_wait
play_writev(struct play *p, const struct script_step *s)
{
	struct iovec piece[SCRIPT_PIECES];
	struct msghdr message = { .msg_iov = piece, .msg_iovlen = (int)s->n };
	size_t sum = 0, i;
	uint8_t *room;
	ssize_t put;
	int number;

	for (i = 0; i < s->n; i++)
		sum += s->pieces[i];
	room = mem_alloc(sum);
	script_pattern(room, sum, 0);
	for (sum = 0, i = 0; i < s->n; i++) {
		piece[i].iov_base = room + sum;
		piece[i].iov_len = s->pieces[i];
		sum += s->pieces[i];
	}
	put = sendmsg(p->io.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put > 0)
		conn_sent(&p->conn, room, (size_t)put, loop_now(p->set.loop));
	number = errno;
	free(room);
	errno = number;
	if (put == -1)
		return play_blocked() || errno == EINTR ? PLAY_WRITE
							: play_failed(p);
	p->done = (uint64_t)put;
	return play_done(p);
}

enum play_wait
play_oob(struct play *p, const struct script_step *s)
{
	if (play_write(p, buf_data(&s->text), s->text.len, MSG_OOB) == -1)
		return play_blocked() ? PLAY_WRITE : play_failed(p);
	return play_done(p);
}

/* select says writable at a third free; the kernel takes a byte earlier. */
enum play_wait
play_fill(struct play *p, const struct script_step *s)
{
	uint8_t *room = loop_scratch(p->set.loop);
	size_t n = p->set.chunk ? p->set.chunk : 1;
	int64_t now = clock_now();
	int i;

	(void)s;
	n = play_at_most(n, LOOP_SCRATCH);
	script_pattern(room, n, p->done);
	for (i = 0; i < FILL_WRITES; i++) {
		if (play_write(p, room, n, 0) == -1)
			break;
		p->quiet_at = now + FILL_QUIET * CLOCK_S;
	}
	if (i == FILL_WRITES)
		return play_later(p, 0);
	if (!play_blocked())
		return play_failed(p);
	if (p->quiet_at == 0)
		p->quiet_at = now + FILL_QUIET * CLOCK_S;
	if (now >= p->quiet_at)
		return play_done(p);
	return play_later(p, FILL_LOOK * CLOCK_MS);
}
