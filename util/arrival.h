/* arrival: what the receiver of numbered datagrams counts: which ones came, in
 * which order, how often, and how evenly. Fixed memory. */
#ifndef SOCKCTL_ARRIVAL_H
#define SOCKCTL_ARRIVAL_H

#include <stdint.h>

/* How far back a late datagram is told from one that came twice; what is later
 * counts as a duplicate. */
enum { ARRIVAL_WINDOW = 65536 };

struct arrival {
	uint64_t next; /* the number expected: highest + 1 */
	uint64_t received; /* different ones */
	uint64_t reordered; /* came after one with a higher number, RFC 4737 */
	uint64_t duplicates;
	double jitter; /* ns, RFC 3550 6.4.1 */
	int64_t transit; /* of the last one; only differences mean anything */
	uint64_t missing; /* in the window */
	uint64_t *window; /* a bit for each missing one, when there is any */
};

/* count datagrams came in one go, numbered from first on: sent and arrived at
 * these times, of two clocks. */
void arrival_add(struct arrival *a, uint64_t first, uint64_t count,
	int64_t sent, int64_t arrived);
void arrival_free(struct arrival *a);

#endif
