/* The options of dial: rows, and the values that are not plain. */
#include "dial.h"
#include "num.h"
#include "proxy.h"
#include <stdio.h>
#include <string.h>

#define AT(field, type) OPT_AT(struct dial_options, field, type)

/* The same words as in an address. */
static int
parse_port(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	struct endpoint unused;

	(void)row;
	if (endpoint_parse(&unused, "::", value, err) == -1)
		return -1;
	*(const char **)field = value;
	return 0;
}

/* N[,TIME] */
static int
parse_retry(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	struct dial_retry retry = { .times = INT64_MAX, .pause = CLOCK_S };
	const char *comma = strchr(value, ',');
	size_t n = strcspn(value, ",");
	char times[32];

	(void)row;
	snprintf(times, sizeof(times), "%.*s", (int)(n < 31 ? n : 31), value);
	if ((strcmp(times, "inf") != 0 &&
		    num_int(times, 1, INT64_MAX - 1, &retry.times) == -1) ||
		(comma && num_time(comma + 1, 1, 0, &retry.pause) == -1))
		return err_setf(err, NULL, 0, NULL,
			"not N or N,TIME: a whole number from 1 or inf, and "
			"the time between tries, such as 5,250ms");
	*(struct dial_retry *)field = retry;
	return 0;
}

static int
parse_proxy(
	void *field, const char *value, const struct opt *row, struct err *err)
{
	struct proxy_url unused;

	(void)row;
	if (proxy_parse(&unused, value, err) == -1)
		return -1;
	*(const char **)field = value;
	return 0;
}

const struct opt dial_opts[] = {
	{ .name = "local-port",
		.letter = 'b',
		.type = OPT_PARSE,
		.word = "PORT",
		.help = "connect from this local port",
		.offset = AT(local_port, const char *),
		.parse = parse_port },
	{ .name = "retry",
		.type = OPT_PARSE,
		.word = "N[,TIME]",
		.help = "try again N more times (inf: for ever), TIME (1 s) "
			"apart",
		.offset = AT(retry, struct dial_retry),
		.parse = parse_retry },
	{ .name = "proxy",
		.type = OPT_PARSE,
		.word = "URL",
		.help = "through socks5://[USER:PASSWORD@]HOST:PORT or "
			"http://[USER:PASSWORD@]HOST:PORT; user and password "
			"also from SOCKCTL_PROXY_AUTH",
		.offset = AT(proxy, const char *),
		.parse = parse_proxy },
	{ 0 },
};
