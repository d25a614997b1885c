#include "incoming.h"
#include "mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
incoming_start(struct incoming *in, struct transfer *t, const struct conn *c,
	struct recv_place *place, const struct xfer_frame *offer,
	const struct incoming_calls *calls, void *arg)
{
	*in = (struct incoming){ .transfer = t,
		.conn = c,
		.place = place,
		.calls = calls,
		.arg = arg,
		.offer = *offer,
		.part = PART_NONE,
		.offered = loop_now(t->life.loop) };
	in->name = mem_alloc(offer->text_len + 1);
	memcpy(in->name, offer->text, offer->text_len);
	in->name[offer->text_len] = '\0';
	in->offer.text = in->name;
	hash_start(&in->hash);
}

void
incoming_close(struct incoming *in)
{
	if (in->child.pid)
		child_forget(in->transfer->life.loop, &in->child);
	sink_close(&in->sink);
	if (in->place->user == in)
		in->place->user = NULL;
	part_close(&in->part);
	free(in->name);
}

/* Opening. */

static void
on_sink(void *arg, const struct err *err)
{
	struct incoming *in = arg;
	struct part_fault fault = { .reason = XFER_R_LOCAL };

	if (err) {
		if (err->number == ENOSPC || err->number == EDQUOT)
			fault.reason = XFER_R_SPACE;
		fault.err = *err;
		in->calls->broken(in->arg, &fault);
	} else if (in->finishing) {
		in->calls->finished(in->arg, NULL);
	} else {
		in->calls->room(in->arg);
	}
}

static enum part_result
refuse(struct incoming *in, enum xfer_reason reason, struct part_fault *fault)
{
	fault->reason = reason;
	err_setf(&fault->err, "protocol", 0, in->name, "%s",
		xfer_reason_text(reason));
	return PART_FAULT;
}

static enum part_result
open_sink(struct incoming *in, struct part_fault *fault)
{
	uint64_t max = in->place->policy.max_size;

	if (in->place->user)
		return refuse(in, XFER_R_BUSY, fault);
	if (max > 0 && in->offer.size != XFER_SIZE_UNKNOWN &&
		in->offer.size > max)
		return refuse(in, XFER_R_TOO_LARGE, fault);
	in->place->user = in;
	in->to_sink = true;
	sink_open(&in->sink, in->transfer->life.loop, in->place->out,
		"the output", on_sink, in);
	return PART_OK;
}

/* The offer as it is meant for the disk: with -O under another name. */
static struct xfer_frame
meant(const struct incoming *in)
{
	struct xfer_frame offer = in->offer;

	if (in->place->file) {
		offer.text = in->place->file;
		offer.text_len = strlen(offer.text);
	}
	return offer;
}

enum part_result
incoming_open(struct incoming *in, struct part_fault *fault)
{
	struct recv_place *place = in->place;
	struct xfer_frame offer = meant(in);

	if (in->offer.word == XFER_FOLDER)
		return place->file || place->out != -1
			? refuse(in, XFER_R_ONE_FILE, fault)
			: part_folder(
				  place->root, &offer, &place->policy, fault);
	if (place->out != -1)
		return open_sink(in, fault);
	return part_open(&in->part, place->root, &offer, place->file != NULL,
		&place->policy, fault);
}

/* Content. */

int
incoming_begin(struct incoming *in, uint64_t from, struct part_fault *fault)
{
	in->began = true;
	if (from == 0 && in->at > 0) {
		hash_start(&in->hash);
		in->at = 0;
		if (part_cut(&in->part, 0, fault) == -1)
			return -1;
	}
	in->from = in->at;
	return 0;
}

int
incoming_write(struct incoming *in, const void *data, size_t n,
	struct part_fault *fault)
{
	uint64_t max = in->place->policy.max_size;

	if (max > 0 && n > max - in->at) {
		refuse(in, XFER_R_TOO_LARGE, fault);
		return -1;
	}
	if (in->to_sink)
		sink_write(&in->sink, data, n);
	else if (part_write(&in->part, in->at, data, n, fault) == -1)
		return -1;
	in->at += n;
	transfer_moved(in->transfer, n);
	return 0;
}

