/* What a mode finds wrong in its settings and arguments. */
#include "mode.h"
#include "../util/buf.h"
#include "../util/report.h"
#include "../util/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text may be anything that was typed: it stays one line. Backslashes may be
 * escapes already. */
static void __attribute__((format(printf, 2, 0)))
usage_vtold(const char *mode, const char *format, va_list ap)
{
	struct buf text = { 0 }, line = { 0 };
	const char *at, *blank = mode ? " " : "";
	size_t n;

	mode = mode ? mode : "";
	buf_vprintf(&text, format, ap);
	for (at = buf_cstr(&text); *at; at += n) {
		n = strcspn(at, "\\");
		utf8_escape(&line, at, n);
		if (at[n] == '\\') {
			buf_byte(&line, '\\');
			n++;
		}
	}
	fprintf(stderr, "sockctl%s%s: %s; try 'sockctl%s%s --help'\n", blank,
		mode, buf_cstr(&line), blank, mode);
	buf_free(&text);
	buf_free(&line);
}

int
mode_usage_of(const char *mode, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	usage_vtold(mode, format, ap);
	va_end(ap);
	return EXIT_USAGE;
}

int
mode_usage(const struct run *run, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	usage_vtold(run->mode->name, format, ap);
	va_end(ap);
	return EXIT_USAGE;
}

int
mode_refuse(const struct run *run, const struct err *err)
{
	if (!err->op)
		return mode_usage_of(run->mode->name, "%s", err->text);
	return report_refusal(run->mode->name, run->json,
		run->mode->reports && run->mode->reports(run), err);
}

int
mode_sides(const struct run *run, const struct mode_side *rows, size_t n,
	bool server)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].given && rows[i].server != server)
			return mode_usage(run, "%s: an option of the %s: %s",
				rows[i].name,
				rows[i].server ? "server" : "client",
				rows[i].server ? "-p PORT listens"
					       : "HOST PORT connects");
	if (server && run->argc > 0)
		return mode_usage(run,
			"'%s': with -p it listens, and takes no HOST and PORT",
			run->argv[0]);
	return EXIT_OK;
}
