#include "../../util/addr.h"
#include "fuzz.h"

/* What an endpoint is shown as names the same endpoint. */
static void
again(const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];
	struct endpoint back;
	struct err err;

	endpoint_text(e, text);
	HOLD(endpoint_parse(&back, text, NULL, &err) == 0);
	HOLD(strcmp(back.host, e->host) == 0);
	HOLD(strcmp(back.port, e->port) == 0);
}

static void
words(char *s)
{
	char *port = strchr(s, '\n');
	struct endpoint e;
	struct err err;

	memset(&err, 'x', sizeof err);
	if (endpoint_parse(&e, s, NULL, &err) == 0)
		again(&e);
	else
		HOLD(!err.op && *err.text && memchr(err.text, 0, ERR_TEXT_MAX));
	if (!port)
		return;
	*port++ = '\0';
	if (endpoint_parse(&e, s, port, &err) == 0)
		again(&e);
}

static void
numeric(const char *s)
{
	char text[ADDR_TEXT_MAX];
	struct addr a, b;
	struct err err;

	if (addr_unix(&a, s, &err) == 0)
		HOLD(strlen(addr_text(&a, text)) < ADDR_TEXT_MAX);
	if (addr_numeric(&a, s, 0, 80) == -1)
		return;
	HOLD(addr_port(&a) == 80);
	addr_unmap(&a);
	HOLD(addr_numeric(&b, addr_host(&a, text), 0, 80) == 0);
	HOLD(addr_equal(&a, &b));
	addr_text(&a, text);
	addr_is_loopback(&a);
	addr_is_multicast(&a);
}

/* A peer's address, as the system hands it over. */
static void
raw(const uint8_t *data, size_t size)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
	char text[ADDR_TEXT_MAX];
	struct addr a = { 0 };

	if (size < 2 || size > 110)
		return;
	memcpy(&a.ss, data, size);
	a.ss.ss_family = (sa_family_t)families[data[0] % 3];
	a.len = (socklen_t)size;
	HOLD(strlen(addr_text(&a, text)) < ADDR_TEXT_MAX);
	for (const char *c = text; *c; c++)
		HOLD((unsigned char)*c >= ' ' && *c != 0x7f);
	HOLD(addr_equal(&a, &a));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size);

	numeric(s);
	words(s);
	raw(data, size);
	free(s);
	return 0;
}
