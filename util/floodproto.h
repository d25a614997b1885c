/* floodproto: what flood puts on the wire, sockctl-protocol(7): the line that
 * asks the far side for a role, its answers, and the header of datagrams. Pure
 * functions: bytes in, struct out. */
#ifndef SOCKCTL_FLOODPROTO_H
#define SOCKCTL_FLOODPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line of a stream, from whoever may speak the protocol or not. */
enum { FLOOD_LINE_MAX = 256 }; /* with its newline */

struct flood_line {
	char text[FLOOD_LINE_MAX + 1];
	size_t len;
};
enum flood_state {
	FLOOD_MORE, /* all was taken, the line is not whole yet */
	FLOOD_WHOLE, /* text is the line, without its end */
	FLOOD_OTHER, /* not the protocol: text has len bytes of something */
	FLOOD_LONG, /* begins as the protocol does, but has no end */
};
/* Adds bytes up to the end of the line; *taken says how many. After OTHER and
 * LONG nothing more is taken. */
enum flood_state flood_line_add(
	struct flood_line *l, const void *data, size_t n, size_t *taken);

enum flood_role {
	FLOOD_PLAIN, /* nobody asked: the far side counts */
	FLOOD_SOURCE,
	FLOOD_SINK,
	FLOOD_BOTH,
	FLOOD_STALL,
};

/* What a near side asks for. Zero: not given. */
struct flood_ask {
	enum flood_role role; /* the far side's */
	char run[40];
	uint32_t stream, streams;
	uint64_t bytes;
	int64_t duration; /* ns, key seconds */
	uint64_t chunk;
	bool verify, trunc;
	uint64_t rate; /* bytes a second */
	int64_t wait; /* ns; stall reads nothing so long */
	uint64_t step; /* bytes that stall then reads at a time */
};

/* Writes the line with its newline; returns its length. */
size_t flood_ask_write(const struct flood_ask *a, char out[FLOOD_LINE_MAX + 1]);
/* Reads a line without its end; unknown keys are passed over. -1: *why is a
 * phrase. */
int flood_ask_read(struct flood_ask *a, const char *line, const char **why);

enum flood_word { FLOOD_OK, FLOOD_ERROR, FLOOD_RESULT, FLOOD_READ };

struct flood_answer {
	enum flood_word word;
	uint64_t bytes; /* of result and read */
	int64_t duration; /* ns, of result */
	char text[FLOOD_LINE_MAX]; /* of error */
};

/* As flood_ask_write and flood_ask_read. -1: not of the form. */
size_t flood_answer_write(
	const struct flood_answer *a, char out[FLOOD_LINE_MAX + 1]);
int flood_answer_read(struct flood_answer *a, const char *line);

/* A datagram's first bytes. */
enum { FLOOD_HEAD = 32, FLOOD_COUNTS = 56, FLOOD_CHUNK_MAX = 65507 };
enum flood_type {
	FLOOD_HELLO = 1,
	FLOOD_COOKIE,
	FLOOD_DATA,
	FLOOD_END,
	FLOOD_COUNTED /* result */
};

struct flood_head {
	uint8_t type;
	uint16_t flags;
	uint64_t run, sequence;
	uint64_t time; /* ns, the sender's clock */
};

void flood_head_write(uint8_t out[FLOOD_HEAD], const struct flood_head *h);
/* -1: shorter than a header, another magic, version or type. */
int flood_head_read(struct flood_head *h, const void *data, size_t n);

/* What stands behind the header of a result. */
struct flood_counts {
	uint64_t received, bytes, lost, reordered, duplicates;
	uint64_t jitter, elapsed; /* ns */
};
/* flood_counts_read: -1 where n is less than FLOOD_COUNTS. */
void flood_counts_write(
	uint8_t out[FLOOD_COUNTS], const struct flood_counts *c);
int flood_counts_read(struct flood_counts *c, const void *data, size_t n);

#endif
