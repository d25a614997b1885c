#include "cidr.h"
#include "mem.h"
#include "num.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void
to_bytes(const struct addr *a, uint8_t out[16])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->ss;

	if (a->ss.ss_family == AF_INET6) {
		memcpy(out, &in6->sin6_addr, 16);
		return;
	}
	memcpy(out, mapped, sizeof mapped);
	memcpy(out + 12, &in->sin_addr, 4);
}

/* True when the first bits of a and b are equal. */
static bool
same_prefix(const uint8_t *a, const uint8_t *b, int bits)
{
	size_t whole = (size_t)bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return memcmp(a, b, whole) == 0 &&
		(bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

/* True when no bit behind the prefix is set. */
static bool
is_clean(const struct cidr *c)
{
	for (int i = c->bits; i < 128; i++)
		if (c->bytes[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

int
cidr_parse(struct cidr *c, const char *s)
{
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	struct cidr parsed;
	struct addr a;
	int64_t bits;
	char host[64];

	if (n >= sizeof host || memchr(s, '%', n))
		return -1;
	memcpy(host, s, n);
	host[n] = '\0';
	if (addr_numeric(&a, host, 0, 0) == -1)
		return -1;
	bits = a.ss.ss_family == AF_INET ? 32 : 128;
	if (slash && num_int(slash + 1, 0, bits, &bits) == -1)
		return -1;
	to_bytes(&a, parsed.bytes);
	parsed.bits = (int)bits + (a.ss.ss_family == AF_INET ? 96 : 0);
	if (!is_clean(&parsed))
		return -1;
	*c = parsed;
	return 0;
}

static int
add_one(struct cidr_rules *r, const char *s, bool allow, struct err *err)
{
	struct cidr_rule rule = { .allow = allow };

	if (cidr_parse(&rule.range, s) == -1)
		return err_setf(err, NULL, 0, NULL,
			"'%s' is no address range such as 10.0.0.0/8, ::1 or "
			"fe80::/10 (without bits behind the prefix)",
			s);
	snprintf(rule.text, sizeof rule.text, "%s %s", allow ? "allow" : "deny",
		s);
	r->rule = mem_grow(r->rule, (size_t)r->count + 1, sizeof *r->rule);
	r->rule[r->count++] = rule;
	return 0;
}

static int
add_line(struct cidr_rules *r, char *line, bool allow, struct err *err)
{
	static const char blanks[] = " \t\r\n";
	char *end;

	line += strspn(line, blanks);
	end = line + strcspn(line, "#");
	while (end > line && strchr(blanks, end[-1]))
		end--;
	*end = '\0';
	return *line ? add_one(r, line, allow, err) : 0;
}

static int
add_file(struct cidr_rules *r, const char *name, bool allow, struct err *err)
{
	FILE *f = fopen(name, "re");
	char *line = NULL;
	size_t size = 0;
	int number = 0, result = 0;

	if (!f)
		return err_set(err, "open", errno, name);
	while (result == 0 && getline(&line, &size, f) != -1) {
		number++;
		result = add_line(r, line, allow, err);
	}
	if (result == -1)
		err_setf(err, NULL, 0, NULL, "line %d of '%s': %s", number,
			name, err->text);
	else if (ferror(f))
		result = err_set(err, "read", errno, name);
	free(line);
	fclose(f);
	return result;
}

int
cidr_add(struct cidr_rules *r, const char *s, bool allow, struct err *err)
{
	r->closed |= allow;
	return s[0] == '@' ? add_file(r, s + 1, allow, err)
			   : add_one(r, s, allow, err);
}

const char *
cidr_denied(const struct cidr_rules *r, const struct addr *a)
{
	struct addr plain = *a;
	uint8_t bytes[16];

	addr_unmap(&plain);
	if (plain.len == 0 || plain.ss.ss_family == AF_UNIX)
		return NULL;
	to_bytes(&plain, bytes);
	for (int i = 0; i < r->count; i++) {
		const struct cidr_rule *rule = &r->rule[i];

		/* ::/0 is all of IPv6, and nothing of IPv4. */
		if (plain.ss.ss_family == AF_INET && rule->range.bits < 96)
			continue;
		if (same_prefix(bytes, rule->range.bytes, rule->range.bits))
			return rule->allow ? NULL : rule->text;
	}
	return r->closed ? "default" : NULL;
}
