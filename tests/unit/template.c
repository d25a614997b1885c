#include "../../util/template.h"
#include "check.h"

static const struct field inner[] = {
	F_REAL("min", 0.25, 3),
	F_REAL("max", 2.0, 3),
};

static const struct field pair[] = {
	F_INT("t", 3),
	F_BYTES("state", "open", 4),
};

static const struct field list[] = {
	F_INT("", 1),
	F_OBJ("", pair, 2),
};

static const struct field fields[] = {
	F_BYTES("name", "a\x1b[1m", 5),
	F_BYTES("empty", "", 0),
	F_INT("zero", 0),
	F_INT("less", -7),
	F_UINT("many", 18446744073709551615u),
	F_UINT("size", 1572864),
	F_BOOL("yes", true),
	F_BOOL("no", false),
	F_NULL("nothing"),
	F_REAL("duration", 0.1234, 6),
	F_REAL("short", 0.002, 6),
	F_REAL("whole", 12.0, 3),
	F_OBJ("rtt", inner, 2),
	F_ARR("list", list, 2),
	F_ARR("none", list, 0),
};

static const struct {
	const char *text, *want;
} cases[] = {
	{ "plain", "plain" },
	{ "", "" },
	{ "<{name}>", "<a\\x1b[1m>" },
	{ "{zero} {less} {many}", "0 -7 18446744073709551615" },
	{ "{whole}", "12" },
	{ "{yes}[ {no}]", "yes" },
	{ "{nothing}{missing}", "??" },
	{ "a[ {nothing}][ {missing}][ {empty}][ {none}][ {zero}]", "a 0" },
	{ "a[ {zero:some}][ {less:some}]", "a -7" },
	{ "a[ b{yes:if}][ c{no:if}]", "a b" },
	{ "a[ b[ {nothing}] c]", "a b c" },
	{ "a[ b[ {zero}] {nothing}] d", "a d" },
	{ "min {rtt.min} max {rtt.max}[ {rtt.mean}][ {rtt}]",
		"min 0.25 max 2" },
	{ "[{zero.min}]x", "x" },
	{ "{list}", "1, 3 open" },
	{ "{duration:s} {short:s}", "0.1 s 0.002 s" },
	{ "{size:bytes}", "1.5 MiB" },
	/* What a peer counts may be more than a time or a size holds. */
	{ "{many:bytes}", "4096 PiB" },
	{ "{many:us}", "1281023 h 53 m" },
	{ "{whole:us}", "12 us" },
	{ "{whole:ms}", "12 ms" },
	{ "{whole:percent}", "12%" },
	{ "x: [, {nothing}][, {zero}][, {whole}]", "x: 0, 12" },
	{ "[, {zero}], {zero}", "0, 0" },
	{ "{zero:<3}|{less:>4}|{whole:<1}|", "0  |  -7|12|" },
	{ "{nothing:<2}|{missing:>2}|{empty:<1}|{rtt:<1}|", "- | -|-|-|" },
	{ "[ {nothing:<1}]", " -" },
	{ "{name:>11}|", "   a\\x1b[1m|" },
	{ "a] b", "a b" },
	{ "a[ b", "a b" },
};

int
main(void)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&out);
		template_render(&out, cases[i].text, fields, COUNT(fields));
		CHECK_STR(buf_cstr(&out), cases[i].want);
	}
	buf_clear(&out);
	buf_string(&out, "before");
	template_render(&out, "[, {zero}]", fields, COUNT(fields));
	CHECK_STR(buf_cstr(&out), "before0");
	buf_free(&out);
	return check_result();
}
