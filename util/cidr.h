/* cidr: --allow and --deny: address ranges, first match decides. */
#ifndef SOCKCTL_CIDR_H
#define SOCKCTL_CIDR_H

#include "addr.h"

struct cidr {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d, so 96 bits more */
	int bits;
};

struct cidr_rule {
	struct cidr range;
	bool allow;
	char text[64]; /* as written, "allow 10.0.0.0/8" */
};

struct cidr_rules {
	struct cidr_rule *rule;
	int count;
	bool closed; /* an allow was given, if only of an empty @FILE: who
			matches no rule may not come in */
};

/* 10.0.0.0/8, ::1, fe80::/10; bits set below the prefix are refused. */
int cidr_parse(struct cidr *c, const char *s);
/* Adds s, or every line of @FILE (# begins a comment). -1 with err filled: op
 * NULL for a bad range, open or read for the file. */
int cidr_add(struct cidr_rules *r, const char *s, bool allow, struct err *err);
/* NULL when a may come in, else the rule that says no ("default" where none
 * matched and the rules are closed). Unix peers always may. */
const char *cidr_denied(const struct cidr_rules *r, const struct addr *a);

#endif
