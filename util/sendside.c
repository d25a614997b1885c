#include "sendside.h"
#include "mem.h"
#include "senditem.h"
#include <stdlib.h>
#include <string.h>

/* Steps a turn, four a small file, and bytes read, which a slow disk may take
 * long for: others have their turns, and the other side its signs of life. */
enum { TURN = 64, TURN_BYTES = 4 << 20 };

static void push(void *arg);

void
sendside_push_soon(struct sendside *s)
{
	if (!timer_set(&s->again))
		loop_timer(s->peer.stream.loop, &s->again, 0, push, s);
}

/* What is not offered at all. */
static void
pass_over(struct sendside *s, const struct walk_found *found,
	enum transfer_status status, const struct err *err)
{
	struct transfer_file f = {
		.name = found->name,
		.status = status,
		.size = -1,
		.reason = err ? err->text : found->why,
		.began = loop_now(s->peer.stream.loop),
	};

	if (err)
		s->worst = err_worst(s->worst, (int)err_exit(err));
	transfer_tell(s->peer.transfer, &s->peer.stream.conn, &f, err);
}

/* Whether nobody here will give a descriptor back. */
static bool
alone(const struct sendside *s)
{
	return s->open == 0 && !s->peer.transfer->sessions->next;
}

static void
offer_more(struct sendside *s)
{
	struct walk_found found = { 0 };
	struct err err = { 0 };

	while (!s->exhausted && s->open < XFER_OPEN_MAX) {
		switch (walk_next(&s->walk, &found, alone(s), &err)) {
		case WALK_FOUND:
			senditem_offer(s, &found);
			break;
		case WALK_SKIPPED:
			pass_over(s, &found, TRANSFER_SKIPPED, NULL);
			break;
		case WALK_FAILED:
			s->unread++;
			pass_over(s, &found, TRANSFER_FAILED, &err);
			break;
		case WALK_LATER: /* descriptors come back with each file */
			return;
		case WALK_END:
			s->exhausted = true;
			break;
		}
	}
}

static void
finish(struct sendside *s)
{
	peer_done(&s->peer, s->files, s->bytes, s->unread);
}

/* Does one thing; false when something must come first. */
static bool
step(struct sendside *s)
{
	struct item *item;

	if (!s->peer.greeted || !peer_takes(&s->peer) || s->peer.said_done)
		return false;
	offer_more(s);
	for (item = s->first; item && item->stage == STAGE_SENT;)
		item = item->next;
	if (!item) {
		if (s->exhausted && !s->first)
			finish(s);
		return false;
	}
	switch (item->stage) {
	case STAGE_OFFERED:
	case STAGE_SENT:
		return false;
	case STAGE_WANTED:
		item->stage = STAGE_CHECKING;
		break;
	case STAGE_CHECKING:
		senditem_check(s, item);
		break;
	case STAGE_SENDING:
		if (item->file.input) {
			source_pause(&s->input, false);
			return false;
		}
		senditem_block(s, item);
		break;
	}
	return true;
}

static void
push(void *arg)
{
	struct sendside *s = arg;
	int i;

	s->read = 0;
	for (i = 0; i < TURN && s->read < TURN_BYTES && step(s); i++)
		;
	peer_flush(&s->peer);
	if (i == TURN || s->read >= TURN_BYTES)
		sendside_push_soon(s);
}

/* What comes. */

static void
on_answer(struct sendside *s, struct item *item, const struct xfer_frame *f)
{
	struct err err = { 0 };
	const char *reason = xfer_reason_text(f->reason);
	int n = f->text_len > 0 ? (int)f->text_len : (int)strlen(reason);

	if (!item || item->stage != STAGE_OFFERED) {
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			"an answer to nothing that was offered");
		return;
	}
	switch (f->word) {
	case XFER_SEND:
		item->from = item->file.input ? 0 : f->offset;
		item->wanted = f->hash;
		item->stage = STAGE_WANTED;
		if (item->file.folder)
			senditem_conclude(s, item, TRANSFER_OK, NULL, NULL);
		else if (item->from > item->file.size)
			peer_wrong(&s->peer, XFER_R_PROTOCOL,
				"an answer with an offset behind the end");
		break;
	case XFER_SKIP:
		senditem_conclude(
			s, item, TRANSFER_SKIPPED, "the receiver has it", NULL);
		break;
	default:
		err_setf(&err, "protocol", 0, item->name,
			"refused by the other side: %.*s", n,
			f->text_len > 0 ? f->text : reason);
		senditem_conclude(s, item, TRANSFER_REFUSED, err.text, &err);
		break;
	}
}

