#include "recvside.h"
#include "mem.h"
#include "recvitem.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Pieces a turn, so that others have theirs. */
enum { TURN = 16 };

static void work(void *arg);

void
recvside_work_soon(struct recvside *s)
{
	if (!timer_set(&s->again))
		loop_timer(s->peer.stream.loop, &s->again, 0, work, s);
}

void
recvside_unstick(struct recvside *s)
{
	if (!timer_set(&s->slow) &&
		(!s->taking || !incoming_full(&s->taking->in)))
		peer_stuck(&s->peer, false);
}

static void
finish_if_done(struct recvside *s)
{
	if (s->peer.heard_done && !s->first && !s->peer.ending)
		peer_done(&s->peer, s->files, s->bytes, 0);
}

static void
work(void *arg)
{
	struct recvside *s = arg;
	int i;

	for (i = 0; i < TURN && recvitem_step(s); i++)
		;
	finish_if_done(s);
	peer_flush(&s->peer);
	if (i == TURN)
		recvside_work_soon(s);
}

/* Of incoming. */

static void
on_space(void *arg)
{
	struct item *item = arg;
	struct recvside *s = item->side;

	recvside_unstick(s);
	peer_flush(&s->peer);
}

static void
on_broken(void *arg, const struct part_fault *fault)
{
	struct item *item = arg;
	struct recvside *s = item->side;

	if (item->stage != STAGE_DEAD)
		recvitem_fail(item, fault);
	peer_flush(&s->peer);
}

static void
on_finished(void *arg, const struct part_fault *fault)
{
	struct item *item = arg;
	struct recvside *s = item->side;

	if (fault)
		recvitem_fail(item, fault);
	else
		recvitem_complete(item);
	recvside_unstick(s);
	peer_flush(&s->peer);
}

static const struct incoming_calls incoming_calls = {
	.room = on_space,
	.broken = on_broken,
	.finished = on_finished,
};

/* Content. */

static void
on_start(struct recvside *s, const struct xfer_frame *f)
{
	struct item *item = s->taking;
	struct part_fault fault = { 0 };

	if (item && item->stage == STAGE_DEAD)
		recvitem_drop(item);
	item = recvitem_find(s, f->id);
	/* A sender that did not wait for the answer begins at 0, or is wrong.
	 */
	if (item && item->stage == STAGE_NEW) {
		(void)recvitem_prepare(item);
		item = recvitem_find(s, f->id);
	}
	if (!item || item->stage != STAGE_AWAITED || s->taking ||
		(f->offset != 0 && f->offset != item->in.at)) {
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			"a start of what was not agreed on");
		return;
	}
	s->taking = item;
	item->stage = STAGE_TAKING;
	if (incoming_begin(&item->in, f->offset, &fault) == -1)
		recvitem_fail(item, &fault);
	item->sure = item->in.at;
}

static void
on_block(void *arg, uint32_t id, size_t n)
{
	struct recvside *s = arg;
	struct item *item = s->taking;

	if (!item || item->in.offer.id != id)
		peer_wrong(&s->peer, XFER_R_ALTERED,
			"a block of a file that is not under way");
	else if (item->stage == STAGE_TAKING &&
		item->in.offer.size != XFER_SIZE_UNKNOWN &&
		n > item->in.offer.size - item->in.at)
		peer_wrong(&s->peer, XFER_R_ALTERED,
			"a block that reaches behind the end of its file");
}

static void
on_slow(void *arg)
{
	struct recvside *s = arg;

	recvside_unstick(s);
	peer_flush(&s->peer);
}

/* --rate: what comes is not read for as long as it came too fast. */
static void
slow_down(struct recvside *s, size_t n)
{
	struct loop *l = s->peer.stream.loop;
	int64_t now = loop_now(l);

	(void)rate_allow(&s->rate, n, now);
	rate_took(&s->rate, n);
	if (rate_wait(&s->rate, 1, now) <= 0)
		return;
	peer_stuck(&s->peer, true);
	loop_timer(l, &s->slow, rate_wait(&s->rate, 1, now), on_slow, s);
}

static void
on_content(void *arg, const uint8_t *data, size_t n)
{
	struct recvside *s = arg;
	struct item *item = s->taking;
	struct part_fault fault = { 0 };

	if (!item || item->stage != STAGE_TAKING)
		return;
	if (!s->peer.plain)
		hash_add(&item->in.hash, data, n);
	if (incoming_write(&item->in, data, n, &fault) == -1) {
		recvitem_fail(item, &fault);
		return;
	}
	if (incoming_full(&item->in))
		peer_stuck(&s->peer, true);
	slow_down(s, n);
}

/* What came wrong is cut off, so that the rest can be resumed. */
static void
altered(struct recvside *s, struct item *item)
{
	struct part_fault fault = { 0 };

	if (!item->in.to_sink)
		(void)part_cut(&item->in.part, item->sure, &fault);
	peer_wrong(&s->peer, XFER_R_ALTERED,
		"content was altered on the way: its checksum does not fit");
}

