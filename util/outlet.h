/* outlet: a descriptor that takes whole lines: standard output, standard error,
 * a log.
 *
 * A closed or full one never ends the program, but for standard output, where
 * a closed pipe is SIGPIPE as it is for cat. Where standard output or error is
 * a pipe that nobody reads, SIGINT, SIGTERM and SIGHUP come through, and from
 * then on nothing waits for it any more. */
#ifndef SOCKCTL_OUTLET_H
#define SOCKCTL_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

struct outlet {
	int fd;
	bool stuck; /* a signal came while it took nothing */
	enum { OUTLET_UNKNOWN, OUTLET_PLAIN, OUTLET_WAITS } kind; /* private */
};

/* Writes all of it. -1 with errno where that failed. */
int outlet_write(struct outlet *o, const void *data, size_t n);

#endif
