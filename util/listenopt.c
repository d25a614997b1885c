/* The options of listener: rows, and the values that are not plain. */
#include "listener.h"
#include <limits.h>
#include <string.h>

#define AT(field, type) OPT_AT(struct listen_options, field, type)

/* 0 or what is a port in an address, too. */
static int
parse_port(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	struct endpoint unused;

	(void)row;
	if (strcmp(value, "0") != 0 &&
		endpoint_parse(&unused, "::", value, err) == -1) {
		if (value[0] >= '1' && value[0] <= '9' &&
			!value[strspn(value, "0123456789")])
			return err_setf(err, NULL, 0, NULL,
				"port '%s' is out of range 0-65535", value);
		return -1;
	}
	*(const char **)field = value;
	return 0;
}

static int
parse_rule(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	return cidr_add(field, value, strcmp(row->name, "allow") == 0, err);
}

const struct opt listen_opts[] = {
	{ .name = "port",
		.letter = 'p',
		.type = OPT_PARSE,
		.word = "PORT",
		.help = "listen on this port; 0 takes a free one",
		.offset = AT(port, const char *),
		.parse = parse_port },
	{ .name = "backlog",
		.type = OPT_INT,
		.word = "N",
		.help = "length of the queue of connections that were not "
			"accepted yet (default: the system's limit)",
		.offset = AT(backlog, int64_t),
		.min = 1,
		.max = INT_MAX },
	{ .name = "allow",
		.type = OPT_PARSE,
		.word = "CIDR",
		.help = "clients that may come in, all others may not; "
			"repeatable, with --deny the first match decides",
		.offset = AT(rules, struct cidr_rules),
		.parse = parse_rule },
	{ .name = "deny",
		.type = OPT_PARSE,
		.word = "CIDR",
		.help = "clients that may not come in; repeatable",
		.offset = AT(rules, struct cidr_rules),
		.parse = parse_rule },
	{ .name = "max-clients",
		.letter = 'm',
		.type = OPT_INT,
		.word = "N",
		.help = "clients at one time; others wait in the backlog",
		.offset = AT(max_clients, int64_t),
		.min = 1,
		.max = INT_MAX },
	{ .name = "once",
		.letter = '1',
		.type = OPT_FLAG,
		.help = "serve one peer and end with its result",
		.offset = AT(once, bool) },
	{ .name = "port-file",
		.type = OPT_STRING,
		.word = "FILE",
		.help = "write the port number there once it listens",
		.offset = AT(port_file, const char *),
		.complete = "file" },
	{ .name = "unix-mode",
		.type = OPT_OCTAL,
		.word = "OCTAL",
		.help = "permissions of the Unix socket's path",
		.offset = AT(unix_mode, uint32_t),
		.max = 0777 },
	{ 0 },
};

int
listener_check(const struct listen_options *o, const struct net_options *net,
	struct err *err)
{
	if (!net->path)
		return net_check_local(net, o->port, err);
	if (!o->port_file)
		return 0;
	return err_setf(
		err, NULL, 0, NULL, "--port-file: a Unix socket has no port");
}
