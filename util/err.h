/* err: what went wrong, carried from where it happened to where it is told.
 *
 * util functions return -1 and fill a struct err; modes decide what it means;
 * only sockctl.c exits. */
#ifndef SOCKCTL_ERR_H
#define SOCKCTL_ERR_H

#include <stdbool.h>

/* Exit codes, sockctl(1) EXIT STATUS. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_REFUSED = 1, /* no connection; probe: not open */
	EXIT_USAGE = 2, /* nothing was done */
	EXIT_RESOLVE = 3, /* a name or service was not found */
	EXIT_TIMEOUT = 4, /* connect, accept, idle, deadline, wait, step */
	EXIT_LOST = 5, /* was connected, then reset or broken */
	EXIT_LOCAL = 6, /* standard streams, files, disk, memory */
	EXIT_SETUP = 7, /* bind, listen, socket option */
	EXIT_INTEGRITY = 8, /* checksum, mismatch, not the protocol */
	EXIT_ASSERT = 9, /* measured, but an assertion does not hold */
};

enum { ERR_TARGET_MAX = 320, ERR_TEXT_MAX = 512 };

/* op is the name of the call that failed (resolve, socket, setsockopt, bind,
 * listen, accept, connect, send, recv, open, read, write, exec), or protocol,
 * or wait for a time limit; a string constant, NULL where there is no error.
 * number is errno's value or 0. text is the message without op, target and
 * errno's name; hint, where not empty, says what would help. */
struct err {
	const char *op;
	int number;
	char target[ERR_TARGET_MAX];
	char text[ERR_TEXT_MAX];
	char hint[ERR_TEXT_MAX];
};

/* Fills e with strerror(number) as text. target may be NULL. Returns -1, and
 * leaves errno as number. e may be NULL: then only -1 and errno. */
int err_set(struct err *e, const char *op, int number, const char *target);

/* The same with a message of its own; number may be 0. */
int err_setf(struct err *e, const char *op, int number, const char *target,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Sets the hint of an error that is filled already. Returns -1. */
int err_hint(struct err *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "ECONNREFUSED" for a number that the table knows, else NULL. */
const char *err_name(int number);

/* The exit code that an error of this op and number means: resolve 3, connect
 * 1 (ETIMEDOUT 4, EADDRINUSE and EADDRNOTAVAIL 7), socket, setsockopt, bind,
 * listen and accept 7, send and recv 5, open, read, write and exec 6,
 * protocol 8, wait 4. EXIT_OK for an err without op. */
enum exit_code err_exit(const struct err *e);

/* Of two exit codes of several targets the one that is told: the first of 2,
 * 7, 6, 8, 3, 5, 4, 1, 9. */
int err_worst(int a, int b);

/* Writes "bind 0.0.0.0:4000: Address already in use (EADDRINUSE)". out of size
 * ERR_LINE_MAX always suffices. Returns out. */
enum { ERR_LINE_MAX = ERR_TARGET_MAX + ERR_TEXT_MAX + 64 };
char *err_line(const struct err *e, char *out, unsigned long size);

#endif
