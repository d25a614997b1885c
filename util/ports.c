#include "ports.h"
#include "addr.h"
#include "mem.h"
#include "num.h"
#include <stdlib.h>
#include <string.h>

enum { PORT_MAX = 65535 };

static const char digits[] = "0123456789";

static void
add(struct ports *p, int64_t low, int64_t high, bool range)
{
	p->item = mem_grow(p->item, (size_t)p->items + 1, sizeof(*p->item));
	p->item[p->items++] = (struct ports_item){ (uint16_t)low,
		(uint16_t)high, range };
	for (int64_t i = low; i <= high; i++) {
		uint64_t bit = UINT64_C(1) << (i % 64);

		p->count += !(p->set[i / 64] & bit);
		p->set[i / 64] |= bit;
	}
}

static int
parse_range(struct ports *p, const char *word, struct err *err)
{
	const char *high = strchr(word, '-') + 1;
	int64_t first = 1, last = PORT_MAX;
	char low[8] = "";

	if (strcmp(word, "-") != 0) {
		if (high - word <= (long)sizeof(low))
			memcpy(low, word, (size_t)(high - word - 1));
		if (num_int(low, 1, PORT_MAX, &first) == -1 ||
			num_int(high, 1, PORT_MAX, &last) == -1 ||
			low[0] == '0' || high[0] == '0')
			return err_setf(err, NULL, 0, NULL,
				"'%.40s' is not a range of 1-65535", word);
		if (first > last)
			return err_setf(err, NULL, 0, NULL,
				"'%s' is reversed: %s-%s", word, high, low);
	}
	add(p, first, last, true);
	return 0;
}

/* endpoint_parse knows what a single port may look like. */
static int
parse_one(struct ports *p, const char *word, ports_lookup *lookup,
	bool datagram, struct err *err)
{
	struct endpoint e;
	int64_t number;
	int found;

	if (endpoint_parse(&e, "::", word, err) == -1)
		return -1;
	if (num_int(word, 1, PORT_MAX, &number) == -1) {
		if (!lookup)
			return err_setf(err, NULL, 0, NULL,
				"%s is a service's name, and --numeric forbids "
				"look-ups",
				word);
		found = lookup(word, datagram, err);
		if (found == -1)
			return -1;
		number = found;
	}
	add(p, number, number, false);
	return 0;
}

static int
parse_item(struct ports *p, const char *word, ports_lookup *lookup,
	bool datagram, struct err *err)
{
	size_t n = strlen(word);

	if (n == 0)
		return err_setf(err, NULL, 0, NULL, "the port is empty");
	if (strspn(word, digits) < n && strspn(word, "0123456789-") == n)
		return parse_range(p, word, err);
	return parse_one(p, word, lookup, datagram, err);
}

int
ports_parse(struct ports *p, const char *text, ports_lookup *lookup,
	bool datagram, struct err *err)
{
	char *copy = mem_string(text), *word = copy, *comma;
	int result;

	*p = (struct ports){ 0 };
	while ((comma = strchr(word, ','))) {
		*comma = '\0';
		if (parse_item(p, word, lookup, datagram, err) == -1)
			break;
		word = comma + 1;
	}
	result = comma ? -1 : parse_item(p, word, lookup, datagram, err);
	free(copy);
	return result;
}

int
ports_next(const struct ports *p, int port)
{
	int i = port + 1;

	while (i <= PORT_MAX) {
		uint64_t word = p->set[i / 64] >> (i % 64);

		if (word)
			return i + __builtin_ctzll(word);
		i = (i / 64 + 1) * 64;
	}
	return 0;
}
