/* mode: what sockctl.c needs to know of a mode: one row of its table. */
#ifndef SOCKCTL_MODE_H
#define SOCKCTL_MODE_H

#include "../util/err.h"
#include "../util/opt.h"

struct mode;

/* One call of a mode: settings filled and checked by the options. */
struct run {
	const struct mode *mode;
	void *conf; /* a mode completes it by its arguments at most */
	int argc; /* the arguments that are no options */
	char **argv;
	char **command; /* what stood behind --, NULL: no -- */
	bool json; /* --json, also where another option was refused before it */
};

struct mode {
	const char *name;
	const char *summary; /* a phrase for `sockctl help` */
	const char *usage; /* lines after "sockctl NAME ", '\n' between */
	const char *examples; /* whole lines, the first thing of --help */
	const struct opt_group *groups; /* ends with rows NULL */
	size_t conf_size;
	const void *defaults; /* conf_size bytes */
	int (*run)(const struct run *);
	bool command; /* takes -- COMMAND */
	/* Whether the report, and with --json all events, go to standard
	 * output; NULL: never. The settings may be half filled. */
	bool (*reports)(const struct run *);
};

extern const struct mode mode_serve, mode_connect, mode_echo, mode_chat,
	mode_sendfile, mode_recvfile, mode_flood, mode_probe;

/* One line on standard error, "sockctl serve: ...; try 'sockctl serve
 * --help'". Returns EXIT_USAGE. For what a mode finds wrong in its settings
 * and arguments, before it has opened anything. */
int mode_usage(const struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same where there is no run yet; mode NULL: none was named. */
int mode_usage_of(const char *mode, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for a mode with two sides where an option is given that is the other
 * side's, or -p with a HOST; EXIT_OK: all is this side's. n rows. */
struct mode_side {
	bool given, server;
	const char *name;
};
int mode_sides(const struct run *run, const struct mode_side *rows, size_t n,
	bool server);
/* The same for an err with op NULL; one with an op is told as it is, with
 * --json as an event and a summary, and gives err_exit. */
int mode_refuse(const struct run *run, const struct err *err);

#endif
