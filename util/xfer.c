#include "xfer.h"
#include "hash.h"
#include <string.h>

const uint8_t xfer_magic[XFER_MAGIC] = { 0x89, 'S', 'C', 'T', '\r', '\n', 0x1a,
	'\n' };

/* The layout of each payload, read by the encoder and by the decoder. */
enum member_type {
	MEMBER_END,
	MEMBER_U8,
	MEMBER_U16,
	MEMBER_U32,
	MEMBER_U64,
	MEMBER_TEXT
};

struct member {
	enum member_type type;
	size_t at; /* in struct xfer_frame; not of a text */
	uint32_t max; /* of a word, of a text's length, of nanoseconds */
};

#define AT(member) offsetof(struct xfer_frame, member)
#define U8(member, max) \
	{ \
		MEMBER_U8, AT(member), max \
	}
#define U16(member) \
	{ \
		MEMBER_U16, AT(member), UINT16_MAX \
	}
#define U32(member) \
	{ \
		MEMBER_U32, AT(member), UINT32_MAX \
	}
#define U64(member) \
	{ \
		MEMBER_U64, AT(member), 0 \
	}
#define TEXT(max) \
	{ \
		MEMBER_TEXT, 0, max \
	}

enum { MEMBERS_MAX = 8, NANOSECONDS_MAX = 999999999 };

static const struct member layout[XFER_ERROR + 1][MEMBERS_MAX] = {
	[XFER_HELLO] = { U8(word, XFER_RECEIVER), U16(low), U16(high),
		U32(features), U32(block) },
	[XFER_OFFER] = { U32(id), U8(word, XFER_FOLDER), U32(mode), U64(size),
		U64(mtime), { MEMBER_U32, AT(mtime_ns), NANOSECONDS_MAX },
		TEXT(XFER_NAME_MAX) },
	[XFER_ANSWER] = { U32(id), U8(word, XFER_REFUSE), U16(reason),
		U64(offset), U64(hash), TEXT(XFER_TEXT_MAX) },
	[XFER_START] = { U32(id), U64(offset) },
	[XFER_END] = { U32(id), U64(size), U64(hash) },
	[XFER_RECEIPT] = { U32(id), U8(word, XFER_FAILED), U16(reason),
		U64(size), U64(hash), TEXT(XFER_TEXT_MAX) },
	[XFER_WAIT] = { { MEMBER_END, 0, 0 } },
	[XFER_DONE] = { U32(files), U64(bytes) },
	[XFER_ERROR] = { U16(reason), TEXT(XFER_TEXT_MAX) },
};

static const char *const reason_text[XFER_R_COUNT] = {
	[XFER_NONE] = "no reason given",
	[XFER_R_PROTOCOL] = "not the protocol",
	[XFER_R_ALTERED] = "altered on the way: a checksum does not fit",
	[XFER_R_VERSION] = "no version of the protocol in common",
	[XFER_R_ROLE] = "both sides play the same role",
	[XFER_R_SOURCE] = "the source changed or could not be read",
	[XFER_R_STOPPED] = "it was stopped",
	[XFER_R_NAME] = "a name that is not allowed",
	[XFER_R_EXISTS] = "a file of that name exists",
	[XFER_R_KIND] = "something that is no plain file is in the way",
	[XFER_R_BUSY] = "another transfer to this name is under way",
	[XFER_R_TOO_LARGE] = "larger than the receiver takes",
	[XFER_R_SPACE] = "not enough space on the disk",
	[XFER_R_LOCAL] = "the disk or the file failed",
	[XFER_R_ONE_FILE] = "only one file is taken",
};

const char *
xfer_reason_text(unsigned reason)
{
	return reason_text[reason < XFER_R_COUNT ? reason : XFER_NONE];
}

/* Members are reached by their place, as the layout names it. */
static void
encode_member(
	struct buf *out, const struct xfer_frame *f, const struct member *p)
{
	const char *at = (const char *)f + p->at;
	size_t n;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (p->type) {
	case MEMBER_END:
		break;
	case MEMBER_U8:
		buf_byte(out, *(const uint8_t *)at);
		break;
	case MEMBER_U16:
		memcpy(&v16, at, sizeof v16);
		buf_u16(out, v16);
		break;
	case MEMBER_U32:
		memcpy(&v32, at, sizeof v32);
		buf_u32(out, v32);
		break;
	case MEMBER_U64:
		memcpy(&v64, at, sizeof v64);
		buf_u64(out, v64);
		break;
	case MEMBER_TEXT:
		n = f->text_len < p->max ? f->text_len : p->max;
		buf_u16(out, (uint16_t)n);
		buf_append(out, f->text, n);
		break;
	}
}

