#include "sockvalue.h"

#include "addr.h"
#include "clock.h"
#include "num.h"
#include "template.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A kind of value: what help and a refused value say (template.h), how a number
 * is taken, or a value that is none encoded, and how it is shown. */
struct kind {
	const char *form, *sentence;
	bool numeric;
	int shift; /* of a number, in the kernel's form */
	int (*take)(const struct sockopt_row *, const char *, int64_t *);
	int (*encode)(const struct sockopt_row *, const char *,
		struct sockvalue *, struct err *);
	void (*show)(const struct sockopt_row *, const struct sockvalue *,
		char text[64]); /* NULL: the kernel does not tell */
};

static const struct kind *kind_of(const struct sockopt_row *);

static void
describe(struct buf *out, const struct sockopt_row *row, const char *text)
{
	struct buf words = { 0 };

	for (const struct sockrow_word *w = row->words;
		w != NULL && w->name != NULL; w++)
		buf_printf(&words, "%s%s", w == row->words ? "" : "|", w->name);
	const struct field fields[] = {
		F_INT("min", row->min),
		F_INT("max", row->max),
		F_STR("words", buf_cstr(&words)),
		F_STR("group", "GROUP[%INTERFACE]"),
	};

	template_render(out, text, fields, sizeof(fields) / sizeof(fields[0]));
	buf_free(&words);
}

static int
malformed(const struct sockopt_row *row, struct err *err)
{
	struct buf text = { 0 };

	buf_printf(&text, "%s takes ", row->name);
	describe(&text, row, kind_of(row)->sentence);
	err_setf(err, NULL, 0, NULL, "%s", buf_cstr(&text));
	buf_free(&text);
	return -1;
}

static int
take_flag(const struct sockopt_row *row, const char *s, int64_t *out)
{
	bool on = s[0] == '\0' || strcmp(s, "1") == 0 || strcmp(s, "on") == 0;

	(void)row;
	*out = on;
	return on || strcmp(s, "0") == 0 || strcmp(s, "off") == 0 ? 0 : -1;
}

static int
take_plain(const struct sockopt_row *row, const char *s, int64_t *out)
{
	return num_int(s, row->min, row->max, out);
}

static int
take_size(const struct sockopt_row *row, const char *s, int64_t *out)
{
	uint64_t size;

	if (num_size(s, (uint64_t)row->min, (uint64_t)row->max, &size) == -1)
		return -1;
	*out = (int64_t)size;
	return 0;
}

/* A TIME that is a whole number of units. */
static int
take_time(const struct sockopt_row *row, const char *s, int64_t unit,
	int64_t *out)
{
	int64_t ns;

	if (num_time(s, 0, 0, &ns) == -1 || ns % unit != 0 ||
		ns / unit < row->min || ns / unit > row->max)
		return -1;
	*out = ns / unit;
	return 0;
}

static int
take_seconds(const struct sockopt_row *row, const char *s, int64_t *out)
{
	return take_time(row, s, CLOCK_S, out);
}

/* tcp(7) has milliseconds, so a plain number means them. */
static int
take_ms(const struct sockopt_row *row, const char *s, int64_t *out)
{
	if (s[strspn(s, "0123456789")] == '\0')
		return take_plain(row, s, out);
	return take_time(row, s, CLOCK_MS, out);
}

static int
take_word(const struct sockopt_row *row, const char *s, int64_t *out)
{
	for (const struct sockrow_word *w = row->words; w->name != NULL; w++)
		if (strcasecmp(w->name, s) == 0) {
			*out = w->number;
			return 0;
		}
	return -1;
}

static int
take_dscp(const struct sockopt_row *row, const char *s, int64_t *out)
{
	int64_t class = 0, drop = 0;

	if (strncasecmp(s, "AF", 2) == 0 && strlen(s) == 4) {
		class = s[2] - '0';
		drop = s[3] - '0';
		if (class < 1 || class > 4 || drop < 1 || drop > 3)
			return -1;
	} else if (strncasecmp(s, "CS", 2) == 0 && strlen(s) == 3) {
		class = s[2] - '0';
		if (class < 0 || class > 7)
			return -1;
	} else {
		return take_word(row, s, out) == 0 ? 0
						   : take_plain(row, s, out);
	}
	*out = 8 * class + 2 * drop;
	return 0;
}

