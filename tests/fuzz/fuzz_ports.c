#include "../../util/ports.h"
#include "fuzz.h"
#include <stdlib.h>

static int
look_up(const char *name, bool datagram, struct err *err)
{
	(void)datagram;
	if (name[0] == 'x')
		return err_setf(err, "resolve", 0, name, "no such service");
	return 1 + (uint8_t)name[0];
}

/* What was taken holds together: the set is what the items say. */
static void
whole(const struct ports *p)
{
	int port = 0, count = 0;

	HOLD(p->items > 0);
	for (int i = 0; i < p->items; i++) {
		HOLD(p->item[i].low > 0 && p->item[i].low <= p->item[i].high);
		HOLD(p->item[i].range || p->item[i].low == p->item[i].high);
		HOLD(ports_next(p, p->item[i].low - 1) == p->item[i].low);
	}
	while ((port = ports_next(p, port)))
		count++;
	HOLD(count == p->count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size);
	struct err err = { 0 };
	struct ports p;
	int with;

	with = ports_parse(&p, s, look_up, false, &err);
	if (with == 0)
		whole(&p);
	else
		HOLD(err.text[0]);
	free(p.item);
	/* Without names it takes no more, and never asks. */
	if (ports_parse(&p, s, NULL, true, &err) == 0) {
		HOLD(with == 0);
		whole(&p);
	}
	free(p.item);
	free(s);
	return 0;
}
