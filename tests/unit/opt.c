#include "../../util/opt.h"
#include "../../util/clock.h"
#include "check.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct conf {
	bool flag, off;
	const char *string;
	struct opt_list list;
	int64_t number, count, time, wait;
	uint64_t size, rate;
	double real;
	struct opt_text text;
	int word;
	uint32_t mode;
	char parsed[64];
};

static int
parse(void *field, const char *value, const struct opt *row, struct err *err)
{
	(void)row;
	if (value && strcmp(value, "bad") == 0)
		return err_setf(err, NULL, 0, NULL, "is bad");
	if (value && strcmp(value, "file") == 0)
		return err_set(err, "open", ENOENT, "file");
	snprintf(field, sizeof((struct conf *)0)->parsed, "%s",
		value ? value : "nothing");
	return 0;
}

static int
add(void *field, const char *value, const struct opt *row, struct err *err)
{
	(void)row;
	(void)err;
	opt_list_add(field, value);
	return 0;
}

static const char *const words[] = { "off", "line", NULL };

static const struct opt rows_one[] = {
	{ .name = "flag",
		.letter = 'f',
		.type = OPT_FLAG,
		.help = "a flag",
		.offset = OPT_AT(struct conf, flag, bool) },
	{ .letter = '4',
		.type = OPT_NOT,
		.help = "not",
		.offset = OPT_AT(struct conf, off, bool) },
	{ .name = "string",
		.letter = 's',
		.type = OPT_STRING,
		.word = "FILE",
		.help = "a string",
		.offset = OPT_AT(struct conf, string, const char *) },
	{ .name = "list",
		.type = OPT_PARSE,
		.word = "NAME",
		.help = "a list",
		.offset = OPT_AT(struct conf, list, struct opt_list),
		.parse = add },
	{ .name = "number",
		.letter = 'n',
		.type = OPT_INT,
		.word = "N",
		.help = "a number",
		.min = 1,
		.max = 100,
		.offset = OPT_AT(struct conf, number, int64_t) },
	{ .name = "count",
		.type = OPT_COUNT,
		.word = "N",
		.help = "a count",
		.min = 1,
		.offset = OPT_AT(struct conf, count, int64_t) },
	{ 0 },
};

static const struct opt rows_two[] = {
	{ .name = "time",
		.letter = 't',
		.type = OPT_TIME,
		.word = "TIME",
		.help = "a time",
		.min = 1,
		.offset = OPT_AT(struct conf, time, int64_t) },
	{ .name = "wait",
		.type = OPT_TIME,
		.word = "TIME",
		.help = "inf too",
		.max = 1,
		.offset = OPT_AT(struct conf, wait, int64_t) },
	{ .name = "size",
		.type = OPT_SIZE,
		.word = "SIZE",
		.help = "a size",
		.min = 2,
		.max = 4096,
		.offset = OPT_AT(struct conf, size, uint64_t) },
	{ .name = "rate",
		.type = OPT_RATE,
		.word = "RATE",
		.help = "a rate",
		.offset = OPT_AT(struct conf, rate, uint64_t) },
	{ .name = "real",
		.type = OPT_REAL,
		.word = "PERCENT",
		.max = 100,
		.help = "a number",
		.offset = OPT_AT(struct conf, real, double) },
	{ .name = "text",
		.type = OPT_TEXT,
		.word = "TEXT",
		.help = "a text",
		.offset = OPT_AT(struct conf, text, struct opt_text) },
	{ .name = "word",
		.type = OPT_WORD,
		.word = "WORD",
		.help = "a word",
		.words = words,
		.offset = OPT_AT(struct conf, word, int) },
	{ .name = "mode",
		.type = OPT_OCTAL,
		.word = "OCTAL",
		.max = 0777,
		.help = "a mode",
		.offset = OPT_AT(struct conf, mode, uint32_t) },
	{ .name = "parse",
		.type = OPT_PARSE,
		.word = "[=X]",
		.help = "own",
		.parse = parse,
		.offset = offsetof(struct conf, parsed) },
	{ .letter = 'N', .type = OPT_NOTHING, .help = "nothing" },
	{ .letter = 'l', .type = OPT_REFUSED, .help = "use serve" },
	{ 0 },
};

static const struct opt_group groups[] = {
	{ "One", rows_one, 0 },
	{ "Two", rows_two, 0 },
	{ 0 },
};

