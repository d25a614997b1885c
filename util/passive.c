#include "passive.h"
#include "activation.h"
#include "io.h"
#include "mem.h"
#include "num.h"
#include "resolve.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a free port is taken anew because the other family, or another
 * address, has it in use. */
enum { FREE_PORT_TRIES = 32 };

static void
add_socket(struct passive *p, int fd)
{
	p->fd = mem_grow(p->fd, p->count + 1, sizeof(*p->fd));
	p->fd[p->count++] = fd;
}

static void
close_sockets(struct passive *p)
{
	for (int i = 0; i < p->count; i++)
		close(p->fd[i]);
	p->count = 0;
}

/* What listen(2) takes at most; beyond it the kernel clamps in silence. */
static int64_t
backlog_limit(void)
{
	struct buf text = { 0 };
	int64_t n = SOMAXCONN;

	if (opt_read_file(&text, "/proc/sys/net/core/somaxconn", 64, NULL) ==
		0) {
		char *s = buf_cstr(&text);

		s[strcspn(s, "\n")] = '\0';
		(void)num_int(s, 1, INT32_MAX, &n);
	}
	buf_free(&text);
	return n;
}

static int
choose_backlog(
	struct passive *p, const struct listener_setup *s, struct err *err)
{
	int64_t limit = backlog_limit(), wanted = s->listen->backlog;

	p->backlog = wanted && wanted < limit ? wanted : limit;
	if (wanted > limit && s->sockopts->strict)
		return err_setf(err, "listen", EINVAL, "--backlog",
			"clamped to %lld by net.core.somaxconn",
			(long long)limit);
	return 0;
}

static void
add_once(struct addr_list *l, const struct addr *a)
{
	for (int i = 0; i < l->count; i++)
		if (addr_equal(&l->item[i], a))
			return;
	addr_list_add(l, a);
}

static void
add_wildcards(struct addr_list *l, int family, int port)
{
	struct addr a;

	if (family != AF_INET6 &&
		addr_numeric(&a, "0.0.0.0", AF_INET, port) == 0)
		addr_list_add(l, &a);
	if (family != AF_INET && addr_numeric(&a, "::", AF_INET6, port) == 0)
		addr_list_add(l, &a);
}

static int
add_named(struct addr_list *l, const struct listener_setup *s, const char *name,
	struct err *err)
{
	const struct resolve_query q = {
		.host = name,
		.port = s->listen->port,
		.family = net_family(s->net),
		.datagram = s->datagram,
		.numeric = s->net->numeric,
		.passive = true,
		.timeout = CLOCK_NONE,
	};
	struct addr_list found = { 0 };

	if (resolve_now(&found, &q, err) == -1)
		return -1;
	for (int i = 0; i < found.count; i++)
		add_once(l, &found.item[i]);
	addr_list_free(&found);
	return 0;
}

static int
where_to_listen(
	struct addr_list *l, const struct listener_setup *s, struct err *err)
{
	const struct opt_list *bind = &s->net->bind;
	int port;

	if (listener_check(s->listen, s->net, err) == -1)
		return -1;
	if (s->net->path) {
		struct addr a;

		if (addr_unix(&a, s->net->path, err) == -1)
			return -1;
		addr_list_add(l, &a);
		return 0;
	}
	if (!s->listen->port)
		return err_setf(err, NULL, 0, NULL,
			"nothing says where to listen: -p PORT (or -U PATH) "
			"is missing");
	port = resolve_port(s->listen->port, s->datagram, err);
	if (port == -1)
		return -1;
	if (bind->count == 0)
		add_wildcards(l, net_family(s->net), port);
	for (int i = 0; i < bind->count; i++)
		if (add_named(l, s, bind->item[i], err) == -1)
			return -1;
	return 0;
}

static bool
names_option(const struct sockopts *o, const char *name)
{
	for (int i = 0; i < o->count; i++)
		if (strcmp(o->item[i].name, name) == 0)
			return true;
	return false;
}

/* SO_REUSEADDR lets two datagram sockets share a port, which must not happen
 * by accident; the members of a multicast group share it by custom. */
static bool
reuse_address(const struct listener_setup *s, const struct addr *a)
{
	return !s->datagram || addr_is_multicast(a) ||
		names_option(s->sockopts, "join");
}

static int
bind_one(struct passive *p, const struct listener_setup *s,
	const struct addr *a, struct err *err)
{
	int fd = net_socket(
		a, s->datagram, s->sockopts, reuse_address(s, a), err);
	int result;

	if (fd == -1)
		return -1;
	if (a->ss.ss_family == AF_UNIX)
		result = unixpath_bind(
			&p->path, fd, a, s->listen->unix_mode, err);
	else
		result = net_bind(fd, a, err);
	if (result == 0)
		result = sockopts_apply(
			s->sockopts, fd, SOCKOPT_LISTENING, false, err);
	if (result == -1)
		return close_keep(fd, -1);
	add_socket(p, fd);
	return fd;
}

