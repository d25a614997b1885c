/* The options of net: rows, and the endpoint that a mode's arguments name. */
#include "mem.h"
#include "net.h"
#include <stdio.h>
#include <string.h>

#define AT(field, type) OPT_AT(struct net_options, field, type)
#define LIMIT(field) OPT_AT(struct limit_options, field, int64_t)

static int
parse_path(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	struct addr unused;

	(void)row;
	if (addr_unix(&unused, value, err) == -1)
		return -1;
	*(const char **)field = value;
	return 0;
}

static bool
is_interface(const char *name)
{
	struct addr_list list = { 0 };
	bool found = addr_of_interface(&list, name, AF_UNSPEC, 0) > 0;

	addr_list_free(&list);
	return found;
}

int
net_parse_bind(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	struct endpoint e;

	(void)row;
	if (endpoint_parse(&e, value, "1", err) == 0) {
		opt_list_add(field,
			strcmp(e.host, value) == 0 ? value
						   : mem_string(e.host));
		return 0;
	}
	if (!is_interface(value))
		return err_setf(err, NULL, 0, NULL,
			"'%s' is neither an address, a name nor an interface",
			value);
	*err = (struct err){ 0 };
	opt_list_add(field, value);
	return 0;
}

const struct opt nc_opts[] = {
	{ .letter = 'N',
		.type = OPT_NOTHING,
		.help = "nc's; the default here" },
	{ .letter = 'k',
		.type = OPT_NOTHING,
		.help = "nc's; the default here" },
	{ 0 },
};

const struct opt net_opts[] = {
	{ .letter = '4',
		.type = OPT_FLAG,
		.help = "only IPv4",
		.offset = AT(four, bool) },
	{ .letter = '6',
		.type = OPT_FLAG,
		.help = "only IPv6",
		.offset = AT(six, bool) },
	{ .name = "udp",
		.letter = 'u',
		.type = OPT_FLAG,
		.help = "UDP instead of TCP",
		.offset = AT(udp, bool) },
	{ .name = "unix",
		.letter = 'U',
		.type = OPT_PARSE,
		.word = "PATH",
		.help = "a Unix-domain socket; @NAME is an abstract one",
		.offset = AT(path, const char *),
		.parse = parse_path,
		.complete = "file" },
	{ .name = "bind",
		.letter = 's',
		.type = OPT_PARSE,
		.word = "ADDR",
		.help = "local address or interface; repeatable",
		.offset = AT(bind, struct opt_list),
		.parse = net_parse_bind,
		.complete = "interface" },
	{ .name = "numeric",
		.type = OPT_FLAG,
		.help = "no name look-ups",
		.offset = AT(numeric, bool) },
	{ 0 },
};

const struct opt limit_opts[] = {
	{ .name = "timeout",
		.letter = 'w',
		.type = OPT_TIME,
		.word = "TIME",
		.help = "give up connecting or waiting after this",
		.offset = LIMIT(timeout),
		.min = 1,
		.max = 1 },
	{ .name = "idle",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "close a connection on which nothing moved for this",
		.offset = LIMIT(idle),
		.min = 1,
		.max = 1 },
	{ .name = "deadline",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "the whole run takes no longer",
		.offset = LIMIT(deadline),
		.min = 1 },
	{ 0 },
};

int
net_family(const struct net_options *o)
{
	if (o->four == o->six)
		return AF_UNSPEC;
	return o->four ? AF_INET : AF_INET6;
}

static int
parse_words(struct endpoint *e, int argc, char **argv, struct err *err)
{
	if (argc == 0)
		return err_setf(
			err, NULL, 0, NULL, "HOST and PORT are missing");
	if (argc > 2)
		return err_setf(err, NULL, 0, NULL,
			"'%s': one argument too many", argv[2]);
	return endpoint_parse(e, argv[0], argc == 2 ? argv[1] : NULL, err);
}

static int
check_families(const struct net_options *o, struct err *err)
{
	if (!o->four || !o->six)
		return 0;
	return err_setf(err, NULL, 0, NULL,
		"-4 and -6 exclude each other; both families are the default");
}

int
net_check_host(const struct net_options *o, const char *host, struct err *err)
{
	struct addr a;

	if (!o->numeric || addr_numeric(&a, host, AF_UNSPEC, 0) == 0)
		return 0;
	return err_setf(err, NULL, 0, NULL,
		"%s is a name, and --numeric forbids look-ups", host);
}

static int
check_port(const struct net_options *o, const char *port, struct err *err)
{
	if (!o->numeric || strspn(port, "0123456789") == strlen(port))
		return 0;
	return err_setf(err, NULL, 0, NULL,
		"%s is a service's name, and --numeric forbids look-ups", port);
}

int
net_check_local(const struct net_options *o, const char *port, struct err *err)
{
	if (check_families(o, err) == -1)
		return -1;
	for (int i = 0; o->numeric && i < o->bind.count; i++)
		if (!is_interface(o->bind.item[i]) &&
			net_check_host(o, o->bind.item[i], err) == -1)
			return -1;
	return port ? check_port(o, port, err) : 0;
}

int
net_endpoint(struct endpoint *e, const struct net_options *o, int argc,
	char **argv, struct err *err)
{
	if (check_families(o, err) == -1)
		return -1;
	if (o->path) {
		if (argc > 0)
			return err_setf(err, NULL, 0, NULL,
				"'%s': -U stands in the place of HOST and PORT",
				argv[0]);
		*e = (struct endpoint){ .transport = TRANSPORT_UNIX,
			.datagram = o->udp };
		snprintf(e->host, sizeof(e->host), "%s", o->path);
		return 0;
	}
	if (parse_words(e, argc, argv, err) == -1)
		return -1;
	if (o->udp && argc > 0 && strncmp(argv[0], "tcp:", 4) == 0)
		return err_setf(err, NULL, 0, NULL,
			"'%s': -u and tcp: exclude each other", argv[0]);
	if (o->udp)
		e->datagram = true;
	if (e->transport == TRANSPORT_UNIX)
		return 0;
	if (o->udp)
		e->transport = TRANSPORT_UDP;
	if (net_check_host(o, e->host, err) == -1)
		return -1;
	return check_port(o, e->port, err);
}
