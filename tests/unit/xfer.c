/* The wire format of file transfer: bytes worked out by another program, whole
 * and in single bytes, with every bit flipped, over the limits. */
#include "../../util/xferread.h"
#include "check.h"
#include <stdlib.h>

static const struct row {
	const char *name, *hex;
	struct xfer_frame frame;
} rows[] = {
	{ "hello", "010000000000000d010001000100000000001000008c66bc90ca097b4d",
		{ .type = XFER_HELLO,
			.word = XFER_SENDER,
			.low = 1,
			.high = 1,
			.block = 1 << 20 } },
	{ "offer",
		"02000000000000240000000701000001a400000000000004d2ffffffffff"
		"fffffe3b9ac9ff0005612f622e63aa6540e0f5cf8629",
		{ .type = XFER_OFFER,
			.id = 7,
			.word = XFER_FILE,
			.mode = 0644,
			.size = 1234,
			.mtime = (uint64_t)-2,
			.mtime_ns = 999999999,
			.text = "a/b.c",
			.text_len = 5 } },
	{ "answer",
		"030000000000001f00000007030008000000000000000000000000000000"
		"0000066578697374735001cf3ff8c0d7b0",
		{ .type = XFER_ANSWER,
			.id = 7,
			.word = XFER_REFUSE,
			.reason = XFER_R_EXISTS,
			.text = "exists",
			.text_len = 6 } },
	{ "start", "040000000000000c000000070000000200000000d10e4673f6c0c72a",
		{ .type = XFER_START, .id = 7, .offset = UINT64_C(1) << 33 } },
	{ "end",
		"060000000000001400000007000000000000000344bc2cf5ad770999a6c7"
		"0ef6c7a74d13",
		{ .type = XFER_END,
			.id = 7,
			.size = 3,
			.hash = UINT64_C(0x44bc2cf5ad770999) } },
	{ "receipt",
		"070000000000001900000007010000000000000000000344bc2cf5ad7709"
		"990000273182893a789c09",
		{ .type = XFER_RECEIPT,
			.id = 7,
			.word = XFER_IN_PLACE,
			.size = 3,
			.hash = UINT64_C(0x44bc2cf5ad770999) } },
	{ "wait", "0800000000000000f2b48c6959ac244e", { .type = XFER_WAIT } },
	{ "done", "090000000000000c00000002000000012a05f200666dd29bda6684d4",
		{ .type = XFER_DONE, .files = 2, .bytes = 5000000000 } },
	{ "done, unread",
		"090000000000001400000002000000000000000500010004000000036b77e6"
		"3cbc3bdc55",
		{ .type = XFER_DONE, .files = 2, .bytes = 5, .unread = 3 } },
	{ "error", "0a00000000000007000200036261644be5754e29392c54",
		{ .type = XFER_ERROR,
			.reason = XFER_R_ALTERED,
			.text = "bad",
			.text_len = 3 } },
};

