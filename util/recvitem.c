#include "recvitem.h"
#include "mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct item *
recvitem_find(struct recvside *s, uint32_t id)
{
	struct item *item = s->first;

	while (item && item->in.offer.id != id)
		item = item->next;
	return item;
}

void
recvitem_new(struct recvside *s, const struct xfer_frame *offer,
	const struct incoming_calls *calls)
{
	struct item *item = mem_zero(1, sizeof *item);

	item->side = s;
	incoming_start(&item->in, s->peer.transfer, &s->peer.stream.conn,
		s->place, offer, calls, item);
	*s->last = item;
	s->last = &item->next;
	s->open++;
}

void
recvitem_drop(struct item *item)
{
	struct recvside *s = item->side;
	struct item **at = &s->first;

	while (*at != item)
		at = &(*at)->next;
	*at = item->next;
	if (!item->next)
		s->last = at;
	if (s->taking == item)
		s->taking = NULL;
	incoming_close(&item->in);
	free(item);
	s->open--;
	recvside_work_soon(s);
}

void
recvitem_tell(struct item *item, enum transfer_status status,
	const char *reason, const struct err *err)
{
	struct recvside *s = item->side;

	if (err)
		s->worst = err_worst(s->worst, (int)err_exit(err));
	meter_release(&s->peer.transfer->meter, &s->peer);
	incoming_tell(&item->in, status, reason, err,
		status == TRANSFER_OK && !s->peer.plain);
}

/* What is said. */

static void
put_answer(struct item *item, uint8_t verdict, enum xfer_reason reason,
	const char *text)
{
	peer_put(&item->side->peer,
		&(struct xfer_frame){ .type = XFER_ANSWER,
			.id = item->in.offer.id,
			.word = verdict,
			.reason = (uint16_t)reason,
			.offset = item->in.at,
			.hash = hash_value(&item->in.hash),
			.text = text,
			.text_len = strlen(text) });
}

static void
put_receipt(struct item *item, enum xfer_reason reason, const char *text)
{
	peer_put(&item->side->peer,
		&(struct xfer_frame){ .type = XFER_RECEIPT,
			.id = item->in.offer.id,
			.word = reason ? XFER_FAILED : XFER_IN_PLACE,
			.reason = (uint16_t)reason,
			.size = item->in.at,
			.hash = item->side->peer.plain
				? 0
				: hash_value(&item->in.hash),
			.text = text,
			.text_len = strlen(text) });
}

/* Ends what was under way: the rest of its content is dropped. */
void
recvitem_fail(struct item *item, const struct part_fault *fault)
{
	struct recvside *s = item->side;

	put_receipt(item, fault->reason, fault->err.text);
	recvitem_tell(item, TRANSFER_FAILED, fault->err.text, &fault->err);
	part_close(&item->in.part);
	if (item->stage == STAGE_ENDING)
		recvitem_drop(item);
	else
		item->stage = STAGE_DEAD;
	recvside_unstick(s);
}

void
recvitem_complete(struct item *item)
{
	struct recvside *s = item->side;

	s->files++;
	s->bytes += item->in.at - item->in.from;
	put_receipt(item, XFER_NONE, "");
	recvitem_tell(item, TRANSFER_OK, NULL, NULL);
	recvitem_drop(item);
}

static void
refuse(struct item *item, const struct part_fault *fault)
{
	put_answer(item, XFER_REFUSE, fault->reason, fault->err.text);
	recvitem_tell(item, TRANSFER_REFUSED, fault->err.text, &fault->err);
	recvitem_drop(item);
}

/* Preparing. */

static void
want(struct item *item)
{
	item->stage = STAGE_AWAITED;
	put_answer(item, XFER_SEND, XFER_NONE, "");
}

static void
opened(struct item *item)
{
	if (item->in.offer.word == XFER_FOLDER) {
		put_answer(item, XFER_SEND, XFER_NONE, "");
		put_receipt(item, XFER_NONE, "");
		recvitem_drop(item);
		return;
	}
	item->side->taken++;
	if (item->in.part.held > 0)
		item->stage = STAGE_CHECKING;
	else
		want(item);
}

/* Out of descriptors: those before it will give theirs back, if there are any.
 */
static bool
wait_or_refuse(struct item *item)
{
	struct recvside *s = item->side;
	struct part_fault fault = { 0 };

	if (s->first != item || s->peer.transfer->sessions->next)
		return false;
	part_failed(&fault, "open", EMFILE, item->in.name);
	refuse(item, &fault);
	return true;
}

/* Whether one before it will take the same name: its turn comes afterwards. */
static bool
name_is_wanted(const struct item *item)
{
	const struct item *before = item->side->first;

	while (before != item &&
		(before->stage == STAGE_DEAD ||
			strcmp(before->in.name, item->in.name) != 0))
		before = before->next;
	return before != item;
}

bool
recvitem_prepare(struct item *item)
{
	struct recvside *s = item->side;
	struct part_fault fault = { .reason = XFER_R_ONE_FILE };

	if (name_is_wanted(item))
		return false;

	if ((s->place->file || s->place->out != -1) && s->taken > 0) {
		err_setf(&fault.err, "protocol", 0, item->in.name, "%s",
			xfer_reason_text(fault.reason));
		refuse(item, &fault);
		return true;
	}
	switch (incoming_open(&item->in, &fault)) {
	case PART_OK:
		opened(item);
		break;
	case PART_SKIP:
		put_answer(item, XFER_SKIP, XFER_NONE, "");
		recvitem_tell(
			item, TRANSFER_SKIPPED, "the same file is here", NULL);
		recvitem_drop(item);
		break;
	case PART_FAULT:
		refuse(item, &fault);
		break;
	case PART_LATER:
		return wait_or_refuse(item);
	}
	return true;
}

static void
check_piece(struct item *item)
{
	struct part_fault fault = { .reason = XFER_R_LOCAL };
	int more = part_check(&item->in.part, &item->in.hash, &item->in.at,
		loop_scratch(item->side->peer.stream.loop), LOOP_SCRATCH,
		&fault.err);

	if (more == 0)
		want(item);
	else if (more == -1)
		refuse(item, &fault);
}

/* Prepares the next one, in the order of the offers. False: nothing to do. */
bool
recvitem_step(struct recvside *s)
{
	struct item *item = s->first;

	while (item && item->stage > STAGE_CHECKING)
		item = item->next;
	if (!item || s->peer.ending)
		return false;
	if (item->stage == STAGE_NEW)
		return recvitem_prepare(item);
	check_piece(item);
	return true;
}