static int
listen_all(struct passive *p, const struct listener_setup *s, struct err *err)
{
	char text[ADDR_TEXT_MAX];
	struct addr local;
	int number;

	if (s->datagram)
		return 0;
	for (int i = 0; i < p->count; i++) {
		if (listen(p->fd[i], (int)p->backlog) == 0)
			continue;
		number = errno;
		addr_of_local(&local, p->fd[i]);
		err_set(err, "listen", number, addr_text(&local, text));
		net_hint(err, &local);
		return -1;
	}
	return 0;
}

/* A family that this system does not have is left out where the user asked
 * for none: the wildcards of both stand in the list then. */
static bool
family_is_missing(const struct listener_setup *s, int number)
{
	return s->net->bind.count == 0 && net_family(s->net) == AF_UNSPEC &&
		(number == EAFNOSUPPORT || number == EADDRNOTAVAIL ||
			number == EPROTONOSUPPORT);
}

/* One port for all: where it is a free one, that of the first socket. */
static int
open_all(struct passive *p, const struct listener_setup *s,
	const struct addr_list *l, struct err *err)
{
	int port = 0;

	for (int i = 0; i < l->count; i++) {
		struct addr a = l->item[i];
		int fd;

		if (port)
			addr_set_port(&a, port);
		fd = bind_one(p, s, &a, err);
		if (fd == -1 && family_is_missing(s, err->number))
			continue;
		if (fd == -1)
			return -1;
		addr_of_local(&a, fd);
		port = addr_port(&a);
	}
	return p->count == 0 ? -1 : listen_all(p, s, err);
}

static int
open_on_one_port(struct passive *p, const struct listener_setup *s,
	const struct addr_list *l, struct err *err)
{
	bool any = addr_port(&l->item[0]) == 0;

	for (int tries = 1;; tries++) {
		if (open_all(p, s, l, err) == 0)
			break;
		close_sockets(p);
		if (!any || err->number != EADDRINUSE ||
			tries == FREE_PORT_TRIES)
			return -1;
	}
	*err = (struct err){ 0 };
	return 0;
}

static int
open_activated(
	struct passive *p, const struct listener_setup *s, struct err *err)
{
	const char *names = getenv("LISTEN_FDNAMES");
	int count = activation_count();

	report_note(s->report, 1, "socket activation: %d (%s)", count,
		names ? names : "without names");
	activation_forget();
	for (int i = 0; i < count; i++) {
		int fd = activation_take(i, s->datagram, err);

		if (fd == -1)
			return -1;
		add_socket(p, fd);
	}
	p->backlog = -1;
	return 0;
}

static int
open_new(struct passive *p, const struct listener_setup *s, struct err *err)
{
	struct addr_list l = { 0 };
	int result = where_to_listen(&l, s, err);

	p->backlog = -1;
	if (result == 0 && !s->datagram)
		result = choose_backlog(p, s, err);
	if (result == 0 && s->net->path)
		result = unixpath_claim(&p->path, &l.item[0], err);
	if (result == 0)
		result = open_on_one_port(p, s, &l, err);
	addr_list_free(&l);
	return result;
}

int
passive_open(struct passive *p, const struct listener_setup *s, struct err *err)
{
	int result;

	*p = (struct passive){ .path = UNIXPATH_NONE };
	if (s->activation && activation_count() > 0)
		result = open_activated(p, s, err);
	else
		result = open_new(p, s, err);
	if (result == -1)
		passive_close(p);
	return result;
}

static int
write_text(int fd, const char *text, const char *path, struct err *err)
{
	if (io_write_all(fd, text, strlen(text)) == -1) {
		err_set(err, "write", errno, path);
		return close_keep(fd, -1);
	}
	if (close(fd) == -1)
		return err_set(err, "write", errno, path);
	return 0;
}

static int
replace_file(const char *path, const char *text, struct err *err)
{
	struct buf temporary = { 0 };
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, result = -1;
	char *name;
	int fd;

	buf_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
	name = buf_cstr(&temporary);
	fd = open(name, flags, 0666);
	if (fd == -1)
		err_set(err, "open", errno, path);
	else
		result = write_text(fd, text, path, err);
	if (result == 0 && rename(name, path) == -1)
		result = err_set(err, "write", errno, path);
	if (fd != -1 && result == -1)
		unlink(name);
	buf_free(&temporary);
	return result;
}

int
passive_write_port(const struct passive *p, const char *path, struct err *err)
{
	struct addr local;
	struct stat st;
	char text[16];
	int fd;

	addr_of_local(&local, p->fd[0]);
	if (addr_port(&local) == -1)
		return 0;
	snprintf(text, sizeof(text), "%d\n", addr_port(&local));
	if (stat(path, &st) == -1 || S_ISREG(st.st_mode))
		return replace_file(path, text, err);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return err_set(err, "open", errno, path);
	return write_text(fd, text, path, err);
}

void
passive_close(struct passive *p)
{
	close_sockets(p);
	free(p->fd);
	p->fd = NULL;
	unixpath_release(&p->path);
}
