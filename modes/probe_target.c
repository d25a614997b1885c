/* probe: from the arguments to targets, and from their names to addresses. */
#include "../util/mem.h"
#include "probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HOSTS_MAX = 4096,
	CELLS_MAX = 1 << 20,
	LOOKUPS_MAX = 16, /* at a time: each is a process */
};

/* An address may have changed: looked up anew for a port that is not open. */
#define STALE (5 * CLOCK_S)

static const struct {
	const char *word;
	bool datagram;
} prefixes[] = {
	{ "tcp:", false },
	{ "udp:", true },
};

static const struct ports_item no_port; /* a Unix path's */

/* The ':' between hosts and ports; NULL: there is none. */
static const char *
separator(const char *word)
{
	const char *bracket = strrchr(word, ']');
	const char *colon = strchr(bracket ? bracket : word, ':');

	return colon && !strchr(colon + 1, ':') ? colon : NULL;
}

static bool
is_unix(const char *word)
{
	return strncmp(word, "unix:", 5) == 0;
}

/* A whole address: the other words are HOST... PORTS. */
static bool
is_address(const char *word)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(word, prefixes[i].word, strlen(prefixes[i].word)) ==
			0)
			return true;
	return is_unix(word) || separator(word);
}

static struct target *
add_target(struct probe *p, const char *host, size_t cells)
{
	struct target *t;

	p->target = mem_grow(
		p->target, (size_t)p->targets + 1, sizeof(*p->target));
	t = &p->target[p->targets++];
	*t = (struct target){ .probe = p,
		.host = mem_string(host),
		.count = (int)cells,
		.cell = mem_zero(cells, sizeof(*t->cell)) };
	p->cells += cells;
	for (int i = 0; i < p->targets - 1 && !t->again; i++)
		t->again = strcmp(p->target[i].host, host) == 0;
	return t;
}

static int
check_room(const struct probe *p, size_t cells, struct err *err)
{
	if (p->targets == HOSTS_MAX)
		return err_setf(err, NULL, 0, NULL,
			"more than %d hosts at a time", HOSTS_MAX);
	if (p->cells + cells > CELLS_MAX)
		return err_setf(err, NULL, 0, NULL,
			"%zu ports of all hosts together are more than %d at a "
			"time",
			p->cells + cells, CELLS_MAX);
	return 0;
}

static int
add_unix(struct probe *p, const char *path, bool datagram, struct err *err)
{
	char host[ADDR_UNIX_MAX + 16];
	struct target *t;
	struct addr a;

	if (addr_unix(&a, path, err) == -1 || check_room(p, 1, err) == -1)
		return -1;
	snprintf(host, sizeof(host), "unix:%s", path);
	t = add_target(p, host, 1);
	t->is_unix = t->numeric = true;
	t->datagram = datagram;
	t->item = &no_port;
	t->items = 1;
	addr_list_add(&t->addrs, &a);
	return 0;
}

static int
add_host(struct probe *p, const char *word, const struct ports *ports,
	bool datagram, struct err *err)
{
	struct endpoint e;
	struct target *t;
	struct addr a;
	int port = 0;

	if (endpoint_parse(&e, word, "1", err) == -1)
		return -1;
	if (word[0] && strspn(word, "0123456789-") == strlen(word))
		return err_setf(err, NULL, 0, NULL,
			"'%.80s' stands where a host belongs; ports are one "
			"word: 22,80-90",
			word);
	if (check_room(p, (size_t)ports->count, err) == -1)
		return -1;
	t = add_target(p, e.host, (size_t)ports->count);
	t->datagram = datagram;
	t->numeric = addr_numeric(&a, e.host, AF_UNSPEC, 0) == 0;
	t->item = ports->item;
	t->items = ports->items;
	for (int i = 0; i < t->count; i++) {
		port = ports_next(ports, port);
		t->cell[i].port = (uint16_t)port;
		t->cell[i].rtt_ms = -1;
	}
	if (p->conf->net.numeric && !t->numeric)
		return err_setf(err, NULL, 0, NULL,
			"%s is a name, and --numeric forbids look-ups", e.host);
	return 0;
}

/* "a,b" and "22,80". hosts is cut to pieces. */
static int
add_hosts(struct probe *p, char *hosts, const char *text, bool datagram,
	struct err *err)
{
	const struct net_options *o = &p->conf->net;
	char *host = hosts, *comma;
	struct ports ports;
	int result;

	result = ports_parse(
		&ports, text, o->numeric ? NULL : resolve_port, datagram, err);
	p->item = mem_grow(p->item, (size_t)p->lists + 1, sizeof(*p->item));
	p->item[p->lists++] = ports.item;
	while (result == 0 && (comma = strchr(host, ','))) {
		*comma = '\0';
		result = add_host(p, host, &ports, datagram, err);
		host = comma + 1;
	}
	return result == 0 ? add_host(p, host, &ports, datagram, err) : -1;
}

static int
add_address(struct probe *p, const char *word, struct err *err)
{
	bool datagram = p->conf->net.udp;
	const char *colon;
	char *hosts;
	int result;

	if (is_unix(word))
		return add_unix(p, word + 5, datagram, err);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t n = strlen(prefixes[i].word);

		if (strncmp(word, prefixes[i].word, n) != 0)
			continue;
		if (datagram && !prefixes[i].datagram)
			return err_setf(err, NULL, 0, NULL,
				"'%.80s': -u and tcp: exclude each other",
				word);
		datagram = prefixes[i].datagram;
		word += n;
		break;
	}
	colon = separator(word);
	if (!colon)
		return err_setf(err, NULL, 0, NULL,
			"'%.80s' is not HOST:PORTS (an IPv6 address needs "
			"brackets: [::1]:22)",
			word);
	hosts = mem_copy(word, strlen(word) + 1);
	hosts[colon - word] = '\0';
	result = add_hosts(p, hosts, colon + 1, datagram, err);
	free(hosts);
	return result;
}

