/* flood_far: what the two halves of the far side share: connections
 * (flood_client.c) and datagrams (flood_udp_far.c). */
#ifndef SOCKCTL_FLOOD_FAR_H
#define SOCKCTL_FLOOD_FAR_H

#include "flood.h"

struct client;
struct udp_far;

struct far {
	const struct flood_conf *conf;
	struct life life; /* the boss's */
	struct loop *loop;
	struct report *report;
	struct sight *sight;
	struct listener *listener; /* NULL in a worker */
	struct sockopts sockopts;
	struct flood_memory memory;
	struct client *clients; /* of this process */
	struct client *dead; /* freed in the next turn */
	struct timer burial;
	struct worker *worker; /* the others, or NULL */
	int workers; /* with the boss */
	int lent[WORKERS_MAX]; /* clients that each of the others has */
	struct worker *boss; /* in a worker */
	int live; /* clients of all processes */
	unsigned given;
	struct flood_totals total;
	struct flood_room room;
	struct timer limit; /* -w, and the end after a signal */
	struct udp_far *udp;
	bool stopping;
	int code;
};

/* flood_client.c: fd is a client's. */
void far_serve(struct far *far, int fd, unsigned id, const struct addr *peer);
/* All leave, and are given a moment for it. */
void far_end_clients(struct far *far);
void far_bury(struct far *far); /* frees the dead */

/* One client less; code is what its end means. */
void far_gone(struct far *far, const struct flood_totals *t, int code);

/* Watches a bound socket. */
void udp_far_add(struct far *far, int fd);
void udp_far_stop(struct far *far);
void udp_far_free(struct far *far);

#endif