static int
encode_number(const struct sockopt_row *row, const char *s, struct sockvalue *v,
	struct err *err)
{
	const struct kind *k = kind_of(row);
	int64_t n;

	if (k->take(row, s, &n) == -1)
		return malformed(row, err);
	v->len = sizeof(v->raw.number);
	v->raw.number = (int)n << k->shift;
	if (k->numeric)
		snprintf(v->text, sizeof(v->text), "%lld", (long long)n);
	return 0;
}

static void
show_number(
	const struct sockopt_row *row, const struct sockvalue *v, char text[64])
{
	snprintf(text, 64, "%d", v->raw.number >> kind_of(row)->shift);
}

static void
show_flag(
	const struct sockopt_row *row, const struct sockvalue *v, char text[64])
{
	(void)row;
	snprintf(text, 64, "%d", v->raw.number != 0);
}

static void
show_word(
	const struct sockopt_row *row, const struct sockvalue *v, char text[64])
{
	for (const struct sockrow_word *w = row->words; w->name != NULL; w++)
		if (w->number == v->raw.number)
			snprintf(text, 64, "%s", w->name);
}

static int
encode_linger(const struct sockopt_row *row, const char *s, struct sockvalue *v,
	struct err *err)
{
	bool off = strcmp(s, "off") == 0;
	int64_t n = 0;

	if (!off && take_plain(row, s, &n) == -1)
		return malformed(row, err);
	v->len = sizeof(v->raw.linger);
	v->raw.linger = (struct linger){ !off, (int)n };
	return 0;
}

static void
show_linger(
	const struct sockopt_row *row, const struct sockvalue *v, char text[64])
{
	(void)row;
	snprintf(text, 64, v->raw.linger.l_onoff ? "%d" : "off",
		v->raw.linger.l_linger);
}

static int
encode_name(const struct sockopt_row *row, const char *s, struct sockvalue *v,
	struct err *err)
{
	size_t n = strlen(s);

	if (n == 0 || n >= sizeof(v->raw.name))
		return malformed(row, err);
	memcpy(v->raw.name, s, n);
	v->len = (socklen_t)n;
	return 0;
}

static void
show_name(
	const struct sockopt_row *row, const struct sockvalue *v, char text[64])
{
	(void)row;
	snprintf(text, 64, "%s", v->raw.name);
}

static int
interface_index(const struct sockopt_row *row, const char *name,
	unsigned *index, struct err *err)
{
	*index = if_nametoindex(name);
	if (*index == 0)
		return err_setf(err, "setsockopt", ENODEV, row->name,
			"no interface %s", name);
	return 0;
}

/* An IPv4 address of the interface. */
static int
interface_address(const struct sockopt_row *row, const char *name,
	struct addr *a, struct err *err)
{
	struct addr_list list = { 0 };

	if (addr_of_interface(&list, name, AF_INET, 0) <= 0)
		return err_setf(err, "setsockopt", EADDRNOTAVAIL, row->name,
			"%s has no IPv4 address", name);
	*a = list.item[0];
	addr_list_free(&list);
	return 0;
}

/* IPv4 takes an address of the interface, IPv6 its index. RFC 3493. */
static int
encode_interface(const struct sockopt_row *row, const char *s,
	struct sockvalue *v, struct err *err)
{
	struct addr a;
	bool numeric = addr_numeric(&a, s, AF_INET, 0) == 0;
	unsigned index;

	if (s[0] == '\0')
		return malformed(row, err);
	if (numeric && row->level == IPPROTO_IPV6)
		return 1;
	if (!numeric && interface_index(row, s, &index, err) == -1)
		return -1;
	if (row->level == IPPROTO_IPV6) {
		v->len = sizeof(v->raw.number);
		v->raw.number = (int)index;
		return 0;
	}
	if (!numeric && interface_address(row, s, &a, err) == -1)
		return -1;
	v->len = sizeof(v->raw.in);
	v->raw.in = ((const struct sockaddr_in *)&a.ss)->sin_addr;
	inet_ntop(AF_INET, &v->raw.in, v->text, sizeof(v->text));
	return 0;
}

