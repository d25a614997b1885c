/* The last part of report.h: errors before a mode has a report. */
#include "event.h"
#include "outlet.h"
#include "report.h"
#include "template.h"
#include <unistd.h>

void
report_early(const char *mode, const struct err *e)
{
	struct outlet o = { .fd = STDERR_FILENO };
	struct buf line = { 0 };
	struct field fields[] = {
		F_STR("mode", mode),
		F_STR("op", e->op),
		F_STR("errno", err_name(e->number)),
		F_STR("message", e->text),
		F_STR("target", e->target),
		F_STR("hint", e->hint),
	};

	template_render(&line, event_row(EV_ERROR)->text, fields,
		sizeof(fields) / sizeof(fields[0]));
	buf_byte(&line, '\n');
	outlet_write(&o, buf_data(&line), line.len);
	buf_free(&line);
}

int
report_refusal(const char *mode, bool json, bool out, const struct err *e)
{
	const struct report_options options = { .json = true };
	struct report *r;
	int code = (int)err_exit(e);

	if (!json) {
		report_early(mode, e);
		return code;
	}
	r = report_open(
		&options, mode, out ? REPORT_RESULT : REPORT_CLIENT, NULL);
	report_error(r, NULL, e);
	code = report_summary(r, code, NULL, 0);
	report_close(r);
	return code;
}
