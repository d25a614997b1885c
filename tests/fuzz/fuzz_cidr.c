#include "../../util/cidr.h"
#include "fuzz.h"

/* The first address of a range is in it. */
static void
first_address(const char *s)
{
	struct cidr_rules r = { 0 };
	struct addr a;
	char host[64];
	size_t n = strcspn(s, "/");

	HOLD(cidr_add(&r, s, false, NULL) == 0 && r.count == 1);
	HOLD(n < sizeof host);
	memcpy(host, s, n);
	host[n] = '\0';
	HOLD(addr_numeric(&a, host, 0, 1) == 0);
	/* A range that holds mapped and other addresses is one of IPv6. */
	addr_unmap(&a);
	if (a.ss.ss_family == AF_INET6 || r.rule[0].range.bits >= 96)
		HOLD(cidr_denied(&r, &a) == r.rule[0].text);
	free(r.rule);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = fuzz_string(data, size);
	struct cidr c;

	if (cidr_parse(&c, s) == 0) {
		HOLD(c.bits >= 0 && c.bits <= 128);
		first_address(s);
	}
	free(s);
	return 0;
}
