/* xfer: the wire format of file transfer, version 1 (sockctl-protocol(7)).
 *
 * Pure functions: structs to bytes, bytes to structs. What a peer sends is
 * checked here for form, size and checksum; what it means is decided by
 * sendside and recvside. Everything is big-endian. */
#ifndef SOCKCTL_XFER_H
#define SOCKCTL_XFER_H

#include "buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xfer_type {
	XFER_HELLO = 1,
	XFER_OFFER,
	XFER_ANSWER,
	XFER_START,
	XFER_DATA,
	XFER_END,
	XFER_RECEIPT,
	XFER_WAIT,
	XFER_DONE,
	XFER_ERROR
};

enum {
	XFER_VERSION = 1,
	XFER_MAGIC = 8, /* bytes of the magic */
	XFER_HEADER = 8, /* type, flags, zero, length */
	XFER_SUM = 8, /* an XXH64 */
	XFER_IGNORE = 1, /* flag: an unknown type may be ignored */
	XFER_BLOCK_HEAD = XFER_HEADER + 4, /* before a block's content */
	XFER_BLOCK_MAX = 1 << 20, /* content of a data frame */
	XFER_PAYLOAD_MAX = XFER_BLOCK_MAX + 64,
	XFER_NAME_MAX = 4096,
	XFER_TEXT_MAX = 1024,
	XFER_EXTENSIONS_MAX = 4096,
	/* The longest payload of a frame that is not data: an offer. */
	XFER_CONTROL_MAX = 31 + XFER_NAME_MAX + XFER_EXTENSIONS_MAX,
	XFER_OPEN_MAX = 64, /* offers without an end */
};

enum { XFER_SENDER = 1, XFER_RECEIVER };
enum { XFER_FILE = 1, XFER_FOLDER };
enum { XFER_SEND = 1, XFER_SKIP, XFER_REFUSE };
enum { XFER_IN_PLACE = 1, XFER_FAILED };
enum { XFER_UNREAD = 1 }; /* the extension's tag: a u32, where it is not 0 */
enum { XFER_PLAIN = 1 }; /* features: content comes without checksums */
#define XFER_SIZE_UNKNOWN UINT64_MAX

/* Why something was refused, failed or ended: the u16 of answer, receipt and
 * error frames. Numbers are part of the format: never renumber. */
enum xfer_reason {
	XFER_NONE,
	XFER_R_PROTOCOL, /* a frame that must not come now, or is malformed */
	XFER_R_ALTERED, /* a checksum does not fit */
	XFER_R_VERSION, /* no version in common */
	XFER_R_ROLE, /* two senders, or two receivers */
	XFER_R_SOURCE, /* the source changed or could not be read */
	XFER_R_STOPPED, /* this side was told to stop */
	XFER_R_NAME, /* a name that is not allowed */
	XFER_R_EXISTS, /* a file of that name exists */
	XFER_R_KIND, /* something that is no file is in the way */
	XFER_R_BUSY, /* another transfer to this name is under way */
	XFER_R_TOO_LARGE, /* over the receiver's limit */
	XFER_R_SPACE, /* not enough room on the disk */
	XFER_R_LOCAL, /* the disk or the file failed there */
	XFER_R_ONE_FILE, /* only one file is taken */
	XFER_R_COUNT
};

/* A frame of any type but data: the members that its type has, others 0. */
struct xfer_frame {
	uint8_t type;
	uint8_t word; /* hello: role; offer: kind; answer: verdict; receipt:
			 status */
	uint16_t low, high; /* hello: versions */
	uint32_t features, block; /* hello; block: the largest content */
	uint16_t reason;
	uint32_t id;
	uint32_t mode;
	uint32_t mtime_ns;
	uint32_t files;
	uint32_t unread; /* done, of a sender, an extension: files that it
			    could not read and did not offer */
	uint64_t size, offset, hash, bytes;
	uint64_t mtime; /* an int64_t's bits: seconds since 1970 */
	const char *text; /* offer: the name; no NUL behind it */
	size_t text_len;
};

/* A sentence's end for a reason: "a file of that name exists". */
const char *xfer_reason_text(unsigned reason);

extern const uint8_t xfer_magic[XFER_MAGIC];
/* Appends the frame with header and checksum. Too long a text is cut (a name
 * must not be: its owner checks XFER_NAME_MAX). */
void xfer_encode(struct buf *out, const struct xfer_frame *f);
/* The header and id of a data frame with n bytes of content, XFER_BLOCK_HEAD
 * bytes at p; the content and its hash (put_u64) follow. */
void xfer_block_head(uint8_t *p, uint32_t id, size_t n);
/* Decodes a payload of n bytes, of which have are here, of a type other than
 * data. 0: f is filled, its text points into payload; 1: the bytes that are
 * here may become one; -1: malformed, whatever follows. So a length that was
 * altered keeps nobody waiting for bytes that never come. */
int xfer_decode(struct xfer_frame *f, uint8_t type, const uint8_t *payload,
	size_t have, size_t n);

#endif
