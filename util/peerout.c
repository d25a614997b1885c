/* What a peer says: frames and blocks, put together in the transfer's memory.
 */
#include "peer.h"

void
peer_flush(struct peer *p)
{
	struct buf *out = &p->transfer->out;

	if (out->len > 0)
		stream_send(&p->stream, buf_data(out), out->len);
	out->len = 0; /* its memory stays */
}

void
peer_put(struct peer *p, const struct xfer_frame *f)
{
	struct buf *frame = &p->transfer->frame;

	buf_clear(frame);
	xfer_encode(frame, f);
	buf_append(&p->transfer->out, buf_data(frame), frame->len);
}

uint8_t *
peer_room(struct peer *p, size_t n)
{
	return buf_room(&p->transfer->out, XFER_BLOCK_HEAD + n + XFER_SUM) +
		XFER_BLOCK_HEAD;
}

void
peer_added(struct peer *p, uint32_t id, size_t n, struct hash *h)
{
	uint8_t *head = buf_room(
		&p->transfer->out, XFER_BLOCK_HEAD + n + XFER_SUM);

	xfer_block_head(head, id, n);
	if (!p->plain)
		hash_add(h, head + XFER_BLOCK_HEAD, n);
	put_u64(head + XFER_BLOCK_HEAD + n, p->plain ? 0 : hash_value(h));
	buf_added(&p->transfer->out, XFER_BLOCK_HEAD + n + XFER_SUM);
	transfer_moved(p->transfer, n);
	if (p->transfer->out.len >= PEER_BLOCK)
		peer_flush(p);
}

bool
peer_takes(const struct peer *p)
{
	return !p->ending && stream_queued(&p->stream) == 0 &&
		stream_sends(&p->stream);
}
