#include "../../util/net.h"
#include "../../util/proxy.h"
#include "fuzz.h"
#include <sys/socket.h>
#include <unistd.h>

/* What came of it; a proxy says one thing once. */
struct outcome {
	int calls;
	bool open;
};

static void
on_done(void *arg, struct buf *early, const struct err *err)
{
	struct outcome *o = arg;

	o->calls++;
	o->open = err == NULL;
	HOLD((early != NULL) == (err == NULL));
	if (!err)
		return;
	HOLD(err->op && *err->text && memchr(err->text, 0, ERR_TEXT_MAX));
	HOLD(err_exit(err) == EXIT_REFUSED || err_exit(err) == EXIT_INTEGRITY);
}

/* The proxy's bytes, in two pieces cut at the second byte, then its FIN. */
static void
answer(const struct proxy_url *url, const uint8_t *data, size_t size,
	size_t cut)
{
	struct loop *loop = loop_new();
	struct outcome o = { 0 };
	int pair[2];

	HOLD(net_socketpair(pair) == 0);
	if (size > 32 * 1024)
		size = 32 * 1024;
	if (cut > size)
		cut = size;
	proxy_start(
		&(struct proxy_setup){
			.loop = loop,
			.url = url,
			.host = "db.example",
			.port = 5432,
			.done = on_done,
			.arg = &o,
		},
		pair[0]);
	HOLD(send(pair[1], data, cut, MSG_NOSIGNAL) == (ssize_t)cut);
	loop_turn(loop, 0);
	HOLD(send(pair[1], data + cut, size - cut, MSG_NOSIGNAL) ==
		(ssize_t)(size - cut));
	shutdown(pair[1], SHUT_WR);
	for (int i = 0; i < 64 && !o.calls; i++)
		loop_turn(loop, 0);
	HOLD(o.calls == 1);
	close(pair[0]);
	close(pair[1]);
	loop_free(loop);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const urls[] = { "socks5://p:1", "socks5://u:p@p:1",
		"http://p:1", "http://u:p@p:1" };
	struct proxy_url url;
	struct err err = { 0 };
	char *s = fuzz_string(data, size);

	if (proxy_parse(&url, s, &err) == 0)
		HOLD(*url.at.host && *url.at.port &&
			url.at.transport == TRANSPORT_TCP);
	else
		HOLD(!err.op && *err.text);
	free(s);
	if (size < 2)
		return 0;
	HOLD(proxy_parse(&url, urls[data[0] % 4], &err) == 0);
	answer(&url, data + 2, size - 2, data[1]);
	return 0;
}
