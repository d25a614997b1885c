#include "match.h"
#include "mem.h"
#include <stdlib.h>

void
match_start(struct match *m, const uint8_t *text, size_t len)
{
	size_t i, k = 0;

	*m = (struct match){ .text = text, .len = len };
	m->next = mem_zero(len + 1, sizeof(*m->next));
	for (i = 1; i < len; i++) {
		while (k > 0 && text[i] != text[k])
			k = m->next[k];
		if (text[i] == text[k])
			k++;
		m->next[i + 1] = k;
	}
}

void
match_free(struct match *m)
{
	free(m->next);
	*m = (struct match){ 0 };
}

bool
match_found(const struct match *m)
{
	return m->at == m->len;
}

size_t
match_feed(struct match *m, const uint8_t *data, size_t n)
{
	size_t i;

	if (match_found(m))
		return 0;
	for (i = 0; i < n; i++) {
		while (m->at > 0 && data[i] != m->text[m->at])
			m->at = m->next[m->at];
		if (data[i] == m->text[m->at])
			m->at++;
		if (match_found(m))
			return i + 1;
	}
	return 0;
}