static void
on_receipt(struct sendside *s, struct item *item, const struct xfer_frame *f)
{
	const char *reason = xfer_reason_text(f->reason);
	int n = f->text_len > 0 ? (int)f->text_len : (int)strlen(reason);
	struct err err = { 0 };

	if (!item) {
		/* A folder's, perhaps: those need none. */
		if (f->id >= s->next_id)
			peer_wrong(&s->peer, XFER_R_PROTOCOL,
				"a receipt for nothing that was offered");
	} else if (f->word == XFER_FAILED) {
		err_setf(&err, "protocol", 0, item->name,
			"the other side failed: %.*s", n,
			f->text_len > 0 ? f->text : reason);
		senditem_conclude(s, item, TRANSFER_FAILED, err.text, &err);
	} else if (item->stage != STAGE_SENT) {
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			"a receipt for what was not sent");
	} else if (f->size != item->at ||
		(!s->peer.plain && f->hash != hash_value(&item->hash))) {
		err_setf(&err, "protocol", 0, item->name,
			"the receipt is for other bytes");
		senditem_conclude(s, item, TRANSFER_FAILED, err.text, &err);
	} else {
		s->files++;
		s->bytes += item->at - item->from;
		senditem_conclude(s, item, TRANSFER_OK, NULL, NULL);
	}
}

static void
on_frame(void *arg, const struct xfer_frame *f)
{
	struct sendside *s = arg;

	if (f->type == XFER_ANSWER) {
		on_answer(s, senditem_find(s, f->id), f);
	} else if (f->type == XFER_RECEIPT) {
		on_receipt(s, senditem_find(s, f->id), f);
	} else if (f->type == XFER_DONE && s->peer.said_done) {
		peer_heard_done(&s->peer);
	} else {
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			"a frame that a receiver does not send now");
	}
	sendside_push_soon(s);
}

static void
on_room(void *arg)
{
	push(arg);
}

static void
on_greeted(void *arg)
{
	sendside_push_soon(arg);
}

static bool
on_busy(void *arg)
{
	struct sendside *s = arg;
	struct item *item = s->first;

	while (item && item->stage == STAGE_SENT)
		item = item->next;
	if (!item)
		item = s->first;
	if (!item && !s->exhausted)
		sendside_push_soon(s);
	if (!item || item->stage == STAGE_OFFERED)
		return !item && !s->exhausted;
	meter_show(&s->peer.transfer->meter, &s->peer,
		&(struct meter_file){ item->name, item->at, item->file.size,
			item->stage == STAGE_CHECKING },
		loop_now(s->peer.stream.loop));
	if (item->stage == STAGE_SENDING && item->file.input)
		return peer_takes(&s->peer);
	return item->stage == STAGE_CHECKING;
}

static void
on_gone(void *arg, int code, const char *why)
{
	struct sendside *s = arg;

	while (s->first)
		senditem_conclude(s, s->first, TRANSFER_FAILED, why, NULL);
	loop_cancel(s->peer.stream.loop, &s->again);
	walk_free(&s->walk);
	transfer_left(
		s->peer.transfer, &s->peer.session, err_worst(code, s->worst));
	free(s);
}

static const struct peer_calls calls = {
	.greeted = on_greeted,
	.frame = on_frame,
	.room = on_room,
	.busy = on_busy,
	.gone = on_gone,
};

void
sendside_open(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, const struct sendside_setup *setup)
{
	struct sendside *s = mem_zero(1, sizeof *s);

	s->last = &s->first;
	s->next_id = 1;
	walk_start(&s->walk, setup->walk, setup->count, setup->files);
	peer_open(&s->peer, t, fd, id, result, XFER_SENDER, &calls, s);
}