/* Addresses as they are; of the other words the last one is PORTS. */
static int
parse_words(struct probe *p, int argc, char **argv, struct err *err)
{
	const char *ports = NULL;
	int plain = 0, result = 0;

	for (int i = 0; i < argc; i++) {
		if (is_address(argv[i]))
			continue;
		ports = argv[i];
		plain++;
	}
	if (plain == 1)
		return err_setf(err, NULL, 0, NULL,
			"'%.80s': HOST PORTS or HOST:PORTS belong together",
			ports);
	for (int i = 0; i < argc && result == 0; i++) {
		char *hosts;

		if (argv[i] == ports)
			continue;
		if (is_address(argv[i])) {
			result = add_address(p, argv[i], err);
			continue;
		}
		hosts = mem_string(argv[i]);
		result = add_hosts(p, hosts, ports, p->conf->net.udp, err);
		free(hosts);
	}
	return result;
}

int
probe_targets(struct probe *p, int argc, char **argv, struct err *err)
{
	const struct net_options *o = &p->conf->net;

	if (o->path && argc > 0)
		return err_setf(err, NULL, 0, NULL,
			"'%.80s': -U stands in the place of HOST and PORTS",
			argv[0]);
	if (o->path)
		return add_unix(p, o->path, o->udp, err);
	if (argc == 0)
		return err_setf(
			err, NULL, 0, NULL, "HOST and PORTS are missing");
	return parse_words(p, argc, argv, err);
}

struct extra *
probe_extra(struct target *t, struct cell *c)
{
	if (!c->extra) {
		c->extra = mem_zero(1, sizeof(*c->extra));
		c->extra->target = t;
		c->extra->cell = c;
	}
	return c->extra;
}

void
probe_failed(struct target *t, const struct err *err)
{
	if (!t->failed)
		t->failed = mem_alloc(sizeof(*err));
	*t->failed = *err;
}

static void
not_found(struct target *t, const struct err *err)
{
	struct probe *p = t->probe;

	if (t->addrs.count) /* the old ones are better than none */
		return;
	probe_failed(t, err);
	if (p->conf->wait == CLOCK_NONE || t->numeric)
		report_error(p->life.report, NULL, err);
	if (p->conf->wait != CLOCK_NONE && t->numeric)
		probe_over(p, (int)err_exit(err)); /* it will not mend */
	for (int i = 0; i < t->count && !p->over; i++) {
		t->cell[i].best = PORT_ERROR;
		probe_cell_done(t, &t->cell[i]);
	}
}

static void
found(struct target *t)
{
	struct probe *p = t->probe;

	free(t->failed);
	t->failed = NULL;
	t->looked = clock_now();
	if (t->found)
		return;
	t->found = true;
	if (p->conf->backlog_test) {
		probe_backlog_start(t);
		return;
	}
	p->ready = mem_grow(
		p->ready, (size_t)p->readies + 1, sizeof(*p->ready));
	p->ready[p->readies++] = t;
}

static void start_lookups(struct probe *p);

static void
on_found(void *arg, const struct addr_list *list, const struct err *err)
{
	struct target *t = arg;
	struct probe *p = t->probe;

	t->looking = false;
	p->looking--;
	if (list) {
		addr_list_free(&t->addrs);
		for (int i = 0; i < list->count; i++)
			addr_list_add(&t->addrs, &list->item[i]);
		found(t);
	} else {
		not_found(t, err);
	}
	if (p->over)
		return;
	start_lookups(p);
	probe_pump(p);
}

static void
start_lookups(struct probe *p)
{
	while (p->names.len && p->looking < LOOKUPS_MAX) {
		struct target *t;

		memcpy(&t, buf_data(&p->names), sizeof(t));
		buf_consume(&p->names, sizeof(t));
		p->looking++;
		resolve_start(p->life.loop, &t->resolve,
			&(struct resolve_query){
				.host = t->host,
				.port = "0",
				.family = net_family(&p->conf->net),
				.datagram = t->datagram,
				.timeout = p->conf->limits.timeout,
			},
			on_found, t);
	}
}

void
probe_look_up(struct target *t)
{
	struct probe *p = t->probe;

	if (t->is_unix) {
		found(t);
		return;
	}
	if (t->looking || (t->found && (t->numeric || !t->looked)) ||
		(t->found && clock_now() - t->looked < STALE))
		return;
	t->looking = true;
	buf_append(&p->names, &t, sizeof(t));
	start_lookups(p);
}

static void
free_target(struct target *t)
{
	for (int i = 0; i < t->count; i++) {
		if (!t->cell[i].extra)
			continue;
		free(t->cell[i].extra->banner);
		free(t->cell[i].extra->info);
		free(t->cell[i].extra);
	}
	addr_list_free(&t->addrs);
	free(t->cell);
	free(t->host);
	free(t->failed);
}

void
probe_targets_free(struct probe *p)
{
	for (int i = 0; i < p->targets; i++)
		free_target(&p->target[i]);
	for (int i = 0; i < p->lists; i++)
		free(p->item[i]);
	free(p->target);
	free(p->item);
	free(p->ready);
	buf_free(&p->names);
}
