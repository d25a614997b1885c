/* command: a command joined with a connection (--exec): the connection is its
 * standard input and output, by two pipes, so that half-closes pass both ways
 * and its last output is delivered. UCSPI variables tell it who is there. */
#ifndef SOCKCTL_COMMAND_H
#define SOCKCTL_COMMAND_H

#include "child.h"
#include "pump.h"

struct command {
	struct child child;
	struct pump *pump;
	bool running;
};

/* Starts text for the connection of an open pump, and makes it the pump's near
 * end; c must be what the pump's arg points to (or the first member of that).
 * pump_run follows. -1 with err (op exec). */
int command_join(
	struct command *c, struct pump *p, const char *text, struct err *err);
/* The pump is gone: a command that still runs gets SIGTERM and is forgotten. */
void command_end(struct command *c, struct loop *l);

#endif