static void
on_block_end(void *arg, uint64_t hash)
{
	struct recvside *s = arg;
	struct item *item = s->taking;

	if (!item || item->stage != STAGE_TAKING)
		return;
	if (!s->peer.plain && hash != hash_value(&item->in.hash))
		altered(s, item);
	else
		item->sure = item->in.at;
}

static void
on_end(struct recvside *s, const struct xfer_frame *f)
{
	struct item *item = s->taking;

	if (!item || item->in.offer.id != f->id) {
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			"the end of a file that is not under way");
	} else if (item->stage == STAGE_DEAD) {
		recvitem_drop(item);
	} else if (f->size != item->in.at ||
		(item->in.offer.size != XFER_SIZE_UNKNOWN &&
			f->size != item->in.offer.size)) {
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			"a file that ends elsewhere than it should");
	} else if (!s->peer.plain && f->hash != hash_value(&item->in.hash)) {
		altered(s, item);
	} else {
		s->taking = NULL;
		item->stage = STAGE_ENDING;
		incoming_finish(&item->in);
	}
}

/* Frames. */

static void
on_offer(struct recvside *s, const struct xfer_frame *f)
{
	if (s->open >= XFER_OPEN_MAX || recvitem_find(s, f->id)) {
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			s->open >= XFER_OPEN_MAX
				? "more offers than may be outstanding"
				: "an offer with a number that is in use");
		return;
	}
	recvitem_new(s, f, &incoming_calls);
	recvside_work_soon(s);
}

/* It goes on to its end, but what was wanted is not all here. */
static void
tell_unread(struct recvside *s, uint32_t n)
{
	struct report_conn id = conn_id(&s->peer.stream.conn);
	struct err err = { 0 };

	err_setf(&err, "recv", 0, s->peer.stream.conn.peer,
		"the other side could not read %" PRIu32 " of its files", n);
	report_error(s->peer.transfer->life.report, &id, &err);
	s->worst = err_worst(s->worst, (int)err_exit(&err));
}

static void
on_done(struct recvside *s, const struct xfer_frame *f)
{
	struct item *item = s->taking;

	if (item && item->stage == STAGE_DEAD)
		recvitem_drop(item);
	while (recvitem_step(s)) /* folders that nobody waited for */
		;
	for (item = s->first; item; item = item->next) {
		if (item->stage == STAGE_ENDING)
			continue;
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			"done, with files that have not come");
		return;
	}
	if (f->unread > 0)
		tell_unread(s, f->unread);
	peer_heard_done(&s->peer);
	finish_if_done(s);
}

static void
on_frame(void *arg, const struct xfer_frame *f)
{
	struct recvside *s = arg;

	switch ((enum xfer_type)f->type) {
	case XFER_OFFER:
		on_offer(s, f);
		break;
	case XFER_START:
		on_start(s, f);
		break;
	case XFER_END:
		on_end(s, f);
		break;
	case XFER_DONE:
		on_done(s, f);
		break;
	case XFER_HELLO:
	case XFER_ANSWER:
	case XFER_DATA:
	case XFER_RECEIPT:
	case XFER_WAIT:
	case XFER_ERROR:
		peer_wrong(&s->peer, XFER_R_PROTOCOL,
			"a frame that a sender does not send");
		break;
	}
}

static void
on_greeted(void *arg)
{
	(void)arg;
}

static bool
on_busy(void *arg)
{
	struct recvside *s = arg;
	struct item *item, *shown = s->taking;
	bool busy = s->peer.stuck;

	for (item = s->first; item; item = item->next) {
		if (item->stage == STAGE_NEW)
			recvside_work_soon(s);
		if (item->stage == STAGE_CHECKING && !shown)
			shown = item;
		busy |= item->stage <= STAGE_CHECKING ||
			item->stage == STAGE_ENDING;
	}
	if (shown && shown->stage != STAGE_DEAD)
		incoming_show(
			&shown->in, &s->peer, shown->stage == STAGE_CHECKING);
	return busy;
}

static void
on_gone(void *arg, int code, const char *why)
{
	struct recvside *s = arg;
	struct item *item;

	while ((item = s->first)) {
		if (item->stage == STAGE_TAKING || item->stage == STAGE_ENDING)
			recvitem_tell(item, TRANSFER_FAILED, why, NULL);
		recvitem_drop(item);
	}
	loop_cancel(s->peer.stream.loop, &s->again);
	loop_cancel(s->peer.stream.loop, &s->slow);
	transfer_left(
		s->peer.transfer, &s->peer.session, err_worst(code, s->worst));
	free(s);
}

static const struct peer_calls calls = {
	.greeted = on_greeted,
	.frame = on_frame,
	.block = on_block,
	.content = on_content,
	.block_end = on_block_end,
	.room = work,
	.busy = on_busy,
	.gone = on_gone,
};

void
recvside_open(struct transfer *t, int fd, unsigned id,
	const struct dial_result *result, struct recv_place *place)
{
	struct recvside *s = mem_zero(1, sizeof *s);

	s->place = place;
	s->last = &s->first;
	rate_start(&s->rate, t->conf->pace.rate, loop_now(t->life.loop));
	peer_open(&s->peer, t, fd, id, result, XFER_RECEIVER, &calls, s);
}
