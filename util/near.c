#include "near.h"
#include "ends.h"
#include "signals.h"
#include "term.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct pump_end *
near_out(struct pump *p)
{
	return p->set.out == p->set.in ? &p->in : &p->out;
}

void
near_open(struct pump *p)
{
	const struct pump_setup *s = &p->set;
	bool deaf = s->ends->send_only;

	io_open_source(&p->in.io, s->ends->recv_only ? -1 : s->in);
	if (s->out != s->in)
		io_open_sink(&p->out.io, deaf ? -1 : s->out);
	p->up.from = p->in.io.fd == -1 ? NULL : &p->in.io;
	p->up.ended = p->in.io.fd == -1;
	p->down.to = deaf ? NULL : &near_out(p)->io;
}

bool
near_in_background(const struct pump *p)
{
	return p->in.io.kind == IO_TERMINAL && !term_foreground(p->in.io.fd);
}

/* The line with the counts, of the connection at the near end. */
static void
lost(struct pump *p, const char *op, int number)
{
	size_t held = flow_held(&p->down);
	struct conn near = {
		.tx = p->conn.rx - held, .rx = p->up.taken, .unsent = held
	};

	snprintf(near.peer, sizeof(near.peer), "%s",
		p->set.near_name ? p->set.near_name : "");
	conn_lost(&near, &p->local, op, number);
}

/* What f still brings is read, and dropped. */
static void
discard(struct flow *f)
{
	f->to = NULL;
	f->way = FLOW_COPY;
	f->broken = NULL;
	f->waits = FLOW_AGAIN;
	buf_clear(&f->held);
}

void
near_failed(struct pump *p, const struct flow *f)
{
	bool reading = f == &p->up;
	const char *name = reading ? "standard input" : "standard output";

	if (p->set.manner != PUMP_JOIN) {
		if (!reading && f->error == EPIPE)
			io_sigpipe_die();
		err_set(&p->local, reading ? "read" : "write", f->error, name);
		return;
	}
	if (p->lost.op)
		return; /* that is why */
	if (f->broken->kind == IO_SOCKET) {
		lost(p, reading ? "recv" : "send", f->error);
		return;
	}
	/* A command that has closed its input: the rest is for nobody. */
	signals_forget_pipe();
	discard(&p->down);
}

/* Closes one of two descriptors while the other goes on. */
static void
close_one(struct pump *p, struct pump_end *end, int *fd)
{
	loop_unwatch(p->set.loop, &end->watch);
	io_close(&end->io);
	close(*fd);
	*fd = -1;
}

void
near_unheard(struct pump *p)
{
	if (p->set.manner != PUMP_JOIN || p->set.in == -1)
		return;
	if (p->set.in != p->set.out) {
		close_one(p, &p->in, &p->set.in);
		return;
	}
	discard(&p->up);
	p->up.ended = false;
}

void
near_pass_fin(struct pump *p)
{
	if (p->set.manner != PUMP_JOIN || !ends_down_finished(p) ||
		p->set.out == -1)
		return;
	if (p->set.out != p->set.in)
		close_one(p, &p->out, &p->set.out);
	else if (p->down.to)
		shutdown(p->set.out, SHUT_WR);
	p->down.to = NULL;
	p->set.out = -1;
}

void
near_close(struct pump *p)
{
	io_close(&p->in.io);
	io_close(&p->out.io);
	if (!p->set.own_near)
		return;
	if (p->set.out != -1 && p->set.out != p->set.in)
		close(p->set.out);
	if (p->set.in != -1)
		close(p->set.in);
	p->set.in = p->set.out = -1;
}
