/* A whole file transfer with a peer that says anything: the first byte is the
 * side that is tried, then each three bytes are a frame and its numbers, whose
 * checksums are right unless they are said not to be. What comes back is always
 * of the protocol, and nothing gets its name that was not wholly there. */
#include "../../util/clock.h"
#include "../../util/net.h"
#include "../../util/recvside.h"
#include "../../util/sendside.h"
#include "../../util/xferread.h"
#include "fuzz.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 4, PIECE = 4096, TURNS = 3000, PATH = 64 };

struct play {
	struct transfer transfer;
	struct transfer_conf conf;
	struct recv_place place;
	struct sendside_setup send;
	struct walk_options walk;
	char *file; /* the one that is sent */
	char folder[PATH];
	int peer;
	struct xfer_parser said; /* by the side that is tried */
	struct hash hash[FILES];
	uint64_t size[FILES];
	bool good[FILES]; /* its end was right */
	bool over;
};

static const char *const names[FILES] = { "a", "b", "c/d", "../e" };

static void
say(struct play *p, const void *data, size_t n)
{
	if (send(p->peer, data, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n)
		p->over = true;
}

/* Reads what the side that is tried says. */
static void
hear(struct play *p)
{
	static uint8_t data[1 << 16];
	struct xfer_got got;
	ssize_t n;

	while ((n = recv(p->peer, data, sizeof data, MSG_DONTWAIT)) > 0)
		for (size_t at = 0; at < (size_t)n;) {
			at += xfer_parse(
				&p->said, data + at, (size_t)n - at, &got);
			HOLD(got.what != XFER_BAD);
		}
}

static void
turn(struct play *p, int64_t wait)
{
	hear(p);
	loop_turn(p->transfer.life.loop, wait);
	hear(p);
}

static void
say_block(struct play *p, unsigned id, size_t n, bool altered)
{
	uint8_t data[XFER_BLOCK_HEAD + PIECE + XFER_SUM];
	struct hash *h = &p->hash[id];
	uint64_t sum;

	xfer_block_head(data, id, n);
	memset(data + XFER_BLOCK_HEAD, 'x', n);
	hash_add(h, data + XFER_BLOCK_HEAD, n);
	sum = hash_value(h) + altered;
	for (int i = 0; i < XFER_SUM; i++)
		data[XFER_BLOCK_HEAD + n + (size_t)i] = (uint8_t)(sum >>
			(56 - 8 * i));
	p->size[id] += n;
	say(p, data, XFER_BLOCK_HEAD + n + XFER_SUM);
}

/* A frame of kind; a is its small numbers, b its large one. */
static void
say_frame(struct play *p, unsigned kind, unsigned a, unsigned b)
{
	unsigned id = a % FILES;
	struct xfer_frame f = { .type = (uint8_t)kind,
		.word = (uint8_t)(a / FILES % 4),
		.low = 1,
		.high = (uint16_t)(1 + (a & 1)),
		.block = b * 64,
		.features = a & 1,
		.id = id,
		.mode = a * 64 + b,
		.size = b,
		.files = b % 4,
		.offset = b,
		.hash = hash_of("abc", b % 4),
		.text = names[id],
		.text_len = strlen(names[id]) };
	struct buf out = { 0 };

	if (kind == XFER_START) {
		hash_start(&p->hash[id]);
		p->size[id] = 0;
	} else if (kind == XFER_END || kind == XFER_RECEIPT) {
		f.hash = hash_value(&p->hash[id]) + (b == 255);
		f.size = p->size[id] + (b == 254);
		p->good[id] |= b < 254;
	} else if (kind == XFER_OFFER && b > 250) {
		f.size = XFER_SIZE_UNKNOWN;
	}
	xfer_encode(&out, &f);
	say(p, buf_data(&out), out.len);
	buf_free(&out);
}

static void
step(struct play *p, const uint8_t *b)
{
	unsigned kind = b[0] % 16;

	if (kind == XFER_DATA)
		say_block(p, b[1] % FILES, b[2] % 64 * 16U, b[2] == 255);
	else if (kind == 0 || kind == 11)
		say(p, b, 3);
	else if (kind < 12)
		say_frame(p, kind, b[1], b[2]);
	else
		for (int i = 0; i < 3; i++)
			turn(p, 0);
}

static void
open_side(struct play *p, bool sender)
{
	struct err err = { 0 };
	int pair[2];

	p->conf = (struct transfer_conf)TRANSFER_DEFAULT;
	p->conf.listen.port = "1";
	p->conf.report.quiet = true;
	p->conf.report.log = "/dev/null";
	HOLD(transfer_place(&p->transfer, &p->conf, true, 0, NULL, &err) == 0);
	HOLD(transfer_begin(&p->transfer, sender ? "sendfile" : "recvfile",
		     REPORT_LISTENER, &err) == 0);
	HOLD(net_socketpair(pair) == 0);
	p->peer = pair[1];
	if (sender) {
		p->send = (struct sendside_setup){ &p->walk, 1, &p->file };
		for (int i = 0; i < FILES; i++) {
			hash_add(&p->hash[i], "abc", 3);
			p->size[i] = 3;
		}
		sendside_open(&p->transfer, pair[0], 1, NULL, &p->send);
		return;
	}
	p->place = (struct recv_place){
		.root = open(p->folder, O_RDONLY | O_DIRECTORY), .out = -1
	};
	HOLD(p->place.root != -1);
	recvside_open(&p->transfer, pair[0], 1, NULL, &p->place);
}

/* The peer leaves; the session ends. */
static void
close_side(struct play *p)
{
	struct life *l = &p->transfer.life;

	shutdown(p->peer, SHUT_WR);
	for (int i = 0; i < TURNS && p->transfer.sessions; i++) {
		turn(p, i < 16 ? 0 : CLOCK_MS);
		if (i == 16)
			shutdown(p->peer, SHUT_RDWR);
	}
	HOLD(!p->transfer.sessions);
	close(p->peer);
	if (p->place.root > 0)
		close(p->place.root);
	buf_free(&p->transfer.out);
	buf_free(&p->transfer.frame);
	HOLD(sight_close(l->sight, NULL) == 0);
	report_close(l->report);
	loop_free(l->loop);
}

/* What lies in the folder; it is emptied. */
static void
look(const struct play *p, int at)
{
	int folder = openat(at, "in", O_RDONLY | O_DIRECTORY);
	struct stat st;

	HOLD(fstatat(at, "e", &st, 0) == -1 && errno == ENOENT);
	for (int i = 0; i < FILES - 1; i++)
		if (fstatat(folder, names[i], &st, 0) == 0 &&
			S_ISREG(st.st_mode))
			HOLD(p->good[i]);
	for (int i = 0; i < FILES - 1; i++) {
		unlinkat(folder, names[i], 0);
		unlinkat(folder, names[i], AT_REMOVEDIR);
	}
	unlinkat(folder, ".a.part", 0);
	unlinkat(folder, ".b.part", 0);
	unlinkat(folder, "c/.d.part", 0);
	unlinkat(folder, "c", 0);
	HOLD(unlinkat(folder, "c", AT_REMOVEDIR) == 0 || errno == ENOENT);
	close(folder);
	HOLD(unlinkat(at, "in", AT_REMOVEDIR) == 0);
}

static void
make_folder(char *top)
{
	const char *where = getenv("TMPDIR");

	snprintf(top, PATH - 8, "%.40s/fuzz-XXXXXX", where ? where : "/tmp");
	HOLD(mkdtemp(top) != NULL);
}

static void
make_file(const char *path)
{
	FILE *f = fopen(path, "w");

	HOLD(f && fputs("abc", f) >= 0 && fclose(f) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play p;
	char top[PATH - 8], file[PATH];
	int at;

	if (size < 1 || size > 300)
		return 0;
	memset(&p, 0, sizeof p);
	make_folder(top);
	at = open(top, O_RDONLY | O_DIRECTORY);
	HOLD(at != -1 && mkdirat(at, "in", 0700) == 0);
	snprintf(p.folder, PATH, "%s/in", top);
	snprintf(file, sizeof file, "%s/file", top);
	p.file = file;
	make_file(file);
	for (int i = 0; i < FILES; i++)
		hash_start(&p.hash[i]);
	open_side(&p, data[0] & 1);
	say(&p, xfer_magic, XFER_MAGIC);
	if (!(data[0] & 2))
		say_frame(&p, XFER_HELLO,
			data[0] & 1 ? XFER_RECEIVER * FILES
				    : XFER_SENDER * FILES,
			255);
	for (size_t i = 1; i + 2 < size && !p.over; i += 3)
		step(&p, data + i);
	close_side(&p);
	look(&p, at);
	unlink(file);
	close(at);
	HOLD(rmdir(top) == 0);
	return 0;
}
