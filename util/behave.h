/* behave: peers that misbehave, each a script by name (--behave), to test a
 * client with. */
#ifndef SOCKCTL_BEHAVE_H
#define SOCKCTL_BEHAVE_H

#include "script.h"
#include <stdbool.h>

struct behaviour {
	const char *name;
	const char *argument; /* "RATE", "N", "TIME" behind a =; NULL: none */
	const char *help;
	/* The script; % stands for the argument, where it is a RATE for the
	 * bytes of 100 ms. NULL: nothing is accepted. */
	const char *script;
};

/* "slow-read=10K/s": finds the row and makes its script (empty for
 * never-accept). -1 with a sentence in err. */
int behave_parse(const struct behaviour **b, struct script *s, const char *text,
	struct err *err);
/* sockctl help behaviours. */
void behave_table(struct buf *out);

#endif