static void
show_interface(
	const struct sockopt_row *row, const struct sockvalue *v, char text[64])
{
	if (row->level != IPPROTO_IPV6) {
		if (v->raw.in.s_addr != 0)
			inet_ntop(AF_INET, &v->raw.in, text, 64);
	} else if (if_indextoname((unsigned)v->raw.number, text) == NULL) {
		text[0] = '\0';
	}
}

#ifdef MCAST_JOIN_GROUP
/* RFC 3678 section 5.1.1. */
static int
encode_group(const struct sockopt_row *row, const char *s, struct sockvalue *v,
	struct err *err)
{
	size_t n = strcspn(s, "%");
	int family = row->level == IPPROTO_IPV6 ? AF_INET6 : AF_INET;
	unsigned index = 0;
	struct addr a;
	char host[64];

	snprintf(host, sizeof(host), "%.*s", (int)(n < 63 ? n : 63), s);
	if (addr_numeric(&a, host, 0, 0) == -1 || !addr_is_multicast(&a) ||
		strcmp(s + n, "%") == 0)
		return malformed(row, err);
	if (a.ss.ss_family != family)
		return 1;
	if (s[n] == '%' && interface_index(row, s + n + 1, &index, err) == -1)
		return -1;
	v->len = sizeof(v->raw.group);
	v->raw.group.gr_interface = index;
	memcpy(&v->raw.group.gr_group, &a.ss, a.len);
	return 0;
}
#endif

static const struct kind kinds[] = {
	[SOCKROW_FLAG] = { "0|1", "0, 1, on or off", true, 0, take_flag,
		encode_number, show_flag },
	[SOCKROW_NUMBER] = { "{min}-{max}",
		"a whole number from {min} to {max}", true, 0, take_plain,
		encode_number, show_number },
	[SOCKROW_SIZE] = { "SIZE", "a SIZE from {min} to {max}", true, 0,
		take_size, encode_number, show_number },
	[SOCKROW_SECONDS] = { "SECONDS", "whole seconds from {min} to {max}",
		true, 0, take_seconds, encode_number, show_number },
	[SOCKROW_MS] = { "MS|TIME",
		"milliseconds, or a TIME with a unit (500ms, 2m)", true, 0,
		take_ms, encode_number, show_number },
	[SOCKROW_DSCP] = { "0-63|NAME",
		"0 to 63, CS0 to CS7, AF11 to AF43 or {words}", true, 2,
		take_dscp, encode_number, show_number },
	[SOCKROW_WORD] = { "{words}", "one of {words}", false, 0, take_word,
		encode_number, show_word },
	[SOCKROW_LINGER] = { "SECONDS|off",
		"whole seconds from {min} to {max}, or off", true, 0, NULL,
		encode_linger, show_linger },
	[SOCKROW_NAME] = { "NAME", "a name of 1 to 15 characters", false, 0,
		NULL, encode_name, show_name },
	[SOCKROW_INTERFACE] = { "INTERFACE",
		"an interface, or its IPv4 address", false, 0, NULL,
		encode_interface, show_interface },
#ifdef MCAST_JOIN_GROUP
	[SOCKROW_GROUP] = { "{group}", "a numeric multicast address: {group}",
		false, 0, NULL, encode_group, NULL },
#endif
};

static const struct kind *
kind_of(const struct sockopt_row *row)
{
	return &kinds[row->kind];
}

void
sockvalue_form(const struct sockopt_row *row, struct buf *out)
{
	describe(out, row, kind_of(row)->form);
}

bool
sockvalue_numeric(const struct sockopt_row *row)
{
	return kind_of(row)->numeric;
}

int
sockvalue_encode(const struct sockopt_row *row, const char *s,
	struct sockvalue *v, struct err *err)
{
	memset(v, 0, sizeof(*v));
	snprintf(v->text, sizeof(v->text), "%s", s);
	return kind_of(row)->encode(row, s, v, err);
}

void
sockvalue_read(const struct sockopt_row *row, int fd, char text[64])
{
	struct sockvalue v;

	memset(&v, 0, sizeof(v));
	v.len = row->kind == SOCKROW_NAME ? sizeof(v.raw.name) - 1
					  : sizeof(v.raw);
	text[0] = '\0';
	if (kind_of(row)->show != NULL &&
		getsockopt(fd, row->level, row->number, &v.raw, &v.len) == 0)
		kind_of(row)->show(row, &v, text);
}
