/* buf: a growing queue of bytes: append at the end, consume at the front.
 *
 * A zeroed struct is an empty buf. Whoever fills one from a peer checks its
 * own limit first: buf itself has none. */
#ifndef SOCKCTL_BUF_H
#define SOCKCTL_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *base; /* the allocation */
	size_t head; /* first unconsumed byte, from base */
	size_t len; /* unconsumed bytes */
	size_t size; /* of the allocation */
};

static inline uint8_t *
buf_data(const struct buf *b)
{
	return b->head > 0 ? b->base + b->head : b->base; /* may be NULL */
}

/* Makes room for n more bytes and returns where they go; buf_added says how
 * many were written there. */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);
void buf_append(struct buf *b, const void *data, size_t n);
void buf_string(struct buf *b, const char *s);
void buf_byte(struct buf *b, uint8_t c);
void buf_printf(struct buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Takes n bytes off the front. An emptied buf keeps at most 64 KiB. */
void buf_consume(struct buf *b, size_t n);
void buf_clear(struct buf *b);
void buf_free(struct buf *b); /* leaves an empty buf */
/* The contents as a NUL-terminated string, valid until the next change. */
char *buf_cstr(struct buf *b);

/* Big-endian numbers, for the wire formats. */
void buf_u16(struct buf *b, uint16_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_u64(struct buf *b, uint64_t v);
/* In line: a compiler makes one load or store of each. */
static inline uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

static inline uint64_t
get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

static inline void
put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)(v >> 16));
	put_u16(p + 2, (uint16_t)v);
}

static inline void
put_u64(uint8_t *p, uint64_t v)
{
	put_u32(p, (uint32_t)(v >> 32));
	put_u32(p + 4, (uint32_t)v);
}

#endif
