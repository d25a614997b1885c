#include "../../util/script.h"
#include "fuzz.h"

/* Every step is one that play can run as it stands. */
static void
whole(const struct script *s)
{
	unsigned number = 0;
	int depth = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct script_step *t = &s->step[i];
		HOLD(script_word(t->op));
		HOLD(t->n <= SCRIPT_BYTES || t->op == SCRIPT_SHUT);
		if (t->op == SCRIPT_OPEN) {
			HOLD(++depth <= SCRIPT_DEPTH);
			continue;
		}
		if (t->op == SCRIPT_SHUT) {
			HOLD(depth-- > 0);
			HOLD(t->begin + 1 < i);
			HOLD(s->step[t->begin].op == SCRIPT_OPEN);
			continue;
		}
		HOLD(t->number == ++number);
		HOLD(t->text.len == 0 || t->text.len == t->n);
		HOLD(t->op != SCRIPT_SHUTDOWN || t->n < 3);
		HOLD(t->op != SCRIPT_WRITEV ||
			(t->n > 0 && t->n <= SCRIPT_PIECES));
	}
	HOLD(depth == 0 && number > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct err err = { 0 };
	struct script s;
	size_t i;

	/* @FILE reads what is there. */
	for (i = 0; text[i]; i++)
		if (text[i] == '@')
			text[i] = '"';
	if (script_parse(&s, text, &err) == 0) {
		whole(&s);
		script_free(&s);
	} else {
		HOLD(strncmp(err.text, "at character ", 13) == 0);
		HOLD(s.count == 0);
	}
	free(text);
	return 0;
}
