#include "command.h"
#include "net.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ENV_COUNT = 7, ENV_MAX = 192 };

static void
set_address(char name[ENV_MAX], char port[ENV_MAX], const char *side,
	const struct addr *a)
{
	char host[ADDR_TEXT_MAX];

	snprintf(name, ENV_MAX, "TCP%sIP=%s", side, addr_host(a, host));
	snprintf(port, ENV_MAX, "TCP%sPORT=%d", side, addr_port(a));
}

/* UCSPI (cr.yp.to/proto/ucspi.txt), and the number of the connection. */
static void
environment(char text[ENV_COUNT][ENV_MAX], char *env[ENV_COUNT], int fd,
	unsigned id)
{
	struct addr local, peer;
	int i, n = 0;

	addr_of_local(&local, fd);
	addr_of_peer(&peer, fd);
	snprintf(text[n++], ENV_MAX, "SOCKCTL_CONN=%u", id);
	if (local.ss.ss_family == AF_UNIX) {
		snprintf(text[n++], ENV_MAX, "PROTO=UNIX");
	} else {
		snprintf(text[n++], ENV_MAX, "PROTO=TCP");
		set_address(text[n], text[n + 1], "LOCAL", &local);
		set_address(text[n + 2], text[n + 3], "REMOTE", &peer);
		n += 4;
	}
	for (i = 0; i < n; i++)
		env[i] = text[i];
	env[n] = NULL;
}

static void
on_ended(void *arg, int status)
{
	struct command *c = arg;

	c->running = false;
	c->pump->conn.exec_status = child_code(status);
	pump_near_over(c->pump);
}

static bool
on_hold(void *arg)
{
	const struct command *c = arg;

	return c->running;
}

static int
start(struct command *c, struct pump *p, const char *text, int in[2],
	int out[2], struct err *err)
{
	char values[ENV_COUNT][ENV_MAX];
	char *env[ENV_COUNT];

	environment(values, env, p->set.fd, p->set.id);
	if (child_command(p->set.loop, &c->child, text, in[0], out[1], env,
		    on_ended, c, err) == -1)
		return -1;
	close(in[0]);
	close(out[1]);
	c->pump = p;
	c->running = true;
	p->set.hold = on_hold;
	pump_near(p, out[0], in[1], text);
	return 0;
}

static int
close_pipes(int in[2], int out[2])
{
	int *ends[] = { &in[0], &in[1], &out[0], &out[1] };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (*ends[i] != -1)
			close(*ends[i]);
	return -1;
}

int
command_join(
	struct command *c, struct pump *p, const char *text, struct err *err)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };

	if (net_pipe(in) == -1 || net_pipe(out) == -1) {
		err_set(err, "exec", errno, text);
		return close_pipes(in, out);
	}
	if (start(c, p, text, in, out, err) == -1)
		return close_pipes(in, out);
	return 0;
}

void
command_end(struct command *c, struct loop *l)
{
	if (c->running)
		child_signal(&c->child, SIGTERM);
	child_forget(l, &c->child);
}
