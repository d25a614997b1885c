/* script: steps that drive a connection one by one (--script, --behave), parsed
 * from text. A pure function; play runs what it makes.
 *
 *	STEP; STEP; ( STEP; STEP ) * N; ...
 *
 * A group is repeated N times, for ever without N, once without the star. */
#ifndef SOCKCTL_SCRIPT_H
#define SOCKCTL_SCRIPT_H

#include "buf.h"
#include "err.h"
#include <stdint.h>

enum script_op {
	SCRIPT_SEND,
	SCRIPT_SENDALL,
	SCRIPT_WRITEV,
	SCRIPT_RECV,
	SCRIPT_RECVALL,
	SCRIPT_PEEK,
	SCRIPT_OOB,
	SCRIPT_RECVOOB,
	SCRIPT_EXPECT,
	SCRIPT_ECHO,
	SCRIPT_FILL,
	SCRIPT_DRAIN,
	SCRIPT_SLEEP,
	SCRIPT_KEY,
	SCRIPT_SHUTDOWN,
	SCRIPT_CLOSE,
	SCRIPT_RESET,
	SCRIPT_OPEN, /* a group begins */
	SCRIPT_SHUT, /* ... and ends */
};

enum {
	SCRIPT_DEPTH = 16, /* groups in groups */
	SCRIPT_STEPS = 100000, /* of one script */
	SCRIPT_PIECES = 64, /* of a writev */
	SCRIPT_BYTES = 1 << 30, /* of one step */
	SCRIPT_ROOM = 64 << 20, /* of one system call */
};

struct script_step {
	enum script_op op;
	unsigned number; /* its place among the steps, from 1 */
	uint64_t n; /* bytes; SHUT_RD, _WR, _RDWR; times, 0: for ever */
	int64_t time; /* ns: sleep */
	struct buf text; /* what is sent or expected; empty: n bytes of a
			    pattern */
	uint32_t *pieces; /* writev; n of them */
	size_t begin; /* SCRIPT_SHUT: the index of its SCRIPT_OPEN */
};

struct script {
	struct script_step *step;
	size_t count;
};

/* -1 with a sentence that names the place ("at 14, 'rcv': no such step"), op
 * NULL; or open or read for an @FILE. */
int script_parse(struct script *s, const char *text, struct err *err);
void script_free(struct script *s);
/* The step's word; NULL past the last. */
const char *script_word(int op);
/* The repeating pattern that stands for "N bytes". */
void script_pattern(uint8_t *out, size_t n, uint64_t offset);

#endif
