#include "xferread.h"
#include <string.h>

/* Reading: what is collected or passed on now. */
enum phase {
	PHASE_MAGIC,
	PHASE_HEADER,
	PHASE_CONTROL, /* payload and checksum of a frame that is decoded */
	PHASE_IGNORE, /* payload of one that is not */
	PHASE_IGNORE_SUM,
	PHASE_ID, /* of a data frame */
	PHASE_CONTENT,
	PHASE_CONTENT_SUM,
	PHASE_DEAD,
};

/* Collects until want bytes are held. False: not yet. */
static bool
collect(struct xfer_parser *p, const uint8_t *data, size_t n, size_t want,
	size_t *took)
{
	size_t add = want - p->have < n ? want - p->have : n;

	memcpy(p->held + p->have, data, add);
	p->have += add;
	*took += add;
	return p->have == want;
}

static void
enter(struct xfer_parser *p, enum phase phase)
{
	p->phase = phase;
	p->have = 0;
}

static void
bad(struct xfer_parser *p, struct xfer_got *got, enum xfer_reason reason,
	const char *why)
{
	enter(p, PHASE_DEAD);
	got->what = XFER_BAD;
	got->reason = reason;
	got->why = why;
}

static void
read_magic(struct xfer_parser *p, struct xfer_got *got)
{
	if (memcmp(p->held, xfer_magic, p->have) != 0)
		bad(p, got, XFER_R_PROTOCOL,
			(p->held[0] | 0x80) == xfer_magic[0]
				? "a greeting whose line ends or high bits "
				  "were "
				  "altered on the way"
				: "the other side does not speak sockctl's "
				  "file transfer");
	else if (p->have == XFER_MAGIC)
		enter(p, PHASE_HEADER);
}

/* A header is whole: what its frame is. Data has no checksum of its own, so
 * every bit of its header must be as it is written. */
static void
read_header(struct xfer_parser *p, struct xfer_got *got)
{
	uint8_t type = p->held[0], flags = p->held[1];
	uint32_t length = get_u32(p->held + 4);
	bool known = type >= XFER_HELLO && type <= XFER_ERROR;

	p->left = length;
	if (get_u16(p->held + 2) != 0 || (flags & ~XFER_IGNORE) != 0)
		bad(p, got, XFER_R_ALTERED, "a frame with a malformed header");
	else if (length > XFER_PAYLOAD_MAX)
		bad(p, got, XFER_R_ALTERED, "a frame over the size limit");
	else if (!known && flags == 0)
		bad(p, got, XFER_R_PROTOCOL, "a frame of unknown type");
	else if (!known) {
		hash_start(&p->hash);
		hash_add(&p->hash, p->held, XFER_HEADER);
		enter(p, length > 0 ? PHASE_IGNORE : PHASE_IGNORE_SUM);
	} else if (type != XFER_DATA) {
		if (length > XFER_CONTROL_MAX)
			bad(p, got, XFER_R_ALTERED,
				"a frame over the limit of its type");
		p->phase = length > XFER_CONTROL_MAX ? PHASE_DEAD
						     : PHASE_CONTROL;
	} else if (flags != 0 || length < 4 + XFER_SUM ||
		length - 4 - XFER_SUM > XFER_BLOCK_MAX) {
		bad(p, got, XFER_R_ALTERED, "a block with a malformed header");
	} else {
		p->left = length - 4 - XFER_SUM;
		enter(p, PHASE_ID);
	}
}

static void
read_control(struct xfer_parser *p, struct xfer_got *got)
{
	size_t n = XFER_HEADER + p->left;

	if (get_u64(p->held + n) != hash_of(p->held, n)) {
		bad(p, got, XFER_R_ALTERED, "a frame was altered on the way");
		return;
	}
	if (xfer_decode(&got->frame, p->held[0], p->held + XFER_HEADER, p->left,
		    p->left) != 0) {
		bad(p, got, XFER_R_PROTOCOL, "a malformed frame");
		return;
	}
	got->what = XFER_FRAME;
	enter(p, PHASE_HEADER);
}