bool
incoming_full(const struct incoming *in)
{
	return in->to_sink && sink_full(&in->sink);
}

/* The end. */

static void flushed(void *arg, int status);

/* 0 or errno. */
static int
sync_now(int fd)
{
	while (fsync(fd) == -1)
		if (errno != EINTR)
			return errno;
	return 0;
}

/* fsync(2) may take a minute: in a child, while the loop says that it is
 * busy. Without one it is done here. */
static void
flush(struct incoming *in, int fd)
{
	struct err err = { 0 };
	pid_t pid = child_fork(
		in->transfer->life.loop, &in->child, flushed, in, &err);

	if (pid > 0)
		return;
	if (pid == 0) {
		child_close_others(&fd, 1);
		_exit(sync_now(fd));
	}
	flushed(in, sync_now(fd) << 8);
}

/* The name is safe when its folder is. */
static void
flush_folder(struct incoming *in)
{
	int fd = openat(in->part.dir, ".", O_RDONLY | O_CLOEXEC);
	struct part_fault fault = { 0 };

	if (fd == -1) {
		part_failed(&fault, "open", errno, in->name);
		in->calls->finished(in->arg, &fault);
		return;
	}
	close(in->part.fd);
	in->part.fd = fd;
	flush(in, fd);
}

static void
put_in_place(struct incoming *in)
{
	struct xfer_frame offer = meant(in);
	struct part_fault fault = { 0 };

	if (part_place(&in->part, &offer, &in->place->policy, &fault) == -1) {
		in->calls->finished(in->arg, &fault);
		return;
	}
	in->placed = true;
	if (in->place->sync)
		flush_folder(in);
	else
		in->calls->finished(in->arg, NULL);
}

static void
flushed(void *arg, int status)
{
	struct incoming *in = arg;
	struct part_fault fault = { 0 };
	int code = child_code(status);

	in->child.pid = 0;
	if (code == 0 && !in->placed) {
		put_in_place(in);
		return;
	}
	if (code != 0)
		part_failed(&fault, "write", code, in->name);
	in->calls->finished(in->arg, code ? &fault : NULL);
}

void
incoming_finish(struct incoming *in)
{
	in->finishing = true;
	if (incoming_full(in))
		return; /* on_sink goes on */
	if (in->to_sink)
		in->calls->finished(in->arg, NULL);
	else if (in->place->sync)
		flush(in, in->part.fd);
	else
		put_in_place(in);
}

/* Telling. */

/* The name that a file has here: with --rename not the one of its offer. */
static void
name_here(struct buf *name, const struct incoming *in)
{
	const char *slash = strrchr(in->name, '/');

	if (in->place->file || in->part.name[0] == '\0') {
		buf_string(name, in->name);
		return;
	}
	if (slash)
		buf_append(name, in->name, (size_t)(slash + 1 - in->name));
	buf_string(name, in->part.name);
}

void
incoming_tell(struct incoming *in, enum transfer_status status,
	const char *reason, const struct err *err, bool hashed)
{
	bool known = in->offer.size != XFER_SIZE_UNKNOWN;
	struct buf name = { 0 };
	struct transfer_file f = {
		.status = status,
		.size = known			? (int64_t)in->offer.size
			: status == TRANSFER_OK ? (int64_t)in->at
						: -1,
		.offset = in->from,
		.bytes = in->began ? in->at - in->from : 0,
		.hashed = hashed,
		.hash = hash_value(&in->hash),
		.reason = reason,
		.began = in->offered,
	};

	/* A folder is told only where it was not made. */
	if (in->offer.word == XFER_FOLDER && status == TRANSFER_OK)
		return;
	name_here(&name, in);
	f.name = buf_cstr(&name);
	transfer_tell(in->transfer, in->conn, &f, err);
	buf_free(&name);
}

void
incoming_show(struct incoming *in, const void *owner, bool checking)
{
	meter_show(&in->transfer->meter, owner,
		&(struct meter_file){
			in->name, in->at, in->offer.size, checking },
		loop_now(in->transfer->life.loop));
}
