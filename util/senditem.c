#include "senditem.h"
#include "mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
close_file(struct sendside *s, struct item *item)
{
	if (item->file.input && s->input_open) {
		source_close(&s->input);
		s->input_open = false;
	}
	if (item->file.fd > STDIN_FILENO)
		close(item->file.fd);
	item->file.fd = -1;
}

static void
senditem_drop(struct sendside *s, struct item *item)
{
	struct item **at = &s->first;

	while (*at != item)
		at = &(*at)->next;
	*at = item->next;
	if (!item->next)
		s->last = at;
	close_file(s, item);
	free(item->name);
	free(item);
	s->open--;
}

void
senditem_conclude(struct sendside *s, struct item *item,
	enum transfer_status status, const char *reason, const struct err *err)
{
	uint64_t start = item->stage >= STAGE_SENDING ? item->from : 0;
	bool known = item->file.size != XFER_SIZE_UNKNOWN;
	struct transfer_file f = {
		.name = item->name,
		.status = status,
		.size = known || status == TRANSFER_OK ? (int64_t)item->at : -1,
		.offset = start,
		.bytes = item->stage >= STAGE_SENDING ? item->at - start : 0,
		.hashed = status == TRANSFER_OK && !s->peer.plain,
		.hash = hash_value(&item->hash),
		.reason = reason,
		.began = item->began,
	};

	if (known)
		f.size = (int64_t)item->file.size;
	if (err)
		s->worst = err_worst(s->worst, (int)err_exit(err));
	meter_release(&s->peer.transfer->meter, &s->peer);
	/* A folder is told only where it was not made. */
	if (!item->file.folder || status != TRANSFER_OK)
		transfer_tell(s->peer.transfer, &s->peer.stream.conn, &f, err);
	senditem_drop(s, item);
}

struct item *
senditem_find(struct sendside *s, uint32_t id)
{
	struct item *item = s->first;

	while (item && item->id != id)
		item = item->next;
	return item;
}

void
senditem_offer(struct sendside *s, const struct walk_found *found)
{
	struct item *item = mem_zero(1, sizeof *item);

	item->file = *found;
	item->name = mem_string(found->name);
	item->id = s->next_id++;
	item->began = loop_now(s->peer.stream.loop);
	hash_start(&item->hash);
	*s->last = item;
	s->last = &item->next;
	s->open++;
	peer_put(&s->peer,
		&(struct xfer_frame){ .type = XFER_OFFER,
			.id = item->id,
			.word = found->folder ? XFER_FOLDER : XFER_FILE,
			.mode = found->mode,
			.size = found->folder ? 0 : found->size,
			.mtime = (uint64_t)found->mtime,
			.mtime_ns = found->mtime_ns,
			.text = item->name,
			.text_len = strlen(item->name) });
}

/* Content. */

static void
source_fails(struct sendside *s, struct item *item, const struct err *err)
{
	peer_fail(&s->peer, XFER_R_SOURCE, err);
	s->worst = err_worst(s->worst, (int)err_exit(err));
	senditem_conclude(s, item, TRANSFER_FAILED, err->text, NULL);
}

static void
source_changed(struct sendside *s, struct item *item, const char *how)
{
	struct err err = { 0 };

	err_setf(&err, "read", 0, item->name, "%s while it was sent", how);
	source_fails(s, item, &err);
}

/* True when the file is what was offered, else it was told. */
static bool
is_unchanged(struct sendside *s, struct item *item)
{
	struct stat st;
	struct err err = { 0 };

	if (item->file.input)
		return true;
	if (fstat(item->file.fd, &st) == -1) {
		err_set(&err, "read", errno, item->name);
		source_fails(s, item, &err);
	} else if ((uint64_t)st.st_size != item->file.size) {
		source_changed(s, item,
			(uint64_t)st.st_size < item->file.size ? "shrank"
							       : "grew");
	} else if (st.st_mtim.tv_sec != (time_t)item->file.mtime ||
		st.st_mtim.tv_nsec != (long)item->file.mtime_ns) {
		source_changed(s, item, "changed");
	} else {
		return true;
	}
	return false;
}