/* Not whole yet: is it going to be a frame? */
static void
foresee(struct xfer_parser *p, struct xfer_got *got)
{
	size_t have = p->have - XFER_HEADER;

	if (p->phase == PHASE_CONTROL &&
		xfer_decode(&got->frame, p->held[0], p->held + XFER_HEADER,
			have < p->left ? have : p->left, p->left) == -1)
		bad(p, got, XFER_R_ALTERED, "a malformed frame");
}

static void
read_ignored(struct xfer_parser *p, struct xfer_got *got)
{
	if (get_u64(p->held) != hash_value(&p->hash))
		bad(p, got, XFER_R_ALTERED, "a frame was altered on the way");
	else
		enter(p, PHASE_HEADER);
}

static void
read_id(struct xfer_parser *p, struct xfer_got *got)
{
	got->what = XFER_BLOCK;
	got->id = get_u32(p->held);
	got->n = p->left;
	enter(p, p->left > 0 ? PHASE_CONTENT : PHASE_CONTENT_SUM);
}

/* Passes bytes by that are not held: content, and frames to be ignored. */
static size_t
pass(struct xfer_parser *p, const uint8_t *data, size_t n, struct xfer_got *got)
{
	size_t take = n < p->left ? n : p->left;

	p->left -= (uint32_t)take;
	if (p->phase == PHASE_IGNORE) {
		hash_add(&p->hash, data, take);
	} else {
		got->what = XFER_CONTENT;
		got->data = data;
		got->n = take;
	}
	if (p->left == 0)
		p->phase++; /* its checksum stands behind it */
	return take;
}

/* How many bytes the phase needs before it can go on. */
static size_t
wanted(const struct xfer_parser *p)
{
	switch ((enum phase)p->phase) {
	case PHASE_MAGIC:
		return p->have + 1; /* refused at the first wrong byte */
	case PHASE_HEADER:
		return XFER_HEADER;
	case PHASE_CONTROL:
		return XFER_HEADER + p->left + XFER_SUM;
	case PHASE_ID:
		return 4;
	case PHASE_IGNORE_SUM:
	case PHASE_CONTENT_SUM:
		return XFER_SUM;
	case PHASE_IGNORE:
	case PHASE_CONTENT:
	case PHASE_DEAD:
		break;
	}
	return 0;
}

static void
next(struct xfer_parser *p, struct xfer_got *got)
{
	switch ((enum phase)p->phase) {
	case PHASE_MAGIC:
		read_magic(p, got);
		break;
	case PHASE_HEADER:
		read_header(p, got);
		break;
	case PHASE_CONTROL:
		read_control(p, got);
		break;
	case PHASE_IGNORE_SUM:
		read_ignored(p, got);
		break;
	case PHASE_ID:
		read_id(p, got);
		break;
	case PHASE_CONTENT_SUM:
		got->what = XFER_BLOCK_END;
		got->hash = get_u64(p->held);
		enter(p, PHASE_HEADER);
		break;
	case PHASE_IGNORE:
	case PHASE_CONTENT:
	case PHASE_DEAD:
		break;
	}
}

size_t
xfer_parse(struct xfer_parser *p, const uint8_t *data, size_t n,
	struct xfer_got *got)
{
	size_t took = 0;

	got->what = XFER_MORE;
	while (took < n && got->what == XFER_MORE) {
		if (p->phase == PHASE_DEAD)
			return n;
		if (p->phase == PHASE_CONTENT || p->phase == PHASE_IGNORE)
			took += pass(p, data + took, n - took, got);
		else if (collect(p, data + took, n - took, wanted(p), &took))
			next(p, got);
		else
			foresee(p, got);
	}
	return took;
}

bool
xfer_between(const struct xfer_parser *p)
{
	return p->phase == PHASE_HEADER && p->have == 0;
}

bool
xfer_inside(const struct xfer_parser *p)
{
	return !xfer_between(p) && p->phase != PHASE_CONTENT &&
		p->phase != PHASE_IGNORE && p->phase != PHASE_DEAD;
}