static void
encode_extension(struct buf *out, const struct xfer_frame *f)
{
	if (f->type != XFER_DONE || f->unread == 0)
		return;
	buf_u16(out, XFER_UNREAD);
	buf_u16(out, 4);
	buf_u32(out, f->unread);
}

static void
put_header(uint8_t *p, uint8_t type, size_t length)
{
	p[0] = type;
	p[1] = 0;
	put_u16(p + 2, 0);
	put_u32(p + 4, (uint32_t)length);
}

void
xfer_encode(struct buf *out, const struct xfer_frame *f)
{
	size_t start = out->len;
	const struct member *p;
	uint8_t *frame;

	(void)buf_room(out, XFER_HEADER);
	buf_added(out, XFER_HEADER);
	for (p = layout[f->type]; p->type != MEMBER_END; p++)
		encode_member(out, f, p);
	encode_extension(out, f);
	frame = buf_data(out) + start;
	put_header(frame, f->type, out->len - start - XFER_HEADER);
	buf_u64(out, hash_of(frame, out->len - start));
}

void
xfer_block_head(uint8_t *p, uint32_t id, size_t n)
{
	put_header(p, XFER_DATA, 4 + n + XFER_SUM);
	put_u32(p + XFER_HEADER, id);
}

static const size_t width[] = { [MEMBER_U8] = 1,
	[MEMBER_U16] = 2,
	[MEMBER_U32] = 4,
	[MEMBER_U64] = 8,
	[MEMBER_TEXT] = 2 };

/* Reads one member of a payload that has n bytes left, of which have are here.
 * Returns the bytes that it takes, 0 when malformed, MORE. */
#define MORE SIZE_MAX

static size_t
decode_member(struct xfer_frame *f, const struct member *member,
	const uint8_t *p, size_t have, size_t n)
{
	char *at = (char *)f + member->at;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	if (n < width[member->type])
		return 0;
	if (have < width[member->type])
		return MORE;
	switch (member->type) {
	case MEMBER_END:
		break;
	case MEMBER_U8:
		if (p[0] == 0 || p[0] > member->max)
			return 0;
		*(uint8_t *)at = p[0];
		break;
	case MEMBER_U16:
		v16 = get_u16(p);
		memcpy(at, &v16, sizeof v16);
		break;
	case MEMBER_U32:
		v32 = get_u32(p);
		if (v32 > member->max)
			return 0;
		memcpy(at, &v32, sizeof v32);
		break;
	case MEMBER_U64:
		v64 = get_u64(p);
		memcpy(at, &v64, sizeof v64);
		break;
	case MEMBER_TEXT:
		v16 = get_u16(p);
		if (v16 > member->max || (size_t)v16 > n - 2)
			return 0;
		f->text = (const char *)p + 2;
		f->text_len = v16;
		return 2 + (size_t)v16;
	}
	return width[member->type];
}

/* Extensions: tag u16, length u16, value. This version knows one. As
 * xfer_decode. */
static int
decode_extensions(struct xfer_frame *f, const uint8_t *p, size_t have, size_t n)
{
	size_t at = 0, length;

	if (n > XFER_EXTENSIONS_MAX)
		return -1;
	while (at < n) {
		if (n - at < 4)
			return -1;
		if (have < at + 4)
			return 1;
		length = get_u16(p + at + 2);
		if (length > n - at - 4)
			return -1;
		if (f->type == XFER_DONE && get_u16(p + at) == XFER_UNREAD &&
			length == 4 && have >= at + 8)
			f->unread = get_u32(p + at + 4);
		at += 4 + length;
	}
	return have < n;
}

int
xfer_decode(struct xfer_frame *f, uint8_t type, const uint8_t *payload,
	size_t have, size_t n)
{
	const struct member *p;
	size_t at = 0, took;

	*f = (struct xfer_frame){ .type = type };
	if (type > XFER_ERROR || type == XFER_DATA || type == 0)
		return -1;
	for (p = layout[type]; p->type != MEMBER_END; p++) {
		/* A payload that ends before its text has none. */
		if (p->type == MEMBER_TEXT && at == n && type != XFER_OFFER)
			return 0;
		took = decode_member(f, p, payload + at, have - at, n - at);
		if (took == 0 || took == MORE)
			return took == 0 ? -1 : 1;
		at += took;
		if (at > have)
			return n - at > XFER_EXTENSIONS_MAX ? -1 : 1;
	}
	if (type == XFER_OFFER && f->text_len == 0)
		return -1;
	return decode_extensions(f, payload + at, have - at, n - at);
}
