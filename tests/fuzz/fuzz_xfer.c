#include "../../util/xferread.h"
#include "fuzz.h"

/* Bytes of a peer, whole and in pieces, tell the same; nothing is read past. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xfer_parser p;
	struct xfer_got got;
	struct buf out = { 0 };
	size_t at = 0, took;

	memset(&p, 0, sizeof p);
	while (at < size) {
		took = xfer_parse(&p, data + at, size - at, &got);
		HOLD(took <= size - at);
		HOLD(took > 0 || got.what == XFER_BAD);
		at += took;
		if (got.what == XFER_FRAME)
			xfer_encode(&out, &got.frame);
		if (got.what == XFER_CONTENT)
			HOLD(got.data + got.n <= data + size);
		if (got.what == XFER_BAD)
			break;
	}
	buf_free(&out);
	return 0;
}
