/* transfer: what sendfile and recvfile have in common: either side listens or
 * connects, sessions come and go, files are counted and told, progress is
 * shown, and the run ends as it should. */
#ifndef SOCKCTL_TRANSFER_H
#define SOCKCTL_TRANSFER_H

#include "dial.h"
#include "life.h"
#include "listener.h"
#include "meter.h"
#include "pace.h"

/* The settings of the group "Transfer"; rows transfer_opts (--rate, --raw,
 * --no-verify, --progress, --no-progress), and all shared ones. */
struct transfer_conf {
	struct pace_options pace; /* of it only the rate */
	bool raw, plain, progress, no_progress;
	struct net_options net;
	struct listen_options listen;
	struct dial_options dial;
	struct limit_options limits;
	struct sockopts sockopts;
	struct sight_options sight;
	struct report_options report;
};
extern const struct opt transfer_opts[];
#define TRANSFER_IDLE (30 * CLOCK_S)
#define TRANSFER_GREETING (10 * CLOCK_S)
#define TRANSFER_DEFAULT \
	{ \
		.limits = { CLOCK_NONE, TRANSFER_IDLE, CLOCK_NONE }, \
		.listen = LISTEN_DEFAULT, .sockopts = SOCKOPTS_DEFAULT, \
		.sight = SIGHT_DEFAULT, .dial = DIAL_DEFAULT, \
	}
/* The rows of a mode's groups; conf is its settings' type, whose member shared
 * is a struct transfer_conf. */
#define TRANSFER_AT(conf, member) \
	(offsetof(conf, shared) + offsetof(struct transfer_conf, member))
#define TRANSFER_GROUPS(conf) \
	{ "Transfer", transfer_opts, offsetof(conf, shared) }, \
		{ "Addresses", net_opts, TRANSFER_AT(conf, net) }, \
		{ "Listening", listen_opts, TRANSFER_AT(conf, listen) }, \
		{ "Connecting", dial_opts, TRANSFER_AT(conf, dial) }, \
		{ "Time limits", limit_opts, TRANSFER_AT(conf, limits) }, \
		{ "Socket options", sockopt_opts, \
			TRANSFER_AT(conf, sockopts) }, \
		{ "Seeing", sight_opts, TRANSFER_AT(conf, sight) }, \
	{ \
		"Reports", report_opts, TRANSFER_AT(conf, report) \
	}

enum transfer_status {
	TRANSFER_OK,
	TRANSFER_SKIPPED,
	TRANSFER_REFUSED,
	TRANSFER_FAILED,
	TRANSFER_STATUSES
};

/* One file's end, for the file event. */
struct transfer_file {
	const char *name;
	enum transfer_status status;
	int64_t size; /* -1: unknown */
	uint64_t offset, bytes; /* where it began; what moved in this run */
	bool hashed;
	uint64_t hash;
	const char *reason; /* NULL: none */
	int64_t began;
};

/* One connection. Embedded in what moves its bytes. */
struct transfer_session {
	struct transfer_session *next;
	/* Ends it: politely, or at once (the deadline) by RST. */
	void (*stop)(void *arg, bool at_once);
	void *arg;
};

struct transfer {
	const struct transfer_conf *conf;
	struct life life;
	struct sockopts sockopts;
	struct endpoint to; /* of a client */
	bool listens, once;
	struct listener *listener;
	struct dial *dial;
	struct meter meter;
	struct buf out; /* frames of one callback, sent at its end */
	struct buf frame;
	struct transfer_session *sessions;
	struct timer timer;
	bool stopping;
	int code;
	uint64_t bytes, count[TRANSFER_STATUSES];
	int64_t began, ended; /* the first session, the last movement */
	/* A connection; result NULL: accepted. fd is the callee's, which calls
	 * transfer_joined now and transfer_left at its end. */
	void (*open)(struct transfer *t, int fd, unsigned id,
		const struct dial_result *result);
	/* All is open: it listens, or is about to connect. May be NULL. */
	void (*ready)(struct transfer *t);
};

/* Where the two sides stand: which of the arguments are the address (the count
 * that was used), or with -p or as a listener by nature none. -1 with a usage
 * sentence. listens: a Unix path (-U) is listened on unless it says so. */
int transfer_place(struct transfer *t, const struct transfer_conf *conf,
	bool listens, int argc, char **argv, struct err *err);
/* Opens loop and report. -1 with err. */
int transfer_begin(struct transfer *t, const char *mode,
	enum report_manner manner, struct err *err);
/* Runs until the end; returns the exit code. */
int transfer_run(struct transfer *t);

/* Tells the accept (result NULL) or connect event. */
void transfer_connected(struct conn *c, const struct dial_result *result);
void transfer_joined(struct transfer *t, struct transfer_session *s);
void transfer_left(struct transfer *t, struct transfer_session *s, int code);
/* Tells a file's end, and err (may be NULL) as the error that it is. */
void transfer_tell(struct transfer *t, const struct conn *c,
	const struct transfer_file *f, const struct err *err);
/* Content moved. */
void transfer_moved(struct transfer *t, size_t n);

#endif