static const char *
object(void *arg, const struct opt *row, const char *option, const char *value)
{
	(void)arg;
	if (!row && strcmp(option, "z") == 0)
		return "see probe";
	return row && row->letter == 's' && value && strcmp(value, "no") == 0
		? "not this"
		: NULL;
}

static struct conf conf;
static struct err err;
static char **args;
static int count, after;

/* The words of line, parted by blanks; "''" is an empty one. */
static int
parse_line(const char *line)
{
	static char text[512], mode[] = "mode", nothing[] = "";
	char *argv[32] = { mode };
	int argc = 1, result;
	char *word;

	snprintf(text, sizeof text, "%s", line);
	for (word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "''") == 0 ? nothing : word;
	argv[argc] = NULL;
	free(conf.list.item);
	free(conf.text.data);
	memset(&conf, 0, sizeof conf);
	conf.off = true;
	memset(&err, 0, sizeof err);
	free(args);
	result = opt_parse(groups, &conf, argc, argv, &args, &count, &after,
		object, NULL, &err);
	return result;
}

static void
test_values(void)
{
	CHECK_INT(parse_line("-f -4 -s x --list a --list=b -n100 --count inf"),
		0);
	CHECK(conf.flag && !conf.off);
	CHECK_STR(conf.string, "x");
	CHECK_INT(conf.list.count, 2);
	CHECK_STR(conf.list.item[1], "b");
	CHECK_INT(conf.number, 100);
	CHECK(conf.count == INT64_MAX);
	CHECK_INT(parse_line("-f4t 250ms --wait inf --size 4K --rate 80mbit "
			     "--real 0.5 --word line --mode 640 --parse -N"),
		0);
	CHECK_INT(conf.time, 250 * CLOCK_MS);
	CHECK(conf.wait == CLOCK_INF);
	CHECK_INT(conf.size, 4096);
	CHECK_INT(conf.rate, 10000000);
	CHECK(conf.real > 0.49 && conf.real < 0.51);
	CHECK_INT(conf.word, 1);
	CHECK_INT(conf.mode, 0640);
	CHECK_STR(conf.parsed, "nothing");
	CHECK_INT(parse_line("--text once --text a\\r\\n\\x00 --parse=x"), 0);
	CHECK_INT(conf.text.len, 4);
	CHECK(conf.text.given && memcmp(conf.text.data, "a\r\n", 4) == 0);
	CHECK_STR(conf.parsed, "x");
	CHECK_INT(parse_line("--wait 0 -n 1 -n 2 --number=3"), 0);
	CHECK_INT(conf.number, 3);
}

static void
test_arguments(void)
{
	CHECK_INT(parse_line("a -f b - -n 5 c"), 0);
	CHECK_INT(count, 4);
	CHECK_INT(after, 4);
	CHECK_STR(args[2], "-");
	CHECK_INT(parse_line("a -- -f --help"), 0);
	CHECK_INT(count, 3);
	CHECK_INT(after, 1);
	CHECK_STR(args[2], "--help");
	CHECK(!conf.flag);
	CHECK_INT(parse_line("a '' b"), 0);
	CHECK_INT(count, 3);
}

