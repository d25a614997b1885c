#include "buf.h"
#include "mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP = 64 * 1024, FIRST = 256 };

uint8_t *
buf_room(struct buf *b, size_t n)
{
	size_t need = b->len + n;
	size_t size = b->size > FIRST / 2 ? b->size * 2 : FIRST;
	uint8_t *base;

	if (b->size - b->head - b->len >= n && b->base)
		return b->base + b->head + b->len;
	if (need < n)
		need = SIZE_MAX; /* no system has it: fatal below */
	/* Moving pays only when at least as much was consumed as is moved. */
	if (b->base && need <= b->size && b->head >= b->len) {
		memmove(b->base, b->base + b->head, b->len);
		b->head = 0;
		return b->base + b->len;
	}
	if (size < need)
		size = need;
	base = mem_alloc(size);
	if (b->base)
		memcpy(base, b->base + b->head, b->len);
	free(b->base);
	b->base = base;
	b->head = 0;
	b->size = size;
	return b->base + b->len;
}

void
buf_added(struct buf *b, size_t n)
{
	b->len += n;
}

void
buf_append(struct buf *b, const void *data, size_t n)
{
	if (n == 0)
		return;
	memcpy(buf_room(b, n), data, n);
	b->len += n;
}

void
buf_string(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void
buf_byte(struct buf *b, uint8_t c)
{
	*buf_room(b, 1) = c;
	b->len++;
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(b, format, ap);
	va_end(ap);
}

void
buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	size_t room = 128;
	char *at = (char *)buf_room(b, room);
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(at, room, format, again);
	va_end(again);
	if (n > 0 && (size_t)n >= room) {
		room = (size_t)n + 1;
		at = (char *)buf_room(b, room);
		n = vsnprintf(at, room, format, ap);
	}
	if (n > 0)
		b->len += (size_t)n;
}

void
buf_consume(struct buf *b, size_t n)
{
	b->head += n;
	b->len -= n;
	if (b->len == 0)
		buf_clear(b);
}

void
buf_clear(struct buf *b)
{
	b->head = 0;
	b->len = 0;
	if (b->size > KEEP)
		buf_free(b);
}

void
buf_free(struct buf *b)
{
	free(b->base);
	*b = (struct buf){ 0 };
}

char *
buf_cstr(struct buf *b)
{
	*buf_room(b, 1) = '\0';
	return (char *)buf_data(b);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	put_u16(buf_room(b, 2), v);
	b->len += 2;
}

void
buf_u32(struct buf *b, uint32_t v)
{
	put_u32(buf_room(b, 4), v);
	b->len += 4;
}

void
buf_u64(struct buf *b, uint64_t v)
{
	put_u64(buf_room(b, 8), v);
	b->len += 8;
}
