/* ports: what a probe is asked to look at: "22", "1-1024", "22,80,8000-8100",
 * "ssh"; "-" is 1-65535. */
#ifndef SOCKCTL_PORTS_H
#define SOCKCTL_PORTS_H

#include "err.h"
#include <stdbool.h>
#include <stdint.h>

/* One of those between commas. */
struct ports_item {
	uint16_t low, high;
	bool range; /* one open port of it is enough */
};

struct ports {
	struct ports_item *item; /* as written */
	int items;
	uint64_t set[65536 / 64]; /* all of them, a bit each */
	int count; /* bits in set */
};

/* A service's number from 1, or -1 with err: resolve_port is one. */
typedef int ports_lookup(const char *name, bool datagram, struct err *err);

/* Parses the whole text. lookup NULL: names are refused. -1 with one sentence
 * in err (op NULL), or with what lookup said. Afterwards, in either case,
 * item is the caller's to free. */
int ports_parse(struct ports *p, const char *text, ports_lookup *lookup,
	bool datagram, struct err *err);
/* The lowest port above port (0 for the first one); 0: none. */
int ports_next(const struct ports *p, int port);

#endif
