/* utf8: UTF-8 (RFC 3629) without locales. */
#ifndef SOCKCTL_UTF8_H
#define SOCKCTL_UTF8_H

#include "buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one character of at most n > 0 bytes at p into *c and returns its
 * length (1-4). A byte that begins no valid character (also overlong forms,
 * surrogates, above U+10FFFF, cut short) gives 1 and *c = UTF8_BAD. */
#define UTF8_BAD UINT32_C(0xffffffff)
size_t utf8_decode(const uint8_t *p, size_t n, uint32_t *c);
/* Writes c (a valid code point) and returns the length. */
size_t utf8_encode(uint32_t c, uint8_t out[4]);
/* The length of a character that p begins but n bytes do not complete, 0 if
 * the n bytes cannot become one: lets a stream wait for the rest. */
size_t utf8_wanted(const uint8_t *p, size_t n);

bool utf8_is_control(uint32_t c); /* C0, DEL, C1 */
bool utf8_is_hidden(uint32_t c); /* bidi and zero-width: U+200B-200F,
				    202A-202E, 2060-2064, 2066-2069, FEFF,
				    061C, 00AD, 180E ... */
bool utf8_is_letter(uint32_t c); /* letters, marks, digits of any script:
				    ASCII ones exactly, above U+00A0 all that
				    is not punctuation, symbol, space, hidden */
int utf8_width(uint32_t c); /* columns: 0, 1 or 2 (East Asian wide) */

/* Appends n bytes with every control character and invalid byte as \xHH (also
 * \t \n \r \\ in that form of C): no text of a peer can drive a terminal. */
void utf8_escape(struct buf *out, const void *data, size_t n);

#endif
