/* match: looks for a text in a stream of bytes, whatever the pieces it comes
 * in (Knuth, Morris, Pratt): --expect, --after, scripts. */
#ifndef SOCKCTL_MATCH_H
#define SOCKCTL_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct match {
	const uint8_t *text; /* borrowed */
	size_t len;
	size_t at; /* bytes of text matched so far */
	size_t *next; /* the failure function */
};

/* match_free gives back what it takes; a zeroed match may be freed, too. */
void match_start(struct match *m, const uint8_t *text, size_t len);
void match_free(struct match *m);
/* How many of the n bytes lead up to and include the end of the text: 0 when
 * it was not completed. An empty text is found at once, in 0 bytes: ask
 * match_found. */
size_t match_feed(struct match *m, const uint8_t *data, size_t n);
bool match_found(const struct match *m);

#endif
