#include "hexdump.h"

#include "buf.h"
#include "clock.h"
#include "mem.h"
#include "outlet.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = 16, TIME_LEN = 19 };

struct hexdump {
	const char *path;
	struct outlet to;
	struct buf text;
	int failed; /* errno of the first write that did */
};

struct hexdump *
hexdump_open(const char *path, struct err *err)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY;
	struct hexdump *h;
	int fd = STDERR_FILENO;

	if (strcmp(path, "-") != 0) {
		fd = open(path, flags, 0666);
		if (fd == -1) {
			err_set(err, "open", errno, path);
			return NULL;
		}
	}
	h = mem_zero(1, sizeof(*h));
	h->path = path;
	h->to.fd = fd;
	return h;
}

static void
add_line(struct buf *b, char arrow, uint64_t offset, const uint8_t *p, size_t n)
{
	buf_printf(b, "%c %08llx ", arrow, (unsigned long long)offset);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (i % (COLUMNS / 2) == 0)
			buf_byte(b, ' ');
		if (i < n)
			buf_printf(b, "%02x ", p[i]);
		else
			buf_string(b, "   ");
	}
	buf_string(b, " |");
	for (size_t i = 0; i < n; i++)
		buf_byte(b, p[i] >= ' ' && p[i] <= '~' ? p[i] : '.');
	buf_string(b, "|\n");
}

void
hexdump_write(struct hexdump *h, unsigned conn, bool out, uint64_t offset,
	const void *data, size_t n)
{
	double now = clock_unix();
	unsigned us = (unsigned)((now - (double)(int64_t)now) * 1e6);
	char arrow = out ? '>' : '<', iso[40];
	const uint8_t *p = data;

	clock_iso(now, iso, sizeof(iso));
	buf_clear(&h->text);
	buf_printf(&h->text, "%.*s.%06u%s #%u %c %llu: %zu bytes\n", TIME_LEN,
		iso, us, iso + TIME_LEN, conn, arrow,
		(unsigned long long)offset, n);
	for (size_t at = 0; at < n; at += COLUMNS)
		add_line(&h->text, arrow, offset + at, p + at,
			n - at < COLUMNS ? n - at : COLUMNS);
	if (outlet_write(&h->to, buf_data(&h->text), h->text.len) == -1 &&
		h->failed == 0)
		h->failed = errno;
}

int
hexdump_close(struct hexdump *h, struct err *err)
{
	int result = 0;

	if (h == NULL)
		return 0;
	if (h->to.fd != STDERR_FILENO) {
		if (close(h->to.fd) == -1 && h->failed == 0)
			h->failed = errno;
		if (h->failed != 0)
			result = err_set(err, "write", h->failed, h->path);
	}
	buf_free(&h->text);
	free(h);
	return result;
}