static size_t
from_hex(uint8_t *out, const char *hex)
{
	char two[3] = { 0 };
	size_t n;

	for (n = 0; hex[2 * n]; n++) {
		memcpy(two, hex + 2 * n, 2);
		out[n] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static bool
same(const struct xfer_frame *a, const struct xfer_frame *b)
{
	return a->type == b->type && a->word == b->word && a->low == b->low &&
		a->high == b->high && a->features == b->features &&
		a->block == b->block && a->reason == b->reason &&
		a->id == b->id && a->mode == b->mode &&
		a->mtime_ns == b->mtime_ns && a->files == b->files &&
		a->unread == b->unread && a->size == b->size &&
		a->offset == b->offset && a->hash == b->hash &&
		a->bytes == b->bytes && a->mtime == b->mtime &&
		a->text_len == b->text_len &&
		(a->text_len == 0 ||
			memcmp(a->text, b->text, a->text_len) == 0);
}

/* A parser that has seen the magic. */
static void
greeted(struct xfer_parser *p)
{
	struct xfer_got got;

	memset(p, 0, sizeof *p);
	CHECK_INT(xfer_parse(p, xfer_magic, XFER_MAGIC, &got), XFER_MAGIC);
	CHECK_INT(got.what, XFER_MORE);
	CHECK(xfer_between(p));
}

/* The first thing that n bytes tell, given step bytes at a time. */
static enum xfer_what
first(const uint8_t *bytes, size_t n, size_t step, struct xfer_got *got)
{
	static struct xfer_parser p;
	size_t at = 0, piece;

	greeted(&p);
	got->what = XFER_MORE;
	while (at < n && got->what == XFER_MORE) {
		piece = n - at < step ? n - at : step;
		at += xfer_parse(&p, bytes + at, piece, got);
	}
	return got->what;
}

static void
test_rows(void)
{
	uint8_t bytes[256];
	struct xfer_got got;
	struct buf out = { 0 };
	size_t i, n;

	for (i = 0; i < COUNT(rows); i++) {
		n = from_hex(bytes, rows[i].hex);
		buf_clear(&out);
		xfer_encode(&out, &rows[i].frame);
		CHECK_INT(out.len, n);
		CHECK(memcmp(buf_data(&out), bytes, n) == 0);
		CHECK_INT(first(bytes, n, n, &got), XFER_FRAME);
		CHECK(same(&got.frame, &rows[i].frame));
		CHECK_INT(first(bytes, n, 1, &got), XFER_FRAME);
		CHECK(same(&got.frame, &rows[i].frame));
		CHECK_INT(first(bytes, n - 1, n, &got), XFER_MORE);
	}
	buf_free(&out);
}

/* No flipped bit goes unnoticed: the frame is bad, or waits for bytes that its
 * length claims. */
static void
test_bits(void)
{
	uint8_t bytes[256];
	struct xfer_got got;
	size_t i, bit, n;

	for (i = 0; i < COUNT(rows); i++) {
		n = from_hex(bytes, rows[i].hex);
		for (bit = 0; bit < 8 * n; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			CHECK(first(bytes, n, n, &got) != XFER_FRAME);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

/* A length that grew keeps nobody waiting, in nearly all cases. */
static void
test_lengths(void)
{
	uint8_t bytes[256];
	struct xfer_got got;
	size_t i, bit, n, waits = 0;

	for (i = 0; i < COUNT(rows); i++) {
		n = from_hex(bytes, rows[i].hex);
		for (bit = 0; bit < 32; bit++) {
			bytes[7 - bit / 8] ^= (uint8_t)(1 << bit % 8);
			waits += first(bytes, n, n, &got) != XFER_BAD;
			bytes[7 - bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	CHECK_INT(waits, 1); /* the bytes of a checksum, by chance */
}

static enum xfer_what
read_payload(uint8_t type, uint8_t flags, const void *payload, size_t n)
{
	struct buf b = { 0 };
	struct xfer_got got;
	enum xfer_what what;

	buf_byte(&b, type);
	buf_byte(&b, flags);
	buf_u16(&b, 0);
	buf_u32(&b, (uint32_t)n);
	buf_append(&b, payload, n);
	buf_u64(&b, hash_of(buf_data(&b), b.len));
	what = first(buf_data(&b), b.len, b.len, &got);
	buf_free(&b);
	return what;
}

static void
test_forms(void)
{
	static const uint8_t done[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2,
		/* tag 9, length 3, and tag 10, length 0 */
		0, 9, 0, 3, 'x', 'y', 'z', 0, 10, 0, 0 };
	static const uint8_t hello[] = { 3, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		0 };
	static uint8_t large[XFER_PAYLOAD_MAX + 1];
	struct xfer_frame f;

	CHECK_INT(read_payload(XFER_DONE, 0, done, 12), XFER_FRAME);
	CHECK_INT(read_payload(XFER_DONE, 0, done, sizeof done), XFER_FRAME);
	CHECK_INT(read_payload(XFER_DONE, 0, done, 11), XFER_BAD);
	CHECK_INT(read_payload(XFER_DONE, 0, done, 18), XFER_BAD);
	CHECK_INT(read_payload(XFER_DONE, 0, done, 22), XFER_BAD);
	CHECK_INT(read_payload(XFER_HELLO, 0, hello, 13), XFER_BAD);
	CHECK_INT(read_payload(0, 0, NULL, 0), XFER_BAD);
	CHECK_INT(read_payload(11, 0, NULL, 0), XFER_BAD);
	CHECK_INT(read_payload(11, 1, done, 4), XFER_MORE);
	CHECK_INT(read_payload(11, 1, large, XFER_PAYLOAD_MAX), XFER_MORE);
	CHECK_INT(read_payload(11, 1, large, sizeof large), XFER_BAD);
	CHECK_INT(read_payload(11, 3, done, 4), XFER_BAD);
	CHECK_INT(read_payload(XFER_WAIT, 1, NULL, 0), XFER_FRAME);
	CHECK_INT(read_payload(XFER_WAIT, 0, large, XFER_EXTENSIONS_MAX),
		XFER_FRAME);
	CHECK_INT(read_payload(XFER_WAIT, 0, large, XFER_EXTENSIONS_MAX + 4),
		XFER_BAD);
	CHECK_INT(read_payload(XFER_WAIT, 0, large, XFER_CONTROL_MAX + 1),
		XFER_BAD);
	/* A text may be missing, but not be cut short; a name must be there. */
	CHECK_INT(xfer_decode(&f, XFER_ERROR, done, 2, 2), 0);
	CHECK_INT(xfer_decode(&f, XFER_ERROR, hello, 3, 3), -1);
	CHECK_INT(xfer_decode(&f, XFER_OFFER, large, 29, 29), -1);
	CHECK_INT(xfer_decode(&f, XFER_OFFER, large, 31, 31), -1);
}

static void
test_blocks(void)
{
	static struct xfer_parser p;
	uint8_t bytes[XFER_BLOCK_HEAD + 3 + XFER_SUM];
	struct xfer_got got;
	size_t at;

	xfer_block_head(bytes, 5, 3);
	memcpy(bytes + XFER_BLOCK_HEAD, "abc", 3);
	put_u64(bytes + XFER_BLOCK_HEAD + 3, 0x1122334455667788);
	greeted(&p);
	at = xfer_parse(&p, bytes, sizeof bytes, &got);
	CHECK_INT(got.what, XFER_BLOCK);
	CHECK_INT(got.id, 5);
	CHECK_INT(got.n, 3);
	at += xfer_parse(&p, bytes + at, 2, &got);
	CHECK_INT(got.what, XFER_CONTENT);
	CHECK_INT(got.n, 2);
	CHECK(memcmp(got.data, "ab", 2) == 0);
	at += xfer_parse(&p, bytes + at, sizeof bytes - at, &got);
	CHECK_INT(got.what, XFER_CONTENT);
	CHECK_INT(got.n, 1);
	at += xfer_parse(&p, bytes + at, sizeof bytes - at, &got);
	CHECK_INT(got.what, XFER_BLOCK_END);
	CHECK(got.hash == 0x1122334455667788);
	CHECK_INT(at, sizeof bytes);
	CHECK(xfer_between(&p));
	/* It has no checksum of its own: flags and limits may not vary. */
	for (at = 1; at < 6; at++) {
		bytes[at] ^= 0x80;
		CHECK_INT(first(bytes, sizeof bytes, 64, &got), XFER_BAD);
		bytes[at] ^= 0x80;
	}
	xfer_block_head(bytes, 5, XFER_BLOCK_MAX);
	CHECK_INT(first(bytes, sizeof bytes, 64, &got), XFER_BLOCK);
	xfer_block_head(bytes, 5, XFER_BLOCK_MAX + 1);
	CHECK_INT(first(bytes, sizeof bytes, 64, &got), XFER_BAD);
}

static void
test_magic(void)
{
	static const char *const wrong[] = { "GET / HTTP/1.0\r\n\r\n", "\r\n",
		"SSH-2.0-OpenSSH\r\n", "\x09SCT\r\n\x1a\n", "\x89SCT\n\x1a\n" };
	static struct xfer_parser p;
	struct xfer_got got;
	size_t i, n;

	for (i = 0; i < COUNT(wrong); i++) {
		memset(&p, 0, sizeof p);
		n = strlen(wrong[i]);
		xfer_parse(&p, (const uint8_t *)wrong[i], n, &got);
		CHECK_INT(got.what, XFER_BAD);
		CHECK_INT(got.reason, XFER_R_PROTOCOL);
		CHECK(strstr(got.why, "line ends") ? i >= 3 : i < 3);
		/* And nothing is read any more. */
		CHECK_INT(xfer_parse(&p, xfer_magic, 8, &got), 8);
		CHECK_INT(got.what, XFER_MORE);
	}
}

int
main(void)
{
	test_rows();
	test_bits();
	test_lengths();
	test_forms();
	test_blocks();
	test_magic();
	return check_result();
}