static void
end_content(struct sendside *s, struct item *item)
{
	if (!is_unchanged(s, item))
		return;
	peer_put(&s->peer,
		&(struct xfer_frame){ .type = XFER_END,
			.id = item->id,
			.size = item->at,
			.hash = s->peer.plain ? 0 : hash_value(&item->hash) });
	item->stage = STAGE_SENT;
	close_file(s, item);
}

/* Reads at item->at. 0: the end; -1: told. */
static ssize_t
read_at(struct sendside *s, struct item *item, void *to, uint64_t n)
{
	struct err err = { 0 };
	ssize_t got;

	do
		got = pread(item->file.fd, to, (size_t)n, (off_t)item->at);
	while (got == -1 && errno == EINTR);
	if (got != -1) {
		s->read += (uint64_t)got;
		return got;
	}
	err_set(&err, "read", errno, item->name);
	source_fails(s, item, &err);
	return -1;
}

static uint64_t
piece(uint64_t left, uint64_t most)
{
	return left < most ? left : most;
}

void
senditem_block(struct sendside *s, struct item *item)
{
	size_t n = (size_t)piece(item->file.size - item->at, s->peer.block);
	ssize_t got;

	if (n == 0) {
		end_content(s, item);
		return;
	}
	got = read_at(s, item, peer_room(&s->peer, n), n);
	if (got == -1)
		return;
	if (got == 0) {
		source_changed(s, item, "shrank");
		return;
	}
	peer_added(&s->peer, item->id, (size_t)got, &item->hash);
	item->at += (uint64_t)got;
}

static void
on_input(void *arg, const uint8_t *data, size_t n)
{
	struct sendside *s = arg;
	struct item *item = s->first;

	while (item && item->stage != STAGE_SENDING)
		item = item->next;
	while (item && n > 0) {
		size_t part = (size_t)piece(n, s->peer.block);
		memcpy(peer_room(&s->peer, part), data, part);
		peer_added(&s->peer, item->id, part, &item->hash);
		item->at += part;
		data += part;
		n -= part;
	}
	peer_flush(&s->peer);
	source_pause(&s->input, !peer_takes(&s->peer));
}

static void
on_input_end(void *arg, const struct err *err)
{
	struct sendside *s = arg;
	struct item *item = s->first;

	while (item && item->stage != STAGE_SENDING)
		item = item->next;
	if (!item)
		return;
	if (err)
		source_fails(s, item, err);
	else
		end_content(s, item);
	sendside_push_soon(s);
}

static void
start_content(struct sendside *s, struct item *item)
{
	item->from = item->at;
	item->stage = STAGE_SENDING;
	peer_put(&s->peer,
		&(struct xfer_frame){ .type = XFER_START,
			.id = item->id,
			.offset = item->from });
	if (!item->file.input)
		return;
	source_open(&s->input, s->peer.stream.loop, STDIN_FILENO, PEER_BLOCK,
		on_input, on_input_end, s);
	s->input_open = true;
}

void
senditem_check(struct sendside *s, struct item *item)
{
	uint8_t *to = loop_scratch(s->peer.stream.loop);
	ssize_t got;

	if (item->at < item->from) {
		got = read_at(s, item, to,
			piece(item->from - item->at, LOOP_SCRATCH));
		if (got <= 0) {
			if (got == 0)
				source_changed(s, item, "shrank");
			return;
		}
		hash_add(&item->hash, to, (size_t)got);
		item->at += (uint64_t)got;
		return;
	}
	if (hash_value(&item->hash) != item->wanted) {
		hash_start(&item->hash);
		item->at = 0;
	}
	start_content(s, item);
}