static void
test_errors(void)
{
	static const struct {
		const char *line, *text;
	} rows[] = {
		{ "--number x",
			"--number 'x': not a whole number from 1 to 100" },
		{ "-n 0", "-n '0': not a whole number from 1 to 100" },
		{ "-n 101", "-n '101': not a whole number from 1 to 100" },
		{ "-n -5", "-n '-5': not a whole number from 1 to 100" },
		{ "-n ''", "-n '': not a whole number from 1 to 100" },
		{ "--number=",
			"--number '': not a whole number from 1 to 100" },
		{ "-n 99999999999999999999",
			"-n '99999999999999999999': not a whole number from 1 "
			"to 100" },
		{ "--count 0",
			"--count '0': not a whole number from 1 up or inf" },
		{ "-t 0", "-t '0': not a time above zero (5, 0.5, 250ms, 2m)" },
		{ "-t inf",
			"-t 'inf': not a time above zero (5, 0.5, 250ms, 2m)" },
		{ "--wait x",
			"--wait 'x': not a time (5, 0.5, 250ms, 2m, inf)" },
		{ "--size 1",
			"--size '1': not a size from 2 to 4096 (4096, 64K, "
			"1M)" },
		{ "--rate 5",
			"--rate '5': not a rate (800kbit, 80mbit, 10M/s)" },
		{ "--real 101", "--real '101': not a number from 0 to 100" },
		{ "--real nan", "--real 'nan': not a number from 0 to 100" },
		{ "--text \\q",
			"--text '\\\\q': not a text with C escapes such "
			"as \\r\\n and \\x00" },
		{ "--text ''",
			"--text '': not a text with C escapes such as \\r\\n "
			"and \\x00" },
		{ "--text @/dev/null",
			"--text '@/dev/null': the file is empty" },
		{ "--word of", "--word 'of': not one of off, line" },
		{ "--mode 8", "--mode '8': not an octal number up to 777" },
		{ "--mode 1000",
			"--mode '1000': not an octal number up to 777" },
		{ "--string ''", "--string '': FILE is expected" },
		{ "--list ''", "--list '': NAME is expected" },
		{ "--parse=bad", "--parse 'bad': is bad" },
		{ "--flag=1", "--flag '1': the option takes no value" },
		{ "--string", "--string: needs a value, FILE" },
		{ "-s", "-s: needs a value, FILE" },
		{ "--string -f",
			"--string: needs a value, FILE, and -f is an "
			"option itself (--string=-f if meant)" },
		{ "-s --flag",
			"-s: needs a value, FILE, and --flag is an option "
			"itself (-s--flag if meant)" },
		{ "--flagg", "--flagg: unknown option" },
		{ "--numb 1", "--numb: unknown option, in full --number" },
		{ "-q", "-q: unknown option" },
		{ "-fq", "-q: unknown option" },
		{ "-z", "-z: see probe" },
		{ "-s no", "-s: not this" },
		{ "-l 5", "-l: use serve" },
		{ "--\x1b[31m", "--\\x1b[31m: unknown option" },
		{ "-n \x1b", "-n '\\x1b': not a whole number from 1 to 100" },
		{ "--parse=file --bad --worse", "--bad: unknown option" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		CHECK_INT(parse_line(rows[i].line), -1);
		CHECK(!err.op);
		CHECK_STR(err.text, rows[i].text);
	}
	CHECK_INT(parse_line("--parse=file"), -1);
	CHECK_STR(err.op, "open");
	CHECK_INT(parse_line("--text @/nonexistent/file"), -1);
	CHECK_STR(err.op, "open");
	CHECK_STR(err.target, "/nonexistent/file");
	CHECK_INT(parse_line("--string=-f --list=--flag"), 0);
	CHECK_STR(conf.string, "-f");
}

static void
test_help(void)
{
	struct buf b = { 0 };
	char *line, *rest;

	CHECK_INT(parse_line("--help"), 1);
	CHECK_INT(parse_line("-h"), 1);
	CHECK_INT(parse_line("-fh"), 1);
	CHECK_INT(parse_line("--bad -n x --help"), 1);
	CHECK_INT(parse_line("-n --help"), 1);
	CHECK_INT(parse_line("-- --help"), 0);
	opt_help(&b, groups);
	CHECK(strstr(buf_cstr(&b), "\nOne:\n  -f, --flag"));
	CHECK(strstr(buf_cstr(&b), "--parse[=X]"));
	CHECK(strstr(buf_cstr(&b), "a word: off, line"));
	CHECK(strstr(buf_cstr(&b), "\n  -4 "));
	CHECK(!strstr(buf_cstr(&b), "use serve"));
	for (line = strtok_r(buf_cstr(&b), "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest))
		CHECK(strlen(line) < 80);
	buf_free(&b);
}

static void
test_file(void)
{
	char path[] = "/tmp/unit-opt-XXXXXX";
	char word[64];
	struct buf b = { 0 };
	int fd = mkstemp(path);

	CHECK_INT(write(fd, "a\0b\\n", 5), 5);
	close(fd);
	snprintf(word, sizeof word, "--text @%s", path);
	CHECK_INT(parse_line(word), 0);
	CHECK_INT(conf.text.len, 5);
	CHECK(memcmp(conf.text.data, "a\0b\\n", 5) == 0);
	CHECK_INT(opt_read_file(&b, path, 5, &err), 0);
	buf_clear(&b);
	CHECK_INT(opt_read_file(&b, path, 4, &err), -1);
	CHECK_INT(err.number, EFBIG);
	buf_free(&b);
	unlink(path);
}

int
main(void)
{
	test_values();
	test_arguments();
	test_errors();
	test_help();
	test_file();
	parse_line("");
	free(args);
	return check_result();
}
