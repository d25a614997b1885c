/* num: the one strict parser for numbers, sizes, times, rates and texts.
 *
 * Each function takes the whole string or nothing: no leading blanks, signs
 * only where negative values are in bounds, no rest, no overflow. All return 0,
 * or -1 where the string is not of the form or out of bounds; *out is then
 * unchanged. */
#ifndef SOCKCTL_NUM_H
#define SOCKCTL_NUM_H

#include "buf.h"
#include <stdint.h>

/* Decimal; a 0x or 0 prefix is refused, here and in sizes and times. */
int num_int(const char *s, int64_t min, int64_t max, int64_t *out);
int num_octal(const char *s, uint32_t max, uint32_t *out);
/* SIZE: 4096, 64K, 64KiB, 1M, 2G, 1T: powers of 1024. Bytes. */
int num_size(const char *s, uint64_t min, uint64_t max, uint64_t *out);
/* TIME: 5, 0.5, 250ms, 10us, 100ns, 2m, 1h; inf where inf is true (CLOCK_INF).
 * Nanoseconds, at most INT64_MAX / 2, so that a moment plus a time fits. */
int num_time(const char *s, int64_t min, int inf, int64_t *out);
/* RATE: 800kbit, 80mbit, 1gbit, 100bit (powers of 1000), or SIZE/s: 10M/s.
 * Bytes a second, at least 1. */
int num_rate(const char *s, uint64_t *out);
/* A percentage or other plain decimal number, such as 0.5. */
int num_real(const char *s, double min, double max, double *out);
/* TEXT: C escapes (\r \n \t \0 \a \b \f \v \e \\ \" \' \xHH \OOO) resolved and
 * appended to out. A wrong escape is -1. @FILE is opt's business. */
int num_text(const char *s, struct buf *out);

/* Human forms for text output. out holds at least NUM_MAX bytes; returned. */
enum { NUM_MAX = 32 };
char *num_show_size(uint64_t bytes, char *out); /* "4096 B", "1.5 MiB" */
char *num_show_bits(double bits_per_s, char *out); /* "9.41 Gbit/s" */
char *num_show_time(int64_t ns, char *out); /* "1.2 ms", "10 s" */

#endif
