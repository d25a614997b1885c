/* The last part of sockopt.h: what help sockopts, completion and --version say
 * of the options. */
#include "sockopt.h"
#include "sockrow.h"
#include "sockvalue.h"
#include <netinet/tcp.h>
#include <unistd.h>

static const char *
level_name(int level)
{
	switch (level) {
	case SOL_SOCKET:
		return "socket";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_IP:
		return "ip";
	case IPPROTO_IPV6:
		return "ipv6";
	}
	return "";
}

void
sockopt_table(struct buf *out)
{
	static const char *const phases[] = { "new", "listening", "connected" };
	static const char format[] = "%-18s %-19s %-6s %-9s %s\n";
	static const char legend[] =
		"\nnew: before bind and connect; listening: before listen; "
		"connected: on each\nconnection. What a socket does not have "
		"is passed over. keepalive also takes\n"
		"IDLE[,INTERVAL[,COUNT]], its three timers.\n";
	const struct sockopt_row *row;

	buf_printf(out, format, "NAME", "VALUE", "LEVEL", "APPLIED", "DEFAULT");
	for (size_t i = 0; (row = sockrow_at(i)) != NULL; i++) {
		struct buf value = { 0 };
		char now[64] = "";
		int fd;

		if (row->on == 0) {
			buf_printf(out, "%-18s not in this build\n", row->name);
			continue;
		}
		fd = sockrow_open(row);
		sockvalue_form(row, &value);
		if (fd != -1) {
			sockvalue_read(row, fd, now);
			close(fd);
		}
		buf_printf(out, format, row->name, buf_cstr(&value),
			level_name(row->level), phases[row->phase],
			now[0] != '\0' ? now : "-");
		buf_free(&value);
	}
	buf_string(out, legend);
}

/* The last row of a name stands for it. */
static const char *
name_at(int index, bool absent)
{
	const struct sockopt_row *row;

	for (size_t i = 0; (row = sockrow_at(i)) != NULL; i++)
		if ((row->on == 0) == absent && sockrow_next(row) == NULL &&
			index-- == 0)
			return row->name;
	return NULL;
}

const char *
sockopt_name(int index)
{
	return name_at(index, false);
}

const char *
sockopt_absent(int index)
{
	return name_at(index, true);
}
